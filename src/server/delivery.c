#include "server/delivery.h"

#include "base/clock.h"
#include "net/stream.h"
#include "server/server.h"

#include <stdlib.h>
#include <sys/socket.h>

enum {
    /* What a socket holds may come on top, some 4 MB: how far it is, is seen when it has room. */
    CHECKPOINT_BYTES = 2 << 20,
    LEAST_BEGIN = 4096, /* what the C library holds back of a file, and curl with it */
};

struct delivery *delivery_make(const struct server *server, struct transfer *transfer,
                               uint64_t start, uint64_t length, uint64_t size)
{
    struct delivery *d = calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    d->transfer = *transfer;
    *transfer = TRANSFER_CLOSED;
    d->start = start;
    d->length = length;
    d->size = size;
    d->counters = server_shared_counters(server);
    d->age_s = server->options->expire_s / TRANSFER_AGE_SHARE;
    return d;
}

void delivery_free(struct delivery *d)
{
    if (d == NULL)
        return;
    transfer_close(&d->transfer);
    free(d);
}

static struct arrival_look look_at(struct connection *c)
{
    struct stream_peer peer;
    uint64_t unacked = stream_unacknowledged(c->fd);
    bool finished;

    /* Our own FIN counts as a byte until it is acknowledged. */
    if (c->phase == PHASE_LINGER && unacked > 0)
        unacked--;
    stream_peer(c->fd, &peer);
    finished = peer.finished;
    if (peer.closed && !c->broken) {
        enum stream_end end = stream_end(c->fd);
        finished = end == STREAM_END_ORDERLY || end == STREAM_END_CLOSED_RESET;
        c->broken = end == STREAM_END_CLOSED_RESET || end == STREAM_END_RESET;
    }
    return (struct arrival_look){
        .sent = c->sent,
        .acknowledged = c->sent > unacked ? c->sent - unacked : 0,
        .window = peer.window,
        .window_limit = peer.window_limit,
        .finished = finished,
        .reset = c->broken,
    };
}

static void look(struct connection *c)
{
    struct arrival_look seen = look_at(c);
    arrival_see(&c->delivery->arrival, &seen);
}

static bool store(struct delivery *d, uint64_t delivered, bool complete)
{
    if (d->start == 0 && delivered < LEAST_BEGIN && delivered < d->length)
        delivered = 0;
    if (complete && !d->transfer.record.complete)
        counters_add_shared(d->counters, COUNTER_DOWNLOADS_COMPLETE, 1);
    d->transfer.record.offset = d->start + delivered;
    d->transfer.record.complete = complete;
    return transfer_store(&d->transfer, clock_wall_s()) != TRANSFER_EVICTED;
}

/* What the client has for certain. What a proxy took and has not read is in what it may withhold.
 */
static uint64_t least(const struct connection *c)
{
    const struct arrival *arrival = &c->delivery->arrival;

    if (c->withheld == 0)
        return arrival_least(arrival);
    uint64_t taken = arrival_acknowledged(arrival);
    return taken > c->withheld ? taken - c->withheld : 0;
}

void delivery_attach(struct connection *c, struct delivery *d, uint64_t ahead)
{
    struct arrival_look seen = look_at(c);

    arrival_begin(&d->arrival, c->sent + ahead, d->length, &seen);
    c->delivery = d;
}

bool delivery_progress(struct connection *c)
{
    struct delivery *d = c->delivery;

    look(c);
    uint64_t delivered = least(c);
    if (delivered < d->recorded + CHECKPOINT_BYTES)
        return transfer_keep(&d->transfer, d->age_s, clock_wall_s());
    d->recorded = delivered;
    return store(d, delivered, false);
}

bool delivery_is_under_way(struct connection *c)
{
    struct delivery *d = c->delivery;

    look(c);
    transfer_keep(&d->transfer, d->age_s, clock_wall_s());
    return arrival_acknowledged(&d->arrival) < d->length;
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

void delivery_sent(struct connection *c, bool input_waits)
{
    if (input_waits || stream_has_input(c->fd))
        c->delivery->overtaken = true;
}

void delivery_confirm(struct connection *c)
{
    struct delivery *d = c->delivery;

    d->transfer.record.claim.holder = 0;
    /* A request that was sent ahead says nothing about a response that is still on its way. */
    if (delivery_is_under_way(c) || d->overtaken || c->withheld > 0)
        store(d, least(c), false);
    else
        store(d, d->length, reaches_the_end(d));
    release(c);
}

/* Records what is known of a client that has ended, or has to be taken for it. */
static void settle(struct connection *c)
{
    struct delivery *d = c->delivery;

    look(c);
    if (!arrival_is_exact(&d->arrival) || c->withheld > 0) {
        store(d, least(c), false);
        return;
    }
    uint64_t acked = arrival_acknowledged(&d->arrival);
    store(d, acked, acked == d->length && reaches_the_end(d));
}

void delivery_end(struct connection *c)
{
    c->delivery->transfer.record.claim.holder = 0;
    settle(c);
    release(c);
}

struct transfer_claim delivery_claim(const struct server *server, struct connection *c)
{
    return (struct transfer_claim){
        .holder = (uint64_t)server->instance << 32 | c->index,
        .clock = server->boot,
        .since_us = connection_asked_us(c),
    };
}

bool delivery_is_ours(const struct server *server, const struct connection *own, uint64_t holder)
{
    return holder != 0 && holder >> 32 == server->instance && (uint32_t)holder != own->index;
}

struct connection *delivery_settle(struct server *server, const struct connection *own,
                                   uint64_t holder)
{
    struct connection *c = connection_at(&server->connections, (uint32_t)holder);

    if (!delivery_is_ours(server, own, holder) || c == NULL || !watch_claim(c))
        return NULL;
    /* Another connection may have that place by now; to settle it does no harm. */
    if (c->delivery != NULL)
        settle(c);
    return c;
}

void delivery_evict(struct server *server, const struct connection *own, uint64_t holder,
                    struct connection *settled)
{
    struct connection *c = connection_at(&server->connections, (uint32_t)holder);

    if (settled != NULL)
        queue_push_ready(&server->queue, settled);
    else if (delivery_is_ours(server, own, holder) && c != NULL && watch_nudge(c))
        queue_push_ready(&server->queue, c);
}
