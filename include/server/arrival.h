#ifndef SERVER_ARRIVAL_H
#define SERVER_ARRIVAL_H

/*
 * How much of the content of a response its client has for certain, by what the server's end of the
 * connection can see. Arithmetic alone: what is seen comes in as a value.
 *
 *     base             read        acknowledged      sent
 *      │ ── content ───▶│ ── unread ───▶│ ── on its way ─▶│
 *
 * What was acknowledged has reached the client's machine, and what of it was not read is lost when
 * the client dies. How much that can be:
 *
 *   - A receiver offers what its buffer has free, so the largest window seen is what the buffer
 *     held when it was seen. Between two looks it may have grown, by no more than what went through
 *     it; and it may hold what it does not offer (measured: 2.2 times the largest window). So twice
 *     the largest window and the most that was acknowledged between two looks bound it; and so does
 *     the largest window that can be written with the client's scale (RFC 7323 2.3).
 *   - Nothing, if the client closed with all of it read: what it closes with unread bytes is reset
 *     (RFC 2525 2.17). A FIN alone does not prove that. One who acknowledges more after it has only
 *     ended its own sending; one who is reset after it may have ended both directions first, and
 *     closed with unread bytes then. But a buffer that is empty offers all it has, with the FIN.
 */

#include <stdbool.h>
#include <stdint.h>

/* What can be seen of a connection at a moment. Counts are bytes of the stream from its begin. */
struct arrival_look {
    uint64_t sent;         /* given to the socket */
    uint64_t acknowledged; /* of them, by the client's machine */
    uint64_t window;       /* that it offers */
    uint64_t window_limit; /* the largest it can offer */
    bool finished;         /* its FIN has come */
    bool reset;            /* the connection has failed */
};

struct arrival {
    uint64_t base;         /* where the content begins in the stream */
    uint64_t length;       /* bytes of content */
    uint64_t window;       /* the largest that was seen */
    uint64_t window_limit; /* as last seen */
    uint64_t blind;        /* most that was acknowledged between two looks */
    uint64_t acknowledged; /* at the last look */
    bool on_its_way;       /* not all was acknowledged at the last look */
    bool finished;         /* a FIN has come, when this much was acknowledged: */
    uint64_t finish_acknowledged;
    uint64_t finish_window; /* the window that came with it */
    bool half;              /* the FIN ended the client's sending alone */
    bool reset;
};

/* Content of `length` bytes will begin at `base` in the stream. */
void arrival_begin(struct arrival *arrival, uint64_t base, uint64_t length,
                   const struct arrival_look *look);

void arrival_see(struct arrival *arrival, const struct arrival_look *look);

/* Bytes of content that the client's machine has acknowledged. */
uint64_t arrival_acknowledged(const struct arrival *arrival);

/* Bytes of content that the client has, whatever became of it. */
uint64_t arrival_least(const struct arrival *arrival);

/* Whether the client has ended having read all it acknowledged: then that is what it has. */
bool arrival_is_exact(const struct arrival *arrival);

#endif
