#ifndef SERVER_SELECTION_H
#define SERVER_SELECTION_H

/* What a target means: which file of the docroot represents it. Worker threads. */

#include "http/target.h"
#include "server/cache.h"
#include "server/worker.h"

struct selection {
    struct representation representation; /* file.fd is owned: selection_close */
    const char *path;                     /* of the file, which may not be the one asked for */

    /* What it was found from: as long as all of it stands, the target means the same. */
    struct witness witnesses[CACHE_WITNESSES]; /* the file that is sent comes last */
    unsigned witness_count;
    bool settled; /* and any change to it would show */
};

/*
 * Finds what the target means: the file, "index.html" of a directory, or what a name without an
 * extension stands for, and of a file the compressed sibling that `accept_encoding` likes best.
 * FS_OK with representation.file.directory for a directory without an index. The paths in
 * *selection point into the worker's memory and the target's.
 */
enum fs_result selection_find(struct worker *worker, const struct target *target,
                              struct span accept_encoding, struct selection *selection);

/* The same for a file that is open already, at `path`: no more than its type. The descriptor
   becomes the selection's. */
void selection_of_open(const struct worker *worker, const char *path, const struct file *file,
                       struct selection *selection);

void selection_close(struct selection *selection);

#endif
