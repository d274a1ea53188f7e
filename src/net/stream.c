#include "net/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

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

static bool open_pipe(struct stream_pipe *pipe)
{
    enum { PIPE_SIZE = 1 << 20 }; /* what an ordinary user may have: fewer, larger moves */
    int ends[2];

    if (pipe->read_fd != -1)
        return true;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
        return false;
    int size = fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE);
    if (size == -1)
        size = fcntl(ends[1], F_GETPIPE_SZ);
    *pipe = (struct stream_pipe){ends[0], ends[1], size > 0 ? (size_t)size : 65536};
    return true;
}

/* Empties the pipe into the file. */
static enum stream_result drain_pipe(struct stream_pipe *pipe, int file_fd, size_t len,
                                     size_t *moved)
{
    while (*moved < len) {
        ssize_t n = splice(pipe->read_fd, NULL, file_fd, NULL, len - *moved, SPLICE_F_MOVE);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0) {
            int error = n == 0 ? EIO : errno;
            stream_pipe_close(pipe); /* what is left in it must not end up in another file */
            errno = error;
            return STREAM_FILE_FAILED;
        }
        *moved += (size_t)n;
    }
    return STREAM_OK;
}

enum stream_result stream_receive_to_file(int fd, struct stream_pipe *pipe, int file_fd, size_t len,
                                          size_t *moved)
{
    ssize_t n;

    *moved = 0;
    if (!open_pipe(pipe))
        return STREAM_FILE_FAILED;
    do
        n = splice(fd, NULL, pipe->write_fd, NULL, len < pipe->size ? len : pipe->size,
                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n == -1 && errno == EINTR);
    /* Of these the peer is not the cause, and nothing was taken from the socket. */
    if (n == -1 && (errno == EINVAL || errno == ENOMEM))
        return STREAM_FILE_FAILED;
    if (n == -1)
        return result_of_errno();
    if (n == 0)
        return STREAM_ENDED;
    return drain_pipe(pipe, file_fd, (size_t)n, moved);
}

void stream_pipe_close(struct stream_pipe *pipe)
{
    if (pipe->read_fd != -1) {
        close(pipe->read_fd);
        close(pipe->write_fd);
    }
    *pipe = STREAM_PIPE_CLOSED;
}

bool stream_set_low_water(int fd, uint32_t bytes)
{
    int value = (int)bytes;

    return setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value) == 0;
}

bool stream_wait(int fd, enum stream_wait what, int ms)
{
    struct pollfd p = {.fd = fd, .events = what == STREAM_WAIT_READ ? POLLIN : POLLOUT};
    return poll(&p, 1, ms) > 0;
}

uint64_t stream_unacknowledged(int fd)
{
    int bytes = 0;

    /* The same number as SIOCOUTQ, which only the kernel's own headers name. */
    return ioctl(fd, TIOCOUTQ, &bytes) == -1 || bytes < 0 ? 0 : (uint64_t)bytes;
}

void stream_peer(int fd, struct stream_peer *peer)
{
    /* tcpi_snd_wnd of the kernel's struct tcp_info, which the C libraries' own do not have yet. The
       place of a field in it never changes. */
    enum { SND_WND = 228 / sizeof(uint32_t), LARGEST_SCALE = 14 };
    uint32_t words[64] = {0};
    struct tcp_info info = {0};
    socklen_t len = sizeof words;

    *peer = (struct stream_peer){
        .window = (uint64_t)UINT16_MAX << LARGEST_SCALE,
        .window_limit = (uint64_t)UINT16_MAX << LARGEST_SCALE,
    };
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, words, &len) == -1) {
        /* A UNIX socket has no window: what its peer has not read counts as unacknowledged. */
        if (errno == EOPNOTSUPP)
            peer->window = peer->window_limit = 0;
        return;
    }
    memcpy(&info, words, sizeof info < sizeof words ? sizeof info : sizeof words);
    peer->window_limit = (uint64_t)UINT16_MAX << info.tcpi_snd_wscale;
    peer->window = len >= (SND_WND + 1) * sizeof *words ? words[SND_WND] : peer->window_limit;
    peer->finished = info.tcpi_state == TCP_CLOSE_WAIT || info.tcpi_state == TCP_LAST_ACK ||
                     info.tcpi_state == TCP_CLOSING || info.tcpi_state == TCP_TIME_WAIT;
    peer->closed = info.tcpi_state == TCP_CLOSE;
}

enum stream_end stream_end(int fd)
{
    char byte;
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n == 0)
        return STREAM_END_ORDERLY;
    if (n > 0 || errno == EAGAIN || errno == EINTR)
        return STREAM_END_NOT;
    /* The kernel's word for a reset of what was closed already. */
    return errno == EPIPE ? STREAM_END_CLOSED_RESET : STREAM_END_RESET;
}

bool stream_has_input(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void stream_finish(int fd)
{
    shutdown(fd, SHUT_WR);
}
