#include "base/utf8.h"

size_t utf8_sequence(struct span s)
{
    const unsigned char *u = (const unsigned char *)s.ptr;
    unsigned char low = 0x80, high = 0xBF; /* what the second byte may be */
    size_t len;

    if (s.len == 0)
        return 0;
    if (u[0] < 0x80)
        return 1;
    if (u[0] >= 0xC2 && u[0] <= 0xDF)
        len = 2;
    else if (u[0] >= 0xE0 && u[0] <= 0xEF)
        len = 3;
    else if (u[0] >= 0xF0 && u[0] <= 0xF4)
        len = 4;
    else
        return 0;
    if (s.len < len)
        return 0;
    if (u[0] == 0xE0)
        low = 0xA0;
    else if (u[0] == 0xED)
        high = 0x9F;
    else if (u[0] == 0xF0)
        low = 0x90;
    else if (u[0] == 0xF4)
        high = 0x8F;
    if (u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (u[i] < 0x80 || u[i] > 0xBF)
            return 0;
    return len;
}

bool utf8_valid(struct span s)
{
    while (s.len > 0) {
        size_t len = utf8_sequence(s);
        if (len == 0)
            return false;
        s = span_make(s.ptr + len, s.len - len);
    }
    return true;
}

size_t utf8_prefix(struct span s, size_t max)
{
    if (s.len <= max)
        return s.len;
    for (size_t at = max; max - at <= 3; at--) {
        if (((unsigned char)s.ptr[at] & 0xC0) != 0x80)
            return at;
        if (at == 0)
            break;
    }
    return max;
}
