#ifndef SERVER_SIGN_IN_H
#define SERVER_SIGN_IN_H

/*
 * /.sign-in?/PATH: where a browser is asked for an account although reading needs none, and then
 * sent back to PATH. Worker threads.
 */

#include "http/target.h"
#include "server/answer.h"
#include "server/worker.h"

/* Whether `path` (as in struct target) is that address, which access.c lets nobody in without an
   account. */
bool sign_in_is(struct span path);

/* Answers a GET or HEAD of it. False: it is another one, and the answer is untouched. */
bool sign_in_answer(struct worker *worker, const struct request *request,
                    const struct target *target, struct answer *answer);

/* A link to it that comes back to `path`. */
void sign_in_put_link(struct buffer *out, struct span path);

#endif
