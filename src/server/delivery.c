#include "server/delivery.h"

#include "base/clock.h"
#include "net/stream.h"
#include "server/server.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { CHECKPOINT_BYTES = 4 << 20 };

struct delivery *delivery_make(struct transfer *transfer, uint64_t start, uint64_t length,
                               uint64_t size)
{
    struct delivery *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->transfer = *transfer;
    *transfer = TRANSFER_CLOSED;
    d->start = start;
    d->length = length;
    d->size = size;
    return d;
}

void delivery_free(struct delivery *d)
{
    if (d == NULL)
        return;
    transfer_close(&d->transfer);
    free(d);
}

/* Bytes of content that have reached the peer's machine. */
static uint64_t acknowledged(const struct connection *c)
{
    const struct delivery *d = c->delivery;
    uint64_t unacked = stream_unacknowledged(c->fd);
    uint64_t acked = c->sent > unacked ? c->sent - unacked : 0;

    if (acked <= d->base)
        return 0;
    return acked - d->base < d->length ? acked - d->base : d->length;
}

/*
 * Looks at the window that the peer offers. A receiver offers what its buffer has free, so the
 * largest window that it ever offered is what the buffer holds, seen when it was emptiest. It grows
 * only while the application keeps it empty, and then doubles at most between two looks.
 */
static void note_window(struct connection *c)
{
    uint64_t window = stream_peer_window(c->fd);

    if (window > c->delivery->window)
        c->delivery->window = window;
}

/* Bytes of content that the client has, whatever happened to it: what lies unread with it was lost.
 */
static uint64_t least(const struct connection *c)
{
    const struct delivery *d = c->delivery;
    uint64_t acked = acknowledged(c), unread = 2 * d->window;
    uint64_t bound = acked > unread ? acked - unread : 0;

    return bound > d->exact ? bound : d->exact;
}

static bool store(struct delivery *d, uint64_t delivered, bool complete)
{
    d->transfer.record.offset = d->start + delivered;
    d->transfer.record.complete = complete;
    return transfer_store(&d->transfer, clock_wall_s()) != TRANSFER_EVICTED;
}

/* Looks whether the peer has closed in order, which makes what it acknowledged certain. A reset
   that came after it is seen instead of it, and then nothing is certain. */
static void notice_end(struct connection *c)
{
    char byte;

    if (c->ended || c->broken || !c->peer_ended)
        return;
    ssize_t n = recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n == 0) {
        c->ended = true;
        c->delivery->exact = acknowledged(c);
    } else if (n == -1) {
        c->broken = true;
    }
}

void delivery_attach(struct connection *c, struct delivery *d, uint64_t ahead)
{
    d->base = c->sent + ahead;
    d->checked = d->base;
    c->delivery = d;
    note_window(c);
}

bool delivery_progress(struct connection *c)
{
    struct delivery *d = c->delivery;

    notice_end(c);
    note_window(c);
    if (c->sent < d->checked + CHECKPOINT_BYTES)
        return transfer_is_held(&d->transfer);
    d->checked = c->sent;
    return store(d, least(c), false);
}

bool delivery_is_under_way(const struct connection *c)
{
    return acknowledged(c) < c->delivery->length;
}

static bool reaches_the_end(const struct delivery *d)
{
    return d->start + d->length == d->size;
}

static void release(struct connection *c)
{
    delivery_free(c->delivery);
    c->delivery = NULL;
}

void delivery_confirm(struct connection *c)
{
    struct delivery *d = c->delivery;

    /* A request that was sent ahead says nothing about a response that is still on its way. */
    if (delivery_is_under_way(c))
        store(d, least(c), false);
    else
        store(d, d->length, reaches_the_end(d));
    release(c);
}

void delivery_end(struct connection *c)
{
    struct delivery *d = c->delivery;

    notice_end(c);
    if (c->ended && !c->broken)
        d->exact = acknowledged(c);
    store(d, least(c), c->ended && d->exact == d->length && reaches_the_end(d));
    release(c);
}

uint64_t delivery_holder(const struct server *server, const struct connection *c)
{
    return (uint64_t)server->instance << 32 | c->index;
}

void delivery_nudge(struct server *server, uint64_t holder)
{
    struct connection *c = connection_at(&server->connections, (uint32_t)holder);

    /* If another connection has that place by now, it gets a turn for nothing. */
    if (holder >> 32 == server->instance && c != NULL && watch_claim(c))
        queue_push_ready(&server->queue, c);
}
