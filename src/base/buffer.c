#include "base/buffer.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

static size_t digits_of(uint64_t value)
{
    enum { MOST = 20 }; /* of UINT64_MAX, whose next power of ten does not fit */
    size_t count = 1;

    for (uint64_t power = 10; count < MOST && value >= power; power *= 10)
        count++;
    return count;
}

/* Two digits at a time, from the last on: each division is waited for. */
void buffer_put_u64(struct buffer *b, uint64_t value)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    size_t len = digits_of(value);

    if (len > buffer_free(b)) {
        b->overflowed = true;
        return;
    }
    b->len += len;
    char *at = b->data + b->len;
    for (; value >= 100; value /= 100) {
        at -= 2;
        memcpy(at, pairs + 2 * (value % 100), 2);
    }
    if (value >= 10)
        memcpy(at - 2, pairs + 2 * value, 2);
    else
        at[-1] = (char)('0' + value);
}

void buffer_put_hex(struct buffer *b, uint64_t value)
{
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value > 0);
    buffer_put(b, digits + at, sizeof digits - at);
}

void buffer_put_format(struct buffer *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    size_t space = buffer_free(b);
    int n = vsnprintf(b->data + b->len, space, format, args);
    va_end(args);
    /* vsnprintf wants room for a NUL that the buffer does not count. */
    if (n < 0 || (size_t)n >= space)
        b->overflowed = true;
    else
        b->len += (size_t)n;
}

void buffer_put_html(struct buffer *b, struct span s)
{
    static const struct span references[256] = {
        ['&'] = {"&amp;", 5},  ['<'] = {"&lt;", 4},   ['>'] = {"&gt;", 4},
        ['"'] = {"&quot;", 6}, ['\''] = {"&#39;", 5},
    };

    while (s.len > 0) {
        size_t run = 0;
        while (run < s.len && references[(unsigned char)s.ptr[run]].len == 0)
            run++;
        buffer_put(b, s.ptr, run);
        if (run == s.len)
            return;
        buffer_put_span(b, references[(unsigned char)s.ptr[run]]);
        s = span_from(s, run + 1);
    }
}

void buffer_put_json(struct buffer *b, struct span s)
{
    while (s.len > 0) {
        unsigned char c = (unsigned char)s.ptr[0];
        size_t len = utf8_sequence(s);
        if (c == '"' || c == '\\') {
            buffer_put_char(b, '\\');
            buffer_put_char(b, (char)c);
        } else if (c < 0x20 || c == 0x7F) {
            buffer_put_text(b, "\\u00");
            buffer_put_char(b, "0123456789abcdef"[c >> 4]);
            buffer_put_char(b, "0123456789abcdef"[c & 15]);
        } else if (len == 0) {
            buffer_put_text(b, "\\ufffd");
        } else {
            buffer_put(b, s.ptr, len);
        }
        s = span_from(s, len > 0 ? len : 1);
    }
}

void buffer_put_url_path(struct buffer *b, struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
        if (plain) {
            buffer_put_char(b, (char)c);
        } else {
            buffer_put_char(b, '%');
            buffer_put_char(b, "0123456789ABCDEF"[c >> 4]);
            buffer_put_char(b, "0123456789ABCDEF"[c & 15]);
        }
    }
}
