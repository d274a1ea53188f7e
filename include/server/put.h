#ifndef SERVER_PUT_H
#define SERVER_PUT_H

/* PUT (RFC 9110 9.3.4): a file is made or replaced, whole. Worker threads. */

#include "fs/publish.h"
#include "http/range.h"
#include "http/target.h"
#include "server/intake.h"
#include "server/worker.h"

/* Reads Content-Range, which the request has (14.4), and holds its Content-Length against it. The
   length of the whole is known then. False: *answer says what is wrong. */
bool put_read_range(struct worker *worker, const struct request *request,
                    struct content_range *range, struct answer *answer);

/* Whether a file may be put at the target, and what must hold then. False: *answer says why not. */
bool put_check(struct worker *worker, const struct request *request, const struct target *target,
               struct write_terms *terms, struct answer *answer);

/*
 * Holds the request against what is at the target, and makes the intake for its body. NULL when it
 * cannot be taken: *answer then says why. With Content-Range (14.5) the body goes on where an
 * unfinished upload of that path ended; anywhere else it is refused with 409 and the right
 * Upload-Offset, and nothing has changed.
 */
struct intake *put_begin(struct worker *worker, const struct request *request,
                         const struct target *target, struct answer *answer);

#endif
