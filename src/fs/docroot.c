#include "fs/docroot.h"

#include "fs/beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/*
 * Two changes closer together than this may bear the same mtime. The kernel stamps files with its
 * tick, 10 ms at the slowest; file systems whose times are all whole seconds have a grain of one
 * second, or two (FAT).
 */
#define RACY_TICK_NS   (20 * NS_PER_MS)
#define RACY_SECOND_NS (2 * NS_PER_S)

/*
 * A time a little ahead of our clock is that of a file server whose clock is ahead, and says
 * nothing about how long ago the change was. Times further ahead were set on purpose.
 */
#define RACY_SKEW_NS (3600 * NS_PER_S)

/* In a path below the docroot: what leaves it, leads nowhere. */
static enum fs_result result_of_resolving(const struct docroot *root, int error)
{
    if (root->replaced)
        return FS_REPLACED;
    return error == EXDEV ? FS_NOT_FOUND : fs_result_of_errno(error);
}

enum fs_result docroot_open(struct docroot *root, const char *path)
{
    struct stat st;

    *root = (struct docroot){.fd = -1, .path = path};
    root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root->fd == -1)
        return errno == ENOTDIR ? FS_NOT_DIRECTORY : fs_result_of_errno(errno);
    if (fstat(root->fd, &st) == -1) {
        enum fs_result result = fs_result_of_errno(errno);

        docroot_close(root);
        return result;
    }
    root->device = st.st_dev;
    root->inode = st.st_ino;
    root->walk = !beneath_has_openat2(root->fd);
    return FS_OK;
}

void docroot_close(struct docroot *root)
{
    if (root->fd != -1)
        close(root->fd);
    root->fd = -1;
}

void docroot_bind(struct docroot *root)
{
    root->bound_device = root->device;
    root->bound_inode = root->inode;
}

/* What was there before is not to be served in its place, nor found again by accident. */
static void leave(struct docroot *root)
{
    docroot_close(root);
    root->inode = 0;
}

enum fs_result docroot_refresh(struct docroot *root)
{
    struct docroot now;
    struct stat st;
    enum fs_result result;

    if (stat(root->path, &st) == -1) {
        enum fs_result failure = fs_result_of_errno(errno);

        /* A look that failed says nothing about what stands there. */
        if (failure == FS_NOT_FOUND || failure == FS_DENIED) {
            root->replaced = false;
            leave(root);
        }
        return failure;
    }
    if (root->fd != -1 && st.st_dev == root->device && st.st_ino == root->inode)
        return FS_OK;

    root->replaced = root->bound_inode != 0 &&
                     (st.st_dev != root->bound_device || st.st_ino != root->bound_inode);
    if (root->replaced) {
        leave(root);
        return FS_REPLACED;
    }
    result = docroot_open(&now, root->path);
    if (result != FS_OK)
        return result;
    now.bound_device = root->bound_device;
    now.bound_inode = root->bound_inode;
    docroot_close(root);
    *root = now;
    return FS_OK;
}

enum fs_result file_describe(struct file *file, const struct stat *st)
{
    bool directory = S_ISDIR(st->st_mode);

    if (!directory && !S_ISREG(st->st_mode))
        return FS_NOT_SERVED;
    *file = (struct file){
        .fd = -1,
        .directory = directory,
        .inode = st->st_ino,
        .size = directory ? 0 : (uint64_t)st->st_size,
        .mtime_s = st->st_mtim.tv_sec,
        .mtime_ns = st->st_mtim.tv_sec * NS_PER_S + st->st_mtim.tv_nsec,
        .ctime_ns = st->st_ctim.tv_sec * NS_PER_S + st->st_ctim.tv_nsec,
        .device = st->st_dev,
        .mode = st->st_mode,
    };
    return FS_OK;
}

enum fs_result docroot_lookup(const struct docroot *root, const char *path, struct file *file)
{
    enum fs_result result;
    struct stat st;
    int fd;

    *file = FILE_NONE;
    fd = beneath_open(root->fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, BENEATH_LINKS_ANYWHERE,
                      root->walk);
    if (fd == -1)
        return result_of_resolving(root, errno);

    result = fstat(fd, &st) == -1 ? fs_result_of_errno(errno) : file_describe(file, &st);
    if (result != FS_OK) {
        close(fd);
        return result;
    }
    file->fd = fd;
    return FS_OK;
}

/*
 * stat of a path beneath the root. A single name that is no link needs one call, a third of the
 * price; a longer path may meet a link on its way, which fstatat would follow out of the docroot.
 */
static enum fs_result stat_beneath(const struct docroot *root, const char *path, struct stat *st)
{
    enum fs_result result = FS_OK;
    int fd;

    if (root->fd != -1 && path[0] != '\0' && strchr(path, '/') == NULL) {
        if (fstatat(root->fd, path, st, AT_SYMLINK_NOFOLLOW) == -1)
            return result_of_resolving(root, errno);
        if (!S_ISLNK(st->st_mode))
            return FS_OK;
    }
    fd = beneath_open(root->fd, path, O_PATH, BENEATH_LINKS_ANYWHERE, root->walk);
    if (fd == -1)
        return result_of_resolving(root, errno);
    if (fstat(fd, st) == -1)
        result = fs_result_of_errno(errno);
    close(fd);
    return result;
}

enum fs_result docroot_stat(const struct docroot *root, const char *path, struct file *file)
{
    struct stat st = {0};
    enum fs_result result = stat_beneath(root, path, &st);

    *file = FILE_NONE;
    if (result == FS_OK)
        result = file_describe(file, &st);

    /* Whether we may read what is not readable for all, only opening it tells for certain. */
    if (result == FS_OK && (st.st_mode & 0444) != 0444) {
        result = docroot_lookup(root, path, file);
        if (result == FS_OK) {
            close(file->fd);
            file->fd = -1;
        }
    }
    return result;
}

/* Opens the directory that the first `len` bytes of `path` name, to change something in it. */
static enum fs_result open_directory(const struct docroot *root, const char *path, size_t len,
                                     int *fd)
{
    char prefix[PATH_MAX];

    if (len >= sizeof(prefix))
        return FS_NAME_TOO_LONG;
    memcpy(prefix, path, len);
    prefix[len] = '\0';

    *fd = beneath_open(root->fd, prefix, O_PATH | O_DIRECTORY, BENEATH_LINKS_VISIBLE, root->walk);
    if (*fd != -1)
        return FS_OK;
    if (errno == ENOENT && !root->replaced)
        return FS_NO_PARENT;
    return errno == ENOTDIR ? FS_NOT_DIRECTORY : result_of_resolving(root, errno);
}

bool file_is_unchanged(const struct file *a, const struct file *b)
{
    return a->device == b->device && a->inode == b->inode && a->ctime_ns == b->ctime_ns &&
           a->mtime_ns == b->mtime_ns && a->size == b->size && a->mode == b->mode;
}

bool docroot_still(const struct docroot *root, const char *path, const struct file *file)
{
    struct file now;
    struct stat st;

    return root->fd != -1 &&
           fstatat(root->fd, path, &st, path[0] == '\0' ? AT_EMPTY_PATH : 0) == 0 &&
           file_describe(&now, &st) == FS_OK && file_is_unchanged(&now, file);
}

enum fs_result docroot_parent(const struct docroot *root, const char *path, int *directory_fd,
                              const char **name)
{
    const char *slash = strrchr(path, '/');

    *directory_fd = -1;
    *name = slash == NULL ? path : slash + 1;
    if (path[0] == '\0')
        return FS_IS_DIRECTORY;
    return open_directory(root, path, slash == NULL ? 0 : (size_t)(slash - path), directory_fd);
}

/*
 * Makes the last component of the first `len` bytes of `path` in the directory *fd and moves *fd
 * there. It is opened from the top again: what stands there may be another's directory by now, or a
 * link.
 */
static enum fs_result make_directory(const struct docroot *root, const char *path, size_t from,
                                     size_t len, int *fd, unsigned *made)
{
    char name[NAME_MAX + 1];
    enum fs_result result;
    bool ours;
    int next;

    if (path[from] == '.')
        return FS_NOT_FOUND;
    if (len - from >= sizeof(name))
        return FS_NAME_TOO_LONG;
    memcpy(name, path + from, len - from);
    name[len - from] = '\0';

    ours = mkdirat(*fd, name, 0777) == 0;
    if (!ours && errno != EEXIST)
        return errno == ENOENT ? FS_NO_PARENT : fs_result_of_errno(errno);
    *made += ours ? 1 : 0;
    result = open_directory(root, path, len, &next);
    if (result == FS_OK) {
        close(*fd);
        *fd = next;
    } else if (ours) {
        unlinkat(*fd, name, AT_REMOVEDIR);
        (*made)--;
    }
    /* It was there and yet is not: a link to nothing. */
    return result == FS_NO_PARENT && !ours ? FS_NOT_FOUND : result;
}

/* Removes the `made` innermost of the directories that the first `len` bytes of `path` name. */
static void unmake_directories(const struct docroot *root, const char *path, size_t len,
                               unsigned made)
{
    char prefix[PATH_MAX];

    if (len >= sizeof(prefix))
        return;
    memcpy(prefix, path, len);
    prefix[len] = '\0';
    for (; made > 0; made--) {
        char *slash = strrchr(prefix, '/');
        const char *name;
        bool removed;
        int fd;

        if (docroot_parent(root, prefix, &fd, &name) != FS_OK)
            return;
        removed = unlinkat(fd, name, AT_REMOVEDIR) == 0;
        close(fd);
        if (!removed || slash == NULL)
            return;
        *slash = '\0';
    }
}

void docroot_unmake_parent(const struct docroot *root, const char *path, unsigned made)
{
    const char *slash = strrchr(path, '/');

    if (slash != NULL)
        unmake_directories(root, path, (size_t)(slash - path), made);
}

/* Goes down `path`, whose last component is at `name_at`, and makes what is not there. */
static enum fs_result make_directories(const struct docroot *root, const char *path, size_t name_at,
                                       int *fd, unsigned *made)
{
    enum fs_result result = open_directory(root, "", 0, fd);

    for (size_t from = 0, len = 0; result == FS_OK && from < name_at; from = len + 1) {
        int next;

        len = from + strcspn(path + from, "/");
        result = open_directory(root, path, len, &next);
        if (result == FS_OK) {
            close(*fd);
            *fd = next;
        } else if (result == FS_NO_PARENT) {
            result = make_directory(root, path, from, len, fd, made);
        }
        if (result != FS_OK && from > 0)
            unmake_directories(root, path, from - 1, *made);
    }
    return result;
}

bool docroot_absent(const struct docroot *root, const char *path, size_t *parent_len,
                    struct file *parent)
{
    char shorter[PATH_MAX];
    size_t len = strlen(path);

    if (len >= sizeof shorter)
        return false;
    memcpy(shorter, path, len + 1);
    for (;;) {
        const char *name;
        struct stat st;
        int fd;
        enum fs_result result = docroot_parent(root, shorter, &fd, &name);

        if (result == FS_OK) {
            bool absent = fstat(fd, &st) == 0 && file_describe(parent, &st) == FS_OK &&
                          fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 && errno == ENOENT;

            *parent_len = name == shorter ? 0 : (size_t)(name - shorter) - 1;
            close(fd);
            return absent;
        }
        char *slash = strrchr(shorter, '/');
        if (result != FS_NO_PARENT || slash == NULL)
            return false;
        *slash = '\0';
    }
}

enum fs_result docroot_make_parent(const struct docroot *root, const char *path, int *directory_fd,
                                   const char **name, unsigned *made)
{
    enum fs_result result = docroot_parent(root, path, directory_fd, name);

    *made = 0;
    if (result != FS_NO_PARENT)
        return result;
    result = make_directories(root, path, (size_t)(*name - path), directory_fd, made);
    if (result != FS_OK) {
        *made = 0;
        if (*directory_fd != -1)
            close(*directory_fd);
        *directory_fd = -1;
    }
    return result;
}

static int64_t grain_of(int64_t time_ns)
{
    return time_ns % NS_PER_S == 0 ? RACY_SECOND_NS : RACY_TICK_NS;
}

bool file_is_settled(const struct file *file, int64_t now_ns)
{
    return now_ns - file->ctime_ns >= grain_of(file->ctime_ns);
}

bool file_is_racy(const struct file *file, int64_t now_ns)
{
    int64_t age_ns = now_ns - file->mtime_ns;

    /*
     * A write stamps both times with one clock. Where they differ, a later write cannot bear the
     * old mtime: it is stamped with the clock that ctime shows, or a later one.
     */
    if (file->mtime_ns != file->ctime_ns)
        return false;
    return age_ns < grain_of(file->mtime_ns) && age_ns > -RACY_SKEW_NS;
}
