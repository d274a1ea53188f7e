#ifndef SERVER_PROXIED_H
#define SERVER_PROXIED_H

/*
 * Connections that a proxy passes on, with a header before the client's bytes that says whose they
 * are (http/proxy_header.h). A protocol around another: it reads the header, puts the client in the
 * place of the peer, and leaves the connection to what is spoken on it. It never guesses: a
 * connection whose header is missing, damaged or late, or which comes from somebody who is not
 * trusted, is closed without an answer.
 */

#include "server/protocol.h"

/* The connection is to begin with the header; its protocol follows. */
void proxied_begin(struct connection *c);

#endif
