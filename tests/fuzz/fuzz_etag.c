/* The input is a list of tags, a newline, and the tag to look for. */

#include <stdlib.h>

#include "base/buffer.h"
#include "http/etag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* A list says the same twice over, but "*", which is only a value alone. */
static void check_twice(struct span list, struct span tag, enum etag_match once)
{
    size_t cap = 2 * list.len + 2;
    char *memory = malloc(cap);
    if (memory == NULL)
        return;
    struct buffer twice = buffer_make(memory, cap);
    buffer_put_span(&twice, list);
    buffer_put_text(&twice, " ,");
    buffer_put_span(&twice, list);
    enum etag_match result = etag_list_match(buffer_span(&twice), tag, true, false);
    require(result == (span_equal(span_trim(list), SPAN("*")) ? ETAG_MALFORMED : once));
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span tag = span_make((const char *)data, size);
    struct span list = span_make(tag.ptr, span_find(tag, '\n'));
    tag = span_from(tag, list.len + 1);

    enum etag_match strong = etag_list_match(list, tag, true, true);
    enum etag_match weak = etag_list_match(list, tag, true, false);
    enum etag_match nothing = etag_list_match(list, tag, false, false);

    require((strong == ETAG_MALFORMED) == (weak == ETAG_MALFORMED));
    require((strong == ETAG_MALFORMED) == (nothing == ETAG_MALFORMED));
    require(strong != ETAG_MATCH || weak == ETAG_MATCH);
    require(nothing != ETAG_MATCH);
    require(etag_equal_strong(list, tag) == etag_equal_strong(tag, list));
    require(etag_equal_weak(list, tag) == etag_equal_weak(tag, list));
    require(!etag_equal_strong(list, tag) || etag_equal_weak(list, tag));
    check_twice(list, tag, weak);
    return 0;
}
