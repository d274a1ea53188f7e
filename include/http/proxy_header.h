#ifndef HTTP_PROXY_HEADER_H
#define HTTP_PROXY_HEADER_H

/*
 * The header that a proxy puts before the bytes of a connection to say whose it is: PROXY protocol,
 * version 1 (a line) and 2 (binary), by HAProxy's proxy-protocol.txt. Pure; any thread.
 *
 * Not strictly HTTP, but as pure: bytes in, a value out. Addresses are handed on as they stand,
 * since only the room that knows sockets can read them.
 */

#include "base/span.h"

enum proxy_family {
    PROXY_UNKNOWN, /* whose it is was not said: the connection's own address stays */
    PROXY_IPV4,
    PROXY_IPV6,
};

struct proxy_header {
    enum proxy_family family;
    bool text;          /* version 1: source is text; else 4 or 16 bytes in network order */
    struct span source; /* within the bytes given; empty with PROXY_UNKNOWN */
    uint16_t port;      /* of the source */
    size_t len;         /* of the whole header: behind it the client's own bytes begin */
};

enum proxy_result {
    PROXY_DONE,
    PROXY_PARTIAL, /* not whole, and nothing wrong so far */
    PROXY_BAD,     /* not a header, or a damaged one */
};

enum {
    PROXY_LINE_LIMIT = 107,    /* of version 1, with its CRLF: the specification's number */
    PROXY_HEADER_LIMIT = 4096, /* of version 2, with what extensions it carries */
};

/*
 * Reads the header at the begin of a connection's bytes. To be called with all bytes so far until
 * it is not PROXY_PARTIAL; the result does not depend on how they arrived. A version 1 address is
 * made of the right characters then, but need not be one.
 */
enum proxy_result proxy_header_parse(struct proxy_header *header, const char *bytes, size_t len);

#endif
