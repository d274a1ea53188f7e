#include "http/authority.h"

#include "http/chars.h"

/* reg-name = *( unreserved / pct-encoded / sub-delims ); an IPv4 address is one too. Returns the
   offset of the first byte that is not of it. */
static size_t name_end(struct span text)
{
    size_t i = 0;
    while (i < text.len) {
        if (char_is(text.ptr[i], CHAR_REGNAME))
            i++;
        else if (text.ptr[i] == '%' && text.len - i > 2 && char_is(text.ptr[i + 1], CHAR_HEX) &&
                 char_is(text.ptr[i + 2], CHAR_HEX))
            i += 3;
        else
            break;
    }
    return i;
}

/* dec-octet "." dec-octet "." dec-octet "." dec-octet, without leading zeros (RFC 3986 3.2.2). */
static bool is_ipv4(struct span text)
{
    unsigned octets = 0;
    while (text.ptr != NULL) {
        size_t len = span_find(text, '.');
        struct span octet = span_make(text.ptr, len);
        uint64_t value;
        if (len > 3 || !span_to_u64(octet, &value) || value > 255 ||
            (len > 1 && octet.ptr[0] == '0'))
            return false;
        octets++;
        text = len < text.len ? span_make(text.ptr + len + 1, text.len - len - 1) : SPAN_EMPTY;
    }
    return octets == 4;
}

/*
 * IPv6address of RFC 3986 3.2.2: eight groups of up to four hexadecimal digits, of which the last
 * two may be an IPv4 address, and of which one run of one or more may be left out as "::".
 */
static bool is_ipv6(struct span text)
{
    unsigned groups = 0;
    bool gap = false;
    size_t i = 0;

    if (span_starts_with(text, SPAN("::"))) {
        gap = true;
        i = 2;
    }
    while (i < text.len) {
        size_t begin = i;
        while (i < text.len && char_is(text.ptr[i], CHAR_HEX))
            i++;
        if (i < text.len && text.ptr[i] == '.')
            return is_ipv4(span_from(text, begin)) && (gap ? groups <= 5 : groups == 6);
        if (i == begin || i - begin > 4 || ++groups > 8)
            return false;
        if (i == text.len)
            break;
        if (text.ptr[i++] != ':' || i == text.len)
            return false;
        if (text.ptr[i] == ':') {
            if (gap)
                return false;
            gap = true;
            i++;
        }
    }
    return gap ? groups <= 7 : groups == 8;
}

/* Length of the host that text begins with; 0 when it begins with none. */
static size_t host_len(struct span text)
{
    if (text.len == 0 || text.ptr[0] != '[')
        return name_end(text);
    size_t close = span_find(text, ']');
    if (close == text.len || !is_ipv6(span_make(text.ptr + 1, close - 1)))
        return 0;
    return close + 1;
}

/* "The port is optional in decimal digits": none at all means the default (RFC 3986 3.2.3), and any
   number of zeros may stand in front. */
static bool is_port(struct span text)
{
    unsigned number = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (!char_is(text.ptr[i], CHAR_DIGIT))
            return false;
        number = number * 10 + (unsigned)(text.ptr[i] - '0');
        if (number > UINT16_MAX)
            return false;
    }
    return true;
}

bool authority_parse(struct authority *authority, struct span text)
{
    size_t len = host_len(text);
    if (len == 0)
        return false;
    authority->host = span_make(text.ptr, len);
    authority->port = SPAN_EMPTY;
    if (len == text.len)
        return true;
    if (text.ptr[len] != ':')
        return false;
    authority->port = span_make(text.ptr + len + 1, text.len - len - 1);
    return is_port(authority->port);
}
