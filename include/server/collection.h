#ifndef SERVER_COLLECTION_H
#define SERVER_COLLECTION_H

/*
 * DELETE (RFC 9110 9.3.5), MKCOL and MOVE (RFC 4918 9.3, 9.9): what changes the names in a
 * collection, without content. Worker threads.
 */

#include "http/target.h"
#include "server/answer.h"
#include "server/worker.h"

/* Removes a file or an empty directory; never the docroot itself. */
void delete_answer(struct worker *worker, const struct request *request,
                   const struct target *target, struct answer *answer);

/* Makes a directory. */
void mkcol_answer(struct worker *worker, const struct request *request, const struct target *target,
                  struct answer *answer);

/* Renames a file or directory to what Destination says, over what is there unless Overwrite: F. */
void move_answer(struct worker *worker, const struct request *request, const struct target *target,
                 struct answer *answer);

#endif
