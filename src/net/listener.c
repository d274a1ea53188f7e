#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,         /* the kernel cuts it to net.core.somaxconn */
    FIRST_BYTES_WAIT_S = 1, /* how long the kernel may hold a silent connection back */
};

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) != -1;
}

int listener_open(struct address *address, bool speaks_first)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        goto fail;
    /* "::" is to mean both families, and an IPv6 address only itself. */
    if (address->any.sa_family == AF_INET6 &&
        !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                    !IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr)))
        goto fail;
    /* Inherited by what is accepted, so it is set once here and not on every connection. */
    if (!set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1))
        goto fail;
    if (speaks_first)
        set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, FIRST_BYTES_WAIT_S);
    if (bind(fd, &address->any, address->len) == -1)
        goto fail;
    if (listen(fd, BACKLOG) == -1)
        goto fail;
    if (getsockname(fd, &address->any, &address->len) == -1)
        goto fail;
    return fd;

fail:;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static bool has_option(int fd, int option, int expected)
{
    int value = 0;
    socklen_t len = sizeof value;

    if (getsockopt(fd, SOL_SOCKET, option, &value, &len) == -1)
        return false;
    if (value != expected)
        errno = EINVAL;
    return value == expected;
}

bool listener_adopt(int fd, struct address *address, bool speaks_first)
{
    memset(address, 0, sizeof *address);
    address->len = sizeof address->v6;
    if (!has_option(fd, SO_TYPE, SOCK_STREAM) || !has_option(fd, SO_ACCEPTCONN, 1) ||
        getsockname(fd, &address->any, &address->len) == -1)
        return false;
    if (address->any.sa_family != AF_INET && address->any.sa_family != AF_INET6) {
        errno = EAFNOSUPPORT;
        return false;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || !set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1))
        return false;
    if (speaks_first)
        set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, FIRST_BYTES_WAIT_S);
    return true;
}

enum accept_result listener_accept(int listener_fd, int *fd, struct address *peer)
{
    memset(peer, 0, sizeof *peer);
    peer->len = sizeof peer->v6;
    *fd = accept4(listener_fd, &peer->any, &peer->len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (*fd != -1)
        return ACCEPT_OK;
    switch (errno) {
#if EAGAIN != EWOULDBLOCK
    case EWOULDBLOCK:
#endif
    case EAGAIN: return ACCEPT_NONE;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM: return ACCEPT_EXHAUSTED;
    default:
        /* accept(2): errors already pending on the new socket are reported here. They concern one
           client and say nothing about the listener. */
        return ACCEPT_GONE;
    }
}
