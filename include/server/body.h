#ifndef SERVER_BODY_H
#define SERVER_BODY_H

/* The body of a request: received, unwrapped, and given to whoever wants it. Worker threads. */

#include "server/channel.h"

enum {
    BODY_DISCARD_LIMIT = 1 << 20,    /* one nobody wants is read this far, to keep the connection */
    BODY_TURN_BYTES = 1 << 18,       /* moved in one turn while other bodies wait */
    BODY_SHORT_TURN_BYTES = 1 << 17, /* and unless all is calm (queue_is_calm) */
};

/* Reads the body, and makes and composes the answer when it is over: STEP_DONE. */
enum step body_receive(struct worker *w, struct connection *c, struct exchange *x);

/* The body is not wanted. If it has come with the head, the next request can be found all the same.
 */
void body_skip(struct worker *w, struct exchange *x);

#endif
