#include "base/whole.h"

#include <errno.h>
#include <unistd.h>

bool whole_read(int fd, void *to, size_t len, off_t at)
{
    char *bytes = to;

    while (len > 0) {
        ssize_t n = pread(fd, bytes, len, at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EBADMSG;
        if (n <= 0)
            return false;
        bytes += n;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool whole_write(int fd, const void *from, size_t len, off_t at)
{
    const char *bytes = from;

    while (len > 0) {
        ssize_t n = pwrite(fd, bytes, len, at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return false;
        bytes += n;
        at += n;
        len -= (size_t)n;
    }
    return true;
}
