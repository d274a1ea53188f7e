#ifndef SERVER_GATE_H
#define SERVER_GATE_H

/*
 * The gate: listening sockets, and who is let in. Main thread only.
 */

#include "net/listener.h"
#include "net/trust.h"
#include "server/counters.h"
#include "server/options.h"
#include "server/protocol.h"
#include "server/queue.h"
#include "server/tally.h"

enum { GATE_LIMIT = 32 };

struct gate {
    struct gate_listener {
        int fd;
        struct address address;
        const struct protocol *protocol;
        struct listener_place place; /* of a UNIX socket; path NULL otherwise */
    } listeners[GATE_LIMIT];
    unsigned count;
    int epoll_fd; /* the main thread's, where open listeners are registered */
    bool open;    /* they are */

    const struct options *options;
    const struct trust *trust;
    struct connection_table *connections;
    struct queue *queue;
    struct watch *watch;
    struct counters *counters; /* shared */

    struct tally tally; /* unless any number of one address may come */

    struct gate_episode {
        uint64_t refused; /* in the current episode, 0: there is none */
        int64_t last_ms;  /* when the last of them was */
    } full, crowded;      /* for want of room; for too many of one address */
    bool exhausted;       /* accepting pauses for want of descriptors */
    int64_t exhausted_ms; /* since when */
};

/* Adds a listening socket; the gate owns it. False when there are too many. */
bool gate_add(struct gate *gate, const struct gate_listener *listener);

/* Begins to accept. False with errno set when the kernel does not let it. */
bool gate_open(struct gate *gate);

/* Accepts a batch from the listener with that index, and queues or refuses each. */
void gate_accept(struct gate *gate, unsigned listener, int64_t now_ms);

/* To be called now and then: ends pauses, and says when an episode of refusals is over. */
void gate_tend(struct gate *gate, int64_t now_ms);

/* Whether there is nothing to tend until a client comes. */
bool gate_rests(const struct gate *gate);

/* Takes everybody who is waiting already: to close a listening socket resets them. */
void gate_empty(struct gate *gate, int64_t now_ms);

/* Leaves the names of UNIX sockets to another process that listens on them now. */
void gate_leave_names(struct gate *gate);

/* Closes the listening sockets, and removes the names of those of the UNIX domain. */
void gate_close(struct gate *gate);

#endif
