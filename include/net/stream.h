#ifndef NET_STREAM_H
#define NET_STREAM_H

/*
 * Moving bytes over a connected, non-blocking stream socket. Each call does what can be done now
 * and says what stands in the way of more; waiting is the caller's business. EINTR is handled
 * inside. A connection's descriptor is used by one thread at a time.
 */

#include "base/span.h"

#include <sys/types.h>

enum stream_result {
    STREAM_OK,          /* something moved */
    STREAM_STALLED,     /* nothing can move until the peer does something */
    STREAM_ENDED,       /* receiving: the peer closed its side in order */
    STREAM_BROKEN,      /* reset, or any error of the socket: close it */
    STREAM_TRUNCATED,   /* sending a file: the file is shorter than was promised */
    STREAM_FILE_FAILED, /* the file, not the socket, gave an error; errno says which */
};

/* Receives up to `cap` bytes; *len is how many came, 0 unless STREAM_OK. */
enum stream_result stream_receive(int fd, char *data, size_t cap, size_t *len);

/* Sends what fits of data; *sent is how many bytes were taken. `more` says that further bytes
   follow at once, so that the kernel need not send a short segment. */
enum stream_result stream_send(int fd, const char *data, size_t len, bool more, size_t *sent);

/* Sends what fits of `len` bytes of a regular file from *offset on, without copying them through
   the process; *offset moves on by what was taken, *sent says how many. */
enum stream_result stream_send_file(int fd, int file_fd, off_t *offset, size_t len, size_t *sent);

/* A pipe to move bytes through; -1, -1 until it is first used. Owned by one thread. */
struct stream_pipe {
    int read_fd, write_fd;
    size_t size;
};

#define STREAM_PIPE_CLOSED ((struct stream_pipe){-1, -1, 0})

/*
 * Moves up to `len` received bytes to a file, at its position, without copying them through the
 * process. *moved is how many are in the file. STREAM_FILE_FAILED, with errno set, when the file
 * did not take them: bytes already received are lost then, and the connection cannot go on.
 */
enum stream_result stream_receive_to_file(int fd, struct stream_pipe *pipe, int file_fd, size_t len,
                                          size_t *moved);

void stream_pipe_close(struct stream_pipe *pipe);

enum stream_wait {
    STREAM_WAIT_READ,
    STREAM_WAIT_WRITE,
};

/* Has the kernel report the socket as readable from so many bytes on only, or at its end; it begins
   with 1. What is there already is reported when that is enough by now. False when it will not. */
bool stream_set_low_water(int fd, uint32_t bytes);

/* Blocks until the descriptor can move, or failed, or `ms` have passed (then false). */
bool stream_wait(int fd, enum stream_wait what, int ms);

/* Bytes given to the socket that the peer has not acknowledged, also after a reset; 0 on an error.
   A FIN that was sent counts as one. */
uint64_t stream_unacknowledged(int fd);

/* What the kernel knows of the peer. Where it does not tell, the window is the largest there is. */
struct stream_peer {
    uint64_t window;       /* the receive window that it offers, in bytes */
    uint64_t window_limit; /* the largest that it can offer */
    bool finished;         /* its FIN has come */
    bool closed;           /* nothing moves any more: both have closed, or it was reset */
};

void stream_peer(int fd, struct stream_peer *peer);

enum stream_end {
    STREAM_END_NOT,
    STREAM_END_ORDERLY,      /* the peer closed in order */
    STREAM_END_CLOSED_RESET, /* it closed, and then reset what still came */
    STREAM_END_RESET,        /* or failed otherwise */
};

/* How a connection ended, asked once; only right while no call has failed on it. */
enum stream_end stream_end(int fd);

/* Whether bytes wait to be received. */
bool stream_has_input(int fd);

/* Tells the peer that nothing more will be sent. */
void stream_finish(int fd);

#endif
