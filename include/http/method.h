#ifndef HTTP_METHOD_H
#define HTTP_METHOD_H

/* Request methods (RFC 9110 9, RFC 5789, RFC 4918). Pure; any thread. */

#include "base/span.h"

enum method {
    METHOD_UNKNOWN, /* a well-formed token that names no method known here: 501 */
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_CONNECT,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_PATCH,
    METHOD_PROPFIND,
    METHOD_PROPPATCH,
    METHOD_MKCOL,
    METHOD_COPY,
    METHOD_MOVE,
    METHOD_LOCK,
    METHOD_UNLOCK,
    METHOD_COUNT
};

/* Case matters (RFC 9110 9.1). */
enum method method_of(struct span token);

/* "GET"; "" for METHOD_UNKNOWN. */
struct span method_name(enum method method);

/* Safe methods change nothing (RFC 9110 9.2.1): GET, HEAD, OPTIONS, TRACE, PROPFIND. */
bool method_is_safe(enum method method);

#endif
