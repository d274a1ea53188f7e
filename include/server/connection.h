#ifndef SERVER_CONNECTION_H
#define SERVER_CONNECTION_H

/*
 * A connection, from accept to close, and the table of all of them.
 *
 * At any time a connection has one owner: the main thread (until it is queued), the queue, one
 * worker, or the watch set. Whoever owns it may use every field; nobody else touches more than the
 * atomics. Passing it on is the only synchronisation.
 *
 *                    accept                       queue_take
 *        main thread ───────▶ queue ◀──┐ ──────────────────────▶ worker
 *                                      │                            │ watch_park
 *                             event or deadline ◀─── watch set ◀────┘
 */

#include "net/address.h"

#include <pthread.h>
#include <stdatomic.h>

struct delivery;
struct protocol;
struct worker;

/*
 * Who owns a connection, in the low bits of connection->watch; the rest is a generation that counts
 * how often the place in the table was used, so that an event for a connection long gone is known
 * for what it is.
 */
enum {
    WATCH_PARKED = 0,       /* the watch set owns it: the first to claim it gets it */
    WATCH_OWNED = 1,        /* somebody else does */
    WATCH_NOTIFIED = 2,     /* owned, and an event came meanwhile: look again before parking */
    WATCH_NOTIFIED_END = 3, /* the same, and the peer has closed its side */
    WATCH_STATE_MASK = 3,
    WATCH_GENERATION = 4, /* one step of the generation */
};

/* What a connection is doing, and so what it waits for and how long it may. */
enum phase {
    PHASE_FREE,   /* no connection at all: a free place */
    PHASE_IDLE,   /* no byte of a request yet */
    PHASE_HEAD,   /* part of a head has come */
    PHASE_BODY,   /* a request body is being received */
    PHASE_SEND,   /* a response is being sent */
    PHASE_LINGER, /* all is said; what still comes is thrown away, so that no reset destroys it */
    PHASE_COUNT
};

/* How a connection goes on once the responses composed so far are sent. */
enum ending {
    ENDING_NOT,
    ENDING_CLOSE,
    ENDING_LINGER,
};

/* Bytes that had to be kept over a park: memory from malloc, NULL when there are none. */
struct kept {
    char *bytes;
    uint32_t at, len; /* still of use: [at, len) */
};

struct connection {
    _Atomic uint64_t watch;   /* generation and ownership, see above */
    _Atomic int64_t deadline; /* clock_ms() at which the main thread ends it if it is parked */
    _Atomic int64_t look_at;  /* clock_ms() at which it gets a turn although nothing moves */
    struct connection *next;  /* in the queue, or in the list of free places */
    uint32_t index;           /* its place in the table, for ever */
    int fd;                   /* -1 in a free place */
    const struct protocol *protocol;
    const struct protocol *inner; /* what is spoken behind the header of a proxy; else NULL */
    _Atomic uint8_t phase;        /* enum phase; others may look at it, to count */
    uint8_t ending;               /* enum ending */
    uint32_t watched;   /* the events its descriptor is in the watch set for, 0: not in it */
    uint32_t wants;     /* bytes it is worth to be woken for, 0: each; set for one turn's wait */
    uint32_t drips;     /* the same while a body that comes in drips is parked; 0: it does not */
    uint32_t low_water; /* so many has the kernel been told to wait for; 0: it has not. Fewer may
                           have come unreported, so that every turn looks for them */
    bool readable;      /* bytes, or the end, may be waiting; false after a read came back short */
    bool has_begun;  /* the watch set has said that bytes were there: of a request begun before */
    bool peer_ended; /* the peer closed its side: a read will say so once the bytes are through */
    bool expired;    /* claimed because its deadline passed: the protocol has the last word */
    bool arriving;   /* it is in the queue as an arrival */
    bool ended;      /* a read has said that the peer closed its side, in order */
    bool broken;     /* a call has failed: reset, timed out */
    bool bulk;       /* much of a body has come, and more is to: it gives way (server/queue.h) */
    bool reused;     /* a request has been answered on it */
    _Atomic uint32_t *counted; /* among the connections of its address; NULL: it is not */
    struct address peer;       /* the client, as far as that is known of the whole connection */
    uint64_t withheld; /* what a proxy between may have taken and not passed on; 0: there is none */
    int64_t phase_since; /* clock_ms() when the current phase began */
    int64_t asked_us;   /* clock_us() when its request came, 0 for "now": for connection_asked_us */
    bool waited;        /* and it came later than asked_us */
    uint64_t sent;      /* bytes given to the socket, ever */
    uint64_t acked;     /* how many of them the peer had acknowledged at the last look */
    struct kept input;  /* the start of a head that is not whole */
    struct kept output; /* response bytes the socket would not take */
    struct delivery *delivery; /* a download that is followed to its arrival; NULL otherwise */
    void *exchange; /* what its protocol keeps of a request under way over a park; NULL: none */
};

/* All connections. Places come in slabs that are never given back, so that a pointer, once a place,
   stays one. */
struct connection_table {
    pthread_mutex_t lock; /* guards free, and every change of open */
    struct connection *free;
    _Atomic unsigned places; /* in the slabs so far */
    unsigned limit;          /* most connections at once */
    _Atomic unsigned open;
    struct connection **slabs;
};

enum { CONNECTION_SLAB = 256 }; /* places in one slab */

/* 0, or an errno. `limit` bounds the open connections. */
int connection_table_init(struct connection_table *table, unsigned limit);

/* Frees the table, and what open connections still keep; nobody may use it any more. */
void connection_table_free(struct connection_table *table);

/* A place for a new connection, owned by the caller, or NULL when there are `limit` of them or no
   memory is left. The descriptor becomes the connection's. */
struct connection *connection_open(struct connection_table *table, int fd,
                                   const struct address *peer, const struct protocol *protocol);

/* Closes the descriptor and frees the place and what was kept. Only for the owner. */
void connection_close(struct connection_table *table, struct connection *c);

/* The place with that index; NULL when there is none. Any thread. */
struct connection *connection_at(const struct connection_table *table, uint32_t index);

/* Open connections at this moment. Any thread. */
unsigned connection_count(const struct connection_table *table);

/* Counts the connections by phase, as they are while it looks at one after the other. Any thread.
 */
void connection_count_phases(const struct connection_table *table,
                             unsigned counts[static PHASE_COUNT]);

/*
 * When the request that it serves came, by clock_us() and as near as can be told, so that of
 * several connections of a client the newest is known, whichever is served first. That is when the
 * connection came, if its first request came along with it or within a moment; else the first time
 * that it is asked here. Only for the owner.
 */
int64_t connection_asked_us(struct connection *c);

/* Of the request that is to come not all is there yet. */
void connection_waits(struct connection *c);

/* Enters a phase, from `now` on (clock_ms). */
void connection_enter(struct connection *c, enum phase phase, int64_t now);

static inline void connection_set_deadline(struct connection *c, int64_t deadline)
{
    atomic_store_explicit(&c->deadline, deadline, memory_order_relaxed);
}

/* INT64_MAX: it is not to be looked at before its deadline. */
static inline void connection_set_look(struct connection *c, int64_t look_at)
{
    atomic_store_explicit(&c->look_at, look_at, memory_order_relaxed);
}

/* Copies bytes into `kept`, which must be empty. False when there is no memory for them. */
bool kept_set(struct kept *kept, const char *bytes, size_t len);
void kept_clear(struct kept *kept);

static inline size_t kept_len(const struct kept *kept)
{
    return kept->len - kept->at;
}

#endif
