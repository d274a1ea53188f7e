#ifndef HTTP_RESPONSE_H
#define HTTP_RESPONSE_H

/*
 * Composing the head of a response (RFC 9112 4, 6). Appends to a bounded buffer and never formats
 * through printf: it stands on the path of every request. Pure; any thread.
 */

#include "base/buffer.h"
#include "http/date.h"
#include "http/field.h"
#include "http/status.h"

/* "HTTP/1.1 200 OK" CRLF. A server always says 1.1 (RFC 9110 2.5, 6.2). */
void response_status_line(struct buffer *out, enum status status);

/* "Name: value" CRLF. A CR, LF or NUL in the value would split the response: that byte is dropped.
 */
void response_field(struct buffer *out, struct span name, struct span value);
void response_field_u64(struct buffer *out, struct span name, uint64_t value);
void response_field_date(struct buffer *out, struct span name, int64_t when);

/* Location: the path, as in struct target, percent-encoded; with a slash behind it for a directory.
 */
void response_location(struct buffer *out, struct span path, bool directory);

/* The empty line. */
void response_end(struct buffer *out);

#endif
