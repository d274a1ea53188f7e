#ifndef CLIENT_WIRE_H
#define CLIENT_WIRE_H

/*
 * A connection as a client holds it: a descriptor and the bytes that have come and were not used.
 *
 *     buffer [ used up | unread ......... | free ......... ] cap
 *                        ^ start           ^ end
 *
 * Every call that can block has an absolute deadline on clock_ms(). One thread at a time.
 */

#include "base/span.h"

struct wire {
    int fd;        /* -1: not connected */
    int cancel_fd; /* readable: give up; -1: never */
    char *buffer;  /* the caller's */
    size_t cap, start, end;
    unsigned exchanges; /* finished on this connection; more than 0: it may have gone stale */
};

enum wire_result {
    WIRE_OK,
    WIRE_CLOSED, /* the server closed in order */
    WIRE_RESET,  /* the server reset the connection, or the network did */
    WIRE_TIMEOUT,
    WIRE_CANCELLED,
    WIRE_FULL,   /* the buffer is full of unread bytes */
    WIRE_FAILED, /* errno says why */
};

/* Not connected. The buffer is kept, and never freed. */
void wire_init(struct wire *wire, char *buffer, size_t cap, int cancel_fd);

/* Takes over a non-blocking descriptor; the wire must not be connected. */
void wire_open(struct wire *wire, int fd);

/* Closes; may be called when it is not connected. */
void wire_close(struct wire *wire);

static inline bool wire_is_open(const struct wire *wire)
{
    return wire->fd != -1;
}

/* Between exchanges: whether the server has closed, or sent what nobody asked for. */
bool wire_is_stale(const struct wire *wire);

static inline struct span wire_unread(const struct wire *wire)
{
    return span_make(wire->buffer + wire->start, wire->end - wire->start);
}

/* `len` bytes of the unread ones are used. Their memory stays as it is until the next fill. */
void wire_take(struct wire *wire, size_t len);

/* Waits for more bytes and adds them to the unread ones, which may move. */
enum wire_result wire_fill(struct wire *wire, int64_t deadline_ms);

/*
 * Sends bytes, at least one unless the result is not WIRE_OK; *sent tells how many. With `watch`,
 * returns WIRE_OK with *sent 0 as soon as there is something to read, so that an answer that comes
 * before all has been sent is not overlooked.
 */
enum wire_result wire_send(struct wire *wire, struct span bytes, bool watch, int64_t deadline_ms,
                           size_t *sent);

#endif
