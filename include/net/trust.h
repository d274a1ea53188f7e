#ifndef NET_TRUST_H
#define NET_TRUST_H

/* Whose word is taken about whose connection or request it passes on: blocks of addresses. Made
   once, const to everybody afterwards. */

#include "net/address.h"

enum { TRUST_LIMIT = 32 };

struct trust {
    struct trust_block {
        struct address base;
        unsigned bits; /* of the host that must be the same */
    } blocks[TRUST_LIMIT];
    unsigned count;
    bool unix_sockets; /* whoever may connect to one */
};

/* Adds "192.0.2.1", "10.0.0.0/8", "2001:db8::/32", or "unix" for the other end of every UNIX
   socket. False when it is none of these, has bits set behind its prefix, or there are too many. */
bool trust_add(struct trust *trust, const char *text);

bool trust_has(const struct trust *trust, const struct address *address);

/* Nobody is trusted. */
static inline bool trust_is_empty(const struct trust *trust)
{
    return trust->count == 0 && !trust->unix_sockets;
}

#endif
