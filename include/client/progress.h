#ifndef CLIENT_PROGRESS_H
#define CLIENT_PROGRESS_H

/*
 * One line on a terminal that shows how far a transfer has got:
 *
 *     a.iso   45% [===========>             ]  1.2 GB   98.3 MB/s  0:12 left
 *
 * The caller says which descriptor, and nothing is written when that is no terminal. One thread at
 * a time.
 */

#include "base/buffer.h"

struct progress {
    int fd; /* -1: be quiet */
    bool color;
    struct span name;
    uint64_t total; /* 0: not known */
    uint64_t from;  /* bytes that were there before; set after progress_begin */
    int64_t started_ms, drawn_ms;
    bool drawn; /* a line is on the screen */
};

enum {
    PROGRESS_DELAY_MS = 400, /* what is over sooner needs no bar */
    PROGRESS_EVERY_MS = 100,
    PROGRESS_LINE_LIMIT = 512,
};

/* Quiet unless fd is a terminal; plain when the environment has a NO_COLOR that is not empty. */
void progress_begin(struct progress *progress, int fd, struct span name, uint64_t total);

/* `done` bytes so far. Cheap: it draws a few times a second. */
void progress_update(struct progress *progress, uint64_t done);

/* Takes the line away. */
void progress_end(struct progress *progress);

/* The line, without control sequences but for colours: `columns` wide at most. Pure. */
void progress_line(struct buffer *out, const struct progress *progress, uint64_t done,
                   int64_t elapsed_ms, unsigned columns);

/* "1.5 GB": three digits at most before the unit, powers of 1000. Pure. */
void progress_put_bytes(struct buffer *out, uint64_t bytes);

#endif
