#ifndef SERVER_DELIVERY_H
#define SERVER_DELIVERY_H

/*
 * What of a download has arrived. Not what the socket took: a client that is killed loses what lay
 * in the kernels between. The exact offset is recorded after an end in order, and a lower bound
 * otherwise (server/arrival.h): after a reset, a silence, and at the checkpoints while sending.
 * Never more than the client can have read, so the rest that it is given later leaves no gap.
 *
 * What a client has read and not written before it died, nobody here can know; it knows by its own
 * file, and says so with Range. One case is ours: a client whose file is still empty has nothing to
 * say. "curl -C -" then asks for the file without Range and would be given the rest behind what it
 * lost. So less than a block of a file's begin counts as nothing.
 *
 * Behind a proxy nothing is certain but that it took the bytes: how its own client's connection
 * went it does not tell. So connection->withheld is left off, and no download is ever known to be
 * complete.
 *
 * A delivery belongs to a connection (connection->delivery), from the composing of its response
 * until the next request, or the end of the connection, tells how it went.
 */

#include "resume/transfer.h"
#include "server/arrival.h"
#include "server/connection.h"

struct server;

struct delivery {
    struct transfer transfer; /* owned, held */
    struct arrival arrival;
    uint64_t start;            /* where in the file the content begins */
    uint64_t length;           /* bytes of content */
    uint64_t size;             /* of the file */
    uint64_t recorded;         /* of the content, at the last checkpoint */
    int64_t age_s;             /* how old the record may grow meanwhile */
    struct counters *counters; /* shared by all threads: it may end in any */
    bool overtaken; /* the next request came before the content was through: it confirms nothing */
};

/*
 * A delivery of bytes [start, start + length) of a file of `size` bytes. Takes over *transfer,
 * which is held. NULL when there is no memory.
 */
struct delivery *delivery_make(const struct server *server, struct transfer *transfer,
                               uint64_t start, uint64_t length, uint64_t size);

/* Content will begin after `ahead` more bytes of the connection's stream. */
void delivery_attach(struct connection *c, struct delivery *delivery, uint64_t ahead);

/*
 * To be called as content is sent, and at every turn: records a checkpoint now and then, and
 * notices an end of the peer; the record does not expire meanwhile. False when another connection
 * has taken the transfer: this one is to be closed.
 */
bool delivery_progress(struct connection *c);

/* All content was given to the socket. */
void delivery_sent(struct connection *c, bool input_waits);

/* The peer sent another request. With all the content acknowledged, the delivery is complete. */
void delivery_confirm(struct connection *c);

/* Whether the peer has not acknowledged all the content yet. */
bool delivery_is_under_way(struct connection *c);

/* Records how it ended, and frees the delivery: before the descriptor is closed. */
void delivery_end(struct connection *c);

void delivery_free(struct delivery *delivery);

/* What a record says of the connection that holds it: a word for it that no other connection has,
   of any server of the store, and since when it wants it, by the clock of this boot. */
struct transfer_claim delivery_claim(const struct server *server, struct connection *c);

/*
 * Before a transfer is taken from `holder`: if that is one of our connections and it rests, it is
 * claimed, what it knows by now is recorded, and it is returned. It goes to delivery_evict
 * afterwards. NULL when there is none to be had now.
 */
struct connection *delivery_settle(struct server *server, const struct connection *own,
                                   uint64_t holder);

/* After a transfer was taken: gives whoever held it a turn to notice. `settled` may be NULL. */
void delivery_evict(struct server *server, const struct connection *own, uint64_t holder,
                    struct connection *settled);

/* Whether a holder's word is one of this server's other connections. */
bool delivery_is_ours(const struct server *server, const struct connection *own, uint64_t holder);

#endif
