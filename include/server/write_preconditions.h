#ifndef SERVER_WRITE_PRECONDITIONS_H
#define SERVER_WRITE_PRECONDITIONS_H

/* The conditions of a request that changes something (RFC 9110 13). Worker threads. */

#include "fs/publish.h"
#include "server/answer.h"
#include "server/worker.h"

/*
 * Checks the conditions against what is there now, and says in *terms what must still hold when the
 * change is made. `found` is what docroot_stat said of it, `exists` whether it found anything.
 * False: *answer says which condition failed.
 */
bool write_preconditions_check(struct worker *worker, const struct request *request, bool exists,
                               const struct file *found, struct write_terms *terms,
                               struct answer *answer);

#endif
