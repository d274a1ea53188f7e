#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

/*
 * The head of a request: request line and header section (RFC 9112 3, 5, 6), and what they say
 * about the body's framing and the connection. Pure; any thread.
 */

#include "http/field.h"
#include "http/method.h"
#include "http/status.h"

enum {
    REQUEST_LINE_LIMIT = 8192,  /* bytes of request line, without CRLF: 414 above (RFC 9112 3) */
    REQUEST_HEAD_LIMIT = 16384, /* bytes of a whole head: 431 above (RFC 6585 5) */
};

enum version {
    VERSION_0_9, /* a simple request: "GET /path" CRLF and nothing else; the answer is a bare body
                  */
    VERSION_1_0,
    VERSION_1_1, /* and any later 1.x (RFC 9110 2.5) */
};

enum target_form { /* RFC 9112 3.2 */
                   TARGET_ORIGIN,
                   TARGET_ABSOLUTE,
                   TARGET_AUTHORITY, /* CONNECT only */
                   TARGET_ASTERISK,  /* OPTIONS only */
};

enum framing { /* RFC 9112 6.3 */
               FRAMING_NONE,
               FRAMING_LENGTH,
               FRAMING_CHUNKED,
};

/*
 * Everything is kept as offsets from the head's first byte: after the head's bytes have been copied
 * elsewhere, `head` is set to the copy and the request is as good as before.
 */
struct request {
    const char *head;
    uint16_t head_len;              /* bytes of the head with its last CRLF */
    uint16_t method_len;            /* the method stands at offset 0 */
    uint16_t target_at, target_len; /* as sent */
    uint8_t method;                 /* enum method */
    uint8_t version;                /* enum version */
    uint8_t form;                   /* enum target_form */
    uint8_t framing;                /* enum framing */
    bool persistent;                /* the connection may stay open after it (RFC 9112 9.3) */
    bool expects_continue;          /* Expect: 100-continue, from a 1.1 client */
    uint64_t content_length;        /* with FRAMING_LENGTH */
    struct field_section fields;
};

enum request_result {
    REQUEST_DONE,    /* the head is whole: request->head_len bytes of it */
    REQUEST_PARTIAL, /* nothing wrong so far, more bytes are needed */
    REQUEST_REFUSED, /* *refusal says why; the connection cannot be used further */
};

/*
 * Parses the head at the start of bytes[0..len). Empty lines before the request line are skipped
 * (RFC 9112 2.2): *skipped counts their bytes, and the head begins after them.
 *
 * A caller that receives piecemeal calls it again with all bytes from the start, and may leave out
 * calls when no LF has come since the last one. On REQUEST_PARTIAL nothing else is to be read from
 * *request.
 *
 * Refusals: 400 for every doubt about syntax or framing, among them Content-Length together with
 * Transfer-Encoding; a Content-Length that is repeated, a list, signed, empty or too large for 63
 * bits; Transfer-Encoding in a 1.0 request; a final coding that is not chunked; a missing (1.1),
 * repeated or malformed Host. 414 and 431 for the limits above, 417 for an expectation that is not
 * 100-continue, 501 for a transfer coding that is not chunked, 505 for a major version that is not
 * 1. On a refusal, method, version and target are set as far as they were understood (target_len 0
 * when not), so that the refusal can be logged and answered in the right form.
 */
enum request_result request_parse(struct request *request, const char *bytes, size_t len,
                                  size_t *skipped, enum status *refusal);

/* The method and the target as sent. Valid as long as request->head is. */
struct span request_method_text(const struct request *request);
struct span request_target(const struct request *request);

/* Value of the first field of that name; ptr NULL when there is none. */
static inline struct span request_field(const struct request *request, enum field_name name)
{
    return field_value(&request->fields, request->head, name);
}

#endif
