#ifndef HTTP_AUTHORIZATION_H
#define HTTP_AUTHORIZATION_H

/* Credentials of a request (RFC 9110 11.6.2). Pure; any thread. */

#include "base/span.h"

enum { AUTHORIZATION_LIMIT = 1024 }; /* bytes of user, colon and password; more is refused */

enum authorization_result {
    AUTHORIZATION_BASIC,       /* RFC 7617: user and password are set */
    AUTHORIZATION_BEARER,      /* RFC 6750 2.1: token is set */
    AUTHORIZATION_NONE,        /* no such field (ptr NULL) */
    AUTHORIZATION_UNSUPPORTED, /* another scheme: 401 with what we take */
    AUTHORIZATION_MALFORMED,   /* 400 */
};

struct authorization {
    struct span user, password; /* without control bytes (RFC 7617 2); either may be empty */
    struct span token;          /* b64token, at least one character */
};

/*
 * Reads an Authorization value. User and password are decoded to `text` and point into it; the
 * caller wipes it when it has been looked at. The user ends at the first colon (RFC 7617 2).
 */
enum authorization_result authorization_parse(struct span value, struct authorization *credentials,
                                              char text[static AUTHORIZATION_LIMIT]);

#endif
