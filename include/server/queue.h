#ifndef SERVER_QUEUE_H
#define SERVER_QUEUE_H

/*
 * The bounded queue of connections that a worker should serve, and where the workers wait.
 *
 * Two kinds of connection come in: arrivals, pushed by the main thread and bounded by the limit,
 * and those already in service whose client moved, which are never turned away. They share one
 * line, so that neither starves the other.
 *
 * Leader and followers. A worker that finds the line empty becomes the leader: it waits on the
 * watch set itself and serves what is ready. The others, followers, sleep. So a request on a parked
 * connection costs no hand-over at all, and one worker stays hot; measured, this halves the CPU per
 * request against waking a worker for each. The price is that while the leader serves, nobody
 * watches. That is fine for as long as it takes to serve a small file, and the main thread's tick
 * (queue_tick, every QUEUE_TICK_MS while there is work) wakes a follower when it takes longer, or
 * fetches the leader when there is no follower left.
 *
 * tests/model/handover.pml is this and the watch set as a model, of which `make model` looks at
 * every state.
 */

#include "server/watch.h"

enum {
    QUEUE_TICK_MS = 1, /* a connection waits about this long for a second worker to be woken */
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t work; /* followers sleep here */
    struct watch *watch;
    int main_kick_fd; /* eventfd that wakes the main thread, to begin ticking */

    struct connection *head, *tail;
    unsigned length;   /* connections in the line */
    unsigned arrivals; /* those of them that came from queue_push_arrival */
    unsigned limit;    /* most arrivals beyond the idle workers */

    unsigned workers;     /* all */
    unsigned absent;      /* threads that are still on their way here */
    unsigned sleeping;    /* followers asleep */
    _Atomic bool led;     /* a worker waits on the watch set */
    _Atomic bool waiting; /* the line is not empty; for a look without the lock */
    bool ticking;         /* the main thread looks every QUEUE_TICK_MS */
    bool closed;          /* workers are to end */

    uint64_t fetches; /* times something came into the line */

    uint64_t taken;      /* connections taken so far */
    uint64_t waits;      /* times a worker came back for the next connection */
    uint64_t tick_taken; /* those two, and the length, at the last tick */
    uint64_t tick_waits;
    unsigned tick_length;
};

/* 0, or an errno. `main_kick_fd` stays the caller's. */
int queue_init(struct queue *queue, struct watch *watch, unsigned limit, unsigned workers,
               int main_kick_fd);

/* An arrival. False when the queue is full: it stays the caller's. True means also that the main
   thread, which calls this, is to tick (queue_tick). */
bool queue_push_arrival(struct queue *queue, struct connection *c);

/* A connection already in service. Any thread. */
void queue_push_ready(struct queue *queue, struct connection *c);

/* A worker says that it has come. Once, before its first queue_take. */
void queue_join(struct queue *queue);

/* The caller is going to be away for long (an fsync, a large directory): if nobody watches, a
   follower is woken now rather than at the next tick. Workers. */
void queue_step_aside(struct queue *queue);

/*
 * The next connection to serve; waits for one. NULL when the queue was closed. *fetch changes when
 * it came later than those before it: of connections with the same number, all were ready before
 * the first was taken. Workers.
 */
struct connection *queue_take(struct queue *queue, uint64_t *fetch);

/* Whether it would be wrong for a worker to wait on its own client for a while: somebody waits in
   the line, or nobody is watching the others. Workers; a hint, taken without the lock. */
static inline bool queue_is_pressed(struct queue *queue)
{
    return atomic_load_explicit(&queue->waiting, memory_order_relaxed) ||
           !atomic_load_explicit(&queue->led, memory_order_relaxed);
}

/* Whether others wait in the line. Workers; a hint, taken without the lock. */
static inline bool queue_has_waiting(struct queue *queue)
{
    return atomic_load_explicit(&queue->waiting, memory_order_relaxed);
}

/*
 * Wakes a follower if work has waited for a whole tick. True while there is work, so that it should
 * be called again in QUEUE_TICK_MS; false when all is quiet, and then a worker that gets work
 * writes to main_kick_fd. Main thread.
 */
bool queue_tick(struct queue *queue);

/* Workers at this moment: busy, and all. Any thread. */
void queue_count(struct queue *queue, unsigned *busy, unsigned *waiting);

/* Lets queue_take return NULL to every worker once the line is empty. */
void queue_close(struct queue *queue);

#endif
