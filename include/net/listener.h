#ifndef NET_LISTENER_H
#define NET_LISTENER_H

/* Listening TCP sockets. Owned by the main thread. */

#include "net/address.h"

/*
 * Opens a listening socket, non-blocking and close-on-exec, and sets address->port when it was 0.
 * The descriptor is the caller's; -1 with errno set when it cannot be had (EADDRINUSE,
 * EADDRNOTAVAIL, EACCES, EAFNOSUPPORT where the machine has no IPv6, …).
 *
 * `speaks_first` says that the client does: the kernel then hands a connection over only when its
 * first bytes have come, which saves a look at a socket that has nothing yet.
 */
int listener_open(struct address *address, bool speaks_first);

/*
 * Makes a socket that somebody else opened ready to be used like one from listener_open, and says
 * what it is bound to. False with errno set when it is not a listening TCP socket (EBADF, ENOTSOCK,
 * EINVAL, EAFNOSUPPORT); it stays the caller's.
 */
bool listener_adopt(int fd, struct address *address, bool speaks_first);

enum accept_result {
    ACCEPT_OK,
    ACCEPT_NONE,      /* nobody is waiting */
    ACCEPT_GONE,      /* that client went away while waiting; try the next */
    ACCEPT_EXHAUSTED, /* no descriptor or memory left: stop asking until some are free */
};

/* Takes the next connection off the socket: *fd is non-blocking, close-on-exec, without Nagle's
   delay, and the caller's. */
enum accept_result listener_accept(int listener_fd, int *fd, struct address *peer);

#endif
