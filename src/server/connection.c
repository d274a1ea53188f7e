#include "server/connection.h"

#include "base/clock.h"
#include "server/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* What comes so soon after a connection belongs to it; a browser opens some long ahead of use. */
static const int64_t SOON_US = 100000;

int connection_table_init(struct connection_table *table, unsigned limit)
{
    unsigned slabs = (limit + CONNECTION_SLAB - 1) / CONNECTION_SLAB;

    memset(table, 0, sizeof *table);
    table->limit = limit;
    table->slabs = calloc(slabs, sizeof *table->slabs);
    if (table->slabs == NULL)
        return ENOMEM;
    return pthread_mutex_init(&table->lock, NULL);
}

void connection_table_free(struct connection_table *table)
{
    unsigned places = atomic_load_explicit(&table->places, memory_order_relaxed);

    for (unsigned i = 0; i < places; i++) {
        struct connection *c = &table->slabs[i / CONNECTION_SLAB][i % CONNECTION_SLAB];
        if (c->fd != -1)
            connection_close(table, c);
    }
    for (unsigned i = 0; i < places; i += CONNECTION_SLAB)
        free(table->slabs[i / CONNECTION_SLAB]);
    free(table->slabs);
    pthread_mutex_destroy(&table->lock);
}

/* Adds a slab of free places; with the lock held. */
static bool grow(struct connection_table *table)
{
    unsigned places = atomic_load_explicit(&table->places, memory_order_relaxed);
    struct connection *slab;

    if (places >= table->limit)
        return false;
    slab = calloc(CONNECTION_SLAB, sizeof *slab);
    if (slab == NULL)
        return false;
    /* Linked backwards, so that low places are used first and a sweep finds them together. */
    for (unsigned i = CONNECTION_SLAB; i-- > 0;) {
        slab[i].index = places + i;
        slab[i].fd = -1;
        atomic_init(&slab[i].watch, WATCH_OWNED);
        slab[i].next = table->free;
        table->free = &slab[i];
    }
    table->slabs[places / CONNECTION_SLAB] = slab;
    atomic_store_explicit(&table->places, places + CONNECTION_SLAB, memory_order_release);
    return true;
}

struct connection *connection_open(struct connection_table *table, int fd,
                                   const struct address *peer, const struct protocol *protocol)
{
    struct connection *c = NULL;

    pthread_mutex_lock(&table->lock);
    if (table->open < table->limit && (table->free != NULL || grow(table))) {
        c = table->free;
        table->free = c->next;
        table->open++;
    }
    pthread_mutex_unlock(&table->lock);
    if (c == NULL)
        return NULL;

    c->next = NULL;
    c->fd = fd;
    c->protocol = protocol;
    c->inner = NULL;
    c->withheld = 0;
    c->watched = 0;
    c->readable = true;
    c->peer_ended = false;
    c->expired = false;
    c->ended = c->broken = false;
    c->arriving = false;
    c->ending = ENDING_NOT;
    c->bulk = false;
    c->reused = false;
    c->wants = c->drips = c->low_water = 0;
    c->asked_us = clock_us();
    c->waited = false;
    connection_set_look(c, INT64_MAX);
    c->sent = c->acked = 0;
    c->counted = NULL;
    c->peer = *peer;
    return c;
}

void connection_close(struct connection_table *table, struct connection *c)
{
    if (c->exchange != NULL || c->delivery != NULL)
        c->protocol->drop(c);
    kept_clear(&c->input);
    kept_clear(&c->output);
    /* Events still on their way to somebody name the old generation and will not match. */
    uint64_t watch = atomic_load_explicit(&c->watch, memory_order_relaxed);
    uint64_t generation = watch & ~(uint64_t)WATCH_STATE_MASK;
    atomic_store_explicit(&c->watch, (generation + WATCH_GENERATION) | WATCH_OWNED,
                          memory_order_release);
    close(c->fd);
    c->fd = -1;
    if (c->counted != NULL)
        atomic_fetch_sub_explicit(c->counted, 1, memory_order_release);
    atomic_store_explicit(&c->phase, PHASE_FREE, memory_order_relaxed);

    pthread_mutex_lock(&table->lock);
    c->next = table->free;
    table->free = c;
    table->open--;
    pthread_mutex_unlock(&table->lock);
}

struct connection *connection_at(const struct connection_table *table, uint32_t index)
{
    if (index >= atomic_load_explicit(&table->places, memory_order_acquire))
        return NULL;
    return &table->slabs[index / CONNECTION_SLAB][index % CONNECTION_SLAB];
}

unsigned connection_count(const struct connection_table *table)
{
    return atomic_load_explicit(&table->open, memory_order_relaxed);
}

void connection_count_phases(const struct connection_table *table,
                             unsigned counts[static PHASE_COUNT])
{
    unsigned places = atomic_load_explicit(&table->places, memory_order_acquire);

    memset(counts, 0, PHASE_COUNT * sizeof *counts);
    for (unsigned i = 0; i < places; i++) {
        const struct connection *c = connection_at(table, i);
        counts[atomic_load_explicit(&c->phase, memory_order_relaxed)]++;
    }
}

int64_t connection_asked_us(struct connection *c)
{
    int64_t now = clock_us();

    if (c->asked_us == 0 || (c->waited && now - c->asked_us > SOON_US))
        c->asked_us = now;
    c->waited = false;
    return c->asked_us;
}

void connection_waits(struct connection *c)
{
    /* Later requests follow an answer: there are not two of them that could overtake each other. */
    if (c->reused)
        return;
    c->asked_us = clock_us();
    c->waited = true;
}

void connection_enter(struct connection *c, enum phase phase, int64_t now)
{
    atomic_store_explicit(&c->phase, (uint8_t)phase, memory_order_relaxed);
    c->phase_since = now;
}

bool kept_set(struct kept *kept, const char *bytes, size_t len)
{
    kept->bytes = malloc(len);
    if (kept->bytes == NULL)
        return false;
    memcpy(kept->bytes, bytes, len);
    kept->at = 0;
    kept->len = (uint32_t)len;
    return true;
}

void kept_clear(struct kept *kept)
{
    free(kept->bytes);
    *kept = (struct kept){NULL, 0, 0};
}
