#include "http/range.h"

/* What was asked for, before ranges that meet are merged: more may stand here than are answered. */
struct pending {
    unsigned count;
    struct range ranges[RANGE_SPEC_LIMIT];
};

/* As span_to_u64, but a number too large to hold is the largest: it lies past any end. */
static bool read_position(struct span digits, uint64_t *position)
{
    if (digits.len == 0)
        return false;
    for (size_t i = 0; i < digits.len; i++)
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            return false;
    if (!span_to_u64(digits, position))
        *position = UINT64_MAX;
    return true;
}

enum spec_result { SPEC_MALFORMED, SPEC_PAST_END, SPEC_RANGE };

/* "-500": the last 500 bytes. */
static enum spec_result read_suffix(struct range *range, struct span digits, uint64_t size)
{
    uint64_t len;
    if (!read_position(digits, &len))
        return SPEC_MALFORMED;
    if (len == 0 || size == 0)
        return SPEC_PAST_END;
    *range = (struct range){len < size ? size - len : 0, size - 1};
    return SPEC_RANGE;
}

/* "0-499", "500-" or "-500" (RFC 9110 14.1.2). */
static enum spec_result read_spec(struct range *range, struct span spec, uint64_t size)
{
    size_t dash = span_find(spec, '-');
    if (dash == spec.len)
        return SPEC_MALFORMED;
    struct span before = span_make(spec.ptr, dash);
    struct span after = span_from(spec, dash + 1);
    if (before.len == 0)
        return read_suffix(range, after, size);

    uint64_t first, last = UINT64_MAX;
    if (!read_position(before, &first))
        return SPEC_MALFORMED;
    if (after.len > 0 && (!read_position(after, &last) || last < first))
        return SPEC_MALFORMED;
    if (first >= size)
        return SPEC_PAST_END;
    *range = (struct range){first, last < size ? last : size - 1};
    return SPEC_RANGE;
}

/* Whether no byte lies between them. last + 1 cannot wrap: last is below a size. */
static bool meet(const struct range *a, const struct range *b)
{
    return a->first <= b->last + 1 && b->first <= a->last + 1;
}

static void widen(struct range *range, const struct range *by)
{
    if (by->first < range->first)
        range->first = by->first;
    if (by->last > range->last)
        range->last = by->last;
}

/*
 * Adds a range, or merges it with all that it meets into the place of the first of those. The
 * ranges held never meet one another, so what it has swallowed cannot reach a further one.
 */
static void add_merged(struct pending *pending, struct range range)
{
    struct range *home = NULL;
    unsigned kept = 0;
    for (unsigned i = 0; i < pending->count; i++) {
        struct range *other = &pending->ranges[i];
        if (!meet(other, &range)) {
            pending->ranges[kept++] = *other;
        } else if (home == NULL) {
            pending->ranges[kept] = *other;
            home = &pending->ranges[kept++];
            widen(home, &range);
        } else {
            widen(home, other);
        }
    }
    if (home == NULL)
        pending->ranges[kept++] = range;
    pending->count = kept;
}

enum range_result range_parse(struct range_set *set, struct span value, uint64_t size)
{
    struct pending pending = {.count = 0};
    unsigned specs = 0;

    set->count = 0;
    if (!span_starts_with_nocase(value, SPAN("bytes=")))
        return RANGE_IGNORE;
    struct span rest = span_from(value, strlen("bytes="));
    while (rest.ptr != NULL) {
        struct span spec = span_cut(&rest, ',');
        struct range range;
        if (spec.len == 0) /* an empty list element (RFC 9110 5.6.1.2) */
            continue;
        if (++specs > RANGE_SPEC_LIMIT)
            return RANGE_IGNORE;
        switch (read_spec(&range, spec, size)) {
        case SPEC_MALFORMED: return RANGE_IGNORE;
        case SPEC_PAST_END: break;
        case SPEC_RANGE: add_merged(&pending, range); break;
        }
    }
    if (specs == 0 || pending.count > RANGE_LIMIT)
        return RANGE_IGNORE;
    if (pending.count == 0)
        return RANGE_UNSATISFIABLE;
    set->count = pending.count;
    memcpy(set->ranges, pending.ranges, pending.count * sizeof pending.ranges[0]);
    return RANGE_SATISFIABLE;
}

static bool read_offset(struct span digits, uint64_t *offset)
{
    return span_to_u64(digits, offset) && *offset <= INT64_MAX;
}

bool content_range_parse(struct content_range *range, struct span value)
{
    struct content_range read = {0};

    if (!span_starts_with_nocase(value, SPAN("bytes ")))
        return false;
    value = span_from(value, strlen("bytes "));
    size_t dash = span_find(value, '-');
    size_t slash = span_find(value, '/');
    if (dash >= slash || slash == value.len)
        return false;
    if (!read_offset(span_make(value.ptr, dash), &read.first) ||
        !read_offset(span_make(value.ptr + dash + 1, slash - dash - 1), &read.last) ||
        read.last < read.first)
        return false;

    struct span length = span_from(value, slash + 1);
    read.length_known = !span_equal(length, SPAN("*"));
    if (read.length_known && (!read_offset(length, &read.length) || read.last >= read.length))
        return false;
    *range = read;
    return true;
}
