#include "net/stream.h"

#include <errno.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

static enum stream_result result_of_errno(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_STALLED : STREAM_BROKEN;
}

enum stream_result stream_receive(int fd, char *data, size_t cap, size_t *len)
{
    ssize_t n;

    *len = 0;
    do
        n = recv(fd, data, cap, 0);
    while (n == -1 && errno == EINTR);
    if (n == -1)
        return result_of_errno();
    if (n == 0)
        return STREAM_ENDED;
    *len = (size_t)n;
    return STREAM_OK;
}

enum stream_result stream_send(int fd, const char *data, size_t len, bool more, size_t *sent)
{
    ssize_t n;

    *sent = 0;
    do
        n = send(fd, data, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    while (n == -1 && errno == EINTR);
    if (n == -1)
        return result_of_errno();
    *sent = (size_t)n;
    return STREAM_OK;
}

enum stream_result stream_send_file(int fd, int file_fd, off_t *offset, size_t len, size_t *sent)
{
    ssize_t n;

    *sent = 0;
    do
        n = sendfile(fd, file_fd, offset, len);
    while (n == -1 && errno == EINTR);
    if (n == 0)
        return STREAM_TRUNCATED;
    if (n == -1) {
        /* sendfile speaks for two descriptors: EIO and the like are the file's. */
        if (errno == EIO || errno == EINVAL || errno == EOVERFLOW || errno == ENOMEM)
            return STREAM_FILE_FAILED;
        return result_of_errno();
    }
    *sent = (size_t)n;
    return STREAM_OK;
}

bool stream_wait(int fd, enum stream_wait what, int ms)
{
    struct pollfd p = {.fd = fd, .events = what == STREAM_WAIT_READ ? POLLIN : POLLOUT};
    return poll(&p, 1, ms) > 0;
}

void stream_finish(int fd)
{
    shutdown(fd, SHUT_WR);
}
