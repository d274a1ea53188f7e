#include "server/sweeper.h"

#include "base/clock.h"
#include "base/log.h"
#include "resume/transfer.h"
#include "server/server.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    COUNT_MS = 1000,   /* how often staged bytes are counted, with --max-staged */
    COUNT_SHARE = 20,  /* but it is to take no more than one part in so many of the time */
    SWEEP_LEAST_S = 1, /* how often it sweeps: ten times in --expire, within these bounds */
    SWEEP_MOST_S = 600,
    STACK_SIZE = 128 * 1024,
    BURST_US = 200,    /* how long it sweeps at a time: it may be in the way for as long */
    REST_SHARE = 4,    /* how many times as long it rests after that, at least, */
    REST_MOST_MS = 10, /* but no longer: it may have waited for a disk that others keep busy */
    NICE = 10,         /* others first */
};

static void count(struct server *server)
{
    uint64_t bytes, before = atomic_load(&server->sweeper.since);

    if (state_staged_bytes(&server->state, &bytes) != FS_OK)
        return;
    /* What came while it counted may be counted twice, but is never left out. */
    atomic_store(&server->sweeper.staged, bytes);
    atomic_fetch_sub(&server->sweeper.since, before);
}

/* Waits, unless it is time to end. */
static bool wait_ms(struct sweeper *s, int64_t ms)
{
    struct timespec until = clock_after_ms(ms);

    pthread_mutex_lock(&s->lock);
    while (!s->stopping && pthread_cond_timedwait(&s->wake, &s->lock, &until) != ETIMEDOUT)
        ;
    bool stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return !stopping;
}

/* How a sweep of many files leaves the processor and the disk to the requests: bursts and rests. */
struct pace {
    struct sweeper *sweeper;
    int64_t begun_us; /* when the burst began */
    bool ended;       /* before all was swept, since the server ends */
};

static bool go_on(void *context)
{
    struct pace *pace = context;
    int64_t spent_us = clock_us() - pace->begun_us;

    if (pace->ended || spent_us < BURST_US)
        return !pace->ended;
    int64_t rest_ms = 1 + REST_SHARE * spent_us / 1000;
    pace->ended = !wait_ms(pace->sweeper, rest_ms < REST_MOST_MS ? rest_ms : REST_MOST_MS);
    pace->begun_us = clock_us();
    return !pace->ended;
}

static void sweep(struct server *server)
{
    int64_t expired_s = clock_wall_s() - server->options->expire_s;
    struct pace pace = {&server->sweeper, clock_us(), false};
    unsigned stages = 0, records = 0;
    uint64_t freed = 0;
    int lock_fd;

    if (state_sweep_begin(&server->state, &server->sweeper.finished, &lock_fd) != FS_OK)
        return; /* another process is at it, or was since this one looked last */
    state_sweep(&server->state, expired_s, go_on, &pace, &stages, &freed);
    transfer_sweep(server->state.transfers_fd, expired_s, NULL, go_on, &pace, &records);
    if (pace.ended)
        close(lock_fd);
    else
        state_sweep_end(lock_fd, &server->sweeper.finished);
    if (stages > 0)
        log_notice("removed unfinished uploads: %u, of %llu bytes", stages,
                   (unsigned long long)freed);
}

static int64_t sweep_ms(const struct options *o)
{
    int64_t s = o->expire_s / 10;

    return 1000 * (s < SWEEP_LEAST_S ? SWEEP_LEAST_S : s > SWEEP_MOST_S ? SWEEP_MOST_S : s);
}

static void *sweeper_main(void *argument)
{
    struct server *server = argument;
    bool counts = server->options->max_staged > 0;
    int64_t next_sweep = 0, pause = sweep_ms(server->options);

    pthread_setname_np(pthread_self(), "httpd-sweeper");
    setpriority(PRIO_PROCESS, 0, NICE); /* Linux: of this thread alone */
    sandbox_enter(&server->sandbox, THREAD_SWEEPER);
    do {
        int64_t begun = clock_ms();
        if (begun >= next_sweep) {
            sweep(server);
            next_sweep = begun + sweep_ms(server->options);
        }
        if (counts) {
            int64_t start = clock_ms();
            count(server);
            pause = COUNT_SHARE * (clock_ms() - start);
            pause = pause < COUNT_MS ? COUNT_MS : pause;
        }
    } while (wait_ms(&server->sweeper, pause));
    return NULL;
}

int sweeper_start(struct server *server)
{
    struct sweeper *s = &server->sweeper;
    pthread_condattr_t clock;
    pthread_attr_t attributes;
    int error;

    s->finished = state_sweeps(&server->state);
    if (server->options->max_staged > 0)
        count(server);
    if ((error = pthread_mutex_init(&s->lock, NULL)) != 0 ||
        (error = pthread_condattr_init(&clock)) != 0)
        return error;
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    error = pthread_cond_init(&s->wake, &clock);
    pthread_condattr_destroy(&clock);
    if (error != 0 || (error = pthread_attr_init(&attributes)) != 0)
        return error;
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    error = pthread_create(&s->thread, &attributes, sweeper_main, server);
    pthread_attr_destroy(&attributes);
    s->started = error == 0;
    return error;
}

void sweeper_stop(struct server *server)
{
    struct sweeper *s = &server->sweeper;

    if (!s->started)
        return;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    s->started = false;
}

bool sweeper_has_room(const struct server *server, uint64_t more)
{
    uint64_t most = server->options->max_staged;

    if (most == 0)
        return true;
    uint64_t held = atomic_load(&server->sweeper.staged) + atomic_load(&server->sweeper.since);
    return held <= most && most - held >= more;
}

void sweeper_count(struct server *server, uint64_t len)
{
    if (server->options->max_staged > 0)
        atomic_fetch_add(&server->sweeper.since, len);
}
