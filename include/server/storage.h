#ifndef SERVER_STORAGE_H
#define SERVER_STORAGE_H

/*
 * Finding and opening what the server keeps on disk: the docroot, and the directory of its own with
 * the secret that client ids are made with. At start-up, in the main thread.
 */

#include <stdbool.h>

struct server;

/* Sets server->docroot_path. 0, or an exit status after a line that says why. */
int storage_find_docroot(struct server *server);

/* Whether everybody could download what is at `path`, or will be once it is made. After
   storage_find_docroot. */
bool storage_is_served(const struct server *server, const char *path);

/*
 * Opens the state directory, and sets all that depends on it: state, ids, instance, boot, resumes.
 * Where it cannot be written nothing else can: the server is read-only then, and says so. 0, or an
 * exit status after a line that says why.
 */
int storage_open_state(struct server *server);

#endif
