#ifndef CLIENT_HISTOGRAM_H
#define CLIENT_HISTOGRAM_H

/*
 * Counts of durations in buckets whose width grows with the value, so that each is known to within
 * 1/128 whether it is 50 us or 50 s. No allocation; not for several threads at once.
 *
 *     value     0 .. 255    256 .. 511    512 .. 1023   ...   2^35 .. 2^36-1
 *     width        1             2             4                   2^28
 */

#include <stddef.h>
#include <stdint.h>

enum {
    HISTOGRAM_SUB_BITS = 7, /* 128 buckets for each doubling: an error below 0.8 % */
    HISTOGRAM_BITS = 36,    /* of the largest value; in microseconds, 19 hours */
    HISTOGRAM_BUCKETS = (HISTOGRAM_BITS - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS,
};

struct histogram { /* zero it to begin */
    uint64_t count;
    uint64_t max; /* exact */
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

/* A value above what there are buckets for is counted as the largest there is one for. */
void histogram_record(struct histogram *histogram, uint64_t value);

void histogram_add(struct histogram *to, const struct histogram *from);

/*
 * A value that `share` (0 to 1) of all are not above: the upper end of its bucket, and no more than
 * the maximum. 0 when there are none.
 */
uint64_t histogram_quantile(const struct histogram *histogram, double share);

/* How many values are in [from, to), as far as buckets tell: each counts by its lower end. */
uint64_t histogram_between(const struct histogram *histogram, uint64_t from, uint64_t to);

/*
 * What would have been measured by somebody who asks every `interval`, whether answered or not. A
 * client that waits for an answer before it asks again leaves out the questions that a stall would
 * have held up; so each value v stands also for those at v - interval, v - 2 interval, ... down to
 * the interval, which is what they would have waited. *corrected is overwritten, and must be other
 * memory. An interval of 0 corrects nothing.
 */
void histogram_correct(struct histogram *corrected, const struct histogram *measured,
                       uint64_t interval);

/* The values of a bucket are [histogram_low(i), histogram_low(i + 1)). */
uint64_t histogram_low(size_t bucket);

#endif
