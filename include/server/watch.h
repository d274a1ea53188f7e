#ifndef SERVER_WATCH_H
#define SERVER_WATCH_H

/*
 * The watch set: parked connections, waiting for their clients to move.
 *
 * A descriptor is put into the epoll set once, edge-triggered, at its first park, and stays until
 * it is closed: parking and claiming after that are one atomic operation each and no system call.
 * An edge that comes while somebody owns the connection is remembered in its state
 * (WATCH_NOTIFIED), and makes the next park fail, so none is lost.
 *
 *     owner parks:   OWNED ──▶ PARKED        or, if NOTIFIED: ──▶ OWNED, and goes on
 *     event comes:   PARKED ──▶ OWNED (claimed: to the queue)    OWNED ──▶ NOTIFIED
 *     deadline:      PARKED ──▶ OWNED (claimed)
 */

#include "server/connection.h"

struct watch {
    int epoll_fd;
    int kick_fd; /* eventfd, to fetch whoever waits in watch_wait */
    struct connection_table *table;
};

enum { WATCH_BATCH = 64 }; /* connections claimed by one wait at most */

/* 0, or an errno. */
int watch_init(struct watch *watch, struct connection_table *table);

/*
 * Waits until parked connections can move, claims them, and returns how many; they are the caller's
 * then. Without `wait` it only looks which can at this moment. 0 when it was kicked, or when all
 * that came were events of connections owned by others.
 */
unsigned watch_wait(struct watch *watch, struct connection *ready[static WATCH_BATCH], bool wait);

/* Makes the thread in watch_wait, now or next, return. Any thread. */
void watch_kick(struct watch *watch);

/*
 * Gives the connection to the watch set. True: it is not the caller's any more, not even to look
 * at. False: something has come meanwhile and it still is (also when the kernel has no memory for
 * it: *failed says so, and it should be closed).
 */
bool watch_park(struct watch *watch, struct connection *c, bool *failed);

/* Claims the connection if it is parked: the caller owns it then. Any thread. */
bool watch_claim(struct connection *c);

/* The same; and if somebody else owns it, that one is made to look again before it parks. */
bool watch_nudge(struct connection *c);

/* Claims it if it is parked and its deadline is not after `now`, and sets c->expired. Main thread.
 */
bool watch_claim_expired(struct connection *c, int64_t now);

/* Claims it if it is parked and is to be looked at (connection_set_look). Main thread. */
bool watch_claim_due(struct connection *c, int64_t now);

#endif
