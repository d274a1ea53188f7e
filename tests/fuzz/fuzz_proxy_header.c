/* The proxy header, and what Forwarded and X-Forwarded-For say: the same however the bytes arrive,
   and never anything outside of them. */

#include "http/forwarded.h"
#include "http/proxy_header.h"

#include "fuzz/fuzz.h"

static bool is_within(struct span part, struct span whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_lists(struct span input)
{
    struct span rest = input;

    while (rest.ptr != NULL) {
        struct span element = span_cut(&rest, ',');
        FUZZ_CHECK(is_within(forwarded_host(element), element));
        FUZZ_CHECK(is_within(forwarded_for_host(element), element));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_make((const char *)data, size);
    struct proxy_header whole, part;
    enum proxy_result result = proxy_header_parse(&whole, input.ptr, input.len);

    FUZZ_CHECK(result != PROXY_DONE || whole.len <= input.len);
    FUZZ_CHECK(result != PROXY_DONE || whole.len <= PROXY_HEADER_LIMIT);
    FUZZ_CHECK(result != PROXY_DONE || is_within(whole.source, span_make(input.ptr, whole.len)));
    for (size_t n = 0; n < input.len && n < 300; n++) {
        enum proxy_result early = proxy_header_parse(&part, input.ptr, n);
        FUZZ_CHECK(early == PROXY_PARTIAL || early == result);
        FUZZ_CHECK(early != PROXY_DONE || (part.len == whole.len && part.family == whole.family));
    }
    check_lists(input);
    return 0;
}
