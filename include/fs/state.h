#ifndef FS_STATE_H
#define FS_STATE_H

/*
 * The server's own directory: <docroot>/.httpd, or one elsewhere on the docroot's file system.
 *
 *     key, ...      small files of other rooms, by state->fd
 *     transfers/    records of other rooms, by state->transfers_fd
 *     uploads/      bodies on their way into the docroot (fs/stage.h)
 *     sweep         never read or written: locked by who sweeps
 *     lock          never read or written: ranges of it are locked
 *
 * What it holds is all that the server knows, changed by rename and guarded by advisory locks. So
 * several processes may share one, on one machine or on a shared file system, and a process that is
 * killed leaves nothing locked. A state value does not change once open; any thread may use it.
 */

#include "fs/docroot.h"
#include "fs/result.h"

struct state {
    int fd; /* open for reading, so that it can be synced */
    int uploads_fd;
    int transfers_fd;
};

#define STATE_CLOSED ((struct state){-1, -1, -1})

/*
 * Opens the state directory at `path`, or the docroot's own when `path` is NULL, and makes what is
 * missing (mode 0700; rights of others on an existing directory are taken away). FS_CROSS_DEVICE
 * when it is on another file system than the docroot, where nothing can be renamed from;
 * FS_NOT_DIRECTORY when a link or a file is in its place; FS_DENIED and FS_READ_ONLY when the
 * server may only read. On anything but FS_OK it is closed.
 */
enum fs_result state_open(struct state *state, const struct docroot *root, const char *path);
void state_close(struct state *state);

/*
 * Goes over to the docroot's own state directory after the docroot was replaced. The descriptors
 * keep their numbers, so that other threads may use the state all the while; what is staged in the
 * old directory can still be published if the new one is on the same file system. FS_OK, or why it
 * stays where it was. One thread at a time.
 */
enum fs_result state_follow(struct state *state, const struct docroot *root);

#define STATE_KEY_MAX ((UINT64_C(1) << 62) - 1)

/*
 * Waits until no other holder, here or in another process, has `key`, STATE_KEY_MAX at most,
 * locked. Release it by closing *lock_fd. Hold it for a few system calls only. Whoever takes two
 * takes the smaller one first, and never the same one twice.
 */
enum fs_result state_lock(const struct state *state, uint64_t key, int *lock_fd);

/*
 * Removes staged files that nobody holds open: those that belonged to one request at once, those
 * kept for resuming when they were last written before `expired_s` (seconds since 1970). Adds to
 * *removed and *freed_bytes. `go_on`, unless NULL, is called before each: it may rest a while, and
 * ends the sweep with false.
 */
enum fs_result state_sweep(const struct state *state, int64_t expired_s,
                           bool (*go_on)(void *context), void *context, unsigned *removed,
                           uint64_t *freed_bytes);

/* Bytes of all staged files together. Takes as long as there are many. */
enum fs_result state_staged_bytes(const struct state *state, uint64_t *bytes);

/*
 * Of all processes that use this directory one sweeps, once in each interval, whichever comes
 * first. That is counted, not timed: clocks of two hosts need not agree. A process that was killed
 * while it swept has finished none, so the next one does it.
 */

/* How many sweeps were ever finished here; 0 too when that cannot be read. */
uint64_t state_sweeps(const struct state *state);

/*
 * The right to sweep. FS_BUSY when another has it, or has finished a sweep since *finished was
 * found; which is in any case brought up to date. FS_OK: *lock_fd goes to state_sweep_end.
 */
enum fs_result state_sweep_begin(const struct state *state, uint64_t *finished, int *lock_fd);

/* Gives it back and counts a sweep in *finished; without counting one, close lock_fd. */
void state_sweep_end(int lock_fd, uint64_t *finished);

/* Bytes that may still be written to the file system of `fd`, by who is not root, of how many that
   it has in all. */
enum fs_result fs_free_bytes(int fd, uint64_t *bytes, uint64_t *all);

#endif
