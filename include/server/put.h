#ifndef SERVER_PUT_H
#define SERVER_PUT_H

/* PUT (RFC 9110 9.3.4): a file is made or replaced, whole. Worker threads. */

#include "fs/publish.h"
#include "http/target.h"
#include "server/intake.h"
#include "server/worker.h"

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

/*
 * The conditions of a request that changes what is at `path`: checks them now, and says in *terms
 * what must still hold when the change is made. `found` is what docroot_stat said of it, `exists`
 * whether it found anything. False: the answer says which condition failed. For all methods that
 * write.
 */
bool write_preconditions(struct worker *worker, const struct request *request, bool exists,
                         const struct file *found, struct write_terms *terms,
                         struct answer *answer);

#endif
