/* The input is a value of Range, and one of Content-Range. */

#include <stdlib.h>

#include "http/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool meet(const struct range *a, const struct range *b)
{
    return a->first <= b->last + 1 && b->first <= a->last + 1;
}

static enum range_result check_range(struct span value, uint64_t size)
{
    struct range_set set;
    enum range_result result = range_parse(&set, value, size);

    require(result == RANGE_SATISFIABLE ? set.count >= 1 && set.count <= RANGE_LIMIT
                                        : set.count == 0);
    for (unsigned i = 0; i < set.count; i++) {
        require(set.ranges[i].first <= set.ranges[i].last && set.ranges[i].last < size);
        for (unsigned j = 0; j < i; j++)
            require(!meet(&set.ranges[i], &set.ranges[j]));
    }
    return result;
}

static void check_content_range(struct span value)
{
    struct content_range range;
    if (!content_range_parse(&range, value))
        return;
    require(range.first <= range.last && range.last <= INT64_MAX);
    require(!range.length_known || (range.last < range.length && range.length <= INT64_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span value = span_make((const char *)data, size);
    enum range_result empty = check_range(value, 0);
    enum range_result one = check_range(value, 1);

    check_range(value, 100);
    check_range(value, 10000);
    check_range(value, UINT64_MAX);
    check_content_range(value);
    /* Nothing of an empty file can be sent; and whether a value is understood does not hang on the
       size, as far as no more than one part can be left. */
    require(empty != RANGE_SATISFIABLE);
    require((empty == RANGE_IGNORE) == (one == RANGE_IGNORE));
    return 0;
}
