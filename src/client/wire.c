#include "client/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/wait.h"

void wire_init(struct wire *wire, char *buffer, size_t cap, int cancel_fd)
{
    *wire = (struct wire){.fd = -1, .cancel_fd = cancel_fd, .buffer = buffer, .cap = cap};
}

void wire_open(struct wire *wire, int fd)
{
    wire->fd = fd;
    wire->start = wire->end = 0;
    wire->exchanges = 0;
}

void wire_close(struct wire *wire)
{
    if (wire->fd != -1)
        close(wire->fd);
    wire->fd = -1;
    wire->start = wire->end = 0;
}

bool wire_is_stale(const struct wire *wire)
{
    struct pollfd idle = {.fd = wire->fd, .events = POLLIN};
    return wire->end > wire->start || poll(&idle, 1, 0) != 0;
}

void wire_take(struct wire *wire, size_t len)
{
    wire->start += len;
    if (wire->start == wire->end)
        wire->start = wire->end = 0;
}

static enum wire_result result_of_wait(enum wait_result result)
{
    switch (result) {
    case WAIT_READY: return WIRE_OK;
    case WAIT_TIMEOUT: return WIRE_TIMEOUT;
    case WAIT_CANCELLED: return WIRE_CANCELLED;
    case WAIT_FAILED: break;
    }
    return WIRE_FAILED;
}

static enum wire_result result_of_errno(void)
{
    return errno == ECONNRESET || errno == EPIPE || errno == ETIMEDOUT || errno == EHOSTUNREACH ||
                   errno == ENETUNREACH || errno == ECONNABORTED
               ? WIRE_RESET
               : WIRE_FAILED;
}

static bool try_again(void)
{
    return errno == EAGAIN || errno == EINTR;
}

enum wire_result wire_fill(struct wire *wire, int64_t deadline_ms)
{
    if (wire->start > 0) {
        memmove(wire->buffer, wire->buffer + wire->start, wire->end - wire->start);
        wire->end -= wire->start;
        wire->start = 0;
    }
    if (wire->end == wire->cap)
        return WIRE_FULL;
    for (;;) {
        enum wait_result ready = wait_for(wire->fd, POLLIN, deadline_ms, wire->cancel_fd, NULL);
        if (ready != WAIT_READY)
            return result_of_wait(ready);
        ssize_t n = recv(wire->fd, wire->buffer + wire->end, wire->cap - wire->end, 0);
        if (n > 0) {
            wire->end += (size_t)n;
            return WIRE_OK;
        }
        if (n == 0)
            return WIRE_CLOSED;
        if (!try_again())
            return result_of_errno();
    }
}

enum wire_result wire_send(struct wire *wire, struct span bytes, bool watch, int64_t deadline_ms,
                           size_t *sent)
{
    *sent = 0;
    for (;;) {
        /* A request mostly fits into the socket's buffer: try before asking. */
        if (!watch) {
            ssize_t n = send(wire->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
            if (n >= 0) {
                *sent = (size_t)n;
                return WIRE_OK;
            }
            if (!try_again())
                return result_of_errno();
        }
        short happened = 0;
        short events = (short)(watch ? POLLIN | POLLOUT : POLLOUT);
        enum wait_result ready =
            wait_for(wire->fd, events, deadline_ms, wire->cancel_fd, &happened);
        if (ready != WAIT_READY)
            return result_of_wait(ready);
        if (watch && (happened & POLLIN) != 0)
            return WIRE_OK;
        watch = false;
    }
}
