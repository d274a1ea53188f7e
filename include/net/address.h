#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

/* Socket addresses, IPv4 and IPv6; of a UNIX socket no more than that it is one. Values; any
 * thread.
 */

#include "base/buffer.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t len;
};

enum { ADDRESS_TEXT_LIMIT = 64 }; /* "[ipv6%scope]:65535" */

/*
 * Reads a numeric address ("127.0.0.1", "::1", "[::1]", "*" for all IPv4 and IPv6 addresses as
 * "::"). Names are not looked up: what a server binds to should not hang on a resolver. False when
 * it is none.
 */
bool address_parse(struct address *address, const char *text, uint16_t port);

/* The address of 4 or 16 bytes in network order. False when they are of another number. */
bool address_from_bytes(struct address *address, struct span bytes, uint16_t port);

/* Its host: 4 or 16 bytes in network order, within *address; IPv4 mapped into IPv6 is IPv4. Empty
   for what is no address of the Internet. */
struct span address_bytes(const struct address *address);

/* The same host, whatever the port. */
bool address_is_same_host(const struct address *a, const struct address *b);

/* 0 for what has none. */
uint16_t address_port(const struct address *address);

/* The host alone, as logs want it: no brackets, no port; an IPv4-mapped address as IPv4, the other
   end of a UNIX socket as "unix:". */
void address_put_host(struct buffer *out, const struct address *address);

/* "127.0.0.1:80" or "[::1]:80", as URLs want it. */
void address_put(struct buffer *out, const struct address *address);

/* Every address of the machine: 0.0.0.0, or ::, which is both families. */
bool address_is_every(const struct address *address);

/* 127.0.0.0/8, ::1, and 127.0.0.0/8 mapped into IPv6. */
bool address_is_loopback(const struct address *address);

#endif
