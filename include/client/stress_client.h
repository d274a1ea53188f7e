#ifndef CLIENT_STRESS_CLIENT_H
#define CLIENT_STRESS_CLIENT_H

/* One of the clients of a stress run: what its thread does. */

#include "client/stress.h"

/* What all clients of a run look at. */
struct stress_crowd {
    const struct stress_plan *plan;
    const struct session *prototype; /* has the server's addresses; NULL for processes */
    struct stress_shard *shards;     /* STRESS_SHARDS of them */
    int stop_fd;                     /* readable: begin nothing new */
    int cancel_fd;                   /* readable: leave what is under way */
    int null_fd;                     /* /dev/null, for processes */
    atomic_bool stop;                /* the same as stop_fd, cheaper to ask */
    atomic_uint running;             /* clients that have not ended */
};

struct stress_client {
    struct stress_crowd *crowd;
    unsigned number;
    pthread_t thread;
};

/* The thread's function; `argument` is a struct stress_client. */
void *stress_client_main(void *argument);

#endif
