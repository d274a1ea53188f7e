#ifndef HTTP_ETAG_H
#define HTTP_ETAG_H

/* Entity tags (RFC 9110 8.8.3). Pure; any thread. */

#include "base/span.h"

enum { ETAG_LIMIT = 56 }; /* W/"16hex-16hex-16hex" with room to spare */

struct etag {
    uint8_t len;
    char text[ETAG_LIMIT]; /* with quotes, and W/ when weak: what is sent */
};

/* The tag of a file in one state: identity, size, and the time of its last change. */
void etag_make(struct etag *tag, uint64_t inode, uint64_t size, int64_t mtime_ns, bool weak);

static inline struct span etag_span(const struct etag *tag)
{
    return (struct span){tag->text, tag->len};
}

/* Comparison of two tags as sent (RFC 9110 8.8.3.2). */
bool etag_equal_strong(struct span a, struct span b);
bool etag_equal_weak(struct span a, struct span b);

enum etag_match {
    ETAG_MATCH,
    ETAG_NO_MATCH,
    ETAG_MALFORMED, /* not "*" and not a list of entity tags */
};

/*
 * Whether `list`, an If-Match or If-None-Match value, holds `tag`. "*" matches when exists. When
 * !exists nothing else matches. A comma inside a tag does not end it.
 */
enum etag_match etag_list_match(struct span list, struct span tag, bool exists, bool strong);

#endif
