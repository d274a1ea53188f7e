#ifndef CLIENT_URL_H
#define CLIENT_URL_H

/* Where a request goes: host, port and request target, from what people write and servers say in
 * Location (RFC 3986, RFC 9110 4.2). Pure; any thread. */

#include "base/buffer.h"

enum {
    URL_HOST_LIMIT = 255,    /* bytes of a host name (RFC 1035 2.3.4) */
    URL_TARGET_LIMIT = 8192, /* bytes of a request target; servers take about as many */
};

/* A server. Text as for getaddrinfo, NUL-terminated. */
struct origin {
    char host[URL_HOST_LIMIT + 1]; /* lower case; an IPv6 address without its brackets */
    char port[6];
};

enum url_result {
    URL_OK,
    URL_MALFORMED,
    URL_OTHER_SCHEME, /* https, ftp, ...: a URL, but nothing that is spoken here */
    URL_TOO_LONG,
};

/*
 * "host", "host:port", "[::1]:port", and "::1", which nobody can mistake for a host with a port.
 * The port is 1 to 65535, 80 when none is given.
 */
enum url_result origin_parse(struct origin *origin, struct span authority);

bool origin_equal(const struct origin *a, const struct origin *b);

/* The value of the Host field: brackets around IPv6, no port when it is 80. */
void origin_put_host(struct buffer *out, const struct origin *origin);

/*
 * A reference, "http://host/path?query", "//host/x", "/path", "x/y", "?query" or "", seen from
 * `origin` and `target` (RFC 3986 5.2). The new target is appended to *out, ready to be sent: dot
 * segments resolved, fragment dropped, bytes that a target cannot hold percent-encoded. *to may be
 * the same memory as *origin, but *out must not be that of target.
 */
enum url_result url_resolve(struct span reference, const struct origin *origin, struct span target,
                            struct origin *to, struct buffer *out);

/* Whether s is the beginning of a URL with a scheme: "http://..." */
bool url_is_absolute(struct span s);

/* Appends s with the bytes that cannot stand in a target (controls, space, what is not ASCII)
 * percent-encoded, and without a fragment. */
void url_put_target(struct buffer *out, struct span s);

const char *url_result_text(enum url_result result);

#endif
