#ifndef SERVER_ACCESS_LOG_H
#define SERVER_ACCESS_LOG_H

/*
 * The access log: one line per request, to any number of files at once.
 *
 * Workers append to a buffer; a thread of the log's own writes it out, a moment later and many
 * lines at a time, so that no request waits for a disk or a pipe. If the reader of the log is so
 * slow that the buffer fills, lines are dropped, counted, and their number is reported.
 */

#include "base/span.h"
#include "net/address.h"

#include <pthread.h>

enum {
    ACCESS_LOG_FILES = 8,
    ACCESS_LOG_BUFFER = 1 << 20, /* each of two */
    ACCESS_LOG_DELAY_MS = 50,    /* a line is in the file about this long after its request */
    ACCESS_LOG_WAIT_MS = 200,    /* a request waits so long for a file that takes no more lines */
};

struct sandbox;

enum log_format {
    LOG_FORMAT_COMBINED, /* of Apache, which every tool reads */
    LOG_FORMAT_COMMON,   /* the same without Referer and User-Agent */
    LOG_FORMAT_JSON,     /* one object a line */
};

struct access_log {
    enum log_format format;
    pthread_mutex_t lock;    /* guards what follows, but for the files */
    pthread_cond_t news;     /* for the writer */
    pthread_cond_t room;     /* for whoever found the buffer full */
    char *filling, *writing; /* two buffers; workers append to the first */
    size_t len;
    uint64_t dropped;
    unsigned waiting; /* for room */
    bool stuck;       /* and one has waited in vain: until the writer comes back nobody else does */
    bool asleep;      /* the writer waits for news */
    bool reopen, closing;
    pthread_t writer;
    bool started;

    /* The writer's own. */
    const char *paths[ACCESS_LOG_FILES]; /* "-" is standard output; NULL: cannot be re-opened */
    int fds[ACCESS_LOG_FILES];
    unsigned count;
    struct sandbox *sandbox; /* or NULL */
};

struct access_log_line {
    const struct address *peer;
    int64_t when;        /* seconds since 1970-01-01 UTC */
    struct span user;    /* authenticated name; ptr NULL: none */
    struct span request; /* the request line, without CRLF; ptr NULL: it was not understood */
    unsigned status;
    uint64_t sent;          /* bytes of content */
    struct span referer;    /* ptr NULL: none */
    struct span user_agent; /* ptr NULL: none */
};

/* Opens the files for appending, in that format; the paths are kept. NULL, or the path that cannot
   be opened with errno set. Before threads are started. */
const char *access_log_open(struct access_log *log, enum log_format format,
                            const char *const *paths, unsigned count);

/* Starts the writing thread, which enters the sandbox if there is one. 0, or an errno. */
int access_log_start(struct access_log *log, struct sandbox *sandbox);

/* Appends a line. In a flood it waits until there is room; a file that takes nothing for long costs
   lines and not the service: they are dropped, and counted. Any thread. */
void access_log_write(struct access_log *log, const struct access_log_line *line);

/* Opens all files anew, for log rotation. Done by the writer, soon. Any thread. */
void access_log_reopen(struct access_log *log);

/* Writes out what is left and ends the thread. */
void access_log_close(struct access_log *log);

#endif
