#ifndef SERVER_DASHBOARD_H
#define SERVER_DASHBOARD_H

/*
 * What the server says of itself: /.status for people (and as JSON for programs), with the style
 * and the script it needs, and /.metrics for Prometheus and its kind. Who may see it is decided by
 * access.c. Worker threads.
 */

#include "http/target.h"
#include "server/answer.h"
#include "server/worker.h"

/* Whether `path` (as in struct target) is one of these. */
bool dashboard_is(struct span path);

/* Answers a GET or HEAD of one of them. False: it is another address, and the answer is untouched.
 */
bool dashboard_answer(struct worker *worker, const struct request *request,
                      const struct target *target, struct answer *answer);

#endif
