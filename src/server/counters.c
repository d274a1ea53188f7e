#include "server/counters.h"

enum counter counter_of_request(enum method method, unsigned status)
{
    unsigned class = status >= 100 && status < 600 ? status / 100 - 1 : STATUS_CLASSES - 1;

    return (enum counter)(COUNTER_REQUESTS + (unsigned)method * STATUS_CLASSES + class);
}

unsigned duration_bucket(uint64_t us)
{
    unsigned bucket = 0;

    /* The number of bits of what is beyond the first bucket's end. */
    if (us > 1u << DURATION_LEAST)
        bucket = 64 - (unsigned)__builtin_clzll((us - 1) >> DURATION_LEAST);
    return bucket < DURATION_BUCKETS ? bucket : DURATION_BUCKETS - 1;
}

uint64_t duration_bucket_most(unsigned bucket)
{
    return bucket < DURATION_BUCKETS - 1 ? (uint64_t)1 << (DURATION_LEAST + bucket) : UINT64_MAX;
}

void counters_add_duration(struct counters *own, uint64_t us, unsigned count)
{
    counters_add(own, (enum counter)(COUNTER_DURATION + duration_bucket(us)), count);
    counters_add(own, COUNTER_DURATION_US, us * count);
}

void counters_sum(const struct counters *set, uint64_t total[static COUNTER_COUNT])
{
    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        total[i] += atomic_load_explicit(&set->at[i], memory_order_relaxed);
}
