#include "http/digest_field.h"

#include "http/sfv.h"

bool digest_field_parse(struct span value, struct digest_field *field)
{
    struct sfv_member member;
    enum sfv_next next;
    bool well_sized = true;

    *field = (struct digest_field){0};
    while ((next = sfv_dictionary_next(&value, &member)) == SFV_MEMBER) {
        if (span_equal(member.key, SPAN("sha-256"))) {
            size_t len = 0;
            /* The last one of a key counts (RFC 9651 3.2), whatever the ones before it were. */
            field->has_sha256 = sfv_bytes(&member.item, field->sha256, sizeof field->sha256, &len);
            well_sized = field->has_sha256 && len == sizeof field->sha256;
        } else {
            field->has_unknown = true;
        }
    }
    return next == SFV_END && well_sized;
}

unsigned digest_field_want_sha256(struct span value)
{
    struct sfv_item item;
    if (sfv_dictionary_find(value, SPAN("sha-256"), &item) != SFV_FOUND ||
        item.kind != SFV_INTEGER || item.integer < 0 || item.integer > 10)
        return 0;
    return (unsigned)item.integer;
}

void digest_field_put(struct buffer *b, const uint8_t sha256[static DIGEST_FIELD_SHA256_LEN])
{
    sfv_put_key(b, true, SPAN("sha-256"));
    sfv_put_bytes(b, sha256, DIGEST_FIELD_SHA256_LEN);
}
