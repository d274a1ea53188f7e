#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

/*
 * A bounded buffer being filled: memory of the caller, never grown, never written past. What does
 * not fit is dropped whole and remembered in `overflowed`, so that a writer composes first and asks
 * once at the end.
 *
 *     data [####used####............free............] cap
 *                       ^ len
 */

#include "base/span.h"

struct buffer {
    char *data; /* the caller's */
    size_t cap;
    size_t len;
    bool overflowed;
};

#define BUFFER_OVER(array) ((struct buffer){(array), sizeof(array), 0, false})

static inline struct buffer buffer_make(char *data, size_t cap)
{
    return (struct buffer){data, cap, 0, false};
}

static inline size_t buffer_free(const struct buffer *b)
{
    return b->cap - b->len;
}

static inline struct span buffer_span(const struct buffer *b)
{
    return (struct span){b->data, b->len};
}

static inline void buffer_put(struct buffer *b, const char *ptr, size_t len)
{
    if (len > buffer_free(b)) {
        b->overflowed = true;
    } else if (len > 0) {
        memcpy(b->data + b->len, ptr, len);
        b->len += len;
    }
}

static inline void buffer_put_span(struct buffer *b, struct span s)
{
    buffer_put(b, s.ptr, s.len);
}

static inline void buffer_put_char(struct buffer *b, char c)
{
    buffer_put(b, &c, 1);
}

#define buffer_put_text(b, text) buffer_put((b), "" text, sizeof(text) - 1) /* a literal */

void buffer_put_u64(struct buffer *b, uint64_t value);

/* Lower-case hexadecimal with no leading zeros ("0" for 0). */
void buffer_put_hex(struct buffer *b, uint64_t value);

/* printf for what is not on a hot path. */
void buffer_put_format(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* s with & < > " ' as character references: safe as HTML text and as a quoted attribute. */
void buffer_put_html(struct buffer *b, struct span s);

/*
 * s as the inside of a JSON string: quote, backslash and control bytes escaped. Bytes that are not
 * UTF-8 become U+FFFD, since a JSON text is UTF-8 (RFC 8259 8.1).
 */
void buffer_put_json(struct buffer *b, struct span s);

/* s percent-encoded, but for unreserved characters and '/' (RFC 3986 2.3, 3.3). */
void buffer_put_url_path(struct buffer *b, struct span s);

#endif
