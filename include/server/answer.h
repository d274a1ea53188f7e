#ifndef SERVER_ANSWER_H
#define SERVER_ANSWER_H

/*
 * What will be sent for one request, as a value: the files that decide (static_file.c,
 * listing_page.c, …) fill it, one function makes bytes of it (compose.c), which are sent with
 * whatever follows them (content.c). Nothing here has touched the socket yet. Owned by one thread.
 */

#include "base/buffer.h"
#include "http/status.h"
#include "server/producer.h"
#include "server/representation.h"

struct cache_entry;
struct delivery;

enum {
    VARY_ACCEPT = 1,
    VARY_ACCEPT_ENCODING = 2,
    VARY_ORIGIN = 4,
};

struct answer {
    enum status status;
    struct span media_type; /* ptr NULL: none */
    bool utf8;              /* add "; charset=utf-8" to it */
    struct etag etag;       /* len 0: none */
    int64_t last_modified;  /* seconds, -1: none */
    struct span coding;     /* Content-Encoding, ptr NULL: none */
    struct span cache;      /* Cache-Control */
    unsigned vary;          /* VARY_… */
    bool ranges;            /* Accept-Ranges: bytes */
    bool close;             /* the connection cannot be used for another request */
    struct buffer fields;   /* further header lines, each with its CRLF */

    /* The content. Its length is that of a GET, also for HEAD and 304. */
    uint64_t length;
    bool unsized;              /* made as it goes, length unknown: chunked, or until close */
    struct span memory;        /* bytes that live until the answer has been composed */
    struct cache_entry *entry; /* a reference: it holds `memory` and a prepared head; or NULL */
    struct file_run file;      /* fd owned by the answer; left is not used, length says it */
    struct producer *producer; /* owned; NULL: none */
    struct delivery *delivery; /* owned; follows file content to its arrival; NULL: nobody does */
};

/* An answer that says nothing yet; further header lines are gathered in `fields`. */
void answer_init(struct answer *answer, struct buffer fields);

/* Makes it a 200 that says what there is to say of a file. The content is the caller's to add. */
void answer_describe(struct answer *answer, const struct representation *representation);

/* Gives up what the answer still owns: it has been composed. */
void answer_release(const struct answer *answer);

/* Takes back the content and what describes it (the header lines in `fields` stay): for turning an
   answer into another one. */
void answer_retract(struct answer *answer);

#endif
