#include "client/histogram.h"

#include <string.h>

enum { SUB = 1 << HISTOGRAM_SUB_BITS };

static const uint64_t largest = (UINT64_C(1) << HISTOGRAM_BITS) - 1;

/*
 * A value of e + 1 bits keeps its upper 8: v >> shift is in [128, 255] for shift > 0, and each
 * shift has the next 128 buckets. Values below 256 are their own buckets.
 */
static size_t bucket_of(uint64_t value)
{
    int shift = 63 - __builtin_clzll(value | SUB) - HISTOGRAM_SUB_BITS;
    return ((size_t)shift << HISTOGRAM_SUB_BITS) + (size_t)(value >> shift);
}

uint64_t histogram_low(size_t bucket)
{
    if (bucket < (size_t)2 * SUB)
        return bucket;
    size_t shift = (bucket >> HISTOGRAM_SUB_BITS) - 1;
    return (uint64_t)(bucket - (shift << HISTOGRAM_SUB_BITS)) << shift;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    if (value > largest)
        value = largest;
    histogram->count++;
    histogram->buckets[bucket_of(value)]++;
    if (value > histogram->max)
        histogram->max = value;
}

void histogram_add(struct histogram *to, const struct histogram *from)
{
    to->count += from->count;
    if (from->max > to->max)
        to->max = from->max;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        to->buckets[i] += from->buckets[i];
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t below = 0;
    double wanted = share * (double)histogram->count;
    if (histogram->count == 0)
        return 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        below += histogram->buckets[i];
        if (below > 0 && (double)below >= wanted) {
            uint64_t high = histogram_low(i + 1) - 1;
            return high < histogram->max ? high : histogram->max;
        }
    }
    return histogram->max;
}

uint64_t histogram_between(const struct histogram *histogram, uint64_t from, uint64_t to)
{
    uint64_t count = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS && histogram_low(i) < to; i++)
        if (histogram_low(i) >= from)
            count += histogram->buckets[i];
    return count;
}

/*
 * How many k > 0 there are for which value - k interval is in [low, high], and not below the
 * interval. Counting them at once instead of one by one keeps a long stall measured with a short
 * interval from taking minutes.
 */
static uint64_t steps_into(uint64_t value, uint64_t interval, uint64_t low, uint64_t high)
{
    if (low < interval)
        low = interval;
    if (high < low || value < low + interval)
        return 0;
    uint64_t last = (value - low) / interval;
    uint64_t before = value > high ? (value - high - 1) / interval : 0;
    return last - before;
}

void histogram_correct(struct histogram *corrected, const struct histogram *measured,
                       uint64_t interval)
{
    *corrected = *measured;
    if (interval == 0)
        return;
    for (size_t from = 0; from < HISTOGRAM_BUCKETS; from++) {
        uint64_t count = measured->buckets[from];
        /* All values of a bucket are taken to be its upper end, as by quantile. */
        uint64_t value = histogram_low(from + 1) - 1;
        if (value > measured->max)
            value = measured->max;
        if (count == 0 || value < 2 * interval)
            continue;
        for (size_t to = 0; to <= from; to++) {
            uint64_t more =
                count * steps_into(value, interval, histogram_low(to), histogram_low(to + 1) - 1);
            corrected->buckets[to] += more;
            corrected->count += more;
        }
    }
}
