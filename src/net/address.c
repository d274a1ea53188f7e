#include "net/address.h"

#include <arpa/inet.h>

bool address_parse(struct address *address, const char *text, uint16_t port)
{
    char host[INET6_ADDRSTRLEN];
    struct span s = span_of(text);

    if (span_equal(s, SPAN("*")))
        s = SPAN("::");
    if (s.len > 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']')
        s = span_make(s.ptr + 1, s.len - 2);
    if (s.len >= sizeof host)
        return false;
    memcpy(host, s.ptr, s.len);
    host[s.len] = '\0';

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        address->len = sizeof address->v4;
        return true;
    }
    if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        address->len = sizeof address->v6;
        return true;
    }
    return false;
}

bool address_from_bytes(struct address *address, struct span bytes, uint16_t port)
{
    memset(address, 0, sizeof *address);
    if (bytes.len == sizeof address->v4.sin_addr) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        memcpy(&address->v4.sin_addr, bytes.ptr, bytes.len);
        address->len = sizeof address->v4;
        return true;
    }
    if (bytes.len == sizeof address->v6.sin6_addr) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons(port);
        memcpy(&address->v6.sin6_addr, bytes.ptr, bytes.len);
        address->len = sizeof address->v6;
        return true;
    }
    return false;
}

struct span address_bytes(const struct address *address)
{
    const struct in6_addr *in6 = &address->v6.sin6_addr;

    if (address->any.sa_family == AF_INET)
        return span_make((const char *)&address->v4.sin_addr, sizeof address->v4.sin_addr);
    if (address->any.sa_family != AF_INET6)
        return SPAN_EMPTY;
    if (IN6_IS_ADDR_V4MAPPED(in6))
        return span_make((const char *)&in6->s6_addr[12], 4);
    return span_make((const char *)in6->s6_addr, sizeof in6->s6_addr);
}

bool address_is_same_host(const struct address *a, const struct address *b)
{
    return span_equal(address_bytes(a), address_bytes(b));
}

uint16_t address_port(const struct address *address)
{
    if (address->any.sa_family == AF_UNIX)
        return 0;
    return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
}

/* Not by inet_ntop, which takes a sprintf for it: this is in every line of the access log. */
static void put_ipv4(struct buffer *out, const uint8_t bytes[static 4])
{
    char text[sizeof "255.255.255.255."];
    size_t len = 0;

    for (unsigned i = 0; i < 4; i++) {
        unsigned octet = bytes[i];
        if (octet >= 100)
            text[len++] = (char)('0' + octet / 100);
        if (octet >= 10)
            text[len++] = (char)('0' + octet / 10 % 10);
        text[len++] = (char)('0' + octet % 10);
        text[len++] = '.';
    }
    buffer_put(out, text, len - 1);
}

static void put_ipv6(struct buffer *out, const struct in6_addr *in6)
{
    char text[INET6_ADDRSTRLEN];

    if (IN6_IS_ADDR_V4MAPPED(in6))
        put_ipv4(out, &in6->s6_addr[12]);
    else if (inet_ntop(AF_INET6, in6, text, sizeof text) != NULL)
        buffer_put_span(out, span_of(text));
}

void address_put_host(struct buffer *out, const struct address *address)
{
    uint8_t bytes[4];

    switch (address->any.sa_family) {
    case AF_INET:
        memcpy(bytes, &address->v4.sin_addr, sizeof bytes); /* in network order: as written */
        put_ipv4(out, bytes);
        break;
    case AF_INET6: put_ipv6(out, &address->v6.sin6_addr); break;
    case AF_UNIX: buffer_put_text(out, "unix:"); break;
    default: buffer_put_char(out, '-'); break;
    }
}

void address_put(struct buffer *out, const struct address *address)
{
    bool brackets =
        address->any.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr);

    if (brackets)
        buffer_put_char(out, '[');
    address_put_host(out, address);
    if (brackets)
        buffer_put_char(out, ']');
    if (address->any.sa_family == AF_UNIX)
        return;
    buffer_put_char(out, ':');
    buffer_put_u64(out, address_port(address));
}

bool address_is_every(const struct address *address)
{
    if (address->any.sa_family == AF_INET)
        return address->v4.sin_addr.s_addr == INADDR_ANY;
    return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

bool address_is_loopback(const struct address *address)
{
    if (address->any.sa_family == AF_INET)
        return (ntohl(address->v4.sin_addr.s_addr) >> 24) == 127;
    if (address->any.sa_family == AF_INET6) {
        const struct in6_addr *in6 = &address->v6.sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
    }
    return false;
}
