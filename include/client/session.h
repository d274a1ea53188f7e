#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

/*
 * Commands performed one after the other: over one connection as long as the server keeps it and
 * the commands go to the same place, over a new one when not. One thread at a time.
 */

#include "client/command.h"
#include "client/dial.h"
#include "client/roundtrip.h"
#include "client/wire.h"

enum {
    SESSION_BUFFER = RESPONSE_HEAD_LIMIT + 1, /* for a wire that takes any head */
    SESSION_REDIRECTS = 10,                   /* in a row, before it is called a loop */
    SESSION_DRAIN_LIMIT = 65536, /* a redirect's body up to this is read, to keep the connection */
};

struct session {
    struct wire wire;
    struct origin origin;       /* whose addresses these are, and whom the wire speaks to */
    struct dial_list addresses; /* count 0: not looked up yet */
    int timeout_ms;
    bool loopback_only; /* go nowhere but to this machine */
    bool close_after;   /* say Connection: close with the next request */
};

/* Who watches a command being performed; embedded in something larger. */
struct visitor {
    struct sink sink; /* of the body of the answer; sink.sent is told about the request's */
    /* The head of the answer that counts, before its body. False, with *failure set, stops. */
    bool (*begin)(struct visitor *visitor, const struct roundtrip *trip, struct failure *failure);
    /*
     * An exchange is over, redirects included: with the status of its answer, or, when *failure
     * is not NULL, without a whole answer. started_us is when it began, connecting included, on
     * clock_us(). May be NULL.
     */
    void (*settled)(struct visitor *visitor, unsigned status, const struct failure *failure,
                    int64_t started_us);
};

/* The buffer is for the wire: the larger, the larger the heads that are taken. */
void session_init(struct session *session, char *buffer, size_t cap, int cancel_fd, int timeout_ms);

void session_close(struct session *session);

/* Looks up a host beforehand; true at once when it is known already. */
bool session_resolve(struct session *session, const struct origin *origin, struct failure *failure);

/*
 * Performs a command; `home` is the host of targets that name none. A request that was lost because
 * the server had just closed the idle connection is repeated once when it can be (RFC 9112 9.3.1):
 * nothing came back, the method is idempotent, and the body is still at hand. True when an answer
 * was received whole, whatever its status: *status.
 */
bool session_perform(struct session *session, const struct command *command,
                     const struct origin *home, struct visitor *visitor, unsigned *status,
                     struct failure *failure);

#endif
