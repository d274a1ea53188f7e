#ifndef SERVER_HEALTH_H
#define SERVER_HEALTH_H

/*
 * GET /.health, for whoever deals out clients among several servers: 200 while this one should get
 * some, 503 from the moment that it was told to stop, and while it cannot reach its files (a mount
 * that died). Asked without account and on any host name; it tells nothing else. Worker threads.
 */

#include "http/target.h"
#include "server/answer.h"
#include "server/worker.h"

/* Whether the request is a GET or HEAD of it. */
bool health_is_asked(const struct request *request, const struct target *target);

/* Answers one. */
void health_answer(struct worker *worker, struct answer *answer);

#endif
