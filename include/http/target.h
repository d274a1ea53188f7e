#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

/*
 * The request target as a path below the docroot (RFC 9112 3.2, RFC 3986). Pure; any thread.
 */

#include "base/span.h"

enum { TARGET_PATH_LIMIT = 4096 }; /* PATH_MAX: no longer path can name a file */

struct target {
    struct span path;      /* decoded, no leading slash, no empty, "." or ".." segment: "a/b.txt";
                              empty for the root. Points into the caller's buffer, NUL-terminated */
    struct span query;     /* after '?', as sent; ptr NULL when there is no '?' */
    struct span authority; /* of an absolute-form target, as sent; ptr NULL otherwise */
    bool directory;        /* the path ended in a slash, or is the root */
    bool hidden;           /* a segment begins with a dot; ".well-known" as the first one does not
                              count */
};

enum target_result {
    TARGET_OK,
    TARGET_MALFORMED, /* 400: bad percent-encoding, NUL, a path that climbs above the root, an
                         absolute-form target that is not http or https, a fragment, a byte that a
                         target cannot hold */
    TARGET_NO_FILE,   /* 404: a name that no file can have, with an encoded slash (%2F) */
    TARGET_TOO_LONG,  /* 404, or 414 when it is to be made: a segment longer than 255 bytes, a path
                         longer than TARGET_PATH_LIMIT */
};

/*
 * Takes apart a target in origin-form, which begins with a slash, or in absolute-form (RFC 9112
 * 3.2.1, 3.2.2); the other two forms have no path. Decodes and normalises: percent-decoding once,
 * then empty and "." segments dropped, ".." resolved. `buffer` is for the decoded path; the result
 * points into it.
 */
enum target_result target_parse(struct target *target, struct span raw,
                                char buffer[static TARGET_PATH_LIMIT]);

#endif
