#include "client/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/wait.h"

bool dial_resolve(struct dial_list *list, const struct origin *origin, struct failure *failure)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    list->count = 0;
    int error = getaddrinfo(origin->host, origin->port, &hints, &found);
    if (error != 0)
        return failure_set(failure, FAILURE_RESOLVE, "%s: %s", origin->host, gai_strerror(error));
    for (struct addrinfo *a = found; a != NULL && list->count < DIAL_ADDRESSES; a = a->ai_next)
        if ((a->ai_family == AF_INET || a->ai_family == AF_INET6) &&
            a->ai_addrlen <= sizeof list->at[0])
            memcpy(&list->at[list->count++], a->ai_addr, a->ai_addrlen);
    freeaddrinfo(found);
    if (list->count == 0)
        return failure_set(failure, FAILURE_RESOLVE, "%s: no IPv4 or IPv6 address", origin->host);
    return true;
}

static bool is_loopback(const union dial_address *address)
{
    if (address->family == AF_INET)
        return ntohl(address->in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    const struct in6_addr *in6 = &address->in6.sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(in6) ||
           (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == IN_LOOPBACKNET);
}

bool dial_is_loopback(const struct dial_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (!is_loopback(&list->at[i]))
            return false;
    return list->count > 0;
}

/* What errno after a connect means for the person who asked. */
static void explain(const struct origin *origin, struct failure *failure)
{
    switch (errno) {
    case EADDRNOTAVAIL:
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EACCES:
    case EPERM:
        failure_set(failure, FAILURE_LOCAL, "%s port %s: %m", origin->host, origin->port);
        break;
    case ETIMEDOUT:
        failure_set(failure, FAILURE_TIMEOUT, "%s port %s: %m", origin->host, origin->port);
        break;
    default: failure_set(failure, FAILURE_REFUSED, "%s port %s: %m", origin->host, origin->port);
    }
}

/* Waits until a connect that was begun is done: 0, or -1 with errno set. */
static int finish_connect(int fd, int64_t deadline_ms, int cancel_fd)
{
    int error = 0;
    socklen_t len = sizeof error;
    switch (wait_for(fd, POLLOUT, deadline_ms, cancel_fd, NULL)) {
    case WAIT_READY: break;
    case WAIT_TIMEOUT: errno = ETIMEDOUT; return -1;
    case WAIT_CANCELLED: errno = ECANCELED; return -1;
    case WAIT_FAILED: return -1;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

static int connect_one(const union dial_address *address, int64_t deadline_ms, int cancel_fd)
{
    socklen_t len = address->family == AF_INET ? sizeof address->in4 : sizeof address->in6;
    int on = 1;
    int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return -1;
    int done = connect(fd, (const struct sockaddr *)address, len);
    if (done == -1 && errno == EINPROGRESS)
        done = finish_connect(fd, deadline_ms, cancel_fd);
    /* A request is written by one call, and nothing is gained by holding back its last segment. */
    if (done == 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

int dial_connect(const struct dial_list *list, const struct origin *origin, int64_t deadline_ms,
                 int cancel_fd, struct failure *failure)
{
    failure_set(failure, FAILURE_RESOLVE, "%s: no address", origin->host);
    for (size_t i = 0; i < list->count; i++) {
        int64_t now = clock_ms();
        int64_t share = (deadline_ms - now) / (int64_t)(list->count - i);
        int fd = connect_one(&list->at[i], now + share, cancel_fd);
        if (fd != -1)
            return fd;
        if (errno == ECANCELED) {
            failure_set(failure, FAILURE_CANCELLED, "stopped");
            break;
        }
        explain(origin, failure);
    }
    return -1;
}
