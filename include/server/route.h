#ifndef SERVER_ROUTE_H
#define SERVER_ROUTE_H

/* Which file of this room answers a request. Worker threads. */

#include "server/answer.h"
#include "server/worker.h"

enum routing {
    ROUTE_ANSWERED, /* *answer says all; a body, if there is one, is not wanted */
    ROUTE_INTAKE,   /* *intake takes the body, and makes the answer when it has it */
    ROUTE_DISCARD,  /* a body has no meaning here (RFC 9110 9.3.1): once it has been read,
                       route_answer */
};

/* Decides, when the head of a request has come, what is to become of it. With ROUTE_DISCARD
 *target is what it asks for, in worker->path. */
enum routing route_begin(struct worker *worker, const struct request *request,
                         struct target *target, struct answer *answer, struct intake **intake);

/* Decides the answer to a request that has no body. */
void route_answer(struct worker *worker, const struct request *request, const struct target *target,
                  struct answer *answer);

/* The same when a body has been discarded. The target is found anew: worker->path may have served
   another request since. */
void route_answer_later(struct worker *worker, const struct request *request,
                        struct answer *answer);

#endif
