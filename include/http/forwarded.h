#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

/*
 * Whose request a proxy says that it passes on: Forwarded (RFC 7239), and X-Forwarded-For, which
 * came before it. Both are lists. Each proxy adds an element behind those it was given, so the last
 * was written by the nearest, and only as much of a list is worth anything as was written by who is
 * trusted. Pure; any thread.
 */

#include "base/span.h"

/*
 * The host that an element of a Forwarded list (cut off at its comma with span_cut) says the
 * request is for: "192.0.2.43" or "2001:db8:cafe::17", without port, brackets and quotes. Whether
 * it is an address only the room that knows sockets can say: it may also be "unknown" or "_hidden"
 * (RFC 7239 6.2, 6.3). Empty when there is none, or the element is malformed.
 */
struct span forwarded_host(struct span element);

/* The same of an element of X-Forwarded-For, where the host stands alone. */
struct span forwarded_for_host(struct span element);

#endif
