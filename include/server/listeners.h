#ifndef SERVER_LISTENERS_H
#define SERVER_LISTENERS_H

/*
 * Opening the sockets that clients come to, or taking those that were handed in. At start-up, in
 * the main thread. Each function: 0, or an exit status after a line that says why.
 */

#include "server/activation.h"
#include "server/gate.h"

struct service;

/* Opens the addresses of one service and adds them to the gate, which has its options. */
int listeners_open(struct gate *gate, struct activation *activation, const struct service *service);

/* When all have been opened, a socket is left for a protocol that is not spoken: somebody meant
   something else than the options say. */
int listeners_refuse_others(const struct activation *activation);

#endif
