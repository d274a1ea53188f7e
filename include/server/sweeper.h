#ifndef SERVER_SWEEPER_H
#define SERVER_SWEEPER_H

/*
 * The thread that tidies up: it removes transfers and staged bytes that nobody came back for
 * (--expire), and what a killed server left behind, and keeps count of the staged bytes for
 * --max-staged. No request ever waits for it. Of several processes on one state directory one
 * sweeps in each interval (state_sweep_begin).
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct server;

struct sweeper {
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards stopping */
    pthread_cond_t wake;
    bool stopping;
    uint64_t finished;       /* sweeps, by anybody, when it last looked; the thread's own */
    _Atomic uint64_t staged; /* bytes, when it last looked */
    _Atomic uint64_t since;  /* bytes that this process has staged since: some may be gone by now */
};

/* Counts once and starts the thread; for a server with a state directory. 0, or an errno. */
int sweeper_start(struct server *server);

/* Ends it; waits for the current sweep. Does nothing when it was not started. */
void sweeper_stop(struct server *server);

/*
 * Whether so many bytes more may be staged. Never yes in error as far as this process goes; what
 * others stage is seen within a second or so. Any thread.
 */
bool sweeper_has_room(const struct server *server, uint64_t more);

/* So many bytes were staged. Any thread. */
void sweeper_count(struct server *server, uint64_t len);

#endif
