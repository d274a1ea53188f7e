#ifndef CLIENT_ROUNDTRIP_H
#define CLIENT_ROUNDTRIP_H

/*
 * One request and its response over a connection (RFC 9112). First roundtrip_begin, then, when it
 * succeeded, roundtrip_finish; between the two the caller looks at the head. One thread at a time.
 */

#include <sys/stat.h>

#include "client/failure.h"
#include "client/wire.h"
#include "http/response_parse.h"

enum {
    ROUNDTRIP_HEAD_LIMIT = 16384,    /* bytes of a request head; servers take 8 to 16 KB */
    ROUNDTRIP_EXPECT_FROM = 1 << 20, /* bodies from this size on wait for 100 (RFC 9110 10.1.1) */
    ROUNDTRIP_EXPECT_MS = 1000,      /* for so long: old servers know no 100 */
    ROUNDTRIP_QUOTA = 16384,         /* bytes of body that have to move in each timeout_ms */
};

enum body_kind {
    BODY_NONE,
    BODY_MEMORY, /* bytes */
    BODY_FILE,   /* len bytes of fd after the first `from`, by pread: can be sent again */
    BODY_STREAM, /* fd to its end, chunked since nobody knows its length: only once */
};

struct body {
    enum body_kind kind;
    struct span bytes;
    int fd;
    uint64_t from, len;         /* BODY_FILE */
    const struct stat *version; /* BODY_FILE: that it must still be; NULL: never mind */
};

/* Whether the file behind fd has still the size and the time of last change that it had then. */
bool body_is_version(int fd, const struct stat *version);

/* Where the bytes of a body go; and how far a body has got, in either direction. */
struct sink {
    /* False, with *failure set, ends the round trip. */
    bool (*take)(struct sink *sink, struct span bytes, struct failure *failure);
    void (*sent)(struct sink *sink, uint64_t bytes, uint64_t total); /* may be NULL */
};

struct roundtrip {
    /* The request; all spans are valid until roundtrip_begin returns. */
    struct span method;
    struct span target; /* as on the wire */
    struct span host;   /* value of Host; ptr NULL: `fields` has one */
    struct span fields; /* further lines, each with its CRLF; none about the framing */
    const struct body *body;
    bool may_expect;   /* Expect: 100-continue may be sent when the body is long */
    int timeout_ms;    /* to send a head; to get a head; to move each ROUNDTRIP_QUOTA of body */
    struct sink *sink; /* told what has been sent; NULL: nobody is */

    /* The response. */
    struct response_head head; /* memory of the wire, until roundtrip_finish */
    bool answered;             /* a byte has come back: the server has seen the request */
    bool expected;             /* Expect was sent */
    bool body_sent;            /* the whole body was; if not, the connection ends with this */
};

/*
 * Sends the request and reads the head of the final response. Interim responses are skipped. A
 * final response that comes while the body is on its way stops the sending. On false the wire is
 * closed.
 */
bool roundtrip_begin(struct roundtrip *trip, struct wire *wire, struct failure *failure);

/*
 * Reads the body of the response into the sink (NULL: to nowhere), and closes the wire unless it
 * can be used again. False when the body does not arrive whole, or the sink fails: then the wire is
 * closed.
 */
bool roundtrip_finish(struct roundtrip *trip, struct wire *wire, struct sink *sink,
                      struct failure *failure);

#endif
