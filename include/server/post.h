#ifndef SERVER_POST_H
#define SERVER_POST_H

/* POST (RFC 9110 9.3.3): a directory takes the body as a new member. Worker threads. */

#include "http/target.h"
#include "server/intake.h"
#include "server/worker.h"

/*
 * Makes the intake for the body. NULL when it cannot be taken: *answer then says why.
 *
 * A form (multipart/form-data) gives a member for each of its files; any other body becomes one,
 * called as Content-Disposition or else Slug says, or with a made-up name. Nothing is ever
 * replaced: see server/member.h. The directory may be named with its last slash or without.
 */
struct intake *post_begin(struct worker *worker, const struct request *request,
                          const struct target *target, struct answer *answer);

/* Whether something may be posted to the target: a directory that is there. False: *answer says why
   not. */
bool post_find_directory(struct worker *worker, const struct request *request,
                         const struct target *target, struct answer *answer);

#endif
