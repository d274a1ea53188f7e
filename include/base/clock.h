#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Time, in the two kinds that must not be mixed. Any thread. */

#include <stdint.h>
#include <time.h>

/*
 * Milliseconds of a clock that never goes back; for deadlines and durations. The coarse clock: a
 * grain of a few ms, read without entering the kernel.
 */
int64_t clock_ms(void);

/* The same clock at full resolution, in microseconds; for measuring. */
int64_t clock_us(void);

/* So many milliseconds from now, as pthread_cond_timedwait takes it for a condition variable of
   CLOCK_MONOTONIC. */
struct timespec clock_after_ms(int64_t ms);

/* Seconds since 1970-01-01 UTC; for Date, logs and file times. */
int64_t clock_wall_s(void);

/* The same, finely: nanoseconds since 1970. */
int64_t clock_wall_ns(void);

#endif
