#include "fs/publish.h"

#include "base/siphash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * A directory that was there, or was made, may be removed before the file is put into it, since it
 * is empty. Then all is done once more, and from the second time on under a lock that keeps
 * directories from being removed: the key that no path has.
 */
enum { PUBLISH_TRIES = 8, DIRECTORIES_KEY = 0 };

/* A name in a directory, where something is to be changed. */
struct place {
    const char *path;
    const char *name; /* inside path */
    int fd;           /* of the directory; O_PATH */
    uint64_t key;     /* for state_lock */
};

/* What stands at a place. */
struct occupant {
    bool present;
    bool link;        /* then `file` is what it leads to */
    struct file file; /* when present */
};

static enum fs_result check_path(const char *path)
{
    if (path[0] == '\0')
        return FS_IS_DIRECTORY;
    for (const char *name = path; name != NULL; name = strchr(name, '/')) {
        name += *name == '/' ? 1 : 0;
        if (*name == '.')
            return FS_NOT_FOUND;
    }
    return FS_OK;
}

/*
 * The lock of a place is found from the directory's inode and the name, so that two ways through
 * links to one file meet at one lock. The key is no secret; it has to be the same in all processes.
 */
static enum fs_result place_set_key(struct place *place)
{
    static const uint8_t no_key[SIPHASH_KEY_LEN] = {0};
    struct stat st;

    if (fstat(place->fd, &st) == -1)
        return fs_result_of_errno(errno);
    place->key = siphash24(no_key, place->name, strlen(place->name)) ^ (uint64_t)st.st_ino;
    place->key &= STATE_KEY_MAX;
    if (place->key == DIRECTORIES_KEY)
        place->key++;
    return FS_OK;
}

static void place_close(struct place *place)
{
    if (place->fd != -1)
        close(place->fd);
    place->fd = -1;
}

/* `made` is NULL when no directories are to be made. */
static enum fs_result place_open(const struct docroot *root, const char *path, unsigned *made,
                                 struct place *place)
{
    enum fs_result result = check_path(path);

    *place = (struct place){.path = path, .fd = -1};
    if (result == FS_OK && made != NULL)
        result = docroot_make_parent(root, path, &place->fd, &place->name, made);
    else if (result == FS_OK)
        result = docroot_parent(root, path, &place->fd, &place->name);
    return result == FS_OK ? place_set_key(place) : result;
}

static enum fs_result place_look(const struct docroot *root, const struct place *place,
                                 struct occupant *occupant)
{
    struct stat st;

    *occupant = (struct occupant){.file = FILE_NONE};
    if (fstatat(place->fd, place->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return errno == ENOENT ? FS_OK : fs_result_of_errno(errno);
    occupant->present = true;
    occupant->link = S_ISLNK(st.st_mode);
    if (occupant->link)
        return docroot_stat(root, place->path, &occupant->file);
    return file_describe(&occupant->file, &st);
}

static bool is_same(const struct file *a, const struct file *b)
{
    return a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns &&
           a->directory == b->directory;
}

static enum fs_result check_terms(const struct write_terms *terms, const struct occupant *occupant)
{
    bool holds = true;

    switch (terms->condition) {
    case WRITE_ALWAYS: break;
    case WRITE_IF_ABSENT: return occupant->present ? FS_EXISTS : FS_OK;
    case WRITE_IF_PRESENT: holds = occupant->present; break;
    case WRITE_IF_SAME:
        holds = occupant->present && is_same(&occupant->file, &terms->expected);
        break;
    }
    return holds ? FS_OK : FS_CHANGED;
}

static enum fs_result look_and_check(const struct docroot *root, const struct place *place,
                                     const struct write_terms *terms, struct occupant *occupant)
{
    enum fs_result result = place_look(root, place, occupant);

    return result == FS_OK ? check_terms(terms, occupant) : result;
}

/* By its number: musl has no word for it. */
static int rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
    const unsigned noreplace = 1; /* RENAME_NOREPLACE of <linux/fs.h> */

    return (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, noreplace);
}

/* renameat2 says EINVAL where the file system does not know the flag. */
static bool lacks_noreplace(int error)
{
    return error == EINVAL || error == ENOSYS;
}

/*
 * Renames from one place to another. Where the file system cannot refuse to replace (FUSE, NFS), a
 * file gets its new name by a link, which never replaces: a look would not do, since what another
 * machine made a moment ago it may not show yet. What cannot be linked, a directory, is left to the
 * lock on `to`, which the caller holds, and to that look. 0, or an errno.
 */
static int rename_at(int from_fd, const char *from, const struct place *to, bool replace)
{
    struct stat st;

    if (replace)
        return renameat(from_fd, from, to->fd, to->name) == -1 ? errno : 0;
    if (rename_new(from_fd, from, to->fd, to->name) == 0)
        return 0;
    if (!lacks_noreplace(errno))
        return errno;
    if (linkat(from_fd, from, to->fd, to->name, 0) == 0)
        return unlinkat(from_fd, from, 0) == -1 ? errno : 0;
    if (errno != EPERM && errno != EOPNOTSUPP)
        return errno;
    if (fstatat(to->fd, to->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return EEXIST;
    return renameat(from_fd, from, to->fd, to->name) == -1 ? errno : 0;
}

/*
 * fsync of the directory `fd` and of as many above it. Not every directory that may be written may
 * be read too and so be opened; then the whole file system is synced.
 */
static enum fs_result sync_directories(const struct state *state, int fd, unsigned above)
{
    int at = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    while (at != -1) {
        bool failed = fsync(at) == -1;
        int error = errno;
        int up = -1;

        if (!failed && above > 0)
            up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        if (failed)
            return fs_result_of_errno(error);
        if (above == 0)
            return FS_OK;
        above--;
        at = up;
    }
    return syncfs(state->fd) == -1 ? fs_result_of_errno(errno) : FS_OK;
}

/* Gives the staged file what it should have when it appears: rights, time, and a place on the disk.
 */
static enum fs_result prepare_stage(const struct stage *stage, const struct occupant *replaced,
                                    bool sync)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    const mode_t rights = 0777; /* set-user-id and the like are not for uploaded bytes */

    if (replaced->present && fchmod(stage->fd, replaced->file.mode & rights) == -1)
        return fs_result_of_errno(errno);
    if (clock_gettime(CLOCK_REALTIME, &times[1]) == -1 || futimens(stage->fd, times) == -1)
        return fs_result_of_errno(errno);
    if (sync && fsync(stage->fd) == -1)
        return fs_result_of_errno(errno);
    return FS_OK;
}

/* Looks for the last time and renames, under the lock. */
static enum fs_result put_in_place(const struct stage *stage, const struct docroot *root,
                                   const struct place *place, const struct write_terms *terms,
                                   bool *created)
{
    struct occupant occupant;
    enum fs_result result;
    int lock_fd;

    result = state_lock(stage->state, place->key, &lock_fd);
    if (result != FS_OK)
        return result;
    result = look_and_check(root, place, terms, &occupant);
    if (result == FS_OK && occupant.file.directory) {
        result = FS_IS_DIRECTORY;
    } else if (result == FS_OK) {
        int error = rename_at(stage->state->uploads_fd, stage->name, place,
                              terms->condition != WRITE_IF_ABSENT);

        result = error == ENOENT ? FS_NO_PARENT : fs_result_of_errno(error);
    }
    *created = !occupant.present;
    close(lock_fd);
    return result;
}

static enum fs_result publish_once(struct stage *stage, const struct docroot *root,
                                   const char *path, const struct write_terms *terms,
                                   struct published *published)
{
    /* What must be there already needs no directory made for it. */
    bool make = terms->condition == WRITE_ALWAYS || terms->condition == WRITE_IF_ABSENT;
    struct occupant occupant;
    struct place place;
    enum fs_result result;
    unsigned made = 0;
    struct stat st;

    result = place_open(root, path, make ? &made : NULL, &place);
    if (result == FS_NO_PARENT && !make)
        result = FS_CHANGED;
    if (result == FS_OK)
        result = look_and_check(root, &place, terms, &occupant);
    if (result == FS_OK)
        result = occupant.file.directory ? FS_IS_DIRECTORY
                                         : prepare_stage(stage, &occupant, terms->sync);
    if (result == FS_OK)
        result = put_in_place(stage, root, &place, terms, &published->created);
    if (result != FS_OK) {
        docroot_unmake_parent(root, path, made);
        place_close(&place);
        return result;
    }

    if (fstat(stage->fd, &st) == -1)
        result = fs_result_of_errno(errno);
    else
        result = file_describe(&published->file, &st);
    if (terms->sync && sync_directories(stage->state, place.fd, made) != FS_OK)
        result = FS_IO;
    stage_keep(stage); /* its name is gone; this closes it */
    place_close(&place);
    return result;
}

enum fs_result publish_stage(struct stage *stage, const struct docroot *root, const char *path,
                             const struct write_terms *terms, struct published *published)
{
    enum fs_result result;
    int lock_fd;

    *published = (struct published){.file = FILE_NONE};
    result = publish_once(stage, root, path, terms, published);
    if (result != FS_NO_PARENT)
        return result;
    result = state_lock(stage->state, DIRECTORIES_KEY, &lock_fd);
    if (result != FS_OK)
        return result;
    /* Who makes directories and fails takes them away again, without the lock: hence more tries. */
    result = FS_NO_PARENT;
    for (int i = 0; i < PUBLISH_TRIES && result == FS_NO_PARENT; i++)
        result = publish_once(stage, root, path, terms, published);
    close(lock_fd);
    /* Directories are made where they are missing, so it must be the stage itself that is gone. */
    return result == FS_NO_PARENT ? FS_IO : result;
}

static enum fs_result remove_at(const struct place *place, const struct occupant *occupant)
{
    bool directory = occupant->file.directory && !occupant->link;

    if (unlinkat(place->fd, place->name, directory ? AT_REMOVEDIR : 0) == 0)
        return FS_OK;
    /* POSIX lets rmdir say either. */
    return directory && errno == EEXIST ? FS_NOT_EMPTY : fs_result_of_errno(errno);
}

/*
 * Removes what is there, under the lock of its name; a directory only when the caller holds the
 * lock on directories too, else it is FS_IS_DIRECTORY.
 */
static enum fs_result remove_locked(const struct state *state, const struct docroot *root,
                                    const struct place *place, const struct write_terms *terms,
                                    bool directories_locked)
{
    struct occupant occupant;
    int lock_fd;
    enum fs_result result = state_lock(state, place->key, &lock_fd);

    if (result != FS_OK)
        return result;
    result = look_and_check(root, place, terms, &occupant);
    if (result == FS_OK && !occupant.present)
        result = FS_NOT_FOUND;
    if (result == FS_OK && occupant.file.directory && !occupant.link && !directories_locked)
        result = FS_IS_DIRECTORY;
    if (result == FS_OK)
        result = remove_at(place, &occupant);
    close(lock_fd);
    return result;
}

enum fs_result publish_removal(const struct state *state, const struct docroot *root,
                               const char *path, const struct write_terms *terms)
{
    struct place place;
    enum fs_result result;
    int directories_fd = -1;

    result = place_open(root, path, NULL, &place);
    if (result == FS_OK)
        result = remove_locked(state, root, &place, terms, false);
    if (result == FS_IS_DIRECTORY && place.fd != -1) {
        result = state_lock(state, DIRECTORIES_KEY, &directories_fd);
        if (result == FS_OK) {
            result = remove_locked(state, root, &place, terms, true);
            close(directories_fd);
        }
    }
    if (result == FS_OK && terms->sync)
        result = sync_directories(state, place.fd, 0);
    place_close(&place);
    return result == FS_NO_PARENT || result == FS_NOT_DIRECTORY ? FS_NOT_FOUND : result;
}

enum fs_result publish_directory(const struct state *state, const struct docroot *root,
                                 const char *path, bool sync)
{
    struct place place;
    enum fs_result result = place_open(root, path, NULL, &place);

    if (result == FS_OK && mkdirat(place.fd, place.name, 0777) == -1)
        result = errno == ENOENT ? FS_NO_PARENT : fs_result_of_errno(errno);
    if (result == FS_OK && sync)
        result = sync_directories(state, place.fd, 0);
    place_close(&place);
    return result;
}

/* Locks two places; the smaller key first, so that two moves cannot wait for each other. */
static enum fs_result lock_two(const struct state *state, const struct place *a,
                               const struct place *b, int lock_fds[static 2])
{
    uint64_t first = a->key < b->key ? a->key : b->key;
    uint64_t second = a->key < b->key ? b->key : a->key;
    enum fs_result result;

    lock_fds[1] = -1;
    result = state_lock(state, first, &lock_fds[0]);
    if (result != FS_OK || first == second)
        return result;
    result = state_lock(state, second, &lock_fds[1]);
    if (result != FS_OK)
        close(lock_fds[0]);
    return result;
}

static enum fs_result result_of_rename(int error)
{
    switch (error) {
    case ENOENT: return FS_NO_PARENT;      /* the source was seen under the lock */
    case ENOTDIR: return FS_NOT_DIRECTORY; /* a directory onto a file */
    case EINVAL: return FS_DENIED;         /* a directory into itself */
    default: return fs_result_of_errno(error);
    }
}

/* The move itself, under both locks. */
static enum fs_result move_at(const struct docroot *root, const struct place *from,
                              const struct place *to, bool replace, const struct write_terms *terms,
                              bool *created)
{
    struct occupant source;
    struct occupant target;
    enum fs_result result = look_and_check(root, from, terms, &source);

    if (result != FS_OK)
        return result;
    if (!source.present)
        return FS_NOT_FOUND;
    result = place_look(root, to, &target);
    if (result != FS_OK)
        return result;
    *created = !target.present;
    /* rename does nothing, and says that it did, for two names of one file. */
    if (from->key == to->key ||
        (target.present && !target.link && !source.link && is_same(&source.file, &target.file)))
        return FS_DENIED;
    if (target.present && !replace)
        return FS_EXISTS;
    return result_of_rename(rename_at(from->fd, from->name, to, replace));
}

enum fs_result publish_move(const struct state *state, const struct docroot *root, const char *from,
                            const char *to, bool replace, const struct write_terms *terms,
                            bool *created)
{
    struct place source;
    struct place target = {.fd = -1};
    enum fs_result result;
    int lock_fds[2];

    *created = false;
    result = place_open(root, from, NULL, &source);
    if (result == FS_NO_PARENT || result == FS_NOT_DIRECTORY)
        result = FS_NOT_FOUND;
    if (result == FS_OK)
        result = place_open(root, to, NULL, &target);
    if (result == FS_OK)
        result = lock_two(state, &source, &target, lock_fds);
    if (result == FS_OK) {
        result = move_at(root, &source, &target, replace, terms, created);
        if (lock_fds[1] != -1)
            close(lock_fds[1]);
        close(lock_fds[0]);
    }
    if (result == FS_OK && terms->sync)
        result = sync_directories(state, target.fd, 0);
    if (result == FS_OK && terms->sync)
        result = sync_directories(state, source.fd, 0);
    place_close(&target);
    place_close(&source);
    return result;
}
