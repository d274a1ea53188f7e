#ifndef CLIENT_DIAL_H
#define CLIENT_DIAL_H

/* From a host's name to a connection. Any thread. */

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

#include "client/failure.h"
#include "client/url.h"

enum { DIAL_ADDRESSES = 16 };

union dial_address { /* IPv4 or IPv6; family says which */
    sa_family_t family;
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;
};

/* The addresses of a host, in the order to be tried. */
struct dial_list {
    size_t count;
    union dial_address at[DIAL_ADDRESSES];
};

/*
 * Looks the host up. This is the one call without a deadline: the resolver keeps its own (5 s for
 * each name server, by default).
 */
bool dial_resolve(struct dial_list *list, const struct origin *origin, struct failure *failure);

/* Whether all addresses are of this machine: 127.0.0.0/8, ::1, and the former written as IPv6. */
bool dial_is_loopback(const struct dial_list *list);

/*
 * Connects to the first address that answers. What is left of the time is shared among the
 * addresses that are left, so that one which swallows packets does not use up the chances of the
 * others. Returns a non-blocking descriptor with Nagle's delay off, or -1 and the failure of the
 * last address tried.
 */
int dial_connect(const struct dial_list *list, const struct origin *origin, int64_t deadline_ms,
                 int cancel_fd, struct failure *failure);

#endif
