#include "fs/stage.h"

#include "base/hex.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Stages of one request are called this and random digits. */
#define ONE_REQUEST_PREFIX "put-"
enum { RANDOM_LEN = 16 };

/* Less the umask; the directory they are in is closed to others until they are published. */
enum { STAGE_MODE = 0666 };

/* A sweep may come between making a stage and locking it, and remove it; so often it does not. */
enum { LOCK_TRIES = 100 };

bool stage_name_is_for_one_request(const char *name)
{
    return span_starts_with(span_of(name), SPAN(ONE_REQUEST_PREFIX));
}

/* Whether the name still stands for this file, which nobody can remove now that it is locked. */
static bool is_in_place(const struct stage *stage, struct stat *st)
{
    struct stat named;

    return fstat(stage->fd, st) == 0 &&
           fstatat(stage->state->uploads_fd, stage->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           st->st_ino == named.st_ino;
}

/*
 * Locks the stage, with LOCK_NB in `how` or without. FS_BUSY when another has it, FS_CHANGED when
 * it was removed meanwhile. A file system without locks is taken as it is: then only age protects a
 * stage from the sweep.
 */
static enum fs_result lock_stage(struct stage *stage, int how)
{
    struct stat st;

    while (flock(stage->fd, LOCK_EX | how) == -1) {
        if (errno == EWOULDBLOCK)
            return FS_BUSY;
        if (errno != EINTR)
            break;
    }
    if (!is_in_place(stage, &st))
        return FS_CHANGED;
    if (!S_ISREG(st.st_mode))
        return FS_NOT_SERVED;
    stage->len = (uint64_t)st.st_size;
    return lseek(stage->fd, 0, SEEK_END) == -1 ? fs_result_of_errno(errno) : FS_OK;
}

static enum fs_result open_and_lock(struct stage *stage, int flags, int how)
{
    enum fs_result result = FS_CHANGED;

    for (int i = 0; i < LOCK_TRIES && result == FS_CHANGED; i++) {
        stage->fd = openat(stage->state->uploads_fd, stage->name,
                           flags | O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, STAGE_MODE);
        if (stage->fd == -1)
            return fs_result_of_errno(errno);
        result = lock_stage(stage, how);
        if (result != FS_OK) {
            close(stage->fd);
            stage->fd = -1;
        }
    }
    return result == FS_CHANGED ? FS_BUSY : result;
}

enum fs_result stage_create(struct stage *stage, const struct state *state, uint64_t expected_len)
{
    char digits[2 * RANDOM_LEN];
    unsigned char random[RANDOM_LEN];
    enum fs_result result;
    uint64_t free_bytes, all;

    *stage = STAGE_NONE;
    stage->state = state;
    if (expected_len > 0 && fs_free_bytes(state->uploads_fd, &free_bytes, &all) == FS_OK &&
        free_bytes < expected_len)
        return FS_NO_SPACE;
    if (!random_fill(random, sizeof(random)))
        return FS_IO;
    hex_encode(digits, random, sizeof(random));
    memcpy(stage->name, ONE_REQUEST_PREFIX, sizeof(ONE_REQUEST_PREFIX) - 1);
    memcpy(stage->name + sizeof(ONE_REQUEST_PREFIX) - 1, digits, sizeof(digits));

    /* Only a sweep can have it locked, and that is over at once. */
    result = open_and_lock(stage, O_CREAT, 0);
    /* Nothing of the client's is missing then: somebody removed the directory. */
    return result == FS_NOT_FOUND ? FS_IO : result;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static bool set_name(struct stage *stage, struct span name)
{
    if (name.len == 0 || name.len > STAGE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (!is_name_char(name.ptr[i]))
            return false;
    }
    memcpy(stage->name, name.ptr, name.len);
    stage->name[name.len] = '\0';
    return !stage_name_is_for_one_request(stage->name);
}

enum fs_result stage_open(struct stage *stage, const struct state *state, struct span name,
                          bool create)
{
    *stage = STAGE_NONE;
    stage->state = state;
    if (!set_name(stage, name))
        return FS_NOT_FOUND;
    return open_and_lock(stage, create ? O_CREAT : 0, LOCK_NB);
}

/* How much room is taken in one go, at most, and for how much it is worth a call of its own. */
enum { RESERVE_MOST = 16 << 20, RESERVE_LEAST = 1 << 20 };

/*
 * No more than has come: who only says that much will come takes none from others. The length of
 * the file stays what was written, so that a stage that breaks off is continued at
 * the right place. Where it cannot be done, also because the disk is full, writing shows what can.
 */
static void reserve_ahead(struct stage *stage)
{
    if (stage->len < stage->reserved || stage->expected <= stage->len)
        return;
    uint64_t left = stage->expected - stage->len;
    uint64_t piece = stage->len < RESERVE_MOST ? stage->len : RESERVE_MOST;
    if (left < piece)
        piece = left;
    if (piece < RESERVE_LEAST)
        return;
    if (fallocate(stage->fd, FALLOC_FL_KEEP_SIZE, (off_t)stage->len, (off_t)piece) == 0)
        stage->reserved = stage->len + piece;
    else
        stage->expected = 0;
}

void stage_expect(struct stage *stage, uint64_t len)
{
    stage->expected = len;
    reserve_ahead(stage);
}

enum fs_result stage_write(struct stage *stage, const char *ptr, size_t len)
{
    while (len > 0) {
        ssize_t written = write(stage->fd, ptr, len);

        if (written == -1) {
            if (errno == EINTR)
                continue;
            return fs_result_of_errno(errno);
        }
        stage_advance(stage, (uint64_t)written);
        ptr += written;
        len -= (size_t)written;
    }
    return FS_OK;
}

/* Reads and writes where the file system cannot copy by itself. */
static enum fs_result append_by_hand(struct stage *stage, const struct stage *from, off_t at)
{
    enum { PIECE = 1 << 16 };
    char piece[PIECE];
    enum fs_result result = FS_OK;

    while (result == FS_OK && (uint64_t)at < from->len) {
        ssize_t n = pread(from->fd, piece, sizeof piece, at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? FS_CHANGED : fs_result_of_errno(errno);
        result = stage_write(stage, piece, (size_t)n);
        at += n;
    }
    return result;
}

enum fs_result stage_append_stage(struct stage *stage, const struct stage *from)
{
    off_t at = 0;

    while ((uint64_t)at < from->len) {
        ssize_t n = copy_file_range(from->fd, &at, stage->fd, NULL, from->len - (uint64_t)at, 0);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EIO))
            return fs_result_of_errno(errno);
        if (n <= 0)
            return append_by_hand(stage, from, at);
        stage->len += (uint64_t)n;
    }
    return FS_OK;
}

void stage_touch(const struct stage *stage)
{
    futimens(stage->fd, NULL);
}

void stage_advance(struct stage *stage, uint64_t len)
{
    stage->len += len;
    reserve_ahead(stage);
}

enum fs_result stage_truncate(struct stage *stage, uint64_t len)
{
    if (ftruncate(stage->fd, (off_t)len) == -1 || lseek(stage->fd, (off_t)len, SEEK_SET) == -1)
        return fs_result_of_errno(errno);
    stage->len = len;
    stage->reserved = len;
    return FS_OK;
}

enum fs_result stage_sync(const struct stage *stage)
{
    if (fdatasync(stage->fd) == -1 || fsync(stage->state->uploads_fd) == -1)
        return fs_result_of_errno(errno);
    return FS_OK;
}

void stage_keep(struct stage *stage)
{
    if (stage->fd != -1) {
        if (stage->reserved > stage->len)
            stage_truncate(stage, stage->len); /* else it goes with the file, later */
        close(stage->fd);
    }
    *stage = STAGE_NONE;
}

/* Removed first and closed then: without its lock a sweep could take the name, and another use it.
 */
void stage_discard(struct stage *stage)
{
    if (stage->fd != -1)
        unlinkat(stage->state->uploads_fd, stage->name, 0);
    stage_keep(stage);
}

enum fs_result stage_remove(const struct state *state, struct span name)
{
    struct stage stage;
    enum fs_result result = stage_open(&stage, state, name, false);

    if (result == FS_OK)
        stage_discard(&stage);
    return result;
}
