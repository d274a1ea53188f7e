#include "client/download.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void forget(struct download *download)
{
    if (download->fd != -1)
        close(download->fd);
    free(download->path);
    free(download->part);
    *download = DOWNLOAD_NONE;
}

/* Opens the file under its temporary name. One left over from a process of the same id is of no
 * use to anybody. */
static int open_part(const char *part)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    int fd = open(part, flags, 0666);
    if (fd == -1 && errno == EEXIST && unlink(part) == 0)
        fd = open(part, flags, 0666);
    return fd;
}

bool download_open(struct download *download, const char *path, struct failure *failure)
{
    struct stat old;
    *download = DOWNLOAD_NONE;
    /* The file that a link points to is replaced, not the link. */
    download->path = realpath(path, NULL);
    if (download->path == NULL)
        download->path = strdup(path);
    if (download->path == NULL)
        return failure_set(failure, FAILURE_LOCAL, "%s: %m", path);
    if (stat(download->path, &old) == 0 && !S_ISREG(old.st_mode)) {
        /* A device must not be replaced by a file. */
        download->fd = open(download->path, O_WRONLY | O_CLOEXEC);
    } else if (asprintf(&download->part, "%s.part.%ld", download->path, (long)getpid()) == -1) {
        download->part = NULL;
    } else {
        download->fd = open_part(download->part);
    }
    if (download->fd != -1)
        return true;
    failure_set(failure, FAILURE_LOCAL, "%s: %m", path);
    forget(download);
    return false;
}

bool download_write_all(int fd, const char *path, struct span bytes, struct failure *failure)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n >= 0) {
            bytes = span_from(bytes, (size_t)n);
        } else if (errno == EAGAIN) {
            /* Standard output may have been made non-blocking by whoever shares it. */
            struct pollfd out = {.fd = fd, .events = POLLOUT};
            poll(&out, 1, -1);
        } else if (errno != EINTR) {
            return failure_set(failure, FAILURE_LOCAL, "%s: %m", path);
        }
    }
    return true;
}

bool download_write(struct download *download, struct span bytes, struct failure *failure)
{
    return download_write_all(download->fd, download->path, bytes, failure);
}

bool download_complete(struct download *download, struct failure *failure)
{
    bool good = true;
    if (download->part != NULL) {
        /* Before the rename: a name that survives a power cut must have its bytes. */
        good = fsync(download->fd) == 0 && rename(download->part, download->path) == 0;
        if (!good) {
            failure_set(failure, FAILURE_LOCAL, "%s: %m", download->path);
            unlink(download->part);
        }
    }
    forget(download);
    return good;
}

void download_discard(struct download *download)
{
    if (download->part != NULL)
        unlink(download->part);
    forget(download);
}
