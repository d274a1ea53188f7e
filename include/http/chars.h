#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

/* Character classes of RFC 9110 5.6.2 and RFC 3986 2, read from one table. Pure; any thread. */

#include "base/span.h"

enum char_class {
    CHAR_TOKEN = 1,   /* tchar: what method and field names are made of */
    CHAR_REGNAME = 2, /* unreserved and sub-delims: a host name, but for "%XX" */
    CHAR_HEX = 4,
    CHAR_DIGIT = 8,
    CHAR_ALPHA = 16,
    CHAR_QUOTABLE = 32,   /* stands for itself between quotes: qdtext in ASCII, but for HTAB */
    CHAR_NO_SEGMENT = 64, /* not for itself in a segment of a path: controls, SP and "#%/?" */
};

extern const uint8_t char_classes[256]; /* sets of enum char_class */

static inline bool char_is(char c, enum char_class class)
{
    return (char_classes[(unsigned char)c] & class) != 0;
}

/* Value of a hexadecimal digit. */
static inline unsigned char_hex(char digit)
{
    unsigned u = (unsigned char)digit;
    return u <= '9' ? u - '0' : (u | 0x20) - 'a' + 10;
}

/*
 * How many bytes at the front of ptr[0..len) are neither below `least` (at most 0x80) nor DEL:
 * with least ' ' those that may stand in a field value, HTAB aside (RFC 9110 5.5), with '!' those
 * that may stand in a request target as far as the request line can tell. Reads eight at a time.
 */
size_t chars_run(const char *ptr, size_t len, unsigned char least);

/* How many bytes at the front of ptr[0..len) are CHAR_QUOTABLE. Reads eight at a time. */
size_t chars_quotable_run(const char *ptr, size_t len);

#endif
