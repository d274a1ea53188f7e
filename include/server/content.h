#ifndef SERVER_CONTENT_H
#define SERVER_CONTENT_H

/* What of a response follows its head and is not in memory: files, and what is made as it goes.
   Worker threads. */

#include "server/channel.h"

/*
 * Sends the rest of the response. One that is all in memory stays there while it fits, so that
 * pipelined requests are answered in one send.
 */
enum step content_send(struct worker *w, struct connection *c, struct exchange *x);

#endif
