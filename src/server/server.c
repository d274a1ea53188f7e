#include "server/server.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "net/listener.h"
#include "resume/secret.h"
#include "server/activation.h"
#include "server/auth.h"
#include "server/gate.h"
#include "server/handover.h"
#include "server/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,

    DEFAULT_CONNECTIONS = 65536, /* unless descriptors are fewer */
    SPARE_DESCRIPTORS = 64,      /* for everything that is not a connection or its file */
    SWEEP_MS = 250,              /* how often deadlines are looked at: they are seconds long */
    DRAIN_MS = 10000,            /* requests under way get this long to finish at the end */
    DRAIN_NUDGE_MS = 50,         /* how often idle connections are asked to go meanwhile */
    DRAIN_NOTICE_MS = 200,       /* who asks again within that time is told first */
    MIME_TYPES_LIMIT = 1 << 20,

    EVENT_SIGNAL = 1000, /* names of the main thread's descriptors; below are the listeners */
    EVENT_KICK,
    EVENT_HANDOVER,
};

/* How far the end is. */
enum leaving {
    LEAVING_NOT,
    LEAVING_ANNOUNCED,  /* it serves as before, and whoever deals out clients can see it going */
    LEAVING_TO_ANOTHER, /* another process serves now: what is under way may take its time */
    LEAVING,            /* what is under way has DRAIN_MS */
};

/* What the main thread alone uses. */
struct main_thread {
    struct server *server;
    struct gate gate;
    struct activation activation;
    struct handover handover;
    struct worker *workers;
    unsigned started;
    int epoll_fd, signal_fd, kick_fd;
    int error_log_fd; /* until it takes the place of standard error; -1: none */
    int pid_file_fd;  /* -1: there is none, or it names another process by now */
    bool ticking;
    enum leaving leaving;
    int64_t next_tick_us, next_sweep_ms;
    int64_t leave_ms;                   /* with LEAVING_ANNOUNCED */
    int64_t dismiss_ms, drain_until_ms; /* with LEAVING */
};

/* --- Start-up ----------------------------------------------------------------------------------
 */

/* Each connection is a descriptor, and a slow download two. The limit is raised as far as may be.
 */
static unsigned connection_limit(const struct options *options)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return 256;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &raised) != -1)
            limit = raised;
    }
    uint64_t spare = SPARE_DESCRIPTORS + 3 * (uint64_t)options->threads;
    uint64_t most = limit.rlim_cur > spare + 16 ? limit.rlim_cur - spare : 16;
    uint64_t wanted = options->connections > 0 ? options->connections : DEFAULT_CONNECTIONS;
    if (options->connections > most)
        log_warning("--connections %u is more than the %llu descriptors allow: taking %llu",
                    options->connections, (unsigned long long)limit.rlim_cur,
                    (unsigned long long)most);
    return (unsigned)(wanted < most ? wanted : most);
}

static int find_docroot(struct server *server)
{
    struct stat st;
    const char *root = server->options->root;

    server->docroot_path = realpath(root, NULL);
    if (server->docroot_path == NULL) {
        log_error("cannot serve '%s': %m", root);
        return EXIT_USAGE;
    }
    if (stat(server->docroot_path, &st) == -1 || !S_ISDIR(st.st_mode)) {
        log_error("cannot serve '%s': it is not a directory", root);
        return EXIT_USAGE;
    }
    if (access(server->docroot_path, R_OK | X_OK) == -1) {
        log_error("cannot serve '%s': %m", root);
        return EXIT_USAGE;
    }
    return 0;
}

/* Reads the secret. One that is damaged can only be replaced: the ids made with it are forgotten,
   and better they than the service. */
static bool load_secret(int directory_fd, uint8_t secret[static CLIENT_ID_SECRET_LEN])
{
    if (secret_load(directory_fd, secret))
        return true;
    if (errno != EBADMSG)
        return false;
    log_warning(
        "the secret in the state directory (key) is damaged: making a new one, so client ids "
        "given before are not known any more; the old one is key.damaged");
    return renameat(directory_fd, "key", directory_fd, "key.damaged") == 0 &&
           secret_load(directory_fd, secret);
}

/* A number for this boot of the machine, the same in all its processes; a random one where the
   kernel does not tell, which is then nobody else's. */
static bool name_boot(uint64_t *boot)
{
    static const uint8_t key[SIPHASH_KEY_LEN] = "httpd boot";
    char id[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd != -1 ? read(fd, id, sizeof id) : -1;

    if (fd != -1)
        close(fd);
    if (n <= 0)
        return random_fill(boot, sizeof *boot);
    *boot = siphash24(key, id, (size_t)n);
    return true;
}

/* Opens the server's own directory, and reads the secret there. FS_OK, or why it cannot be used. */
static enum fs_result open_state_directory(struct server *server)
{
    uint8_t secret[CLIENT_ID_SECRET_LEN];
    struct docroot root;
    enum fs_result result = docroot_open(&root, server->docroot_path);

    if (result != FS_OK)
        return result;
    result = state_open(&server->state, &root, server->state_path);
    server->state_inode = root.inode;
    docroot_close(&root);
    if (result != FS_OK)
        return result;
    if (!load_secret(server->state.fd, secret) || !name_boot(&server->boot) ||
        !random_fill(&server->instance, sizeof server->instance)) {
        result = fs_result_of_errno(errno);
        state_close(&server->state);
        return result;
    }
    client_id_key_derive(&server->ids, secret);
    server->resumes = true;
    return FS_OK;
}

/*
 * Decides whether clients may change anything: on an address that others can reach everybody could,
 * and that has to be said out loud.
 */
static int open_state(struct main_thread *m)
{
    struct server *server = m->server;
    const struct options *o = server->options;
    const char *place = o->state != NULL ? o->state : o->root;

    server->state = STATE_CLOSED;
    /* Behind a proxy an address of the loopback says nothing about who comes. */
    server->loopback_only = trust_is_empty(&server->trust);
    for (unsigned i = 0; i < m->gate.count; i++)
        if (m->gate.listeners[i].protocol->changes_files)
            server->loopback_only &= address_is_loopback(&m->gate.listeners[i].address);
    server->read_only =
        o->read_only || !(server->loopback_only || o->public_writes || server->auth != NULL);
    if (server->read_only && !o->read_only)
        log_notice("read-only: %s (--auth FILE says who may write, --public-writes lets anybody)",
                   trust_is_empty(&server->trust) ? "the address is not a loopback one"
                                                  : "whoever comes through a proxy may be anybody");
    else if (server->auth != NULL && !server->loopback_only)
        log_notice("passwords travel as they are on that address: put something that speaks TLS "
                   "before it");
    enum fs_result result = open_state_directory(server);
    if (result == FS_READ_ONLY || result == FS_DENIED) {
        log_notice("read-only, and downloads cannot be resumed by id: cannot write in %s (%s)",
                   place, fs_result_text(result));
        server->read_only = true;
    } else if (result != FS_OK) {
        log_error("cannot use the state directory in %s: %s", place, fs_result_text(result));
        return EXIT_USAGE;
    }
    return 0;
}

/* Whether everybody could download the file. */
static bool is_served(const struct server *server, const char *path)
{
    struct span root = span_of(server->docroot_path);
    char *real = realpath(path, NULL);
    bool inside = real != NULL && span_starts_with(span_of(real), root) && real[root.len] == '/';
    bool hidden = inside && strstr(real + root.len, "/.") != NULL &&
                  !span_starts_with(span_of(real + root.len), SPAN("/.well-known/"));

    free(real);
    return inside && !hidden;
}

static int open_accounts(struct server *server)
{
    const char *path = server->options->auth_file;

    if (path == NULL)
        return 0;
    if (is_served(server, path)) {
        log_error("'%s' would be served with the other files: keep the accounts elsewhere", path);
        return EXIT_USAGE;
    }
    server->auth = auth_open(path, server->options->threads);
    return server->auth != NULL ? 0 : EXIT_USAGE;
}

/* Types from the system's table, where there is one; the built-in ones do without it. */
static void load_media_types(struct server *server)
{
    struct stat st;
    int fd = open("/etc/mime.types", O_RDONLY | O_CLOEXEC);
    char *text;

    if (fd == -1)
        return;
    if (fstat(fd, &st) == -1 || st.st_size <= 0 || st.st_size > MIME_TYPES_LIMIT) {
        close(fd);
        return;
    }
    text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (text == MAP_FAILED)
        return;
    struct span types = span_make(text, (size_t)st.st_size);
    size_t places = media_types_places(types);
    server->media_types.entries = calloc(places, sizeof *server->media_types.entries);
    if (server->media_types.entries == NULL)
        return;
    server->media_types.places = places;
    media_types_read(&server->media_types, types);
}

static int open_trust(struct server *server)
{
    for (unsigned i = 0; i < server->options->trust_count; i++)
        if (!trust_add(&server->trust, server->options->trusts[i])) {
            log_error("--trust takes an address, a network such as 10.0.0.0/8, or unix; not '%s'",
                      server->options->trusts[i]);
            return EXIT_USAGE;
        }
    return 0;
}

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
static int adopt_listeners(struct main_thread *m, const struct protocol *protocol)
{
    const struct activation_socket *s;
    int fd;

    while ((s = activation_next(&m->activation, span_of(protocol->name), &fd)) != NULL) {
        struct gate_listener listener = {fd, s->address, protocol, {.path = NULL}};
        const char *path = m->gate.options->unix_path;
        if (s->address.any.sa_family == AF_UNIX && m->activation.ready_fd != -1 && path != NULL)
            listener_find_unix(path, &listener.place);
        if (add_listener(&m->gate, &listener) != 0)
            return EXIT_USAGE;
    }
    return 0;
}

static int open_listeners(struct main_thread *m, const struct service *service)
{
    struct gate *gate = &m->gate;
    uint16_t port = service->port;
    int failed = 0;

    if (activation_serves(&m->activation, span_of(service->protocol->name)))
        return adopt_listeners(m, service->protocol);
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

static int open_error_log(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
}

static int open_logs(struct main_thread *m)
{
    struct server *server = m->server;
    static const char *const terminal[] = {"-"};
    const struct options *o = server->options;
    const char *failed =
        access_log_open(&server->log, o->log_format, o->log_count > 0 ? o->logs : terminal,
                        o->log_count > 0 ? o->log_count : 1);
    if (failed == NULL && o->error_log != NULL) {
        m->error_log_fd = open_error_log(o->error_log);
        failed = m->error_log_fd == -1 ? o->error_log : NULL;
    }
    if (failed == NULL)
        return 0;
    log_error("cannot write the log '%s': %m", failed);
    return EXIT_USAGE;
}

/* Opened early, while there are rights to, and written when there is something to say: until then
   the file names a server that this one may be about to replace. */
static int open_pid_file(struct main_thread *m, const char *path)
{
    m->pid_file_fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (m->pid_file_fd != -1)
        return 0;
    log_error("cannot write the pid file '%s': %m", path);
    return EXIT_FAILED;
}

static int write_pid_file(const struct main_thread *m)
{
    char bytes[32];
    struct buffer text = BUFFER_OVER(bytes);

    if (m->pid_file_fd == -1)
        return 0;
    buffer_put_u64(&text, (uint64_t)getpid());
    buffer_put_char(&text, '\n');
    if (ftruncate(m->pid_file_fd, 0) != -1 &&
        write(m->pid_file_fd, bytes, text.len) == (ssize_t)text.len)
        return 0;
    log_error("cannot write the pid file '%s': %m", m->server->options->pid_file);
    return EXIT_FAILED;
}

/* The parent leaves once everything that can fail by a user's mistake has succeeded. */
static int become_daemon(void)
{
    pid_t child = fork();

    if (child == -1) {
        log_error("cannot go to the background: %m");
        return EXIT_FAILED;
    }
    if (child > 0)
        _exit(0);
    setsid();
    return 0;
}

/* From now on nobody reads what a daemon prints. */
static void leave_terminal(bool keep_errors)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null == -1)
        return;
    for (int fd = 0; fd <= (keep_errors ? 1 : 2); fd++)
        dup2(null, fd);
    close(null);
}

/* Where an option's file is to be found after the chroot to `root`; NULL where it cannot be. */
static const char *seen_inside(const char *root, const char *path)
{
    return path[0] == '-' && path[1] == '\0' ? path : privilege_inside(root, path);
}

/*
 * Makes --chroot all that is to be seen. Paths in options are what they were outside: what is used
 * later on has to be below, and named so.
 */
static int enter_chroot(struct server *server)
{
    const char *option = server->options->chroot;
    char *root = realpath(option, NULL);
    int failed = 0;

    if (root == NULL) {
        log_error("--chroot: cannot use '%s': %m", option);
        return EXIT_USAGE;
    }
    const char *docroot = privilege_inside(root, server->docroot_path);
    const char *state = server->state_path;
    if (state != NULL && (state = privilege_inside(root, state)) == NULL)
        failed = EXIT_USAGE;
    if (docroot == NULL || failed != 0) {
        log_error("--chroot: the served directory, and --state by its whole path, have to be in %s",
                  root);
        failed = EXIT_USAGE;
    } else if (!privilege_enter(root)) {
        failed = EXIT_FAILED;
    } else {
        memmove(server->docroot_path, docroot, strlen(docroot) + 1);
        server->state_path = state;
        for (unsigned i = 0; i < server->log.count; i++)
            server->log.paths[i] = seen_inside(root, server->log.paths[i]);
        if (server->auth_path != NULL)
            server->auth_path = seen_inside(root, server->auth_path);
        if (server->auth_path != NULL)
            auth_set_path(server->auth, server->auth_path);
    }
    free(root);
    return failed;
}

/* What only root could do is done. The user's groups stand in files that a chroot hides. */
static int give_up_root(struct server *server)
{
    const struct options *o = server->options;
    struct privilege_user user;
    int failed = 0;

    server->state_path = o->state;
    server->auth_path = o->auth_file;
    tzset(); /* for the log: its file may not be seen later */
    if (o->user != NULL && !privilege_find_user(o->user, &user))
        return EXIT_USAGE;
    if (o->chroot != NULL)
        failed = enter_chroot(server);
    if (failed == 0 && o->user != NULL && !privilege_become(&user))
        failed = EXIT_FAILED;
    server->sandbox.capabilities = PRIVILEGE_UNCHANGED;
    if (failed == 0 && o->sandbox)
        server->sandbox.capabilities = privilege_drop();
    return failed;
}

static bool watch_descriptor(struct main_thread *m, int fd, uint64_t name)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = name};
    return fd != -1 && epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, fd, &event) != -1;
}

/* Signals arrive as reads of a descriptor, in the main thread alone. */
static int open_events(struct main_thread *m)
{
    sigset_t signals;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a write past the file size limit fails with EFBIG instead */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    m->epoll_fd = m->gate.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    m->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    m->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->epoll_fd == -1 || !watch_descriptor(m, m->signal_fd, EVENT_SIGNAL) ||
        !watch_descriptor(m, m->kick_fd, EVENT_KICK) ||
        (m->handover.fd != -1 && !watch_descriptor(m, m->handover.fd, EVENT_HANDOVER))) {
        log_error("cannot set up events: %m");
        return EXIT_FAILED;
    }
    return 0;
}

static struct counters *make_counters(unsigned count)
{
    struct counters *counters = aligned_alloc(_Alignof(struct counters), count * sizeof *counters);

    if (counters != NULL)
        memset(counters, 0, count * sizeof *counters);
    return counters;
}

static int start_threads(struct main_thread *m)
{
    struct server *server = m->server;
    unsigned threads = server->options->threads;
    unsigned connections = connection_limit(server->options);
    int error = connection_table_init(&server->connections, connections);
    if (error == 0)
        error = cache_init(&server->cache, server->options->cache);
    if (error == 0 && server->options->per_address > 0)
        error = tally_init(&m->gate.tally, connections);
    if (error == 0)
        error = watch_init(&server->watch, &server->connections);
    if (error == 0)
        error =
            queue_init(&server->queue, &server->watch, server->options->queue, threads, m->kick_fd);
    if (error == 0)
        error = access_log_start(&server->log, &server->sandbox);
    if (error == 0 && server->resumes)
        error = sweeper_start(server);
    m->gate.connections = &server->connections;
    m->gate.queue = &server->queue;
    m->gate.watch = &server->watch;
    server->counters = make_counters(threads + 1);
    if (server->counters == NULL)
        error = ENOMEM;
    else
        m->gate.counters = server_shared_counters(server);
    server->started_s = clock_wall_s();
    server->started_ms = clock_ms();
    /* Untouched pages of this cost nothing: a worker's buffers are large, its use of them is not.
     */
    m->workers = calloc(threads, sizeof *m->workers);
    if (m->workers == NULL)
        error = ENOMEM;
    while (error == 0 && m->started < threads) {
        error = worker_start(&m->workers[m->started], server, m->started);
        m->started += error == 0;
    }
    if (error != 0) {
        errno = error;
        log_error("cannot start %u threads: %m", threads);
        return EXIT_FAILED;
    }
    return 0;
}

/* What made a start fail was said on the terminal; from now on the file has everything. */
static void begin_error_log(struct main_thread *m)
{
    if (m->error_log_fd == -1)
        return;
    if (!log_to(m->error_log_fd))
        log_warning("cannot write to the error log: %m");
    close(m->error_log_fd);
    m->error_log_fd = -1;
}

static void announce(const struct main_thread *m)
{
    char bytes[4096];
    struct buffer text = BUFFER_OVER(bytes);

    for (unsigned i = 0; i < m->gate.count; i++) {
        if (i > 0)
            buffer_put_text(&text, " and ");
        buffer_put_span(&text, span_of(m->gate.listeners[i].protocol->name));
        buffer_put_text(&text, "://");
        address_put(&text, &m->gate.listeners[i].address);
        if (m->gate.listeners[i].place.path != NULL)
            buffer_put_span(&text, span_of(m->gate.listeners[i].place.path));
        buffer_put_char(&text, '/');
    }
    buffer_put_text(&text, " with ");
    buffer_put_u64(&text, m->server->options->threads);
    buffer_put_text(&text, " threads, ");
    sandbox_describe(&m->server->sandbox, &text);
    log_notice("serving %s at " SPAN_FMT, m->server->docroot_path, SPAN_ARG(buffer_span(&text)));
}

/*
 * Removes what requests were staging when a server was killed. Of another process that shares the
 * directory nothing is touched: it holds what it is working on.
 */
static void remove_leftovers(const struct server *server)
{
    unsigned removed = 0;
    uint64_t freed_bytes = 0;

    if (server->resumes)
        state_sweep(&server->state, INT64_MIN, &removed, &freed_bytes);
    if (removed > 0)
        log_notice("removed %u unfinished uploads of %llu bytes that an earlier run left behind",
                   removed, (unsigned long long)freed_bytes);
}

/* A socket for a protocol that is not spoken: somebody meant something else than the options say.
 */
static int refuse_strange_sockets(const struct activation *activation)
{
    for (unsigned i = 0; i < activation->count; i++)
        if (activation->sockets[i].fd != -1) {
            log_error("a socket was handed in for '" SPAN_FMT "', which the options do not ask for",
                      SPAN_ARG(activation->sockets[i].name));
            return EXIT_USAGE;
        }
    return 0;
}

/* Everything up to the first request. 0, or the exit status after a line that says why. */
static int start(struct main_thread *m, const struct service *services, unsigned count)
{
    const struct options *o = m->server->options;
    int failed = activation_take(&m->activation) ? 0 : EXIT_USAGE;
    /* Whoever replaces a server in the background is there already. */
    bool detach = o->daemon && m->activation.ready_fd == -1;

    if (failed == 0 && !handover_prepare(&m->handover, o->argv, o->daemon))
        log_warning("cannot prepare for a restart: %m; SIGUSR2 will do nothing");
    if (failed == 0)
        failed = find_docroot(m->server);
    load_media_types(m->server);
    m->gate.options = o;
    m->gate.trust = &m->server->trust;
    if (failed == 0)
        failed = open_trust(m->server);
    if (failed == 0)
        failed = open_accounts(m->server);
    for (unsigned i = 0; i < count && failed == 0; i++)
        failed = open_listeners(m, &services[i]);
    if (failed == 0)
        failed = refuse_strange_sockets(&m->activation);
    if (failed == 0)
        failed = open_logs(m);
    if (failed == 0 && detach)
        failed = become_daemon();
    if (failed == 0 && o->pid_file != NULL)
        failed = open_pid_file(m, o->pid_file);
    if (failed == 0)
        failed = give_up_root(m->server);
    if (failed == 0)
        failed = open_state(m);
    if (failed == 0)
        sandbox_prepare(&m->server->sandbox, m->server, &m->gate);
    if (failed == 0)
        failed = open_events(m);
    if (failed == 0)
        failed = start_threads(m);
    if (failed == 0 && !gate_open(&m->gate)) {
        log_error("cannot accept connections: %m");
        failed = EXIT_FAILED;
    }
    if (failed == 0)
        failed = write_pid_file(m);
    if (failed != 0)
        return failed;
    sandbox_await(&m->server->sandbox, m->started + 1 + m->server->resumes);
    begin_error_log(m);
    announce(m);
    activation_ready(&m->activation);
    /* The workers are serving already; only who connects now waits for this. */
    remove_leftovers(m->server);
    if (detach)
        leave_terminal(o->error_log != NULL);
    sandbox_enter(&m->server->sandbox, THREAD_MAIN);
    return 0;
}

/* --- The main thread's loop --------------------------------------------------------------------
 */

/*
 * Gives every parked connection whose time is over or that is to be looked at, or all of them, to
 * the workers. A walk over the
 * table four times a second costs less than keeping ordered lists on every park: 10,000 connections
 * are 10,000 neighbouring words, some 20 microseconds.
 */
static void sweep(struct main_thread *m, bool all, int64_t now_ms)
{
    struct server *server = m->server;
    unsigned places = atomic_load_explicit(&server->connections.places, memory_order_acquire);

    for (unsigned i = 0; i < places; i++) {
        struct connection *c = connection_at(&server->connections, i);
        if (all ? watch_claim(c) : watch_claim_expired(c, now_ms) || watch_claim_due(c, now_ms))
            queue_push_ready(&server->queue, c);
    }
}

/* No new connections, and each answer the last on its connection. */
static void begin_leaving(struct main_thread *m)
{
    gate_close(&m->gate);
    handover_close(&m->handover);
    atomic_store(&m->server->draining, true);
}

/* Serves on for a while, each answer the last on its connection, so that whoever deals out the
   clients sees it going before it is gone. */
static void announce_end(struct main_thread *m, int64_t now_ms)
{
    int64_t delay_ms = m->server->options->drain_delay_ms;

    log_notice("stopping in %lld s: /.health says so", (long long)delay_ms / 1000);
    activation_stopping(&m->activation);
    atomic_store(&m->server->draining, true);
    m->leaving = LEAVING_ANNOUNCED;
    m->leave_ms = now_ms + delay_ms;
}

/* Who asks at this moment is not cut off: an idle connection is closed only when its client could
   have learned from an answer that it is the last. */
static void begin_drain(struct main_thread *m, int64_t now_ms)
{
    log_notice("stopping: finishing what is under way");
    if (m->leaving == LEAVING_NOT)
        activation_stopping(&m->activation);
    gate_empty(&m->gate, now_ms);
    begin_leaving(m);
    m->leaving = LEAVING;
    m->dismiss_ms = now_ms + DRAIN_NOTICE_MS;
    m->drain_until_ms = now_ms + DRAIN_MS;
    m->next_sweep_ms = now_ms;
}

/*
 * Another process serves from the same sockets now. Here every connection may stay until its own
 * time is over: an idle one that were closed could have a request on its way, and a download that
 * goes on for hours is what a restart must not break.
 */
static void hand_over(struct main_thread *m)
{
    pid_t successor = handover_result(&m->handover);

    if (successor == 0)
        return;
    log_notice("stopping: process %ld serves now; finishing what is under way", (long)successor);
    activation_moved(&m->activation, successor);
    if (m->pid_file_fd != -1)
        close(m->pid_file_fd);
    m->pid_file_fd = -1;
    gate_leave_names(&m->gate);
    begin_leaving(m);
    m->leaving = LEAVING_TO_ANOTHER;
}

static void reopen_error_log(const char *path)
{
    int fd = path != NULL ? open_error_log(path) : -1;

    if (path != NULL && (fd == -1 || !log_to(fd)))
        log_error("cannot re-open the log %s: %m; going on with the old file", path);
    if (fd != -1)
        close(fd);
}

static void obey_signal(struct main_thread *m, uint32_t signal, int64_t now_ms)
{
    if (signal == SIGHUP) {
        access_log_reopen(&m->server->log);
        reopen_error_log(m->server->options->error_log);
        if (m->server->auth_path != NULL)
            auth_reload(m->server->auth);
        else if (m->server->auth != NULL)
            log_error("accounts outside the --chroot cannot be read again: going on with those "
                      "read before");
    } else if (signal == SIGUSR2) {
        if (m->leaving == LEAVING_NOT)
            handover_begin(&m->handover, &m->gate);
    } else if (m->leaving == LEAVING_NOT && m->server->options->drain_delay_ms > 0) {
        announce_end(m, now_ms);
    } else if (m->leaving != LEAVING) {
        begin_drain(m, now_ms);
    } else {
        log_notice("stopping at once");
        _exit(EXIT_FAILED);
    }
}

static void obey_signals(struct main_thread *m, int64_t now_ms)
{
    struct signalfd_siginfo info;

    while (read(m->signal_fd, &info, sizeof info) == sizeof info)
        obey_signal(m, info.ssi_signo, now_ms);
}

static int wait_ms(struct main_thread *m, int64_t now_ms)
{
    if (m->ticking)
        return QUEUE_TICK_MS;
    if (m->leaving == LEAVING)
        return DRAIN_NUDGE_MS;
    if (connection_count(&m->server->connections) == 0 && gate_rests(&m->gate) &&
        m->leaving == LEAVING_NOT)
        return -1;
    return m->next_sweep_ms > now_ms ? (int)(m->next_sweep_ms - now_ms) : 0;
}

static void handle_events(struct main_thread *m, const struct epoll_event *events, int n,
                          int64_t now_ms)
{
    uint64_t kicks;

    for (int i = 0; i < n; i++) {
        uint64_t name = events[i].data.u64;
        if (name == EVENT_SIGNAL)
            obey_signals(m, now_ms);
        else if (name == EVENT_KICK && read(m->kick_fd, &kicks, sizeof kicks) == sizeof kicks)
            m->ticking = true;
        else if (name == EVENT_HANDOVER)
            hand_over(m);
        else if (name < m->gate.count) {
            gate_accept(&m->gate, (unsigned)name, now_ms);
            m->ticking = true;
        }
    }
}

/* What is due by the clock: a second worker, deadlines, the end of a pause. */
static void keep_time(struct main_thread *m, int64_t now_ms)
{
    int64_t now_us = clock_us();

    if (m->ticking && now_us >= m->next_tick_us) {
        m->ticking = queue_tick(&m->server->queue);
        m->next_tick_us = now_us + QUEUE_TICK_MS * (int64_t)1000;
    }
    if (m->leaving == LEAVING_ANNOUNCED && now_ms >= m->leave_ms)
        begin_drain(m, now_ms);
    if (now_ms >= m->next_sweep_ms) {
        bool dismissing = m->leaving == LEAVING && now_ms >= m->dismiss_ms;
        atomic_store_explicit(&m->server->dismissing, dismissing, memory_order_relaxed);
        gate_tend(&m->gate, now_ms);
        sweep(m, dismissing, now_ms);
        m->next_sweep_ms = now_ms + (m->leaving == LEAVING ? DRAIN_NUDGE_MS : SWEEP_MS);
    }
}

/* Whether nothing is left to wait for, or it was waited for long enough. */
static bool is_done(const struct main_thread *m, int64_t now_ms)
{
    if (m->leaving == LEAVING_NOT || m->leaving == LEAVING_ANNOUNCED)
        return false;
    return connection_count(&m->server->connections) == 0 ||
           (m->leaving == LEAVING && now_ms >= m->drain_until_ms);
}

static void loop(struct main_thread *m)
{
    struct epoll_event events[16];

    for (;;) {
        int n =
            epoll_wait(m->epoll_fd, events, sizeof events / sizeof *events, wait_ms(m, clock_ms()));
        int64_t now_ms = clock_ms();
        handle_events(m, events, n, now_ms);
        keep_time(m, now_ms);
        if (is_done(m, now_ms))
            return;
    }
}

static void stop_threads(struct main_thread *m)
{
    struct server *server = m->server;

    queue_close(&server->queue);
    for (unsigned i = 0; i < m->started; i++)
        pthread_join(m->workers[i].thread, NULL);
    sweeper_stop(server);
    access_log_close(&server->log);
    if (m->pid_file_fd != -1)
        unlink(server->options->pid_file);
}

/* Gives back what start took, however far it came. */
static void release(struct main_thread *m)
{
    struct server *server = m->server;
    const int fds[] = {m->epoll_fd,    m->signal_fd,           m->kick_fd,
                       m->pid_file_fd, server->watch.epoll_fd, server->watch.kick_fd};

    connection_table_free(&server->connections);
    tally_free(&m->gate.tally);
    cache_free(&server->cache);
    gate_close(&m->gate);
    handover_close(&m->handover);
    activation_close(&m->activation);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] != -1)
            close(fds[i]);
    state_close(&server->state);
    free(m->workers);
    free(server->counters);
    free(server->media_types.entries);
    free(server->docroot_path);
    auth_close(server->auth);
}

int server_run(const struct options *options, const struct service *services, unsigned count)
{
    struct server server = {
        .options = options,
        .state = STATE_CLOSED,
        .watch = {.epoll_fd = -1, .kick_fd = -1},
    };
    struct main_thread m = {
        .server = &server,
        .activation = ACTIVATION_NONE,
        .handover = HANDOVER_NONE,
        .epoll_fd = -1,
        .signal_fd = -1,
        .kick_fd = -1,
        .error_log_fd = -1,
        .pid_file_fd = -1,
    };
    int failed = start(&m, services, count);

    if (failed == 0)
        loop(&m);
    /* A start that failed with threads running cannot end them in order: it ends with the process.
     */
    if (failed == 0)
        stop_threads(&m);
    if (failed == 0 || m.started == 0)
        release(&m);
    return failed; /* NOLINT(clang-analyzer-unix.Malloc): running threads still use it */
}
