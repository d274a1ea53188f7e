#include "base/span.h"

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return (unsigned char)(u >= 'A' && u <= 'Z' ? u + ('a' - 'A') : u);
}

bool span_equal_nocase(struct span a, struct span b)
{
    return a.len == b.len && span_starts_with_nocase(a, b);
}

bool span_starts_with(struct span s, struct span prefix)
{
    return s.len >= prefix.len && span_equal(span_make(s.ptr, prefix.len), prefix);
}

bool span_starts_with_nocase(struct span s, struct span prefix)
{
    if (s.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if (lower(s.ptr[i]) != lower(prefix.ptr[i]))
            return false;
    return true;
}

bool span_ends_with(struct span s, struct span suffix)
{
    return s.len >= suffix.len && span_equal(span_from(s, s.len - suffix.len), suffix);
}

struct span span_from(struct span s, size_t from)
{
    if (from >= s.len)
        return SPAN_EMPTY;
    return span_make(s.ptr + from, s.len - from);
}

struct span span_trim(struct span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = span_make(s.ptr + 1, s.len - 1);
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

struct span span_cut(struct span *rest, char separator)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < rest->len; i++) {
        char c = rest->ptr[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == separator && !quoted)
            break;
    }
    /* A backslash may be the last byte of a broken quoted-string: i then stands one past the end.
     */
    if (i >= rest->len) {
        struct span last = *rest;
        *rest = SPAN_EMPTY;
        return span_trim(last);
    }
    struct span element = span_make(rest->ptr, i);
    *rest = span_make(rest->ptr + i + 1, rest->len - i - 1);
    return span_trim(element);
}

bool span_to_u64(struct span s, uint64_t *value)
{
    uint64_t sum = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        unsigned digit = (unsigned)(s.ptr[i] - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

bool span_list_has(struct span list, struct span token)
{
    while (list.ptr != NULL)
        if (span_equal_nocase(span_cut(&list, ','), token))
            return true;
    return false;
}
