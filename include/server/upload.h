#ifndef SERVER_UPLOAD_H
#define SERVER_UPLOAD_H

/*
 * An intake that stages a request body and then publishes it at a path: what PUT, and a POST of one
 * file, have in common. Worker threads.
 */

#include "fs/publish.h"
#include "server/intake.h"
#include "server/worker.h"

/* What a body is to become. */
struct upload_plan {
    const char *path;         /* copied */
    struct write_terms terms; /* what must still hold when it is published */
    bool partial;             /* a part of the file: the stage is kept over requests, for this path
                                 and total; else it is the request's own, gone when that fails */
    uint64_t offset;          /* partial: where the body is to go on, which must be what the stage
                                 holds */
    uint64_t total;           /* partial: published when the stage has reached this */
    const struct file *base;  /* the body is to stand behind the bytes of this open file; NULL: it
                                 is all there is */
    bool new_member;          /* a POST: where the path is taken, a number is added, and the answer
                                 says in its content what was made */
};

/*
 * Opens the stage, looks at the limits and at the digests that the request offers, and makes the
 * intake. NULL when it cannot be: *answer then says why.
 */
struct intake *upload_begin(struct worker *worker, const struct request *request,
                            const struct upload_plan *plan, struct answer *answer);

/* Says of a body that was published what a PUT says: created or replaced, its ETag, and where. */
void upload_answer_published(struct answer *answer, const struct published *published,
                             const char *path);

#endif
