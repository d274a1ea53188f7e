#include "server/gate.h"

#include "base/log.h"
#include "net/stream.h"
#include "server/proxied.h"

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
        if (epoll_ctl(gate->epoll_fd, EPOLL_CTL_ADD, gate->listeners[i].fd, &event) == -1)
            return false;
    }
    gate->open = true;
    return true;
}

static void stop_accepting(struct gate *gate)
{
    for (unsigned i = 0; i < gate->count && gate->open; i++)
        epoll_ctl(gate->epoll_fd, EPOLL_CTL_DEL, gate->listeners[i].fd, NULL);
    gate->open = false;
}

/* One message says that clients are turned away, and one how many they were: not one for each. */
static void note_refusal(struct gate *gate, int64_t now_ms)
{
    unsigned busy, waiting;

    if (gate->episode_refused == 0) {
        queue_count(gate->queue, &busy, &waiting);
        log_warning("the number of clients that can be served is exceeded: "
                    "%u of %u workers busy, %u clients waiting, others are turned away",
                    busy, gate->queue->workers, waiting);
    }
    gate->refused++;
    gate->episode_refused++;
    gate->episode_last_ms = now_ms;
}

/*
 * Tells a client that it cannot be served now. The connection is then left to the watch set for a
 * moment, so that what the client still sends does not reset it before it has read the answer.
 */
static void refuse(struct gate *gate, struct connection *c, int64_t now_ms)
{
    bool failed = false;

    note_refusal(gate, now_ms);
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

static void admit(struct gate *gate, int fd, const struct address *peer,
                  const struct protocol *protocol, int64_t now_ms)
{
    struct connection *c = connection_open(gate->connections, fd, peer, protocol);

    if (c == NULL) {
        struct connection unplaced = {.fd = fd, .peer = *peer, .protocol = protocol};
        note_refusal(gate, now_ms);
        protocol->refuse(&unplaced);
        close(fd);
        return;
    }
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
        case ACCEPT_OK: admit(gate, fd, &peer, l->protocol, now_ms); break;
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
    if (gate->episode_refused > 0 && now_ms - gate->episode_last_ms >= EPISODE_MS) {
        log_notice("clients are served again; %llu were turned away",
                   (unsigned long long)gate->episode_refused);
        gate->episode_refused = 0;
    }
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
