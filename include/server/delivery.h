#ifndef SERVER_DELIVERY_H
#define SERVER_DELIVERY_H

/*
 * What of a download has arrived. Not what the socket took: a client that is killed loses what lay
 * in the kernels between. Known for certain is this, and no more:
 *
 *   - what the peer acknowledged has reached its machine (bytes sent less SIOCOUTQ);
 *   - what it acknowledged it has also read, if it then closes in order: a close with unread bytes
 * is a reset;
 *   - what it acknowledged less what its receive buffer holds, it has read in any case; twice the
 *     largest window it was seen to offer bounds that.
 *
 * So the exact offset is recorded after an end in order, and the lower bound otherwise: after a
 * reset, a silence, and at the checkpoints while sending. Never more than the client can have; so
 * the rest that it is given later never leaves a gap.
 *
 * A delivery belongs to a connection (connection->delivery), from the composing of its response
 * until the next request, or the end of the connection, tells how it went.
 */

#include "resume/transfer.h"
#include "server/connection.h"

struct server;

struct delivery {
    struct transfer transfer; /* owned, held */
    uint64_t start;           /* where in the file the content begins */
    uint64_t length;          /* bytes of content */
    uint64_t size;            /* of the file */
    uint64_t base;            /* connection->sent where the content begins in the stream */
    uint64_t window;          /* the largest that the peer was seen to offer */
    uint64_t exact;           /* bytes of content that the client has for certain */
    uint64_t checked;         /* connection->sent at the last checkpoint */
};

/*
 * A delivery of bytes [start, start + length) of a file of `size` bytes. Takes over *transfer,
 * which is held. NULL when there is no memory.
 */
struct delivery *delivery_make(struct transfer *transfer, uint64_t start, uint64_t length,
                               uint64_t size);

/* Content will begin after `ahead` more bytes of the connection's stream. */
void delivery_attach(struct connection *c, struct delivery *delivery, uint64_t ahead);

/*
 * To be called as content is sent, and at every turn: records a checkpoint now and then, and
 * notices an end of the peer. False when another connection has taken the transfer: this one is to
 * be closed.
 */
bool delivery_progress(struct connection *c);

/* The peer sent another request. With all the content acknowledged, the delivery is complete. */
void delivery_confirm(struct connection *c);

/* Whether the peer has not acknowledged all the content yet. */
bool delivery_is_under_way(const struct connection *c);

/* Records how it ended, and frees the delivery: before the descriptor is closed. */
void delivery_end(struct connection *c);

void delivery_free(struct delivery *delivery);

/* The word by which a record names the connection that holds it, among the servers of one store. */
uint64_t delivery_holder(const struct server *server, const struct connection *c);

/* Gives the connection that held a transfer, if it is one of ours, a turn to notice that it was
   evicted. */
void delivery_nudge(struct server *server, uint64_t holder);

#endif
