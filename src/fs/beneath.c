#include "fs/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Declared here, since neither musl nor older kernel headers bring <linux/openat2.h>. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define OPENAT2_NO_SYMLINKS 0x04u
#define OPENAT2_BENEATH     0x08u

struct openat2_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

/*
 * Opens a path that holds no links, in one call; ELOOP when it holds one. The kernel would follow
 * it safely, but not tell whether it went through what is closed: so links are left to the walk.
 */
static int openat2_beneath(int directory_fd, const char *path, int flags)
{
    const struct openat2_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .resolve = OPENAT2_BENEATH | OPENAT2_NO_SYMLINKS,
    };

    return (int)syscall(SYS_openat2, directory_fd, path[0] == '\0' ? "." : path, &how, sizeof(how));
}

bool beneath_has_openat2(int directory_fd)
{
    int fd = openat2_beneath(directory_fd, "", O_PATH | O_DIRECTORY);

    if (fd == -1)
        return errno != ENOSYS && errno != EPERM;
    close(fd);
    return true;
}

/*
 * The walk. Each step opens one name, which is known to be no link, relative to the directory the
 * walk stands in; a link is replaced by its text, in front of what is still to go:
 *
 *     rest  "a/link/b"  ->  "link/b"  ->  "../x/b"  ->  "x/b"  ->  "b"
 *     done  ""              "a"           "a"           ""         "x"
 *
 * ".." is never given to the kernel, since the directory might have been moved: the walk starts
 * again at the top, through `done`, which holds no links. So it cannot come out above the top.
 */
struct walk {
    int top_fd;
    int at_fd; /* where the walk stands; top_fd itself at the top */
    enum beneath_links allowed;
    int links;
    size_t rest_at;
    char rest[PATH_MAX];
    char done[PATH_MAX]; /* "a/b", the way from top_fd to at_fd */
};

static void walk_stand(struct walk *w, int fd)
{
    if (w->at_fd != w->top_fd)
        close(w->at_fd);
    w->at_fd = fd;
}

static bool walk_enter(struct walk *w, const char *name)
{
    int fd = openat(w->at_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd == -1)
        return false;
    walk_stand(w, fd);
    return true;
}

/* Cuts the first component off *path, in place; NULL when there is none. */
static char *next_component(char **path)
{
    char *name = *path + strspn(*path, "/");
    size_t len = strcspn(name, "/");

    if (len == 0)
        return NULL;
    *path = name + len;
    if (**path == '/')
        *(*path)++ = '\0';
    return name;
}

static bool walk_back(struct walk *w)
{
    char way[PATH_MAX];
    char *last = strrchr(w->done, '/');
    char *cursor = way;
    char *name;

    if (w->done[0] == '\0') {
        errno = EXDEV;
        return false;
    }
    *(last == NULL ? w->done : last) = '\0';
    memcpy(way, w->done, strlen(w->done) + 1);

    walk_stand(w, w->top_fd);
    while ((name = next_component(&cursor)) != NULL) {
        if (!walk_enter(w, name))
            return false;
    }
    return true;
}

static bool walk_forward(struct walk *w, const char *name)
{
    size_t done = strlen(w->done);
    size_t len = strlen(name);

    if (done + 1 + len >= sizeof(w->done)) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (!walk_enter(w, name))
        return false;
    if (done > 0)
        w->done[done++] = '/';
    memcpy(w->done + done, name, len + 1);
    return true;
}

/* Puts the text of a link in front of what is still to go. */
static bool walk_follow(struct walk *w, const char *target, size_t target_len)
{
    const char *rest = w->rest + w->rest_at;
    size_t rest_len = strlen(rest);
    size_t slash = rest_len > 0 ? 1 : 0;

    if (target[0] == '/') {
        errno = EXDEV;
        return false;
    }
    if (++w->links > BENEATH_MAX_LINKS) {
        errno = ELOOP;
        return false;
    }
    if (target_len + slash + rest_len >= sizeof(w->rest)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memmove(w->rest + target_len + slash, rest, rest_len + 1);
    memcpy(w->rest, target, target_len);
    if (slash == 1)
        w->rest[target_len] = '/';
    w->rest_at = 0;
    return true;
}

/* Whether the walk may not enter `name`, wherever links have led it. */
static bool is_closed(const struct walk *w, const char *name)
{
    if (w->done[0] == '\0' && strcmp(name, BENEATH_CLOSED) == 0)
        return true;
    return name[0] == '.' && w->links > 0 && w->allowed == BENEATH_LINKS_VISIBLE;
}

/* Takes one component. True to go on; else the walk is over and *fd is its answer, or -1. */
static bool walk_step(struct walk *w, int flags, int *fd)
{
    char target[PATH_MAX];
    char *cursor = w->rest + w->rest_at;
    char *name = next_component(&cursor);
    bool last;
    ssize_t len;

    *fd = -1;
    if (name == NULL) {
        *fd = openat(w->at_fd, ".", flags);
        return false;
    }
    /* A slash behind the name asks for a directory, and then "" is still to go. */
    last = cursor == name + strlen(name);
    w->rest_at = (size_t)(cursor - w->rest);
    if (strcmp(name, ".") == 0)
        return true;
    if (strcmp(name, "..") == 0)
        return walk_back(w);
    if (is_closed(w, name)) {
        errno = EXDEV;
        return false;
    }

    len = readlinkat(w->at_fd, name, target, sizeof(target));
    if (len > 0)
        return walk_follow(w, target, (size_t)len);
    if (len == -1 && errno != EINVAL)
        return false;
    if (!last)
        return walk_forward(w, name);
    *fd = openat(w->at_fd, name, flags | O_NOFOLLOW);
    return false;
}

static int walk_beneath(int directory_fd, const char *path, int flags, enum beneath_links links)
{
    struct walk w = {.top_fd = directory_fd, .at_fd = directory_fd, .allowed = links};
    size_t len = strlen(path);
    int fd = -1;
    int error;

    if (len >= sizeof(w.rest)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(w.rest, path, len + 1);

    while (walk_step(&w, flags | O_CLOEXEC, &fd))
        ;
    error = errno;
    walk_stand(&w, w.top_fd);
    errno = error;
    return fd;
}

int beneath_open(int directory_fd, const char *path, int flags, enum beneath_links links, bool walk)
{
    if (directory_fd == -1) { /* there is no docroot at the moment */
        errno = ENOENT;
        return -1;
    }
    if (walk)
        return walk_beneath(directory_fd, path, flags, links);

    for (;;) {
        int fd = openat2_beneath(directory_fd, path, flags);

        if (fd == -1 && errno == EINTR)
            continue;
        if (fd == -1 && (errno == ELOOP || errno == EAGAIN))
            return walk_beneath(directory_fd, path, flags, links);
        return fd;
    }
}
