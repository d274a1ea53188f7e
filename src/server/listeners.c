#include "server/listeners.h"

#include "base/log.h"
#include "net/listener.h"
#include "server/server.h"

#include <errno.h>
#include <unistd.h>

static int add_listener(struct gate *gate, const struct gate_listener *listener)
{
    if (gate_add(gate, listener))
        return 0;
    close(listener->fd);
    log_error("too many addresses");
    return EXIT_USAGE;
}

static int listen_on_unix(struct gate *gate, const struct protocol *protocol, const char *path)
{
    struct gate_listener listener = {
        .address = {.any.sa_family = AF_UNIX, .len = sizeof(sa_family_t)},
        .protocol = protocol,
    };

    listener.fd = listener_open_unix(path, gate->options->unix_mode, &listener.place);
    if (listener.fd != -1)
        return add_listener(gate, &listener);
    log_error("cannot listen on the UNIX socket '%s': %m", path);
    return EXIT_FAILED;
}

/* Opens one address. 0, or an exit status after a line that says why. */
static int listen_on(struct gate *gate, const struct protocol *protocol, const char *text,
                     uint16_t *port, bool optional)
{
    struct address address;

    if (!address_parse(&address, text, *port)) {
        log_error("'%s' is not an IPv4 or IPv6 address that %s can be bound to", text,
                  protocol->name);
        return EXIT_USAGE;
    }
    int fd = listener_open(&address, true, gate->options->reuse_port);
    if (fd == -1) {
        /* A machine without IPv6 has no ::1, and that is no reason not to serve 127.0.0.1. */
        if (optional && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            return 0;
        log_error("cannot listen on %s port %u: %m", text, *port);
        return EXIT_FAILED;
    }
    int failed = add_listener(gate, &(struct gate_listener){fd, address, protocol, {.path = NULL}});
    if (failed != 0)
        return failed;
    /* All addresses share the port that the first was given. */
    *port = address_port(&address);
    return 0;
}

/* Takes the sockets that were handed in for it. A UNIX socket from the server that is replaced
   stands where the options say, and is ours to remove at the end; a service manager keeps its own.
 */
static int adopt_listeners(struct gate *gate, struct activation *activation,
                           const struct protocol *protocol)
{
    const struct activation_socket *s;
    int fd;

    while ((s = activation_next(activation, span_of(protocol->name), &fd)) != NULL) {
        struct gate_listener listener = {fd, s->address, protocol, {.path = NULL}};
        const char *path = gate->options->unix_path;
        if (s->address.any.sa_family == AF_UNIX && activation->ready_fd != -1 && path != NULL)
            listener_find_unix(path, &listener.place);
        if (add_listener(gate, &listener) != 0)
            return EXIT_USAGE;
    }
    return 0;
}

int listeners_open(struct gate *gate, struct activation *activation, const struct service *service)
{
    uint16_t port = service->port;
    int failed = 0;

    if (activation_serves(activation, span_of(service->protocol->name)))
        return adopt_listeners(gate, activation, service->protocol);
    if (service->unix_path != NULL)
        failed = listen_on_unix(gate, service->protocol, service->unix_path);
    if (failed == 0 && service->bind_count == 0 && service->unix_path == NULL) {
        failed = listen_on(gate, service->protocol, "127.0.0.1", &port, false);
        return failed != 0 ? failed : listen_on(gate, service->protocol, "::1", &port, true);
    }
    for (unsigned i = 0; i < service->bind_count && failed == 0; i++)
        failed = listen_on(gate, service->protocol, service->binds[i], &port, false);
    return failed;
}

int listeners_refuse_others(const struct activation *activation)
{
    for (unsigned i = 0; i < activation->count; i++)
        if (activation->sockets[i].fd != -1) {
            log_error("a socket was handed in for '" SPAN_FMT "', which the options do not ask for",
                      SPAN_ARG(activation->sockets[i].name));
            return EXIT_USAGE;
        }
    return 0;
}
