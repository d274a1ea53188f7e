#ifndef FS_DOCROOT_H
#define FS_DOCROOT_H

/*
 * The only door to the files that are served. Every path is resolved below the docroot directory by
 * the kernel (openat2 with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS; component by component where a
 * link is met, or the kernel has no openat2): links inside work, links that leave it lead nowhere,
 * and so do those into the server's own directory.
 *
 * A docroot value is owned by one thread; each worker opens its own. Paths are NUL-terminated,
 * relative, without empty, "." or ".." components, as http/target.h makes them; "" is the root
 * itself.
 */

#include "fs/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct docroot {
    int fd;           /* O_PATH directory descriptor */
    const char *path; /* the caller's, absolute; kept to notice that the directory was replaced */
    dev_t device;
    ino_t inode;
    dev_t bound_device; /* see docroot_bind */
    ino_t bound_inode;  /* 0: not bound */
    bool replaced;      /* bound, and another directory stands there */
    bool walk;          /* the kernel has no openat2 to offer, so paths are walked (fs/beneath.h) */
};

/* What stands at a path, asked of the open descriptor, so that all of it is of one moment. */
struct file {
    int fd;         /* open for reading, O_CLOEXEC; the caller closes it; -1 when there is none */
    bool directory; /* else a regular file */
    uint64_t inode;
    uint64_t size;    /* bytes; 0 for a directory */
    int64_t mtime_s;  /* seconds since 1970-01-01 UTC */
    int64_t mtime_ns; /* the whole time in ns */
    int64_t ctime_ns; /* of the last change to bytes, name or rights; no one can set it back */
    dev_t device;
    mode_t mode;
};

#define FILE_NONE ((struct file){.fd = -1})

/* Opens the directory at `path` (absolute; kept, not copied). FS_OK, or why not. */
enum fs_result docroot_open(struct docroot *root, const char *path);
void docroot_close(struct docroot *root);

/*
 * Binds the docroot to the directory that it is: one that takes its place is not moved over to, as
 * the thread would not be let into it. Then every path is FS_REPLACED until the old one is back.
 */
void docroot_bind(struct docroot *root);

/*
 * If another directory stands at the docroot's path now, moves over to it. One stat when nothing
 * changed. Call it once for every bunch of requests. When nothing stands there, nothing is found
 * below the docroot until something does; on another failure the old directory stays in use.
 */
enum fs_result docroot_refresh(struct docroot *root);

/*
 * Opens what stands at `path` for reading and describes it. Never blocks on a FIFO or device: those
 * are FS_NOT_SERVED, and the descriptor is closed. On anything but FS_OK file->fd is -1.
 */
enum fs_result docroot_lookup(const struct docroot *root, const char *path, struct file *file);

/*
 * Describes without opening (file->fd is -1): for validating what was found before, and for looking
 * for siblings. Follows links as docroot_lookup does, and gives the same answers.
 */
enum fs_result docroot_stat(const struct docroot *root, const char *path, struct file *file);

/* Whether two descriptions are of one file with nothing changed between them. */
bool file_is_unchanged(const struct file *a, const struct file *b);

/*
 * Whether `path` still names the same file or directory, unchanged since `file` was described:
 * for what was found there by docroot_lookup and then kept. One call, and links are followed
 * wherever they lead: what has the same identity and times is the same file, whatever the way.
 */
bool docroot_still(const struct docroot *root, const char *path, const struct file *file);

/*
 * Whether nothing at all bears the name `path`, and which directory says so: the innermost that
 * exists on the way to it, path[0..*parent_len), described in *parent. False when there is
 * something, if only a link that leads nowhere, and when it cannot be told.
 */
bool docroot_absent(const struct docroot *root, const char *path, size_t *parent_len,
                    struct file *parent);

/*
 * Fills *file (fd -1) from what fstat or fstatat said. FS_NOT_SERVED, and *file untouched, for
 * anything but a regular file or directory.
 */
enum fs_result file_describe(struct file *file, const struct stat *st);

/*
 * Opens the directory part of `path` ("" for a top-level name) as a descriptor that *at functions
 * take, and points *name at the last component inside `path`. The caller closes *directory_fd. For
 * everything that creates, renames or removes: the name is then used with AT_SYMLINK_NOFOLLOW
 * semantics. FS_IS_DIRECTORY for "" itself, FS_NO_PARENT when the directory is missing,
 * FS_NOT_DIRECTORY when something else is in its place, FS_NOT_FOUND when a link leads nowhere, or
 * to a name that begins with a dot: what is hidden can be read through a link, but not changed.
 */
enum fs_result docroot_parent(const struct docroot *root, const char *path, int *directory_fd,
                              const char **name);

/*
 * As docroot_parent, and makes the directories that are missing (mode 0777 less umask). *made
 * counts them; when it fails they are gone again and *made is 0. Names that begin with a dot are
 * not made: FS_NOT_FOUND.
 */
enum fs_result docroot_make_parent(const struct docroot *root, const char *path, int *directory_fd,
                                   const char **name, unsigned *made);

/*
 * Takes docroot_make_parent back: removes the `made` innermost directories on the way to `path`, as
 * far as nothing is in them.
 */
void docroot_unmake_parent(const struct docroot *root, const char *path, unsigned made);

/*
 * Whether every later change to the file, or to the names in the directory, is sure to show in its
 * times. False for what was changed so recently that it could change again under the same ctime.
 * `now_ns` is CLOCK_REALTIME at or before the moment it was described.
 */
bool file_is_settled(const struct file *file, int64_t now_ns);

/*
 * Whether the file was changed so recently that it could be changed again under the same mtime: the
 * "racily clean" problem that git's index has. Never so for a file whose mtime was set, as
 * publish.h does, since that differs from its ctime. `now_ns` is CLOCK_REALTIME at or before the
 * lookup.
 */
bool file_is_racy(const struct file *file, int64_t now_ns);

#endif
