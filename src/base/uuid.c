#include "base/uuid.h"

#include "base/hex.h"

/* Bytes between the hyphens of 8-4-4-4-12 digits (RFC 9562 4). */
static const size_t groups[] = {4, 2, 2, 2, 6};
enum { GROUPS = sizeof groups / sizeof groups[0] };

bool uuid_parse(struct span text, struct uuid *id)
{
    struct uuid parsed;
    uint8_t *to = parsed.bytes;

    if (text.len != UUID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < GROUPS; i++) {
        if (i > 0) {
            if (text.ptr[0] != '-')
                return false;
            text = span_make(text.ptr + 1, text.len - 1);
        }
        if (!hex_decode(span_make(text.ptr, 2 * groups[i]), to, groups[i]))
            return false;
        to += groups[i];
        text = span_make(text.ptr + 2 * groups[i], text.len - 2 * groups[i]);
    }
    *id = parsed;
    return true;
}

void uuid_format(const struct uuid *id, char text[static UUID_TEXT_LEN])
{
    const uint8_t *from = id->bytes;
    for (size_t i = 0; i < GROUPS; i++) {
        if (i > 0)
            *text++ = '-';
        hex_encode(text, from, groups[i]);
        from += groups[i];
        text += 2 * groups[i];
    }
}

unsigned uuid_version(const struct uuid *id)
{
    return (id->bytes[8] & 0xC0) == 0x80 ? id->bytes[6] >> 4 : 0;
}

void uuid_set_version(struct uuid *id, unsigned version)
{
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0F) | version << 4);
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3F) | 0x80);
}
