#include "server/confinement.h"

#include "base/log.h"
#include "server/auth.h"
#include "server/privilege.h"
#include "server/server.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Where an option's file is to be found after the chroot to `root`; NULL where it cannot be. */
static const char *seen_inside(const char *root, const char *path)
{
    return path[0] == '-' && path[1] == '\0' ? path : privilege_inside(root, path);
}

/*
 * Makes --chroot all that is to be seen. Paths in options are what they were outside: what is used
 * later on has to be below, and named so.
 */
static int enter_chroot(struct server *server)
{
    const char *option = server->options->chroot;
    char *root = realpath(option, NULL);
    int failed = 0;

    if (root == NULL) {
        log_error("--chroot: cannot use '%s': %m", option);
        return EXIT_USAGE;
    }
    const char *docroot = privilege_inside(root, server->docroot_path);
    const char *state = server->state_path;
    if (state != NULL && (state = privilege_inside(root, state)) == NULL)
        failed = EXIT_USAGE;
    if (docroot == NULL || failed != 0) {
        log_error("--chroot: the served directory, and --state by its whole path, have to be in %s",
                  root);
        failed = EXIT_USAGE;
    } else if (!privilege_enter(root)) {
        failed = EXIT_FAILED;
    } else {
        memmove(server->docroot_path, docroot, strlen(docroot) + 1);
        server->state_path = state;
        for (unsigned i = 0; i < server->log.count; i++)
            server->log.paths[i] = seen_inside(root, server->log.paths[i]);
        if (server->auth_path != NULL)
            server->auth_path = seen_inside(root, server->auth_path);
        if (server->auth_path != NULL)
            auth_set_path(server->auth, server->auth_path);
        if (server->error_log != NULL)
            server->error_log = privilege_inside(root, server->error_log);
    }
    free(root);
    return failed;
}

int confinement_begin(struct server *server)
{
    const struct options *o = server->options;
    struct privilege_user user;
    int failed = 0;

    server->state_path = o->state;
    server->auth_path = o->auth_file;
    server->error_log = o->error_log;
    tzset(); /* for the log: its file may not be seen later */
    /* The user's groups stand in files that a chroot hides. */
    if (o->user != NULL && !privilege_find_user(o->user, &user))
        return EXIT_USAGE;
    if (o->chroot != NULL)
        failed = enter_chroot(server);
    if (failed == 0 && o->user != NULL && !privilege_become(&user))
        failed = EXIT_FAILED;
    server->sandbox.capabilities = PRIVILEGE_UNCHANGED;
    if (failed == 0 && o->sandbox)
        server->sandbox.capabilities = privilege_drop();
    return failed;
}
