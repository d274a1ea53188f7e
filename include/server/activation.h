#ifndef SERVER_ACTIVATION_H
#define SERVER_ACTIVATION_H

/*
 * What whoever starts the server hands in, and is told: listening sockets that are open already
 * (sd_listen_fds(3)), and readiness (sd_notify(3)). A service manager does so, and so does a server
 * that is replaced (handover.h). Main thread only.
 */

#include "net/address.h"
#include "server/gate.h"

#include <sys/types.h>

struct activation {
    struct activation_socket {
        int fd; /* -1 once it was taken */
        struct address address;
        struct span name; /* of the protocol, in `names`; or anything else, which means HTTP */
    } sockets[GATE_LIMIT];
    unsigned count;
    char names[1024];
    int notify_fd; /* connected to the service manager; -1: there is none that listens */
    int ready_fd;  /* to the server that is replaced; -1: none is */
};

#define ACTIVATION_NONE ((struct activation){.notify_fd = -1, .ready_fd = -1})

/* The name under which the descriptor travels on which a new server says that it serves. */
#define ACTIVATION_READY_VARIABLE "HTTPD_READY_FD"

/* Takes what the environment promises to this very process. False, after a line that says why, when
   a promise is not kept: a descriptor that is no listening TCP socket, or too many of them. */
bool activation_take(struct activation *activation);

/* Whether there are sockets for that protocol. HTTP takes all that do not bear another's name. */
bool activation_serves(const struct activation *activation, struct span protocol);

/* The next socket for that protocol, which becomes the caller's; NULL when there are no more. */
const struct activation_socket *activation_next(struct activation *activation, struct span protocol,
                                                int *fd);

/* Says that requests are being served: to the service manager, and to the server that is replaced,
   which from then on drains. */
void activation_ready(struct activation *activation);

/* Says that the server is stopping. */
void activation_stopping(const struct activation *activation);

/* Says that another process is the service now. */
void activation_moved(const struct activation *activation, pid_t process);

/* Closes everything that was not taken. */
void activation_close(struct activation *activation);

#endif
