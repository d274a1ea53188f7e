#include "fs/state.h"

#include "fs/beneath.h"
#include "fs/stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_NAME     "lock"
#define SWEEP_NAME    "sweep"
#define PRIVATE_MODE  0700
#define RIGHTS_OF_ALL 0077

/* Opens a directory that is for the server alone, and makes it when it is missing. */
static enum fs_result open_private(int at_fd, const char *path, int *fd)
{
    enum fs_result result = FS_OK;
    struct stat st;

    *fd = -1;
    if (mkdirat(at_fd, path, PRIVATE_MODE) == -1 && errno != EEXIST)
        return fs_result_of_errno(errno);
    *fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*fd == -1)
        return errno == ENOTDIR || errno == ELOOP ? FS_NOT_DIRECTORY : fs_result_of_errno(errno);

    if (fstat(*fd, &st) == -1 ||
        ((st.st_mode & RIGHTS_OF_ALL) != 0 && fchmod(*fd, PRIVATE_MODE) == -1)) {
        result = fs_result_of_errno(errno);
        close(*fd);
        *fd = -1;
    }
    return result;
}

/* Locks and writing are tried now, so that the server can say at its start what will not work. */
static enum fs_result try_state(const struct state *state, const struct docroot *root)
{
    enum fs_result result;
    struct stat st;
    int lock_fd;

    if (fstat(state->uploads_fd, &st) == -1)
        return fs_result_of_errno(errno);
    if (st.st_dev != root->device)
        return FS_CROSS_DEVICE;
    result = state_lock(state, 0, &lock_fd);
    if (result != FS_OK)
        return result;
    close(lock_fd);
    return faccessat(state->uploads_fd, ".", W_OK | X_OK, AT_EACCESS) == -1
               ? fs_result_of_errno(errno)
               : FS_OK;
}

enum fs_result state_open(struct state *state, const struct docroot *root, const char *path)
{
    enum fs_result result;

    *state = STATE_CLOSED;
    if (path == NULL)
        result = open_private(root->fd, BENEATH_CLOSED, &state->fd);
    else
        result = open_private(AT_FDCWD, path, &state->fd);
    if (result == FS_OK)
        result = open_private(state->fd, "uploads", &state->uploads_fd);
    if (result == FS_OK)
        result = open_private(state->fd, "transfers", &state->transfers_fd);
    if (result == FS_OK)
        result = try_state(state, root);
    if (result != FS_OK)
        state_close(state);
    return result;
}

static void close_if_open(int fd)
{
    if (fd != -1)
        close(fd);
}

void state_close(struct state *state)
{
    close_if_open(state->transfers_fd);
    close_if_open(state->uploads_fd);
    close_if_open(state->fd);
    *state = STATE_CLOSED;
}

enum fs_result state_follow(struct state *state, const struct docroot *root)
{
    struct state fresh;
    enum fs_result result = state_open(&fresh, root, NULL);

    if (result != FS_OK)
        return result;
    if (dup3(fresh.uploads_fd, state->uploads_fd, O_CLOEXEC) == -1 ||
        dup3(fresh.transfers_fd, state->transfers_fd, O_CLOEXEC) == -1 ||
        dup3(fresh.fd, state->fd, O_CLOEXEC) == -1)
        result = fs_result_of_errno(errno);
    state_close(&fresh);
    return result;
}

enum fs_result state_lock(const struct state *state, uint64_t key, int *lock_fd)
{
    /*
     * One byte of the file, at the key: far behind its end, which a lock may be. Owned by the open
     * file, not by the process, so that two threads exclude each other as well.
     */
    struct flock range = {
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = (off_t)key,
        .l_len = 1,
    };

    *lock_fd = openat(state->fd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    /* Nothing of the client's is missing when it is not found: somebody removed the directory. */
    if (*lock_fd == -1)
        return errno == ENOENT ? FS_IO : fs_result_of_errno(errno);
    while (fcntl(*lock_fd, F_OFD_SETLKW, &range) == -1) {
        enum fs_result result = fs_result_of_errno(errno);

        if (errno == EINTR)
            continue;
        close(*lock_fd);
        *lock_fd = -1;
        return result;
    }
    return FS_OK;
}

/*
 * Removes the staged file `name` if nobody holds it. The lock shows that; and since a stage may
 * have been published and its name used again between the two calls, the name must still be the
 * file that is locked. Where locks cannot be had, age alone decides.
 */
static bool remove_unheld(const struct state *state, const char *name, bool expired)
{
    int fd = openat(state->uploads_fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat held;
    struct stat named;
    bool removed = false;
    bool unheld;

    if (fd == -1)
        return false;
    unheld = flock(fd, LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && expired);
    if (unheld && fstat(fd, &held) == 0 &&
        fstatat(state->uploads_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
        held.st_ino == named.st_ino)
        removed = unlinkat(state->uploads_fd, name, 0) == 0;
    close(fd);
    return removed;
}

static void sweep_one(const struct state *state, const char *name, int64_t expired_s,
                      unsigned *removed, uint64_t *freed_bytes)
{
    struct stat st;
    bool expired;

    if (fstatat(state->uploads_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode))
        return;
    expired = st.st_mtim.tv_sec < expired_s;
    if (!expired && !stage_name_is_for_one_request(name))
        return;
    if (remove_unheld(state, name, expired)) {
        *removed += 1;
        *freed_bytes += (uint64_t)st.st_size;
    }
}

enum fs_result state_sweep(const struct state *state, int64_t expired_s,
                           bool (*go_on)(void *context), void *context, unsigned *removed,
                           uint64_t *freed_bytes)
{
    int fd = openat(state->uploads_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct dirent *entry;
    enum fs_result result = FS_OK;
    DIR *directory;

    if (fd == -1)
        return fs_result_of_errno(errno);
    directory = fdopendir(fd);
    if (directory == NULL) {
        close(fd);
        return FS_NO_MEMORY;
    }
    while (go_on == NULL || go_on(context)) {
        errno = 0;
        if ((entry = readdir(directory)) == NULL) {
            result = fs_result_of_errno(errno);
            break;
        }
        sweep_one(state, entry->d_name, expired_s, removed, freed_bytes);
    }
    closedir(directory);
    return result;
}

enum fs_result state_staged_bytes(const struct state *state, uint64_t *bytes)
{
    int fd = openat(state->uploads_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd != -1 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    struct stat st;

    *bytes = 0;
    if (directory == NULL) {
        enum fs_result result = fs_result_of_errno(errno);
        if (fd != -1)
            close(fd);
        return result;
    }
    while ((entry = readdir(directory)) != NULL)
        if (fstatat(state->uploads_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
            *bytes += (uint64_t)st.st_size;
    closedir(directory);
    return FS_OK;
}

/* The file that holds the lock holds the count: eight bytes, the lowest first on every machine. */
static uint64_t read_sweeps(int fd)
{
    uint8_t bytes[8];
    uint64_t count = 0;

    if (pread(fd, bytes, sizeof bytes, 0) != sizeof bytes)
        return 0;
    for (unsigned i = 0; i < sizeof bytes; i++)
        count |= (uint64_t)bytes[i] << 8 * i;
    return count;
}

static void write_sweeps(int fd, uint64_t count)
{
    uint8_t bytes[8];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(count >> 8 * i);
    /* If it fails, on a full disk, another process may sweep once more. */
    (void)!pwrite(fd, bytes, sizeof bytes, 0);
}

uint64_t state_sweeps(const struct state *state)
{
    int fd = openat(state->fd, SWEEP_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    uint64_t count;

    if (fd == -1)
        return 0;
    count = read_sweeps(fd);
    close(fd);
    return count;
}

enum fs_result state_sweep_begin(const struct state *state, uint64_t *finished, int *lock_fd)
{
    enum fs_result result = FS_OK;
    uint64_t before = *finished;

    *lock_fd = openat(state->fd, SWEEP_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*lock_fd == -1)
        return fs_result_of_errno(errno);
    if (flock(*lock_fd, LOCK_EX | LOCK_NB) == -1)
        result = errno == EWOULDBLOCK ? FS_BUSY : fs_result_of_errno(errno);
    else if ((*finished = read_sweeps(*lock_fd)) != before)
        result = FS_BUSY;
    if (result == FS_OK)
        return FS_OK;
    close(*lock_fd);
    *lock_fd = -1;
    return result;
}

void state_sweep_end(int lock_fd, uint64_t *finished)
{
    write_sweeps(lock_fd, ++*finished);
    close(lock_fd);
}

enum fs_result fs_free_bytes(int fd, uint64_t *bytes, uint64_t *all)
{
    struct statvfs vfs;

    *bytes = *all = 0;
    if (fstatvfs(fd, &vfs) == -1)
        return fs_result_of_errno(errno);
    *bytes = (uint64_t)vfs.f_bavail * vfs.f_frsize;
    *all = (uint64_t)vfs.f_blocks * vfs.f_frsize;
    return FS_OK;
}
