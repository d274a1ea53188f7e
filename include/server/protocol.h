#ifndef SERVER_PROTOCOL_H
#define SERVER_PROTOCOL_H

/*
 * The seam between connections and what is spoken on them. The queue, the pool, the watch set and
 * the deadlines know connections; a protocol knows what the bytes mean.
 */

#include "server/connection.h"

/* How a worker's turn with a connection ended. */
enum turn {
    TURN_PARK,   /* nothing can move until the client does: watch it */
    TURN_AGAIN,  /* there is more to do, but others wait: to the end of the queue */
    TURN_LINGER, /* all is said: close once the client has had time to read it */
    TURN_CLOSE,  /* close now */
};

struct protocol {
    const char *name;   /* also the scheme of its addresses */
    bool changes_files; /* clients can change files with it */

    /*
     * Goes on with a connection for as long as it can move. Called by one worker at a time. Before
     * TURN_PARK it has copied to the connection whatever of the worker's memory it still needs, and
     * set the deadline.
     */
    enum turn (*turn)(struct worker *worker, struct connection *c);

    /* The deadline passed while it was parked. May send a last word without waiting; the connection
       is closed when it returns TURN_CLOSE, and lingers on TURN_LINGER. */
    enum turn (*expire)(struct worker *worker, struct connection *c);

    /* The connection is about to be closed: frees what it keeps for this protocol (exchange,
       delivery), of which something is not NULL. The descriptor is still open. */
    void (*drop)(struct connection *c);

    /* Answers a client that cannot be served because too many are: main thread, must not wait. */
    void (*refuse)(struct connection *c);
};

#endif
