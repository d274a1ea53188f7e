#include "server/queue.h"

#include <unistd.h>

int queue_init(struct queue *queue, struct watch *watch, unsigned limit, unsigned workers,
               int main_kick_fd)
{
    int error;

    memset(queue, 0, sizeof *queue);
    queue->watch = watch;
    queue->limit = limit;
    queue->workers = workers;
    queue->absent = workers;
    queue->main_kick_fd = main_kick_fd;
    error = pthread_mutex_init(&queue->lock, NULL);
    return error != 0 ? error : pthread_cond_init(&queue->work, NULL);
}

static void append(struct queue *queue, struct connection *c)
{
    c->next = NULL;
    if (queue->head == NULL)
        queue->head = c;
    else
        queue->tail->next = c;
    queue->tail = c;
    queue->length++;
    atomic_store_explicit(&queue->waiting, true, memory_order_relaxed);
}

static struct connection *take_first(struct queue *queue)
{
    struct connection *c = queue->head;

    queue->head = c->next;
    c->next = NULL;
    queue->length--;
    queue->taken++;
    if (c->arriving) {
        c->arriving = false;
        queue->arrivals--;
    }
    if (queue->head == NULL)
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

/* Waits on the watch set as the leader. Called and left with the lock held. */
static void lead(struct queue *queue)
{
    struct connection *ready[WATCH_BATCH];
    unsigned count;

    atomic_store_explicit(&queue->led, true, memory_order_relaxed);
    pthread_mutex_unlock(&queue->lock);
    count = watch_wait(queue->watch, ready);
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

struct connection *queue_take(struct queue *queue, uint64_t *fetch)
{
    struct connection *c = NULL;

    pthread_mutex_lock(&queue->lock);
    queue->waits++;
    for (;;) {
        if (queue->head != NULL) {
            c = take_first(queue);
            *fetch = queue->fetches;
            begin_ticking(queue);
            break;
        }
        if (queue->closed)
            break;
        if (!is_led(queue)) {
            lead(queue);
        } else {
            queue->sleeping++;
            pthread_cond_wait(&queue->work, &queue->lock);
            queue->sleeping--;
        }
    }
    pthread_mutex_unlock(&queue->lock);
    return c;
}

bool queue_tick(struct queue *queue)
{
    bool line_waits, unwatched;

    pthread_mutex_lock(&queue->lock);
    /* Of those that stood in the line at the last tick, is one still there? */
    line_waits = queue->taken - queue->tick_taken < queue->tick_length;
    /* Has nobody looked at the watch set since? */
    unwatched = !is_led(queue) && queue->waits == queue->tick_waits;
    if (line_waits && is_led(queue))
        watch_kick(queue->watch);
    else if ((line_waits || unwatched) && queue->sleeping > 0)
        pthread_cond_signal(&queue->work);

    /* With a leader and nobody in the line there is nothing that could go unseen. */
    bool busy = queue->length > 0 || (idle(queue) < queue->workers && !is_led(queue));
    /* One quiet tick more before the ticking ends, so that steady work does not start and stop it.
     */
    queue->ticking = busy || queue->waits != queue->tick_waits;
    queue->tick_taken = queue->taken;
    queue->tick_waits = queue->waits;
    queue->tick_length = queue->length;
    bool ticking = queue->ticking;
    pthread_mutex_unlock(&queue->lock);
    return ticking;
}

void queue_count(struct queue *queue, unsigned *busy, unsigned *waiting)
{
    pthread_mutex_lock(&queue->lock);
    *busy = queue->workers - idle(queue);
    *waiting = queue->length;
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
