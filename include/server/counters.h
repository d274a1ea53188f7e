#ifndef SERVER_COUNTERS_H
#define SERVER_COUNTERS_H

/*
 * What the server counts, for /.status and /.metrics. To count costs a worker a nanosecond: it has
 * a set of counters of its own that nobody else writes, so there is no locked instruction, and no
 * cache line that another worker writes. Whoever wants to know adds the sets up; what it reads is a
 * moment old, and a counter never goes back.
 */

#include "http/method.h"
#include "http/status.h"

#include <stdatomic.h>

enum {
    STATUS_CLASSES = 5,   /* 1xx to 5xx */
    DURATION_LEAST = 4,   /* the first bucket holds what took up to 1 << 4 microseconds, */
    DURATION_BUCKETS = 24 /* each further one twice as much (the 23rd: 67 s), the last any time */
};

enum counter {
    COUNTER_ACCEPTED,   /* connections */
    COUNTER_REFUSED,    /* of them, because no more could be served */
    COUNTER_RECEIVED,   /* bytes */
    COUNTER_SENT,       /* bytes */
    COUNTER_CACHE_HIT,  /* requests answered from memory */
    COUNTER_CACHE_MISS, /* requests that could have been */
    COUNTER_HFTP_OK,    /* commands */
    COUNTER_HFTP_FAILED,

    /* Transfers by client id. */
    COUNTER_DOWNLOADS_BEGUN,
    COUNTER_DOWNLOADS_RESUMED, /* from an offset other than 0 */
    COUNTER_DOWNLOADS_COMPLETE,
    COUNTER_DOWNLOADS_SPARED, /* bytes that a resumed download did not have to repeat */
    COUNTER_UPLOADS_BEGUN,
    COUNTER_UPLOADS_RESUMED, /* also when the client sends its file in pieces */
    COUNTER_UPLOADS_COMPLETE,

    COUNTER_DURATION_US, /* of all requests together */
    COUNTER_DURATION,    /* requests by duration: the first of DURATION_BUCKETS */
    COUNTER_REQUESTS = COUNTER_DURATION + DURATION_BUCKETS, /* by method and status class */
    COUNTER_COUNT = COUNTER_REQUESTS + METHOD_COUNT * STATUS_CLASSES
};

/* The counters of one worker. Two cache lines apart from any other: processors fetch them in pairs.
 */
struct counters {
    _Alignas(128) _Atomic uint64_t at[COUNTER_COUNT];
};

/* Adds to a counter of the calling worker's own set. */
static inline void counters_add(struct counters *own, enum counter counter, uint64_t n)
{
    uint64_t before = atomic_load_explicit(&own->at[counter], memory_order_relaxed);
    atomic_store_explicit(&own->at[counter], before + n, memory_order_relaxed);
}

/* Adds to a set that all threads share: for what happens rarely. Any thread. */
static inline void counters_add_shared(struct counters *shared, enum counter counter, uint64_t n)
{
    atomic_fetch_add_explicit(&shared->at[counter], n, memory_order_relaxed);
}

/* The counter of requests of a method (METHOD_UNKNOWN too) that ended with a status. */
enum counter counter_of_request(enum method method, unsigned status);

/* The bucket of what took so long, and the longest time it holds; the last one holds any. */
unsigned duration_bucket(uint64_t us);
uint64_t duration_bucket_most(unsigned bucket);

/* `count` requests took so long each. Worker: its own set. */
void counters_add_duration(struct counters *own, uint64_t us, unsigned count);

/* Adds the set to *total, which is nobody else's. Any thread. */
void counters_sum(const struct counters *set, uint64_t total[static COUNTER_COUNT]);

#endif
