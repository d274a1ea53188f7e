#ifndef FS_BENEATH_H
#define FS_BENEATH_H

/*
 * Opening a path that cannot lead out of a directory. For this room alone: everybody else goes
 * through fs/docroot.h.
 *
 * Symbolic links are followed as long as they stay beneath the directory. A link that leads out of
 * it, even if it came back in, fails with EXDEV, and so does every absolute link, because "/" is
 * outside; what is closed counts as outside too. The links in /proc that jump to an open file fail
 * as well.
 */

#include <stdbool.h>

/* The name in the directory that no link leads to: there the server keeps what is its own. */
#define BENEATH_CLOSED ".httpd"

/* Links followed in one path before it counts as a loop: what the kernel itself allows. */
enum { BENEATH_MAX_LINKS = 40 };

/* Whether openat2 works here: it came with Linux 5.6, and some sandboxes forbid it. */
bool beneath_has_openat2(int directory_fd);

/* Which names links may lead to, besides. */
enum beneath_links {
    BENEATH_LINKS_ANYWHERE,
    BENEATH_LINKS_VISIBLE, /* EXDEV when a name behind a link begins with a dot: for who changes
                              things, which may not happen to what is hidden */
};

/*
 * openat(directory_fd, path, flags) beneath directory_fd; path "" is the directory itself. `flags`
 * creates nothing. With `walk` the path is taken apart and opened component by component, for
 * kernels without openat2. A descriptor (O_CLOEXEC), or -1 and errno.
 */
int beneath_open(int directory_fd, const char *path, int flags, enum beneath_links links,
                 bool walk);

#endif
