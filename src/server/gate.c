#include "server/gate.h"

#include "base/log.h"
#include "net/stream.h"
#include "server/proxied.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    BATCH = 64,        /* connections accepted before other things are looked at */
    PAUSE_MS = 100,    /* how long accepting pauses when there are no descriptors */
    EPISODE_MS = 1000, /* refusals not further apart than this belong together */
    REFUSED_LINGER_MS = 1000,
};

bool gate_add(struct gate *gate, const struct gate_listener *listener)
{
    if (gate->count == GATE_LIMIT)
        return false;
    gate->listeners[gate->count++] = *listener;
    return true;
}

bool gate_open(struct gate *gate)
{
    for (unsigned i = 0; i < gate->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        /* One may be there since the last time, when the next could not be added. */
        if (epoll_ctl(gate->epoll_fd, EPOLL_CTL_ADD, gate->listeners[i].fd, &event) == -1 &&
            errno != EEXIST)
            return false;
    }
    gate->open = true;
    return true;
}

static void stop_accepting(struct gate *gate)
{
    for (unsigned i = 0; i < gate->count; i++)
        epoll_ctl(gate->epoll_fd, EPOLL_CTL_DEL, gate->listeners[i].fd, NULL);
    gate->open = false;
}

/* One message says that clients are turned away, and one how many they were: not one for each. This
   is whether it is time for the first. */
static bool episode_begins(struct gate *gate, struct gate_episode *episode, int64_t now_ms)
{
    counters_add_shared(gate->counters, COUNTER_REFUSED, 1);
    episode->last_ms = now_ms;
    return episode->refused++ == 0;
}

/* How many they were, once it is over; 0 before. */
static uint64_t episode_end(struct gate_episode *episode, int64_t now_ms)
{
    uint64_t refused = episode->refused;

    if (now_ms - episode->last_ms < EPISODE_MS)
        return 0;
    episode->refused = 0;
    return refused;
}

static void note_full(struct gate *gate, int64_t now_ms)
{
    unsigned busy, waiting;

    if (episode_begins(gate, &gate->full, now_ms)) {
        queue_count(gate->queue, &busy, &waiting);
        log_warning("the number of clients that can be served is exceeded: "
                    "%u of %u workers busy, %u clients waiting, others are turned away",
                    busy, gate->queue->workers, waiting);
    }
}

static void note_crowded(struct gate *gate, const struct address *peer, int64_t now_ms)
{
    char bytes[ADDRESS_TEXT_LIMIT];
    struct buffer text = BUFFER_OVER(bytes);

    if (!episode_begins(gate, &gate->crowded, now_ms))
        return;
    address_put_host(&text, peer);
    log_warning(SPAN_FMT " has %u connections open: more from one address are turned away",
                SPAN_ARG(buffer_span(&text)), gate->options->per_address);
}

/*
 * Tells a client that it cannot be served now. The connection is then left to the watch set for a
 * moment, so that what the client still sends does not reset it before it has read the answer.
 */
static void refuse(struct gate *gate, struct connection *c, int64_t now_ms)
{
    bool failed = false;

    note_full(gate, now_ms);
    c->protocol->refuse(c);
    stream_finish(c->fd);
    connection_enter(c, PHASE_LINGER, now_ms);
    connection_set_deadline(c, now_ms + REFUSED_LINGER_MS);
    if (watch_park(gate->watch, c, &failed))
        return;
    if (failed)
        connection_close(gate->connections, c);
    else
        queue_push_ready(gate->queue, c);
}

/* Whether somebody stands between us and the client, who may lose what he has taken from us. */
static bool is_passed_on(const struct gate *gate, const struct address *peer)
{
    return gate->options->proxy_protocol || peer->any.sa_family == AF_UNIX ||
           trust_has(gate->trust, peer);
}

/* Tells it to a client that gets no place at all: it costs no more than the answer. */
static void turn_away(int fd, const struct address *peer, const struct protocol *protocol)
{
    struct connection unplaced = {.fd = fd, .peer = *peer, .protocol = protocol};

    protocol->refuse(&unplaced);
    close(fd);
}

/* The count of the client's address; NULL when it is not counted. */
static _Atomic uint32_t *count_of(struct gate *gate, const struct address *peer)
{
    if (gate->options->per_address == 0 || is_passed_on(gate, peer) ||
        (!gate->options->per_address_given && address_is_loopback(peer)))
        return NULL;
    return tally_of(&gate->tally, peer);
}

static void admit(struct gate *gate, int fd, const struct address *peer,
                  const struct protocol *protocol, int64_t now_ms)
{
    _Atomic uint32_t *count = count_of(gate, peer);
    struct connection *c;

    if (count != NULL &&
        atomic_load_explicit(count, memory_order_relaxed) >= gate->options->per_address) {
        note_crowded(gate, peer, now_ms);
        turn_away(fd, peer, protocol);
        return;
    }
    c = connection_open(gate->connections, fd, peer, protocol);
    if (c == NULL) {
        note_full(gate, now_ms);
        turn_away(fd, peer, protocol);
        return;
    }
    c->counted = count;
    if (count != NULL)
        atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
    if (gate->options->proxy_protocol)
        proxied_begin(c);
    if (is_passed_on(gate, peer))
        c->withheld = gate->options->proxy_holds;
    connection_enter(c, PHASE_IDLE, now_ms);
    if (!queue_push_arrival(gate->queue, c))
        refuse(gate, c, now_ms);
}

void gate_accept(struct gate *gate, unsigned listener, int64_t now_ms)
{
    const struct gate_listener *l = &gate->listeners[listener];

    for (unsigned i = 0; i < BATCH; i++) {
        int fd;
        struct address peer;
        switch (listener_accept(l->fd, &fd, &peer)) {
        case ACCEPT_OK:
            counters_add_shared(gate->counters, COUNTER_ACCEPTED, 1);
            admit(gate, fd, &peer, l->protocol, now_ms);
            break;
        case ACCEPT_GONE: break;
        case ACCEPT_NONE: return;
        case ACCEPT_EXHAUSTED:
            /* Not to ask again is the only way not to spin: the socket stays readable. */
            if (!gate->exhausted)
                log_warning("out of descriptors or memory: new clients wait until some are free");
            gate->exhausted = true;
            gate->exhausted_ms = now_ms;
            stop_accepting(gate);
            return;
        }
    }
}

void gate_tend(struct gate *gate, int64_t now_ms)
{
    if (gate->exhausted && !gate->open && now_ms - gate->exhausted_ms >= PAUSE_MS)
        gate_open(gate);
    else if (gate->exhausted && now_ms - gate->exhausted_ms >= 10 * (int64_t)PAUSE_MS)
        gate->exhausted = false;
    uint64_t refused = episode_end(&gate->full, now_ms);
    if (refused > 0)
        log_notice("clients are served again; %llu were turned away", (unsigned long long)refused);
    refused = episode_end(&gate->crowded, now_ms);
    if (refused > 0)
        log_notice("no address has too many connections any more; %llu were turned away",
                   (unsigned long long)refused);
}

bool gate_rests(const struct gate *gate)
{
    return gate->open && gate->full.refused == 0 && gate->crowded.refused == 0;
}

void gate_empty(struct gate *gate, int64_t now_ms)
{
    enum { ROUNDS = 64 }; /* of a batch each: as many as the kernel lets wait */

    for (unsigned i = 0; i < gate->count; i++)
        for (unsigned round = 0; round < ROUNDS && gate->open; round++)
            gate_accept(gate, i, now_ms);
}

void gate_leave_names(struct gate *gate)
{
    for (unsigned i = 0; i < gate->count; i++)
        gate->listeners[i].place.path = NULL;
}

void gate_close(struct gate *gate)
{
    stop_accepting(gate);
    for (unsigned i = 0; i < gate->count; i++) {
        close(gate->listeners[i].fd);
        if (gate->listeners[i].place.path != NULL)
            listener_remove_unix(&gate->listeners[i].place);
    }
    gate->count = 0;
}
