#ifndef CLIENT_DOWNLOAD_H
#define CLIENT_DOWNLOAD_H

/*
 * A file that is being downloaded: it has a name of its own, FILE.part.PID, until it is complete,
 * and only then takes the name that was asked for. So what stands under that name is whole, or is
 * what stood there before. One thread at a time.
 */

#include "base/span.h"
#include "client/failure.h"

struct download {
    int fd;     /* -1: not open */
    char *path; /* the name that was asked for, symbolic links followed */
    char *part; /* the name until then; NULL when path is no regular file: a pipe, a device */
};

#define DOWNLOAD_NONE ((struct download){.fd = -1})

bool download_open(struct download *download, const char *path, struct failure *failure);
bool download_write(struct download *download, struct span bytes, struct failure *failure);

/* Exactly one of these ends an open download; on false nothing is left but what stood there. */
bool download_complete(struct download *download, struct failure *failure);
void download_discard(struct download *download);

/* All bytes to a descriptor, whatever it is; a path to name in the failure. */
bool download_write_all(int fd, const char *path, struct span bytes, struct failure *failure);

#endif
