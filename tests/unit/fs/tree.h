#ifndef TESTS_UNIT_FS_TREE_H
#define TESTS_UNIT_FS_TREE_H

/*
 * A directory of a test's own, removed with all that is in it:
 *
 *     /tmp/fs-test-XXXXXX/root      the docroot; paths below are relative to it
 *     /tmp/fs-test-XXXXXX/outside   what must not be reached
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct tree {
    char top[64];
    char root[80];
    int fd; /* of root */
};

static inline void tree_make(struct tree *t)
{
    char outside[80];

    snprintf(t->top, sizeof(t->top), "/tmp/fs-test-XXXXXX");
    assert_non_null(mkdtemp(t->top));
    snprintf(t->root, sizeof(t->root), "%s/root", t->top);
    snprintf(outside, sizeof(outside), "%s/outside", t->top);
    assert_int_equal(mkdir(t->root, 0755), 0);
    assert_int_equal(mkdir(outside, 0755), 0);
    t->fd = open(t->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_not_equal(t->fd, -1);
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void tree_remove(struct tree *t)
{
    close(t->fd);
    assert_int_equal(nftw(t->top, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void tree_file(const struct tree *t, const char *path, const char *content)
{
    int fd = openat(t->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

static inline void tree_directory(const struct tree *t, const char *path)
{
    assert_int_equal(mkdirat(t->fd, path, 0755), 0);
}

static inline void tree_link(const struct tree *t, const char *path, const char *target)
{
    assert_int_equal(symlinkat(target, t->fd, path), 0);
}

static inline void tree_fifo(const struct tree *t, const char *path)
{
    assert_int_equal(mkfifoat(t->fd, path, 0644), 0);
}

static inline void tree_socket(const struct tree *t, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", t->root, path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

/* Content of a file, NUL-terminated, in a buffer of the caller; NULL when it is not there. */
static inline const char *tree_read(const struct tree *t, const char *path, char *buf, size_t cap)
{
    int fd = openat(t->fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd == -1)
        return NULL;
    len = read(fd, buf, cap - 1);
    assert_int_not_equal(len, -1);
    buf[len] = '\0';
    close(fd);
    return buf;
}

#endif
