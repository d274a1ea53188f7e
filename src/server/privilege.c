#include "server/privilege.h"

#include "base/log.h"
#include "base/span.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Declared here, since musl brings no kernel headers. */
enum {
    CAPABILITY_VERSION_3 = 0x20080522,
    CAPABILITY_DAC_OVERRIDE = 1, /* read and write files whatever their mode */
    CAPABILITY_FOWNER = 3,       /* set mode and times of the files of others */
};

struct capability_header {
    uint32_t version;
    int32_t pid; /* 0: the calling thread */
};

struct capability_data {
    uint32_t effective, permitted, inheritable;
};

const char *privilege_inside(const char *root, const char *path)
{
    struct span prefix = span_of(root);

    if (prefix.len == 1) /* "/" */
        return path[0] == '/' ? path : NULL;
    if (!span_starts_with(span_of(path), prefix))
        return NULL;
    path += prefix.len;
    return *path == '\0' ? "/" : *path == '/' ? path : NULL;
}

bool privilege_enter(const char *root)
{
    if (chroot(root) == 0 && chdir("/") == 0)
        return true;
    log_error("--chroot: cannot make '%s' the root: %m", root);
    return false;
}

bool privilege_find_user(const char *name, struct privilege_user *user)
{
    char strings[4096];
    struct passwd place, *entry;

    if (getpwnam_r(name, &place, strings, sizeof strings, &entry) != 0 || entry == NULL) {
        log_error("--user: there is no user '%s'", name);
        return false;
    }
    *user = (struct privilege_user){entry->pw_uid, entry->pw_gid, name};
    /* The group table as well: inside a chroot there may be none. */
    if (geteuid() == 0 && initgroups(name, entry->pw_gid) == -1) {
        log_error("cannot take the groups of '%s': %m", name);
        return false;
    }
    return true;
}

bool privilege_become(const struct privilege_user *user)
{
    if (setgid(user->gid) == 0 && setuid(user->uid) == 0)
        return true;
    log_error("cannot become the user '%s': %m", user->name);
    return false;
}

enum privilege_left privilege_drop(void)
{
    struct capability_header header = {.version = CAPABILITY_VERSION_3};
    struct capability_data data[2] = {{0}};
    uint32_t kept = 0;

    if (geteuid() == 0 && syscall(SYS_capget, &header, data) == 0)
        kept = data[0].permitted & (1u << CAPABILITY_DAC_OVERRIDE | 1u << CAPABILITY_FOWNER);
    data[0] = (struct capability_data){.effective = kept, .permitted = kept};
    data[1] = (struct capability_data){0};
    header.version = CAPABILITY_VERSION_3;
    if (syscall(SYS_capset, &header, data) == -1)
        return PRIVILEGE_UNCHANGED;
    return kept != 0 ? PRIVILEGE_ANY_FILE : PRIVILEGE_NONE;
}
