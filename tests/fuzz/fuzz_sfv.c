/* Structured fields: what was read and is written again reads the same. And digests made of them.
 */

#include "fuzz/fuzz.h"

#include "http/digest_field.h"
#include "http/sfv.h"

/* Writes an item of a kind that can be written; false for the others, and for bytes that are not.
 */
static bool put_item(struct buffer *b, const struct sfv_item *item)
{
    char *memory = calloc(item->text.len + 1, 1);
    struct buffer text = buffer_make(memory, item->text.len);
    size_t len;
    bool written = true;

    FUZZ_CHECK(memory != NULL);
    switch (item->kind) {
    case SFV_BOOLEAN: sfv_put_boolean(b, item->boolean); break;
    case SFV_INTEGER: sfv_put_integer(b, item->integer); break;
    case SFV_TOKEN: sfv_put_token(b, item->text); break;
    case SFV_STRING:
        sfv_text(item, &text);
        sfv_put_string(b, buffer_span(&text));
        break;
    case SFV_BYTES:
        written = sfv_bytes(item, memory, item->text.len, &len);
        if (written)
            sfv_put_bytes(b, memory, len);
        break;
    default: written = false; break;
    }
    FUZZ_CHECK(!text.overflowed);
    free(memory);
    return written;
}

static void check_same(const struct sfv_item *a, const struct sfv_item *b)
{
    FUZZ_CHECK(a->kind == b->kind);
    if (a->kind == SFV_BOOLEAN)
        FUZZ_CHECK(a->boolean == b->boolean);
    if (a->kind == SFV_INTEGER)
        FUZZ_CHECK(a->integer == b->integer);
    if (a->kind == SFV_TOKEN || a->kind == SFV_STRING)
        FUZZ_CHECK(span_equal(a->text, b->text));
}

static void check_item(struct span value, struct buffer *b)
{
    struct sfv_item item, again;

    if (!sfv_item_parse(value, &item) || !put_item(b, &item))
        return;
    FUZZ_CHECK(!b->overflowed && sfv_item_parse(buffer_span(b), &again));
    check_same(&item, &again);
}

/* Each member is found under its key, unless a later one has the same; all of it can be written. */
static void check_dictionary(struct span value, struct buffer *b)
{
    struct span rest = value;
    struct sfv_member member;
    struct sfv_item found;
    enum sfv_next next;
    bool writable = true, first = true;

    while ((next = sfv_dictionary_next(&rest, &member)) == SFV_MEMBER) {
        FUZZ_CHECK(rest.len < value.len);
        sfv_put_key(b, first, member.key);
        writable = put_item(b, &member.item) && writable;
        first = false;
    }
    rest = value;
    while (next == SFV_END && sfv_dictionary_next(&rest, &member) == SFV_MEMBER) {
        FUZZ_CHECK(sfv_dictionary_find(value, member.key, &found) == SFV_FOUND);
        if (writable && sfv_dictionary_find(rest, member.key, &found) == SFV_ABSENT) {
            struct sfv_item again;
            FUZZ_CHECK(!b->overflowed);
            FUZZ_CHECK(sfv_dictionary_find(buffer_span(b), member.key, &again) == SFV_FOUND);
            check_same(&member.item, &again);
        }
    }
    if (next == SFV_BAD)
        FUZZ_CHECK(sfv_dictionary_find(value, SPAN("a"), &found) == SFV_MALFORMED);
}

static void check_digest(struct span value)
{
    struct digest_field field, again;
    char text[64];
    struct buffer b = BUFFER_OVER(text);

    FUZZ_CHECK(digest_field_want_sha256(value) <= 10);
    if (!digest_field_parse(value, &field) || !field.has_sha256)
        return;
    digest_field_put(&b, field.sha256);
    FUZZ_CHECK(!b.overflowed && digest_field_parse(buffer_span(&b), &again));
    FUZZ_CHECK(again.has_sha256 && !again.has_unknown);
    FUZZ_CHECK(memcmp(again.sha256, field.sha256, sizeof field.sha256) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* "?1" may be left out of what comes in: "a,b" grows to "a=?1, b=?1", five times its length. */
    size_t cap = 6 * size + 64;
    char *copy = fuzz_copy(data, size), *memory = calloc(2, cap);
    struct buffer item = buffer_make(memory, cap), dictionary = buffer_make(memory + cap, cap);
    struct span value = span_make(copy, size);

    FUZZ_CHECK(memory != NULL);
    check_item(value, &item);
    check_dictionary(value, &dictionary);
    check_digest(value);
    free(memory);
    free(copy);
    return 0;
}
