#ifndef SERVER_CLIENT_ADDRESS_H
#define SERVER_CLIENT_ADDRESS_H

/* Who sent a request that proxies passed on. Any thread. */

#include "http/request.h"
#include "net/trust.h"

/*
 * *client is who the request came from, and is replaced by who sent it to him if he is trusted and
 * says so with Forwarded or X-Forwarded-For. The lists are walked from the nearest proxy outwards,
 * for as long as whoever wrote an element is trusted; what stands before that may be anybody's
 * invention. A list that breaks off is believed as far as it goes, and two lists that disagree not
 * at all: a proxy that writes one of them hands on the other as the client made it up.
 */
void client_address_find(const struct trust *trust, const struct request *request,
                         struct address *client);

#endif
