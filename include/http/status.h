#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

/* Status codes and their reason phrases (RFC 9110 15 and the IANA registry). Pure; any thread. */

#include "base/span.h"

/* name, code, reason phrase, and a sentence for the person who meets it on a page. */
#define STATUS_TABLE(_)                                                                            \
    _(CONTINUE, 100, "Continue", "")                                                               \
    _(UPLOAD_RESUMPTION_SUPPORTED, 104, "Upload Resumption Supported", "")                         \
    _(OK, 200, "OK", "")                                                                           \
    _(CREATED, 201, "Created", "")                                                                 \
    _(ACCEPTED, 202, "Accepted", "")                                                               \
    _(NO_CONTENT, 204, "No Content", "")                                                           \
    _(PARTIAL_CONTENT, 206, "Partial Content", "")                                                 \
    _(MOVED_PERMANENTLY, 301, "Moved Permanently", "The page is at another address.")              \
    _(FOUND, 302, "Found", "The page is at another address for now.")                              \
    _(SEE_OTHER, 303, "See Other", "The answer is at another address.")                            \
    _(NOT_MODIFIED, 304, "Not Modified", "")                                                       \
    _(TEMPORARY_REDIRECT, 307, "Temporary Redirect", "The page is at another address for now.")    \
    _(PERMANENT_REDIRECT, 308, "Permanent Redirect", "The page is at another address.")            \
    _(BAD_REQUEST, 400, "Bad Request", "The request could not be understood.")                     \
    _(UNAUTHORIZED, 401, "Unauthorized", "This needs a name and a password.")                      \
    _(FORBIDDEN, 403, "Forbidden", "This is not allowed here.")                                    \
    _(NOT_FOUND, 404, "Not Found", "There is nothing at this address.")                            \
    _(METHOD_NOT_ALLOWED, 405, "Method Not Allowed", "This cannot be done here.")                  \
    _(NOT_ACCEPTABLE, 406, "Not Acceptable", "There is no form of this that was asked for.")       \
    _(REQUEST_TIMEOUT, 408, "Request Timeout", "The request took too long to arrive.")             \
    _(CONFLICT, 409, "Conflict", "The request does not fit what is there.")                        \
    _(GONE, 410, "Gone", "What was at this address has been removed.")                             \
    _(LENGTH_REQUIRED, 411, "Length Required", "The request must say how long it is.")             \
    _(PRECONDITION_FAILED, 412, "Precondition Failed",                                             \
      "It is not in the state that was expected.")                                                 \
    _(CONTENT_TOO_LARGE, 413, "Content Too Large", "That is more than is taken here.")             \
    _(URI_TOO_LONG, 414, "URI Too Long", "The address is too long.")                               \
    _(UNSUPPORTED_MEDIA_TYPE, 415, "Unsupported Media Type", "That kind of content is not taken.") \
    _(RANGE_NOT_SATISFIABLE, 416, "Range Not Satisfiable", "The file does not reach that far.")    \
    _(EXPECTATION_FAILED, 417, "Expectation Failed", "What the request expects cannot be met.")    \
    _(MISDIRECTED_REQUEST, 421, "Misdirected Request",                                             \
      "This server does not speak for that host.")                                                 \
    _(UNPROCESSABLE_CONTENT, 422, "Unprocessable Content", "The content makes no sense here.")     \
    _(LOCKED, 423, "Locked", "Somebody else is using it.")                                         \
    _(TOO_MANY_REQUESTS, 429, "Too Many Requests", "Please wait a little.")                        \
    _(FIELDS_TOO_LARGE, 431, "Request Header Fields Too Large", "The request head is too large.")  \
    _(CHECKSUM_MISMATCH, 460, "Checksum Mismatch", "The bytes are not the ones that were meant.")  \
    _(INTERNAL_SERVER_ERROR, 500, "Internal Server Error", "Something went wrong in the server.")  \
    _(NOT_IMPLEMENTED, 501, "Not Implemented", "This server does not know how to do that.")        \
    _(BAD_GATEWAY, 502, "Bad Gateway", "")                                                         \
    _(SERVICE_UNAVAILABLE, 503, "Service Unavailable",                                             \
      "The number of clients that can be served is exceeded. Please try again in a moment.")       \
    _(GATEWAY_TIMEOUT, 504, "Gateway Timeout", "")                                                 \
    _(VERSION_NOT_SUPPORTED, 505, "HTTP Version Not Supported", "Only HTTP/1 is spoken here.")     \
    _(INSUFFICIENT_STORAGE, 507, "Insufficient Storage", "There is no room left for it.")

enum status {
    STATUS_NONE = 0,
#define STATUS_ENUM(name, code, reason, sentence) STATUS_##name = (code),
    STATUS_TABLE(STATUS_ENUM)
#undef STATUS_ENUM
};

/* "Not Found"; empty for a code that is not in the table. */
struct span status_reason(enum status status);

/* "HTTP/1.1 404 Not Found" CRLF; empty for a code that is not in the table. */
struct span status_line(enum status status);

/* The sentence of the table; empty for a code that is not in it. */
struct span status_sentence(enum status status);

/* Whether a response with this status has no content at all (RFC 9110 6.4.1): 1xx, 204, 304. */
bool status_forbids_content(enum status status);

#endif
