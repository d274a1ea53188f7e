#ifndef HTTP_FILE_NAME_H
#define HTTP_FILE_NAME_H

/*
 * Names for files that a client has made up: Content-Disposition, Slug, form fields,
 * Upload-Metadata. What comes out is one component that a file below a docroot may have, or a path
 * of them. Pure; any thread.
 */

#include "base/buffer.h"

enum { FILE_NAME_LIMIT = 255 }; /* bytes in one component: NAME_MAX of every Linux filesystem */

/*
 * Reduces `name` to its last component, where both '/' and '\' separate, without control bytes
 * (C1 ones in UTF-8 too), without dots and spaces in front (such files would be hidden or look as
 * though they had no name) or spaces behind, and cut to FILE_NAME_LIMIT between two UTF-8 sequences
 * with the extension kept. Other bytes stay, also those that are not UTF-8. Empty when nothing is
 * left: the caller makes up a name then. Points into `out`.
 */
struct span file_name_safe(struct span name, char out[static FILE_NAME_LIMIT]);

/*
 * The same for each component of a relative path, as a folder that is uploaded has them; components
 * with nothing left ("", ".", "..") are dropped. Appends "a/b/c.txt", never with a slash at either
 * end. False when nothing is left or it does not fit; the buffer is as it was then.
 */
bool file_name_safe_path(struct span path, struct buffer *out);

/*
 * Name number `n` for a file whose name is taken, n from 2: "name (2).ext", "archive (2).tar.gz",
 * "name (2)". The part before the number is cut where it would be longer than FILE_NAME_LIMIT.
 * `name` is one that file_name_safe gave. Points into `out`, which is not where `name` points.
 */
struct span file_name_numbered(struct span name, unsigned n, char out[static FILE_NAME_LIMIT]);

#endif
