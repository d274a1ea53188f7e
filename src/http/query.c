#include "http/query.h"

#include "base/hex.h"

static struct span decode(struct span value, char *out, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.ptr[i];

        if (len == cap)
            return SPAN_EMPTY;
        if (byte == '+')
            byte = ' ';
        else if (byte == '%' && i + 2 < value.len &&
                 hex_decode(span_make(value.ptr + i + 1, 2), &byte, 1))
            i += 2;
        out[len++] = (char)byte;
    }
    return span_make(out, len);
}

struct span query_find(struct span query, struct span key, char *out, size_t cap)
{
    while (query.len > 0) {
        size_t end = span_find(query, '&');
        struct span pair = span_make(query.ptr, end);
        size_t name = span_find(pair, '=');

        if (span_equal(span_make(pair.ptr, name), key))
            return decode(span_from(pair, name + 1), out, cap);
        query = span_from(query, end + 1);
    }
    return SPAN_EMPTY;
}
