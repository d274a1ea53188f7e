#ifndef FS_STEM_H
#define FS_STEM_H

/* Clean URLs: which file a name without an extension means. Called by whoever owns the docroot. */

#include "fs/docroot.h"

#include <stddef.h>

/*
 * `path` names nothing. Writes to found[0..cap) the path of "path.html" if there is such a file,
 * else of the single "path.*", and opens it. A name that begins with a dot or holds one after its
 * first character has an extension already: FS_NOT_FOUND, as when there are several. Compressed
 * siblings (.br, .gz, .zst) of the one do not make it several. When it is not found, `found` is ""
 * if there is no such name at all.
 */
enum fs_result stem_lookup(const struct docroot *root, const char *path, char *found, size_t cap,
                           struct file *file);

#endif
