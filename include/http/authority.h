#ifndef HTTP_AUTHORITY_H
#define HTTP_AUTHORITY_H

/* Who a request is meant for: uri-host [ ":" port ] (RFC 9110 4.2, 7.2). Pure; any thread. */

#include "base/span.h"

struct authority {
    struct span host; /* as sent, an IPv6 address with its brackets */
    struct span port; /* digits, 0 to 65535, may be empty; ptr NULL when there is no colon */
};

/*
 * Takes apart a Host value or the authority of a target. The host is a name (any characters of
 * reg-name, RFC 3986 3.2.2), an IPv4 or a bracketed IPv6 address, and not empty. False for anything
 * else: user information (RFC 9110 4.2.4), a zone, an address of a version yet to come.
 */
bool authority_parse(struct authority *authority, struct span text);

#endif
