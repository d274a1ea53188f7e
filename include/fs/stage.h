#ifndef FS_STAGE_H
#define FS_STAGE_H

/*
 * A staged file: bytes on their way into the docroot, where nobody sees them, on the docroot's file
 * system, so that one rename publishes them whole (fs/publish.h).
 *
 * It has a name in the state directory from the beginning. A file without one (O_TMPFILE) would
 * leave nothing behind when the server is killed, but it can replace nothing: it would need a name
 * for the rename after all, and a /proc to get one; network file systems do not have it; and an
 * upload that is to be resumed after a restart must have a name anyway. What a killed server leaves
 * is found by state_sweep: a stage is locked (flock) as long as it is open, and the kernel unlocks
 * it with the process.
 *
 * A stage is owned by one thread at a time. `state` must live as long as it does.
 */

#include "base/span.h"
#include "fs/state.h"

enum { STAGE_NAME_MAX = 100 };

struct stage {
    const struct state *state;
    int fd;            /* open for reading and writing; its position is `len`; for splice */
    uint64_t len;      /* bytes staged */
    uint64_t expected; /* bytes in the end, 0: not known (stage_expect) */
    uint64_t reserved; /* how far there is room on the disk for certain */
    char name[STAGE_NAME_MAX + 1];
};

#define STAGE_NONE ((struct stage){.fd = -1})

/*
 * A stage for one request, under a random name. `expected_len` is what will come, 0 when not known:
 * FS_NO_SPACE at once if that is more than there is. It is not reserved: a client could reserve
 * the whole disk with one header field.
 */
enum fs_result stage_create(struct stage *stage, const struct state *state, uint64_t expected_len);

/*
 * The stage that is kept under `name` (letters, digits, "-" and "_", not what stage_create uses),
 * to be continued at stage->len; made when it is missing and `create`. FS_BUSY when another request
 * has it open, FS_NOT_FOUND when there is none or the name is not allowed.
 */
enum fs_result stage_open(struct stage *stage, const struct state *state, struct span name,
                          bool create);

/*
 * Says how long the stage will be when all has come. From then on room on the disk is taken a few
 * megabytes ahead of the bytes, and never more than has come: the file system then need not look
 * for it at each page, which is a sixth of the CPU of an upload, and the pieces of the file are
 * large. What is not filled is given back by stage_keep.
 */
void stage_expect(struct stage *stage, uint64_t len);

/* Appends. When it fails, stage->len tells how much was written. */
enum fs_result stage_write(struct stage *stage, const char *ptr, size_t len);

/* To be called when the caller itself moved `len` bytes into stage->fd, at its position. */
void stage_advance(struct stage *stage, uint64_t len);

/* Cuts the stage down to `len` bytes, which is not more than it has. */
enum fs_result stage_truncate(struct stage *stage, uint64_t len);

/* Appends all that `from` has. When it fails, stage->len tells how much was written. */
enum fs_result stage_append_stage(struct stage *stage, const struct stage *from);

/* Makes it as young as if it had just been written: for state_sweep. */
void stage_touch(const struct stage *stage);

/* Returns when all bytes are on the disk, and the name by which they are found again. */
enum fs_result stage_sync(const struct stage *stage);

/* Closes the stage: removed, or kept for stage_open. Does nothing when it is not open. */
void stage_discard(struct stage *stage);
void stage_keep(struct stage *stage);

/* Removes what is kept under `name`. FS_BUSY and FS_NOT_FOUND as for stage_open. */
enum fs_result stage_remove(const struct state *state, struct span name);

/* Whether a name in uploads/ was given by stage_create. */
bool stage_name_is_for_one_request(const char *name);

#endif
