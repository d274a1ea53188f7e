#ifndef SERVER_PRODUCER_H
#define SERVER_PRODUCER_H

/*
 * Content that is made while it is sent, in constant memory: the parts of a multipart/byteranges, a
 * long listing. A producer outlives the worker's turn when the client is slow, so it points only to
 * memory of its own.
 */

#include "base/buffer.h"

#include <sys/types.h>

/* A run of an open file. */
struct file_run {
    int fd; /* borrowed from whoever owns the run; -1: none */
    off_t at;
    uint64_t left;
};

enum produce {
    PRODUCE_MORE, /* there is more after this */
    PRODUCE_LAST, /* this was the last */
};

struct producer {
    /* Appends the next bytes to `out`, which has room for PRODUCER_ROOM at least; after them goes
     *run, when it sets one (only for content of known length). */
    enum produce (*produce)(struct producer *producer, struct buffer *out, struct file_run *run);

    /* Frees everything, itself included. */
    void (*free)(struct producer *producer);
};

enum { PRODUCER_ROOM = 8192 };

#endif
