#include "server/activation.h"

#include "base/log.h"
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 }; /* SD_LISTEN_FDS_START */

static bool read_number(const char *variable, uint64_t *value)
{
    const char *text = getenv(variable);
    return text != NULL && span_to_u64(span_of(text), value);
}

/* The i-th of the names that stand with colons between them; empty when there are fewer. */
static struct span nth_name(struct span names, unsigned i)
{
    while (names.len > 0) {
        const char *colon = memchr(names.ptr, ':', names.len);
        size_t len = colon != NULL ? (size_t)(colon - names.ptr) : names.len;
        if (i-- == 0)
            return span_make(names.ptr, len);
        if (colon == NULL)
            break;
        names = span_make(colon + 1, names.len - len - 1);
    }
    return span_make(names.ptr, 0);
}

static bool take_socket(struct activation *a, unsigned i, struct span names)
{
    struct activation_socket *s = &a->sockets[i];

    s->fd = FIRST_DESCRIPTOR + (int)i;
    s->name = nth_name(names, i);
    if (!listener_adopt(s->fd, &s->address, true)) {
        log_error("descriptor %d was handed in as a listening TCP socket and is none: %m", s->fd);
        return false;
    }
    a->count++;
    return true;
}

static bool take_sockets(struct activation *a)
{
    const char *given = getenv("LISTEN_FDNAMES");
    struct buffer names = BUFFER_OVER(a->names);
    uint64_t count;

    if (!read_number("LISTEN_FDS", &count))
        return true;
    if (count > GATE_LIMIT) {
        log_error("%llu sockets were handed in, and %d can be served", (unsigned long long)count,
                  GATE_LIMIT);
        return false;
    }
    if (given != NULL)
        buffer_put_span(&names, span_of(given));
    for (unsigned i = 0; i < count; i++)
        if (!take_socket(a, i, buffer_span(&names)))
            return false;
    return true;
}

/* Whoever cannot say that it serves must not begin to: the old server would go on beside it. */
static bool take_ready_pipe(struct activation *a)
{
    uint64_t fd;

    if (!read_number(ACTIVATION_READY_VARIABLE, &fd) || fd > INT32_MAX)
        return true;
    if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) == -1) {
        log_error("cannot tell the server that is to be replaced anything: %m");
        return false;
    }
    a->ready_fd = (int)fd;
    return true;
}

/* Connected once, now: later the path may be out of reach (--chroot, the sandbox). */
static void connect_to_manager(struct activation *a)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = path != NULL ? strlen(path) : 0;

    /* A path, or a name that is in no directory, which the kernel wants to begin with a NUL. */
    if (len < 2 || len >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, len);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    a->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (a->notify_fd != -1 && connect(a->notify_fd, (const struct sockaddr *)&address,
                                      (socklen_t)(sizeof(sa_family_t) + len)) != -1)
        return;
    log_warning("cannot tell the service manager at %s anything: %m", path);
    if (a->notify_fd != -1)
        close(a->notify_fd);
    a->notify_fd = -1;
}

bool activation_take(struct activation *a)
{
    uint64_t process;

    *a = ACTIVATION_NONE;
    connect_to_manager(a);
    /* What was meant for another process, from which the environment came down, is not ours. */
    if (!read_number("LISTEN_PID", &process) || process != (uint64_t)getpid())
        return true;
    return take_ready_pipe(a) && take_sockets(a);
}

static bool is_for(const struct activation_socket *s, struct span protocol)
{
    static const struct span others[] = {{"hftp", 4}};

    if (s->fd == -1)
        return false;
    if (!span_equal(protocol, SPAN("http")))
        return span_equal(s->name, protocol);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (span_equal(s->name, others[i]))
            return false;
    return true;
}

bool activation_serves(const struct activation *a, struct span protocol)
{
    for (unsigned i = 0; i < a->count; i++)
        if (is_for(&a->sockets[i], protocol))
            return true;
    return false;
}

const struct activation_socket *activation_next(struct activation *a, struct span protocol, int *fd)
{
    for (unsigned i = 0; i < a->count; i++) {
        struct activation_socket *s = &a->sockets[i];
        if (is_for(s, protocol)) {
            *fd = s->fd;
            s->fd = -1;
            return s;
        }
    }
    return NULL;
}

/* A manager that does not listen now is not waited for. */
static void tell(const struct activation *a, struct span text)
{
    if (a->notify_fd != -1 &&
        send(a->notify_fd, text.ptr, text.len, MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
        log_warning("cannot tell the service manager anything: %m");
}

void activation_ready(struct activation *a)
{
    int32_t process = (int32_t)getpid();
    ssize_t n;

    tell(a, SPAN("READY=1\n"));
    if (a->ready_fd == -1)
        return;
    /* When the old server is not there any more, it need not be told. */
    do
        n = write(a->ready_fd, &process, sizeof process);
    while (n == -1 && errno == EINTR);
    close(a->ready_fd);
    a->ready_fd = -1;
}

void activation_stopping(const struct activation *a)
{
    tell(a, SPAN("STOPPING=1\n"));
}

void activation_moved(const struct activation *a, pid_t process)
{
    char bytes[64];
    struct buffer text = BUFFER_OVER(bytes);

    buffer_put_text(&text, "MAINPID=");
    buffer_put_u64(&text, (uint64_t)process);
    buffer_put_char(&text, '\n');
    tell(a, buffer_span(&text));
}

void activation_close(struct activation *a)
{
    for (unsigned i = 0; i < a->count; i++)
        if (a->sockets[i].fd != -1)
            close(a->sockets[i].fd);
    if (a->notify_fd != -1)
        close(a->notify_fd);
    if (a->ready_fd != -1)
        close(a->ready_fd);
    *a = ACTIVATION_NONE;
}
