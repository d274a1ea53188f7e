#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    BACKLOG = 4096,         /* the kernel cuts it to net.core.somaxconn */
    FIRST_BYTES_WAIT_S = 1, /* how long the kernel may hold a silent connection back */
    /* What a socket takes of a download beyond what the client's window lets out. Without a limit
       a client that hardly reads was given 2.3 MB at once: a thousand of them were 2.3 GB and two
       seconds of both processors' time. */
    UNSENT_BYTES = 256 << 10,
};

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) != -1;
}

/* Inherited by what is accepted, so it is set once here and not on every connection. */
static bool set_for_connections(int fd)
{
    return set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) &&
           set_option(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES);
}

int listener_open(struct address *address, bool speaks_first, bool shares_port)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    if (!set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1))
        goto fail;
    if (shares_port && !set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1))
        goto fail;
    /* "::" is to mean both families, and an IPv6 address only itself. */
    if (address->any.sa_family == AF_INET6 &&
        !set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY,
                    !IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr)))
        goto fail;
    if (!set_for_connections(fd))
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
    bool local = address->any.sa_family == AF_UNIX;
    if (local)
        address->len = sizeof(sa_family_t);
    if (!local && address->any.sa_family != AF_INET && address->any.sa_family != AF_INET6) {
        errno = EAFNOSUPPORT;
        return false;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 || (!local && !set_for_connections(fd)))
        return false;
    if (speaks_first && !local)
        set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, FIRST_BYTES_WAIT_S);
    return true;
}

static bool set_path(struct sockaddr_un *at, const char *path)
{
    size_t len = strlen(path);

    *at = (struct sockaddr_un){.sun_family = AF_UNIX};
    errno = ENAMETOOLONG;
    if (len >= sizeof at->sun_path)
        return false;
    memcpy(at->sun_path, path, len);
    return true;
}

/* Whether the name is free for a socket of ours; errno says why not. A socket that refuses has been
   left behind by a process that ended without a word. */
static bool is_free(const struct sockaddr_un *at)
{
    struct stat st;

    if (lstat(at->sun_path, &st) == -1)
        return errno == ENOENT;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return false;
    bool refused = connect(fd, (const struct sockaddr *)at, sizeof *at) == -1 &&
                   (errno == ECONNREFUSED || errno == ENOENT);
    close(fd);
    errno = EADDRINUSE;
    return refused;
}

/* Made under a name of its own, and shown under the right one when it is ready. */
static bool put_in_place(int fd, const struct sockaddr_un *aside, const struct sockaddr_un *at,
                         mode_t mode, struct listener_place *place)
{
    struct stat st;

    if (bind(fd, (const struct sockaddr *)aside, sizeof *aside) == -1)
        return false;
    if (chmod(aside->sun_path, mode) == 0 && listen(fd, BACKLOG) == 0 &&
        stat(aside->sun_path, &st) == 0 && is_free(at) &&
        rename(aside->sun_path, at->sun_path) == 0) {
        place->device = st.st_dev;
        place->inode = st.st_ino;
        return true;
    }
    int error = errno;
    unlink(aside->sun_path);
    errno = error;
    return false;
}

int listener_open_unix(const char *path, mode_t mode, struct listener_place *place)
{
    struct sockaddr_un at, aside;
    char text[sizeof at.sun_path + 32];

    snprintf(text, sizeof text, "%s.%ld", path, (long)getpid());
    if (!set_path(&at, path) || !set_path(&aside, text))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1)
        return -1;
    place->path = path;
    if (put_in_place(fd, &aside, &at, mode, place))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool listener_find_unix(const char *path, struct listener_place *place)
{
    struct stat st;

    if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode))
        return false;
    *place = (struct listener_place){path, st.st_dev, st.st_ino};
    return true;
}

void listener_remove_unix(const struct listener_place *place)
{
    struct stat st;

    if (lstat(place->path, &st) == 0 && st.st_dev == place->device && st.st_ino == place->inode)
        unlink(place->path);
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
