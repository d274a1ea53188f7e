#include "server/queue.h"

#include <sched.h>
#include <unistd.h>

/* Those that this process may use. */
static unsigned cores(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

int queue_init(struct queue *queue, struct watch *watch, unsigned limit, unsigned workers,
               int main_kick_fd)
{
    int error;

    memset(queue, 0, sizeof *queue);
    queue->watch = watch;
    queue->limit = limit;
    queue->workers = workers;
    queue->absent = workers;
    queue->bulk_most = cores() > 3 ? cores() / 2 : 1;
    queue->bulk_round = 1;
    queue->main_kick_fd = main_kick_fd;
    error = pthread_mutex_init(&queue->lock, NULL);
    return error != 0 ? error : pthread_cond_init(&queue->work, NULL);
}

static void append(struct queue *queue, struct connection *c)
{
    struct line *line = c->bulk ? &queue->bulk : &queue->ready;

    c->next = NULL;
    if (line->head == NULL)
        line->head = c;
    else
        line->tail->next = c;
    line->tail = c;
    line->length++;
    atomic_store_explicit(&queue->waiting, true, memory_order_relaxed);
}

static struct connection *take_first(struct queue *queue, struct line *line)
{
    struct connection *c = line->head;

    line->head = c->next;
    c->next = NULL;
    line->length--;
    if (c->arriving) {
        c->arriving = false;
        queue->arrivals--;
    }
    if (queue->ready.head == NULL && queue->bulk.head == NULL)
        atomic_store_explicit(&queue->waiting, false, memory_order_relaxed);
    return c;
}

static bool is_led(struct queue *queue)
{
    return atomic_load_explicit(&queue->led, memory_order_relaxed);
}

/* Workers that serve nobody; with the lock held. One that has not come yet looks at the line first,
   so it is as good as awake and waiting. */
static unsigned idle(struct queue *queue)
{
    return queue->absent + queue->sleeping + (is_led(queue) ? 1 : 0);
}

/* Has the main thread tick while there is work. With the lock held. */
static void begin_ticking(struct queue *queue)
{
    uint64_t one = 1;

    if (queue->ticking)
        return;
    queue->ticking = true;
    if (write(queue->main_kick_fd, &one, sizeof one) == -1)
        return; /* the counter is full: it has been woken */
}

/*
 * Gets the line looked at. A busy worker comes back to it by itself, and the tick sees to it if
 * that takes long; so somebody is woken only when nobody is awake, and then rather the leader,
 * whose caches are warm. With the lock held.
 */
static void call_worker(struct queue *queue)
{
    if (idle(queue) < queue->workers)
        begin_ticking(queue);
    else if (is_led(queue))
        watch_kick(queue->watch);
    else
        pthread_cond_signal(&queue->work);
}

bool queue_push_arrival(struct queue *queue, struct connection *c)
{
    bool room;

    pthread_mutex_lock(&queue->lock);
    room = queue->arrivals < (uint64_t)queue->limit + idle(queue);
    if (room) {
        c->arriving = true;
        queue->fetches++;
        append(queue, c);
        queue->arrivals++;
        queue->ticking = true;
        call_worker(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return room;
}

void queue_push_ready(struct queue *queue, struct connection *c)
{
    pthread_mutex_lock(&queue->lock);
    queue->fetches++;
    append(queue, c);
    call_worker(queue);
    pthread_mutex_unlock(&queue->lock);
}

/* Waits on the watch set as the leader, or only looks. Called and left with the lock held. */
static void lead(struct queue *queue, bool wait)
{
    struct connection *ready[WATCH_BATCH];
    unsigned count;

    atomic_store_explicit(&queue->led, true, memory_order_relaxed);
    pthread_mutex_unlock(&queue->lock);
    count = watch_wait(queue->watch, ready, wait);
    pthread_mutex_lock(&queue->lock);
    atomic_store_explicit(&queue->led, false, memory_order_relaxed);
    queue->fetches++;
    for (unsigned i = 0; i < count; i++)
        append(queue, ready[i]);
}

void queue_join(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->absent--;
    pthread_mutex_unlock(&queue->lock);
}

void queue_step_aside(struct queue *queue)
{
    if (is_led(queue))
        return;
    pthread_mutex_lock(&queue->lock);
    if (queue->sleeping > 0)
        pthread_cond_signal(&queue->work);
    pthread_mutex_unlock(&queue->lock);
}

/* Whether bulk waits that may be served now. With the lock held. */
static bool may_take_bulk(struct queue *queue)
{
    if (queue->bulk.head == NULL)
        return false;
    return queue->closed || (queue->bulk_served < queue->bulk_most &&
                             (queue_is_calm(queue) || queue->bulk_turns > 0));
}

/* Another than bulk is going to be served. With the lock held. */
static void stir_up(struct queue *queue)
{
    unsigned stir = atomic_load_explicit(&queue->stir, memory_order_relaxed) + QUEUE_OTHER_TICKS;

    atomic_store_explicit(&queue->stir, stir < QUEUE_STIR_TICKS ? stir : QUEUE_STIR_TICKS,
                          memory_order_relaxed);
}

/* That was `ticks` ago, or it did not count. With the lock held. */
static void settle(struct queue *queue, unsigned ticks)
{
    unsigned stir = atomic_load_explicit(&queue->stir, memory_order_relaxed);

    atomic_store_explicit(&queue->stir, stir > ticks ? stir - ticks : 0, memory_order_relaxed);
}

void queue_begin_bulk(struct queue *queue, struct connection *c)
{
    c->bulk = true;
    pthread_mutex_lock(&queue->lock);
    settle(queue, QUEUE_CALM_TICKS);
    pthread_mutex_unlock(&queue->lock);
}

/* Takes who is next; NULL when nobody may be served. With the lock held. */
static struct connection *take_next(struct queue *queue, struct queue_turn *turn)
{
    bool bulk = may_take_bulk(queue);

    /* A turn that is due comes also when there are always others. */
    if (bulk && (queue->ready.head == NULL || queue->bulk_turns > 0)) {
        if (queue->bulk_turns > 0)
            queue->bulk_turns--;
        queue->bulk_taken++;
        queue->bulk_served++;
        turn->bulk_round = queue->bulk_round;
        return take_first(queue, &queue->bulk);
    }
    if (queue->ready.head == NULL)
        return NULL;
    queue->taken++;
    stir_up(queue);
    return take_first(queue, &queue->ready);
}

static void end_turn(struct queue *queue, struct queue_turn *turn)
{
    if (turn->bulk_round == queue->bulk_round)
        queue->bulk_served--;
    turn->bulk_round = 0;
}

struct connection *queue_take(struct queue *queue, struct queue_turn *turn)
{
    struct connection *c;
    bool looked = false;

    pthread_mutex_lock(&queue->lock);
    queue->waits++;
    end_turn(queue, turn);
    for (;;) {
        /* Between two turns of bulk, who has become ready meanwhile goes first. */
        if (!looked && queue->ready.head == NULL && !is_led(queue) && may_take_bulk(queue)) {
            looked = true;
            lead(queue, false);
        }
        c = take_next(queue, turn);
        if (c != NULL) {
            turn->fetch = queue->fetches;
            begin_ticking(queue);
            break;
        }
        if (queue->closed)
            break;
        if (queue->bulk.head != NULL)
            begin_ticking(queue); /* a tick says when */
        if (!is_led(queue)) {
            lead(queue, true);
        } else {
            queue->sleeping++;
            pthread_cond_wait(&queue->work, &queue->lock);
            queue->sleeping--;
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return c;
}

/* What the last tick has brought for bulk. Whether a worker should be woken for it. With the lock
   held. */
static bool tick_bulk(struct queue *queue)
{
    bool stuck = queue->bulk.head != NULL && queue->bulk_served >= queue->bulk_most &&
                 queue->bulk_taken == queue->tick_bulk_taken;
    /* Who took its turns in this tick, while others were served, comes for those of the next. */
    bool is_fetched =
        !queue_is_calm(queue) && queue->bulk_turns == 0 && idle(queue) < queue->workers;

    settle(queue, 1);
    queue->bulk_turns = queue->bulk_most;
    queue->bulk_ticks = stuck ? queue->bulk_ticks + 1 : 0;
    if (queue->bulk_ticks >= QUEUE_BULK_PATIENCE) {
        queue->bulk_round++;
        queue->bulk_served = 0;
        queue->bulk_ticks = 0;
    }
    queue->tick_bulk_taken = queue->bulk_taken;
    return may_take_bulk(queue) && !is_fetched;
}

bool queue_tick(struct queue *queue)
{
    bool line_waits, unwatched;

    pthread_mutex_lock(&queue->lock);
    /* Of those that stood in the line at the last tick, is one still there? */
    line_waits = queue->taken - queue->tick_taken < queue->tick_length;
    line_waits |= tick_bulk(queue);
    /* Has nobody looked at the watch set since? */
    unwatched = !is_led(queue) && queue->waits == queue->tick_waits;
    if (line_waits && is_led(queue))
        watch_kick(queue->watch);
    else if ((line_waits || unwatched) && queue->sleeping > 0)
        pthread_cond_signal(&queue->work);

    /* With a leader and nobody in the line there is nothing that could go unseen. */
    bool busy = queue->ready.length + queue->bulk.length > 0 ||
                (idle(queue) < queue->workers && !is_led(queue));
    /* One quiet tick more before the ticking ends, so that steady work does not start and stop it.
     */
    queue->ticking = busy || queue->waits != queue->tick_waits;
    queue->tick_taken = queue->taken;
    queue->tick_waits = queue->waits;
    queue->tick_length = queue->ready.length;
    bool ticking = queue->ticking;
    pthread_mutex_unlock(&queue->lock);
    return ticking;
}

void queue_count(struct queue *queue, unsigned *busy, unsigned *waiting)
{
    pthread_mutex_lock(&queue->lock);
    *busy = queue->workers - idle(queue);
    *waiting = queue->ready.length + queue->bulk.length;
    pthread_mutex_unlock(&queue->lock);
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->work);
    pthread_mutex_unlock(&queue->lock);
    watch_kick(queue->watch);
}
