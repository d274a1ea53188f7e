#ifndef NET_LISTENER_H
#define NET_LISTENER_H

/* Listening sockets, of TCP and of the UNIX domain. Owned by the main thread. */

#include "net/address.h"

#include <sys/types.h>

/*
 * Opens a listening socket, non-blocking and close-on-exec, and sets address->port when it was 0.
 * The descriptor is the caller's; -1 with errno set when it cannot be had (EADDRINUSE,
 * EADDRNOTAVAIL, EACCES, EAFNOSUPPORT where the machine has no IPv6, …).
 *
 * `speaks_first` says that the client does: the kernel then hands a connection over only when its
 * first bytes have come, which saves a look at a socket that has nothing yet. With `shares_port`
 * other processes that say so too may listen there (SO_REUSEPORT), and the kernel deals out who
 * comes.
 */
int listener_open(struct address *address, bool speaks_first, bool shares_port);

/* Where a UNIX socket stands, so that nobody else's is removed. */
struct listener_place {
    const char *path; /* the caller's */
    dev_t device;
    ino_t inode;
};

/*
 * Opens a listening UNIX socket at `path` with these permissions, in one step: at no time is it
 * there with others. A socket on which nobody listens any more is replaced; EADDRINUSE where
 * somebody does, EEXIST where something else stands. Otherwise as listener_open.
 */
int listener_open_unix(const char *path, mode_t mode, struct listener_place *place);

/* Notes the socket that stands at `path` as ours: one that was handed in. False when none does. */
bool listener_find_unix(const char *path, struct listener_place *place);

/* Removes the socket's name, unless another has taken its place. */
void listener_remove_unix(const struct listener_place *place);

/*
 * Makes a socket that somebody else opened ready to be used like one from listener_open, and says
 * what it is bound to. False with errno set when it is not a listening socket of TCP or the UNIX
 * domain (EBADF, ENOTSOCK, EINVAL, EAFNOSUPPORT); it stays the caller's.
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
