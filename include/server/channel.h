#ifndef SERVER_CHANNEL_H
#define SERVER_CHANNEL_H

/*
 * Between a connection's socket and the worker's two buffers. Worker threads.
 *
 *     in   [....used....####received####........]      out  [....sent....####composed####........]
 *                       ^ in_at          ^ in_len                        ^ out_at         ^ out.len
 */

#include "server/worker.h"

/* How far a stage of an exchange came. */
enum step {
    STEP_DONE,
    STEP_STALLED, /* the client must move first */
    STEP_AGAIN,   /* there is more to do, but others wait */
    STEP_CLOSE,   /* the connection is of no use any more */
};

/* Bytes that are composed and not sent. */
static inline size_t channel_unsent(const struct worker *w)
{
    return w->out.len - w->out_at;
}

/* Sends what has been composed; `more` says that content follows at once. STEP_DONE when all of it
   is gone, STEP_STALLED or STEP_CLOSE otherwise. */
enum step channel_flush(struct worker *w, struct connection *c, bool more);

/* Receives more behind what is there, and moves that to the front for it. STEP_DONE when something
   came, STEP_STALLED when nothing is there, STEP_CLOSE at the end of the stream. */
enum step channel_receive(struct worker *w, struct connection *c);

#endif
