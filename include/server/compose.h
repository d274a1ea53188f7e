#ifndef SERVER_COMPOSE_H
#define SERVER_COMPOSE_H

/* From an answer, a value, to bytes in the worker's buffer. Worker threads. */

#include "server/answer.h"
#include "server/channel.h"

/*
 * Turns the answer into bytes in w->out, and into what the exchange is to send after them. The
 * answer is used up. Decides whether the connection can be used for another request. STEP_CLOSE
 * when the file it promised has shrunk already.
 */
enum step compose_answer(struct worker *w, struct exchange *x, struct answer *answer);

/*
 * Writes the field lines that describe the answer's representation, which are the same for every
 * client: type, length, validators, and how it may be kept. `chunked`: its length is not known.
 */
void compose_representation(struct buffer *out, const struct server *server,
                            const struct answer *answer, bool chunked);

/* Answers a request that cannot be taken as it came, and means to close the connection. */
enum step compose_refusal(struct worker *w, struct exchange *x, enum status status);

#endif
