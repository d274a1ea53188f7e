/* Values of tus: well-formed ones decode and encode to themselves, and their keys are unique. */

#include "fuzz/fuzz.h"

#include "base/base64.h"
#include "base/buffer.h"
#include "http/tus_metadata.h"

static void check_pair(struct span value, const struct tus_pair *pair)
{
    size_t cap = base64_decoded_max(pair->value.len), len = 0;
    char *decoded = fuzz_copy(pair->value.ptr, cap), *encoded = calloc(pair->value.len + 1, 1);

    FUZZ_CHECK(encoded != NULL && pair->key.len > 0);
    FUZZ_CHECK(tus_metadata_find(value, pair->key, decoded, cap, &len) && len <= cap);
    FUZZ_CHECK(base64_encoded_len(len) == pair->value.len);
    FUZZ_CHECK(base64_encode(encoded, decoded, len) == pair->value.len);
    FUZZ_CHECK(span_equal(span_make(encoded, pair->value.len), pair->value));
    free(decoded);
    free(encoded);
}

static void check_metadata(struct span value)
{
    struct span rest = value;
    struct tus_pair pair;
    unsigned pairs = 0;
    enum tus_next next;
    bool ok = tus_metadata_check(value);

    while ((next = tus_metadata_next(&rest, &pair)) == TUS_PAIR) {
        FUZZ_CHECK(rest.len < value.len);
        if (ok)
            check_pair(value, &pair);
        pairs++;
    }
    FUZZ_CHECK(!ok || (next == TUS_END && pairs <= TUS_METADATA_LIMIT));
}

static void check_concat(struct span value)
{
    struct span urls = SPAN_EMPTY, url;
    unsigned count = 0;
    if (tus_concat_parse(value, &urls) != TUS_CONCAT_FINAL)
        return;
    for (; tus_concat_next(&urls, &url); count++)
        FUZZ_CHECK(url.len > 0 && span_find(url, ' ') == url.len);
    FUZZ_CHECK(count > 0);
}

static void check_checksum(struct span value)
{
    struct tus_checksum sum;
    char encoded[64];
    if (tus_checksum_parse(value, &sum) != TUS_CHECKSUM_OK)
        return;
    FUZZ_CHECK(sum.len == (sum.algorithm == TUS_SHA1 ? 20 : 32));
    size_t len = base64_encode(encoded, sum.digest, sum.len);
    FUZZ_CHECK(span_ends_with(span_trim(value), span_make(encoded, len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size);
    struct span value = span_make(copy, size);
    check_metadata(value);
    check_concat(value);
    check_checksum(value);
    free(copy);
    return 0;
}
