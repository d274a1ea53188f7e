#ifndef SERVER_MAIN_THREAD_H
#define SERVER_MAIN_THREAD_H

/*
 * What the main thread does while the server serves: it accepts (server/gate.h), keeps the
 * deadlines of parked connections, obeys signals, and sees to an orderly end.
 *
 *     SIGTERM, SIGINT   drain, and end; once more: end at once
 *     SIGHUP            open the logs again, read the accounts again
 *     SIGUSR2           have a new server take over (server/handover.h)
 */

#include "server/activation.h"
#include "server/gate.h"
#include "server/handover.h"

#include <stdbool.h>
#include <stdint.h>

struct server;

/* How far the end is. */
enum leaving {
    LEAVING_NOT,
    LEAVING_ANNOUNCED,  /* it serves as before, and whoever deals out clients can see it going */
    LEAVING_TO_ANOTHER, /* another process serves now: what is under way may take its time */
    LEAVING,            /* what is under way has ten seconds */
};

/* What the main thread alone uses. */
struct main_thread {
    struct server *server;
    struct gate gate;
    struct activation activation;
    struct handover handover;
    int epoll_fd, signal_fd, kick_fd;
    int pid_file_fd; /* -1: there is none, or it names another process by now */
    bool ticking;    /* a connection may be waiting for a second worker */
    enum leaving leaving;
    int64_t next_tick_us, next_sweep_ms;
    int64_t leave_ms;                   /* with LEAVING_ANNOUNCED */
    int64_t dismiss_ms, drain_until_ms; /* with LEAVING */
};

/* Opens what it waits on. From here on signals arrive as reads of a descriptor, in the main thread
   alone, and in every thread that is started later they are blocked. 0, or an exit status after a
   line that says why. */
int main_thread_open_events(struct main_thread *m);

/* Serves until the end: with everything under way finished, or given up after its time. */
void main_thread_serve(struct main_thread *m);

#endif
