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
 * Bulk. A large upload keeps whoever serves it busy for as long as its client can send, and its
 * client's own processor too. Eight of them leave one read in fifteen, on two cores. So a
 * connection that has moved much of a body (connection->bulk) stands in a line of its own, and
 * gives way: only so many are served at a time that half of the cores is left, and unless all is
 * calm, each of those has one turn in a tick. What nobody has read stays in the socket, and the
 * client waits. A worker that does not come back with its turn, because the disk is slow, is not
 * waited for longer than QUEUE_BULK_PATIENCE. Calm it is when hardly any others were served lately:
 * a request now and then need not slow down an upload, nor need the start of another upload.
 *
 * Turns that are due are taken by whoever comes by. A worker woken for them would be one more that
 * wants a core. Where there is none free, it displaces another for a whole slice of the scheduler,
 * and the connection that this one holds waits as long; measured, a tick that wakes makes the p99
 * of reads beside uploads three times as long.
 *
 * tests/model/handover.pml is this and the watch set as a model, of which `make model` looks at
 * every state.
 */

#include "server/watch.h"

enum {
    QUEUE_TICK_MS = 1,      /* a connection waits about this long for a second worker to be woken */
    QUEUE_OTHER_TICKS = 40, /* for so long counts that another than bulk was served: */
    QUEUE_CALM_TICKS = 2 * QUEUE_OTHER_TICKS, /* up to so much of it in all is calm, */
    QUEUE_STIR_TICKS = 5 * QUEUE_OTHER_TICKS, /* and there is never more */
    QUEUE_BULK_PATIENCE = 10, /* ticks without a turn for bulk, after which others take over */
};

struct line {
    struct connection *head, *tail;
    unsigned length;
};

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t work; /* followers sleep here */
    struct watch *watch;
    int main_kick_fd; /* eventfd that wakes the main thread, to begin ticking */

    struct line ready; /* whose client moved */
    struct line bulk;  /* and those that give way to them */
    unsigned arrivals; /* those in a line that came from queue_push_arrival */
    unsigned limit;    /* most arrivals beyond the idle workers */

    unsigned workers;      /* all */
    unsigned absent;       /* threads that are still on their way here */
    unsigned sleeping;     /* followers asleep */
    _Atomic bool led;      /* a worker waits on the watch set */
    _Atomic bool waiting;  /* a line is not empty; for a look without the lock */
    _Atomic unsigned stir; /* QUEUE_OTHER_TICKS for each that was taken, one less with each tick */
    bool ticking;          /* the main thread looks every QUEUE_TICK_MS */
    bool closed;           /* workers are to end */

    uint64_t fetches; /* times something came into the line */

    unsigned bulk_most;   /* bulk connections served at a time */
    unsigned bulk_served; /* now, as far as their workers are waited for */
    uint64_t bulk_round;  /* one more each time that those being served are not waited for */
    unsigned bulk_turns;  /* that bulk may still have in this tick, although others are served */

    uint64_t taken;      /* connections taken so far, without bulk */
    uint64_t bulk_taken; /* and of it */
    uint64_t waits;      /* times a worker came back for the next connection */
    uint64_t tick_taken; /* those three, and the length, at the last tick */
    uint64_t tick_bulk_taken;
    uint64_t tick_waits;
    unsigned tick_length;
    unsigned bulk_ticks; /* for so many nobody has come for the bulk that waits */
};

/* What a worker knows of the connection it serves; all zero before its first. */
struct queue_turn {
    uint64_t fetch; /* changes when a connection came later than those before it: of connections
                       with the same number, all were ready before the first was taken */
    uint64_t bulk_round; /* in which it is counted among those that serve bulk; 0: it is not */
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

/* The connection being served has turned out to be bulk: marks it. That it was taken before does
   not count as another that bulk should give way to. Workers. */
void queue_begin_bulk(struct queue *queue, struct connection *c);

/* The next connection to serve; waits for one. NULL when the queue was closed. Ends the turn with
   the one before. Workers. */
struct connection *queue_take(struct queue *queue, struct queue_turn *turn);

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

/* Whether bulk need not give way. Workers; a hint, taken without the lock. */
static inline bool queue_is_calm(struct queue *queue)
{
    return atomic_load_explicit(&queue->stir, memory_order_relaxed) <= QUEUE_CALM_TICKS;
}

/*
 * Wakes a follower if work has waited for a whole tick. True while there is work, so that it should
 * be called again in QUEUE_TICK_MS; false when all is quiet, and then a worker that gets work
 * writes to main_kick_fd. Main thread.
 */
bool queue_tick(struct queue *queue);

/* Workers at this moment: busy, and all. Any thread. */
void queue_count(struct queue *queue, unsigned *busy, unsigned *waiting);

/* Lets queue_take return NULL to every worker once the lines are empty. */
void queue_close(struct queue *queue);

#endif
