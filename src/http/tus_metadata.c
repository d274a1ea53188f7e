#include "http/tus_metadata.h"

#include "base/base64.h"
#include "http/field.h"

static bool is_key(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == ',')
            return false;
    return s.len > 0;
}

/* What stands before the first `separator`; *rest is what follows it, ptr NULL when there is none.
 */
static struct span cut(struct span *rest, char separator)
{
    struct span whole = *rest;
    size_t at = span_find(whole, separator);
    *rest = at < whole.len ? span_make(whole.ptr + at + 1, whole.len - at - 1) : SPAN_EMPTY;
    return span_make(whole.ptr, at);
}

enum tus_next tus_metadata_next(struct span *rest, struct tus_pair *pair)
{
    *rest = span_trim(*rest);
    if (rest->len == 0)
        return TUS_END;
    struct span element = span_trim(cut(rest, ','));
    pair->value = element;
    pair->key = cut(&pair->value, ' ');
    return is_key(pair->key) ? TUS_PAIR : TUS_BAD;
}

/* Whether a pair before this one has its key. */
static bool key_came_before(struct span value, const struct tus_pair *pair)
{
    struct tus_pair earlier;
    while (tus_metadata_next(&value, &earlier) == TUS_PAIR && earlier.key.ptr != pair->key.ptr)
        if (span_equal(earlier.key, pair->key))
            return true;
    return false;
}

/* Well-formed base64, told from a decoding in pieces that is thrown away. */
static bool is_base64(struct span s)
{
    char piece[192];
    size_t len;
    while (s.len > 256) {
        if (!base64_decode(span_make(s.ptr, 256), piece, sizeof piece, &len) || len < sizeof piece)
            return false;
        s = span_from(s, 256);
    }
    return base64_decode(s, piece, sizeof piece, &len);
}

bool tus_metadata_check(struct span value)
{
    struct span rest = value;
    struct tus_pair pair;
    enum tus_next next;

    for (int pairs = 0; (next = tus_metadata_next(&rest, &pair)) == TUS_PAIR; pairs++)
        if (pairs == TUS_METADATA_LIMIT || !is_base64(pair.value) || key_came_before(value, &pair))
            return false;
    return next == TUS_END;
}

bool tus_metadata_find(struct span value, struct span key, void *out, size_t cap, size_t *len)
{
    struct tus_pair pair;
    while (tus_metadata_next(&value, &pair) == TUS_PAIR)
        if (span_equal(pair.key, key))
            return base64_decode(pair.value, out, cap, len);
    return false;
}

enum tus_concat tus_concat_parse(struct span value, struct span *urls)
{
    value = span_trim(value);
    if (span_equal(value, SPAN("partial")))
        return TUS_CONCAT_PARTIAL;
    if (!span_starts_with(value, SPAN("final;")))
        return TUS_CONCAT_BAD;
    *urls = span_trim(span_from(value, 6));
    return urls->len > 0 ? TUS_CONCAT_FINAL : TUS_CONCAT_BAD;
}

bool tus_concat_next(struct span *urls, struct span *url)
{
    *url = SPAN_EMPTY;
    while (url->len == 0 && urls->ptr != NULL)
        *url = cut(urls, ' ');
    return url->len > 0;
}

enum tus_checksum_result tus_checksum_parse(struct span value, struct tus_checksum *checksum)
{
    struct span encoded = span_trim(value), algorithm = cut(&encoded, ' ');
    size_t len, expected;

    if (!field_is_token(algorithm))
        return TUS_CHECKSUM_BAD;
    if (span_equal_nocase(algorithm, SPAN("sha1"))) {
        checksum->algorithm = TUS_SHA1;
        expected = 20;
    } else if (span_equal_nocase(algorithm, SPAN("sha256"))) {
        checksum->algorithm = TUS_SHA256;
        expected = 32;
    } else {
        return TUS_CHECKSUM_UNKNOWN;
    }
    if (!base64_decode(encoded, checksum->digest, sizeof checksum->digest, &len) || len != expected)
        return TUS_CHECKSUM_BAD;
    checksum->len = len;
    return TUS_CHECKSUM_OK;
}
