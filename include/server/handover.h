#ifndef SERVER_HANDOVER_H
#define SERVER_HANDOVER_H

/*
 * Replacing the server without a moment in which nobody listens: a new one, of the program that now
 * stands at the old one's place, is started with the listening sockets; once it serves, the old one
 * accepts no more and finishes what it has. When the new one cannot start, nothing has changed.
 *
 *     main ──"go", sockets──▶ helper ──fork, exec──▶ new main
 *          ◀──────pid──────          ◀──"I serve"───
 *
 * The helper is a process of its own, forked before anything was opened: it still has the rights,
 * the directory and the signals that the server was started with and that a new one needs, all of
 * which the server itself has given up by the time it is told. It does nothing but wait for that
 * order, runs one program with one command line, and ends with the server. Main thread only.
 */

#include "server/gate.h"

#include <sys/types.h>

struct handover {
    int fd;       /* to the helper; -1: there is none */
    pid_t helper; /* with fd */
    bool running; /* a new server is being started */
};

#define HANDOVER_NONE ((struct handover){.fd = -1})

/* Starts the helper. `argv` is the command line to run again; its first word is the program, looked
   for where it was found this time. `detached` says that nobody reads what is printed. Before any
   thread is started. False with errno set when it cannot be had. */
bool handover_prepare(struct handover *handover, char **argv, bool detached);

/* Has a new server started with the sockets of the gate. It becomes known by a readable
   handover->fd how that went. */
void handover_begin(struct handover *handover, const struct gate *gate);

/* Reads how it went: the process that serves now, or 0 when there is none (a line says why). */
pid_t handover_result(struct handover *handover);

/* Ends the helper. What it started goes on. */
void handover_close(struct handover *handover);

#endif
