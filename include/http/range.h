#ifndef HTTP_RANGE_H
#define HTTP_RANGE_H

/* Range requests for bytes (RFC 9110 14). Pure; any thread. */

#include "base/span.h"

enum {
    RANGE_LIMIT = 16,      /* parts in one answer, after merging */
    RANGE_SPEC_LIMIT = 64, /* ranges in one request: far more than any honest client asks for, and
                              few enough that merging them costs nothing (RFC 9110 17.15) */
};

struct range {
    uint64_t first, last; /* both inclusive, last < size */
};

struct range_set {
    unsigned count;
    struct range ranges[RANGE_LIMIT];
};

enum range_result {
    RANGE_IGNORE,        /* no bytes range, malformed, or an abuse: answer 200 with the whole */
    RANGE_SATISFIABLE,   /* 206 with set->count parts, in the order they were asked for */
    RANGE_UNSATISFIABLE, /* 416 */
};

/*
 * `value` is the field's value, `size` the length of the representation. Ranges that reach past the
 * end are cut to it; those that begin past it are dropped. Ranges that overlap or touch are merged
 * into the place of the first of them (RFC 9110 15.3.7.2 allows it); more than RANGE_LIMIT left
 * after that, or more than RANGE_SPEC_LIMIT before it, means RANGE_IGNORE. A "bytes=-0" alone and
 * any range of an empty representation is RANGE_UNSATISFIABLE.
 */
enum range_result range_parse(struct range_set *set, struct span value, uint64_t size);

/* Content-Range of a partial PUT (RFC 9110 14.4): "bytes 0-99/100" or, with length unknown, a '*'.
 */
struct content_range {
    uint64_t first, last;
    uint64_t length; /* when length_known */
    bool length_known;
};

/* False, and *range untouched, when malformed: last before first, last not below length, a number
   above 2^63-1, unit not bytes, unsatisfied form. */
bool content_range_parse(struct content_range *range, struct span value);

/* Whether it is all there is, as "curl -C - -T" says of a fresh upload. The length is known. */
static inline bool content_range_is_whole(const struct content_range *range)
{
    return range->first == 0 && range->last + 1 == range->length;
}

#endif
