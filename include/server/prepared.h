#ifndef SERVER_PREPARED_H
#define SERVER_PREPARED_H

/* Between a selection and the cache: what is prepared of a representation. Worker threads. */

#include "server/selection.h"

/*
 * The key of a target as this client would have it. text.ptr is NULL when it does not fit into
 * `text`, where the key's bytes are put.
 */
struct cache_key prepared_key(const struct cache *cache, const struct target *target,
                              struct span accept_encoding, char text[static CACHE_KEY_LIMIT]);

/*
 * Makes an entry of what was found, which is settled: its field lines, and its content when it is
 * small. `result` is FS_OK or FS_NOT_FOUND, or nothing is made. A reference for the caller, or
 * NULL: no memory, or the file has changed meanwhile. The selection stays the caller's.
 */
struct cache_entry *prepared_make(const struct worker *worker, const struct cache_key *key,
                                  enum fs_result result, const struct selection *selection);

/* The file of an entry that holds, but has no content: one that is open already, or opened for
   this. False when it is not that file any more. */
bool prepared_open(const struct worker *worker, const struct cache_entry *entry, int *fd);

#endif
