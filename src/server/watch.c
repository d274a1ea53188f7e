#include "server/watch.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* An event names its connection by place and generation: 32 bits each. */
static const uint64_t KICK = UINT64_MAX;

static uint64_t event_name(const struct connection *c)
{
    uint64_t watch = atomic_load_explicit(&c->watch, memory_order_relaxed);
    return (uint64_t)c->index << 32 | (uint32_t)(watch / WATCH_GENERATION);
}

int watch_init(struct watch *watch, struct connection_table *table)
{
    struct epoll_event kick = {.events = EPOLLIN | EPOLLET, .data.u64 = KICK};

    watch->table = table;
    watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (watch->epoll_fd == -1)
        return errno;
    watch->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watch->kick_fd == -1)
        return errno;
    if (epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, watch->kick_fd, &kick) == -1)
        return errno;
    return 0;
}

/* Claims the connection for an event, or leaves the event with whoever owns it. */
static bool claim_for_event(struct connection *c, uint32_t generation, bool ended)
{
    uint64_t seen = atomic_load_explicit(&c->watch, memory_order_acquire);

    for (;;) {
        uint64_t base = seen & ~(uint64_t)WATCH_STATE_MASK;
        uint64_t state = seen & WATCH_STATE_MASK;
        uint64_t next = base;

        if ((uint32_t)(seen / WATCH_GENERATION) != generation)
            return false;
        if (state == WATCH_PARKED)
            next |= WATCH_OWNED;
        else if (ended || state == WATCH_NOTIFIED_END)
            next |= WATCH_NOTIFIED_END;
        else
            next |= WATCH_NOTIFIED;
        if (atomic_compare_exchange_weak_explicit(&c->watch, &seen, next, memory_order_acq_rel,
                                                  memory_order_acquire)) {
            if (state != WATCH_PARKED)
                return false;
            c->readable = true;
            c->peer_ended |= ended;
            return true;
        }
    }
}

unsigned watch_wait(struct watch *watch, struct connection *ready[static WATCH_BATCH], bool wait)
{
    struct epoll_event events[WATCH_BATCH];
    unsigned count = 0;
    int n = epoll_wait(watch->epoll_fd, events, WATCH_BATCH, wait ? -1 : 0);

    for (int i = 0; i < n; i++) {
        /* The kick is edge-triggered: it need not be read to be over. */
        if (events[i].data.u64 == KICK)
            continue;
        struct connection *c = connection_at(watch->table, (uint32_t)(events[i].data.u64 >> 32));
        bool ended = (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
        if (c == NULL || !claim_for_event(c, (uint32_t)events[i].data.u64, ended))
            continue;
        c->has_begun = (events[i].events & EPOLLIN) != 0;
        ready[count++] = c;
    }
    return count;
}

void watch_kick(struct watch *watch)
{
    uint64_t one = 1;
    /* It fails only when the counter is full, and then it has been kicked often enough. */
    if (write(watch->kick_fd, &one, sizeof one) == -1)
        return;
}

/*
 * Has the kernel report what the connection waits for. Room to send is asked for only once a send
 * has stalled: nearly every socket has room, and would report that at once. Called while the
 * connection is still owned: an event that comes at once finds it so and is remembered.
 */
static bool subscribe(struct watch *watch, struct connection *c)
{
    bool sends = c->phase == PHASE_SEND || kept_len(&c->output) > 0;
    uint32_t wanted = EPOLLIN | EPOLLRDHUP | EPOLLET | (sends ? EPOLLOUT : 0u);

    if ((c->watched & wanted) == wanted)
        return true;
    struct epoll_event event = {.events = wanted | c->watched, .data.u64 = event_name(c)};
    int operation = c->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (epoll_ctl(watch->epoll_fd, operation, c->fd, &event) == -1)
        return false;
    c->watched = event.events;
    return true;
}

bool watch_park(struct watch *watch, struct connection *c, bool *failed)
{
    *failed = !subscribe(watch, c);
    if (*failed)
        return false;

    uint64_t seen = atomic_load_explicit(&c->watch, memory_order_relaxed);
    uint64_t base = seen & ~(uint64_t)WATCH_STATE_MASK;
    uint64_t expected = base | WATCH_OWNED;
    if (atomic_compare_exchange_strong_explicit(&c->watch, &expected, base | WATCH_PARKED,
                                                memory_order_acq_rel, memory_order_acquire))
        return true;

    c->readable = true;
    if ((expected & WATCH_STATE_MASK) == WATCH_NOTIFIED_END)
        c->peer_ended = true;
    /* Another event may turn NOTIFIED into NOTIFIED_END just now; it must not be overwritten
     * unseen. */
    uint64_t last = atomic_exchange_explicit(&c->watch, base | WATCH_OWNED, memory_order_acq_rel);
    if ((last & WATCH_STATE_MASK) == WATCH_NOTIFIED_END)
        c->peer_ended = true;
    return false;
}

bool watch_claim(struct connection *c)
{
    uint64_t seen = atomic_load_explicit(&c->watch, memory_order_acquire);

    if ((seen & WATCH_STATE_MASK) != WATCH_PARKED)
        return false;
    return atomic_compare_exchange_strong_explicit(&c->watch, &seen, seen | WATCH_OWNED,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

bool watch_nudge(struct connection *c)
{
    uint64_t seen = atomic_load_explicit(&c->watch, memory_order_acquire);

    return claim_for_event(c, (uint32_t)(seen / WATCH_GENERATION), false);
}

bool watch_claim_due(struct connection *c, int64_t now)
{
    if (atomic_load_explicit(&c->look_at, memory_order_relaxed) > now || !watch_claim(c))
        return false;
    connection_set_look(c, INT64_MAX);
    return true;
}

bool watch_claim_expired(struct connection *c, int64_t now)
{
    uint64_t seen = atomic_load_explicit(&c->watch, memory_order_acquire);

    if ((seen & WATCH_STATE_MASK) != WATCH_PARKED ||
        atomic_load_explicit(&c->deadline, memory_order_relaxed) > now)
        return false;
    if (!watch_claim(c))
        return false;
    /* It may have been claimed and parked again since the look at its deadline. Then it is the
       caller's all the same, and a turn that finds nothing to do parks it again. */
    c->expired = atomic_load_explicit(&c->deadline, memory_order_relaxed) <= now;
    return true;
}
