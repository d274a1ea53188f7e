#ifndef SERVER_PRIVILEGE_H
#define SERVER_PRIVILEGE_H

/*
 * Giving up what root may do, once what needs it is done: at start-up, while there is one thread.
 * Each function says on standard error why it failed.
 */

#include <stdbool.h>

/*
 * Where `path` is when seen from inside `root`, which is absolute and has no links: a part of
 * `path`, "/" for root itself, or NULL when it is not textually below.
 */
const char *privilege_inside(const char *root, const char *path);

/* Makes `root` all that can be seen of the file system. */
bool privilege_enter(const char *root);

/* Becomes this user, with the user's groups. The user's table is read: before privilege_enter. */
struct privilege_user {
    unsigned uid, gid;
    const char *name;
};
bool privilege_find_user(const char *name, struct privilege_user *user);
bool privilege_become(const struct privilege_user *user);

enum privilege_left {
    PRIVILEGE_NONE,      /* no capability is left */
    PRIVILEGE_ANY_FILE,  /* root, who may read and write files of others as before, and no more */
    PRIVILEGE_UNCHANGED, /* they could not be given up */
};

/*
 * Gives up the capabilities of root, but for a root who serves as root those about the files of
 * others: to go on with what it was started for.
 */
enum privilege_left privilege_drop(void);

#endif
