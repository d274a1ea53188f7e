#ifndef SERVER_LISTING_HTML_H
#define SERVER_LISTING_HTML_H

/*
 * A listing as a page for people, in pieces that each fit a buffer: head, a step for each directory
 * on the way, tools, entries, end. All of it works without script; the script of src/server/page/
 * finds in it what it needs. Pure; any thread.
 */

#include "base/buffer.h"
#include "fs/listing.h"
#include "http/media_type.h"

enum {
    /* What the largest piece takes: an entry with a name of 255 bytes, which is 765 as a URL and
       3315 as text, or the tools, with the filter in four places. */
    LISTING_HTML_PIECE = 6144,
    LISTING_FILTER_LIMIT = 100, /* bytes */
};

/* What the page lets its reader do. */
enum listing_access { LISTING_READ, LISTING_SIGN_IN, LISTING_WRITE };

/* Indexed by enum listing_order: what the query calls it. */
extern const struct span listing_order_names[3];

/* What is shown, and what of it has been. */
struct listing_view {
    struct span path;   /* decoded, without slashes at the ends, "" for the root */
    struct span filter; /* only names that hold it, LISTING_FILTER_LIMIT at most; empty: all */
    enum listing_order order;
    bool descending;
    enum listing_access access;
    const struct media_types *media_types;
    size_t shown, directories; /* entries so far, and those of them */
    uint64_t bytes;            /* of the files among them */
};

void listing_html_put_head(struct buffer *out, const struct listing_view *view);

/* Puts the directory of the path that begins at *at, and moves on. False: that was the last. */
bool listing_html_put_step(struct buffer *out, const struct listing_view *view, size_t *at);

/* The filter, the form for uploads where one may write, and the head of the table. */
void listing_html_put_tools(struct buffer *out, const struct listing_view *view);

void listing_html_put_entry(struct buffer *out, const struct listing_view *view,
                            const struct listing_entry *entry, struct span name);

/* The sums, and what else comes behind the table. */
void listing_html_put_end(struct buffer *out, const struct listing_view *view);

#endif
