#ifndef HTTP_RESPONSE_PARSE_H
#define HTTP_RESPONSE_PARSE_H

/*
 * The head of a response, as a client reads it: status line and header section (RFC 9112 4, 5), and
 * what they say about the body's framing and the connection (RFC 9112 6.3, 9.3). Pure; any thread.
 */

#include "http/field.h"

enum { RESPONSE_HEAD_LIMIT = 65535 }; /* bytes of a whole head; the offsets are 16 bits wide */

enum response_framing {                         /* RFC 9112 6.3 */
                        RESPONSE_BODY_NONE,     /* no body, whatever the fields say */
                        RESPONSE_BODY_LENGTH,   /* content_length bytes */
                        RESPONSE_BODY_CHUNKED,  /* the chunked coding */
                        RESPONSE_BODY_TO_CLOSE, /* all that comes until the server closes */
};

/* Everything is kept as offsets from the head's first byte: the head may be moved, and `head` set.
 */
struct response_head {
    const char *head;
    uint16_t head_len; /* bytes of the head with its last CRLF */
    uint16_t reason_at, reason_len;
    uint16_t status; /* as sent, 000 to 999 */
    uint8_t framing; /* enum response_framing */
    bool minor_1;    /* HTTP/1.1 or a later 1.x */
    bool persistent; /* the connection may be used for another request after the body */
    bool has_length; /* there is a Content-Length; with RESPONSE_BODY_NONE it is that of the body
                        which a GET would have had (RFC 9110 8.6) */
    uint64_t content_length; /* at most 2^63-1 */
    struct field_section fields;
};

/* What a response is answered to decides about its body (RFC 9112 6.3, rules 1 and 2). */
enum response_to { RESPONSE_TO_OTHER, RESPONSE_TO_HEAD, RESPONSE_TO_CONNECT };

enum response_result {
    RESPONSE_DONE,    /* the head is whole: response->head_len bytes of it */
    RESPONSE_PARTIAL, /* nothing wrong so far, more bytes are needed */
    RESPONSE_REFUSED, /* *fault says why; nothing after it on this connection can be trusted */
};

enum response_fault {
    RESPONSE_NOT_HTTP,         /* the first bytes are no "HTTP/digit.digit" */
    RESPONSE_WRONG_VERSION,    /* HTTP, but not 1.x */
    RESPONSE_BAD_STATUS,       /* the status is not three digits */
    RESPONSE_BAD_REASON,       /* a control byte in the reason phrase */
    RESPONSE_BAD_FIELD,        /* a malformed line in the header section */
    RESPONSE_TOO_MANY_FIELDS,  /* more than FIELD_LIMIT */
    RESPONSE_TOO_LONG,         /* more than RESPONSE_HEAD_LIMIT and no end in sight */
    RESPONSE_BAD_LENGTH,       /* Content-Length is signed, empty, no number, above 2^63-1 */
    RESPONSE_LENGTHS_DIFFER,   /* several Content-Length that do not agree */
    RESPONSE_LENGTH_AND_CODED, /* Content-Length together with Transfer-Encoding */
    RESPONSE_UNKNOWN_CODING,   /* a transfer coding that is not chunked alone; none was asked for */
    RESPONSE_CODED_1_0,        /* Transfer-Encoding in a 1.0 response (RFC 9112 6.1) */
};

/*
 * Parses the head at the start of bytes[0..len). A caller that receives piecemeal calls it again
 * with all bytes from the start, and may leave out calls when no LF has come since the last one;
 * what is certain to be wrong is refused at the first call that can tell, not at the head's end.
 *
 * Strict, but for what real servers do and no harm comes from: the space after the status may be
 * missing when the reason phrase is, and a Content-Length may be repeated with the same value
 * (RFC 9112 6.3 rule 5). A status outside of 100 to 599 is no fault here: see response_is_error.
 */
enum response_result response_parse(struct response_head *response, const char *bytes, size_t len,
                                    enum response_to to, enum response_fault *fault);

/* A phrase that completes "the server's answer cannot be used: ...". Lives for ever. */
const char *response_fault_text(enum response_fault fault);

/* 4xx, 5xx, and what is not in 100 to 599: that is to be taken like a 5xx (RFC 9110 15). */
static inline bool response_is_error(const struct response_head *response)
{
    return response->status < 100 || response->status >= 400;
}

static inline bool response_is_interim(const struct response_head *response)
{
    return response->status >= 100 && response->status < 200;
}

struct span response_reason(const struct response_head *response);

/* Value of the first field of that name; ptr NULL when there is none. */
static inline struct span response_field_value(const struct response_head *response,
                                               enum field_name name)
{
    return field_value(&response->fields, response->head, name);
}

#endif
