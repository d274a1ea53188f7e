#ifndef SERVER_WORKER_H
#define SERVER_WORKER_H

/*
 * A worker: a thread of the fixed pool, with the memory it serves from. Everything in it is its
 * own; what it shares is const, or says what guards it.
 */

#include "fs/docroot.h"
#include "http/date.h"
#include "net/stream.h"
#include "server/exchange.h"
#include "server/server.h"

enum {
    WORKER_IN = 2 * REQUEST_HEAD_LIMIT, /* a whole head, and what a client sends ahead */
    WORKER_INLINE = 32768,              /* a file up to this goes out in one send with its head */
    /* Header lines that are not common to all: a Location with three bytes for each of a path's, or
       what tus lets a client note (TRANSFER_NOTE_MAX), and 4 KB for all else. */
    WORKER_FIELDS = 3 * TARGET_PATH_LIMIT + 4096,
    WORKER_HEAD_ROOM = WORKER_FIELDS + 4096, /* what the head of a response takes at most */
    WORKER_OUT = 2 * (WORKER_INLINE + WORKER_HEAD_ROOM),
};

struct worker {
    struct server *server;
    pthread_t thread;
    struct docroot docroot;

    struct connection *connection; /* being served */
    struct stream_pipe pipe;       /* for bodies that go straight to a file */

    /* The fetch (queue.h) before which the request being served had begun; 0 when that is not
       known. What was found out after that fetch is young enough for it. */
    uint64_t fetch;

    int64_t now_us;            /* clock_us() at the last look */
    int64_t now_ms;            /* the same for deadlines */
    int64_t turn_us;           /* when the current turn began */
    unsigned answered;         /* requests that came and were answered in the current turn */
    struct counters *counters; /* its own */

    int64_t date_s;           /* the second that date_lines says */
    struct buffer date_lines; /* "Server: httpd" and "Date: …": what every head begins with */
    char date_bytes[64];

    size_t in_at, in_len; /* bytes of the current turn not used yet: in[in_at, in_len) */
    uint64_t moved;       /* bytes received and sent in the current turn */
    size_t out_at;        /* response bytes not sent yet: out.data[out_at, out.len) */
    struct buffer out;
    struct exchange exchange; /* the exchange under way, unless the connection has kept one */

    char path[TARGET_PATH_LIMIT];              /* the target's, decoded */
    char found_path[TARGET_PATH_LIMIT + 16];   /* of the file that it turned out to mean */
    char sibling_path[TARGET_PATH_LIMIT + 16]; /* of that file's compressed siblings */
    char fields[WORKER_FIELDS];
    char page[WORKER_INLINE];      /* content made in memory */
    char head[REQUEST_HEAD_LIMIT]; /* of a request whose body is being received */
    char in[WORKER_IN];
    char out_bytes[WORKER_OUT];
};

/* Makes the worker with that index, in memory that is all zero, ready to take turns. False with
   errno set. */
bool worker_prepare(struct worker *worker, struct server *server, unsigned index);

/* The same, and starts the thread of the worker with that index. 0, or an errno. */
int worker_start(struct worker *worker, struct server *server, unsigned index);

/* The current second, of which date_lines then tells. */
int64_t worker_date(struct worker *worker);

#endif
