#ifndef SERVER_CONFINEMENT_H
#define SERVER_CONFINEMENT_H

/*
 * --chroot and --user: when what only root could do is done, the server gives up being root. What
 * no rights are needed for, Landlock and the lists of system calls, is the sandbox's.
 */

struct server;

/*
 * After the docroot was found, the accounts were read, and sockets, logs and pid file opened;
 * before anything else is. Sets state_path and auth_path, and with a chroot every path that is used
 * later to what it is inside. 0, or an exit status after a line that says why. Main thread.
 */
int confinement_begin(struct server *server);

#endif
