#ifndef SERVER_CHANNEL_H
#define SERVER_CHANNEL_H

/*
 * Between a connection's socket and the worker's two buffers. Worker threads.
 *
 *     in   [....used....####received####........]      out  [....sent....####composed####........]
 *                       ^ in_at          ^ in_len                        ^ out_at         ^ out.len
 */

#include "server/producer.h"
#include "server/worker.h"

/* How far a stage of an exchange came. */
enum step {
    STEP_DONE,
    STEP_STALLED, /* the client must move first */
    STEP_AGAIN,   /* there is more to do, but others wait */
    STEP_CLOSE,   /* the connection is of no use any more */
};

enum { CHANNEL_TURN_BYTES = 4 << 20 }; /* sent for one connection in one turn while others wait */

/* Begins a turn: the buffers hold what the connection kept of them, and nothing has moved. */
void channel_restore(struct worker *w, struct connection *c);

/* Ends one before a park: the connection keeps what the buffers hold. False when there is no memory
   for it. */
bool channel_keep(const struct worker *w, struct connection *c);

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

/* Sends what fits of a run of a file, and adds it to *sent. STEP_CLOSE also when the file is
   shorter than the run. */
enum step channel_send_run(struct worker *w, struct connection *c, struct file_run *run,
                           uint64_t *sent);

/* Until when a transfer may rest. It buys time with the bytes it moves, so that one which keeps to
   the minimum rate goes on for ever, and one that does not ends. */
int64_t channel_transfer_deadline(const struct worker *w, const struct connection *c);

/* The time of a parked send is over, but the client may have read all the while from what the
   kernel had taken for it: what it acknowledged since the last look is counted as moved, to buy
   time too.
 */
void channel_count_acknowledged(struct worker *w, struct connection *c);

#endif
