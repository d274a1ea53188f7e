#ifndef FS_PUBLISH_H
#define FS_PUBLISH_H

/*
 * Everything that changes what is in the docroot. A change is whole or has not happened; with
 * `sync` it is on the disk when the function returns. Readers see the old file or the new one.
 *
 * No path with a name that begins with a dot is touched, and none through a link that leaves the
 * docroot, nor such a link itself: FS_NOT_FOUND. A link within the docroot stands for what it leads
 * to as far as conditions go, but it is the link that is replaced, moved or removed. The docroot
 * itself is neither replaced nor removed: FS_IS_DIRECTORY. What is neither file nor directory is
 * left alone: FS_NOT_SERVED.
 *
 * Conditions hold until the change is made, against every process that uses the same state
 * directory: all of them lock the name while they look and change. Of two requests that expect the
 * same version of a file only one succeeds. (Programs that are not httpd do not take the lock.)
 */

#include "fs/docroot.h"
#include "fs/stage.h"
#include "fs/state.h"

enum write_condition {
    WRITE_ALWAYS,
    WRITE_IF_ABSENT,  /* else FS_EXISTS */
    WRITE_IF_PRESENT, /* else FS_CHANGED */
    WRITE_IF_SAME,    /* `expected` still stands there, by inode, size and mtime; else FS_CHANGED */
};

struct write_terms {
    enum write_condition condition;
    struct file expected; /* for WRITE_IF_SAME: what docroot_lookup or docroot_stat said */
    bool sync;            /* return when it is on the disk */
};

struct published {
    bool created;     /* else replaced */
    struct file file; /* the new file, for its ETag; fd is -1 */
};

/*
 * Puts the staged file at `path` and closes the stage. Missing directories are made; those it made
 * are removed again when it fails. The rights of a file that is replaced are kept. The mtime is set
 * to the nanosecond of publishing, not to the kernel's tick, so that two versions published within
 * one tick differ even if the second gets the inode of the first: what is published here is never
 * racy (docroot.h).
 *
 * On failure nothing has changed and the stage is still open, for the caller to discard or keep;
 * but if only the last sync failed (FS_IO), the file is published and the stage closed.
 */
enum fs_result publish_stage(struct stage *stage, const struct docroot *root, const char *path,
                             const struct write_terms *terms, struct published *published);

/* Removes a file, a link or an empty directory. FS_NOT_EMPTY for others. */
enum fs_result publish_removal(const struct state *state, const struct docroot *root,
                               const char *path, const struct write_terms *terms);

/* Makes a directory. FS_EXISTS when anything stands there, FS_NO_PARENT when its parent is not. */
enum fs_result publish_directory(const struct state *state, const struct docroot *root,
                                 const char *path, bool sync);

/*
 * Renames a file or directory. `terms` are about `from`; what stands at `to` is replaced only if
 * `replace` (else FS_EXISTS), and a directory only while it is empty. FS_NO_PARENT when the
 * directory for `to` is missing; FS_DENIED when a directory would move into itself, or nothing
 * would move at all. *created tells whether nothing stood at `to`.
 */
enum fs_result publish_move(const struct state *state, const struct docroot *root, const char *from,
                            const char *to, bool replace, const struct write_terms *terms,
                            bool *created);

#endif
