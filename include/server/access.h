#ifndef SERVER_ACCESS_H
#define SERVER_ACCESS_H

/*
 * Who may do what: reading is for all unless --private, writing for those who may, and what the
 * server says of itself (server/dashboard.h) for its own machine. Worker threads.
 *
 * Asked in this order, before anything is looked at in the docroot: whether the host is one this
 * server speaks for (421 otherwise), whether a page of another site is behind a request that
 * changes something (403), whether changes are allowed at all (405 on a read-only server), and who
 * the client is (401, 403, and 429 after too many wrong passwords). A browser's question
 * beforehand, whether a page of --cors may send a request, is answered before the last three.
 */

#include "http/target.h"
#include "server/answer.h"
#include "server/worker.h"

/* Whether the request is to be served. False: *answer is all there is to say. Sets the user of
   worker->exchange when the client said who it is. */
bool access_allows(struct worker *worker, const struct request *request,
                   const struct target *target, struct answer *answer);

/* Whether this client may also change what is at `target`: for the destination of a MOVE. The
   request has passed access_allows. */
bool access_allows_write(struct worker *worker, const struct request *request,
                         const struct target *target, struct answer *answer);

/* Whether the client of a GET may change what is at `path`, to offer it what it may do. */
bool access_may_write(struct worker *worker, const struct request *request, struct span path);

#endif
