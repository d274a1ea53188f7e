#include "server/server.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "server/auth.h"
#include "server/confinement.h"
#include "server/daemon.h"
#include "server/listeners.h"
#include "server/main_thread.h"
#include "server/storage.h"
#include "server/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEFAULT_CONNECTIONS = 65536, /* unless descriptors are fewer */
    SPARE_DESCRIPTORS = 64,      /* for everything that is not a connection or its file */
    MIME_TYPES_LIMIT = 1 << 20,
};

/* What lives from the start to the end. */
struct daemon {
    struct server server;
    struct main_thread main;
    struct worker *workers;
    unsigned started;
    int start_error;   /* an errno: why not all of them were */
    struct span types; /* the file of them, until it is read */
    int error_log_fd;  /* until it takes the place of standard error; -1: none */
    bool detaches;     /* goes to the background */
};

static uint64_t descriptor_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

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
    uint64_t spare =
        SPARE_DESCRIPTORS + open_files_limit(limit.rlim_cur) + 3 * (uint64_t)options->threads;
    uint64_t most = limit.rlim_cur > spare + 16 ? limit.rlim_cur - spare : 16;
    uint64_t wanted = options->connections > 0 ? options->connections : DEFAULT_CONNECTIONS;
    if (options->connections > most)
        log_warning("--connections %u is more than the %llu descriptors allow: taking %llu",
                    options->connections, (unsigned long long)limit.rlim_cur,
                    (unsigned long long)most);
    return (unsigned)(wanted < most ? wanted : most);
}

/*
 * Decides whether clients may change anything: on an address that others can reach everybody could,
 * and that has to be said out loud.
 */
static void decide_who_writes(struct server *server, const struct gate *gate)
{
    const struct options *o = server->options;

    /* Behind a proxy an address of the loopback says nothing about who comes. */
    server->loopback_only = trust_is_empty(&server->trust);
    for (unsigned i = 0; i < gate->count; i++)
        if (gate->listeners[i].protocol->changes_files)
            server->loopback_only &= address_is_loopback(&gate->listeners[i].address);
    server->read_only =
        o->read_only || !(server->loopback_only || o->public_writes || server->auth != NULL);
    if (server->read_only && !o->read_only)
        log_notice("read-only: %s (--auth FILE says who may write, --public-writes lets anybody)",
                   trust_is_empty(&server->trust) ? "the address is not a loopback one"
                                                  : "whoever comes through a proxy may be anybody");
    else if (server->auth != NULL && !server->loopback_only)
        log_notice("passwords travel as they are on that address: put something that speaks TLS "
                   "before it");
}

static int open_accounts(struct server *server)
{
    const char *path = server->options->auth_file;

    if (path == NULL)
        return 0;
    if (storage_is_served(server, path)) {
        log_error("'%s' would be served with the other files: keep the accounts elsewhere", path);
        return EXIT_USAGE;
    }
    server->auth = auth_open(path, server->options->threads);
    return server->auth != NULL ? 0 : EXIT_USAGE;
}

/* The system's table of types, where there is one; the built-in ones do without it. */
static struct span open_media_types(void)
{
    struct stat st;
    int fd = open("/etc/mime.types", O_RDONLY | O_CLOEXEC);
    char *text = MAP_FAILED;

    if (fd == -1)
        return SPAN_EMPTY;
    if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= MIME_TYPES_LIMIT)
        text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    return text == MAP_FAILED ? SPAN_EMPTY : span_make(text, (size_t)st.st_size);
}

static void read_media_types(struct server *server, struct span types)
{
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

static int open_logs(struct daemon *d)
{
    struct server *server = &d->server;
    static const char *const terminal[] = {"-"};
    const struct options *o = server->options;
    const char *failed =
        access_log_open(&server->log, o->log_format, o->log_count > 0 ? o->logs : terminal,
                        o->log_count > 0 ? o->log_count : 1);
    if (failed == NULL && o->error_log != NULL) {
        d->error_log_fd = log_open(o->error_log);
        failed = d->error_log_fd == -1 ? o->error_log : NULL;
    }
    if (failed == NULL)
        return 0;
    log_error("cannot write the log '%s': %m", failed);
    return EXIT_USAGE;
}

static struct counters *make_counters(unsigned count)
{
    struct counters *counters = aligned_alloc(_Alignof(struct counters), count * sizeof *counters);

    if (counters != NULL)
        memset(counters, 0, count * sizeof *counters);
    return counters;
}

/* What the threads share. 0, or an errno. */
static int make_tables(struct daemon *d)
{
    struct server *server = &d->server;
    struct gate *gate = &d->main.gate;
    unsigned threads = server->options->threads;
    unsigned connections = connection_limit(server->options);
    int error = connection_table_init(&server->connections, connections);
    if (error == 0)
        error = cache_init(&server->cache, server->options->cache);
    if (error == 0)
        error = open_files_init(&server->open_files, open_files_limit(descriptor_limit()));
    if (error == 0 && server->options->per_address > 0)
        error = tally_init(&gate->tally, connections);
    if (error == 0)
        error = watch_init(&server->watch, &server->connections);
    if (error == 0)
        error = queue_init(&server->queue, &server->watch, server->options->queue, threads,
                           d->main.kick_fd);
    gate->connections = &server->connections;
    gate->queue = &server->queue;
    gate->watch = &server->watch;
    server->counters = make_counters(threads + 1);
    if (server->counters == NULL)
        error = ENOMEM;
    else
        gate->counters = server_shared_counters(server);
    server->started_s = clock_wall_s();
    server->started_ms = clock_ms();
    /* Untouched pages of this cost nothing: a worker's buffers are large, its use of them is not.
     */
    d->workers = calloc(threads, sizeof *d->workers);
    if (d->workers == NULL)
        error = ENOMEM;
    return error;
}

static void *starter_main(void *argument)
{
    struct daemon *d = argument;
    struct server *server = &d->server;

    sandbox_enter_starter(&server->sandbox);
    while (d->start_error == 0 && d->started < server->options->threads) {
        d->start_error = worker_start(&d->workers[d->started], server, d->started);
        d->started += d->start_error == 0;
    }
    return NULL;
}

/* While the workers are being started the types are read, which takes as long. */
static int start_workers(struct daemon *d)
{
    pthread_t starter;
    int error = pthread_create(&starter, NULL, starter_main, d);

    if (error != 0)
        return error;
    read_media_types(&d->server, d->types);
    pthread_join(starter, NULL);
    return d->start_error;
}

static int start_threads(struct daemon *d)
{
    struct server *server = &d->server;
    int error = make_tables(d);

    if (error == 0)
        error = access_log_start(&server->log, &server->sandbox);
    if (error == 0 && server->resumes)
        error = sweeper_start(server);
    if (error == 0)
        error = start_workers(d);
    if (error == 0)
        return 0;
    errno = error;
    log_error("cannot start %u threads: %m", server->options->threads);
    return EXIT_FAILED;
}

/* What made a start fail was said on the terminal; from now on the file has everything. */
static void begin_error_log(struct daemon *d)
{
    if (d->error_log_fd == -1)
        return;
    if (!log_to(d->error_log_fd))
        log_warning("cannot write to the error log: %m");
    close(d->error_log_fd);
    d->error_log_fd = -1;
}

/* "127.0.0.1:8080/", for somebody to open. What means every address leads nowhere in a browser. */
static void put_place(struct buffer *text, const struct gate_listener *listener)
{
    struct address address = listener->address;
    bool every = address_is_every(&address) &&
                 address_parse(&address, "127.0.0.1", address_port(&listener->address));

    address_put(text, &address);
    if (listener->place.path != NULL)
        buffer_put_span(text, span_of(listener->place.path));
    buffer_put_span(text, every ? SPAN("/ on every address") : SPAN("/"));
}

static void announce(const struct server *server, const struct gate *gate)
{
    char bytes[4096];
    struct buffer text = BUFFER_OVER(bytes);

    for (unsigned i = 0; i < gate->count; i++) {
        if (i > 0)
            buffer_put_text(&text, " and ");
        buffer_put_span(&text, span_of(gate->listeners[i].protocol->name));
        buffer_put_text(&text, "://");
        put_place(&text, &gate->listeners[i]);
    }
    buffer_put_text(&text, " with ");
    buffer_put_u64(&text, server->options->threads);
    buffer_put_text(&text, " threads, ");
    sandbox_describe(&server->sandbox, &text);
    log_notice("serving %s at " SPAN_FMT, server->docroot_path, SPAN_ARG(buffer_span(&text)));
}

/* Opens all that needs the rights and the names that the server was started with, and gives both
   up. 0, or the exit status after a line that says why. */
static int open_outside(struct daemon *d, const struct service *services, unsigned count)
{
    struct main_thread *m = &d->main;
    const struct options *o = d->server.options;
    int failed = storage_find_docroot(&d->server);

    d->types = open_media_types();
    if (failed == 0)
        failed = open_trust(&d->server);
    if (failed == 0)
        failed = open_accounts(&d->server);
    for (unsigned i = 0; i < count && failed == 0; i++)
        failed = listeners_open(&m->gate, &m->activation, &services[i]);
    if (failed == 0)
        failed = listeners_refuse_others(&m->activation);
    if (failed == 0)
        failed = open_logs(d);
    if (failed == 0 && d->detaches)
        failed = daemon_begin();
    if (failed == 0 && o->pid_file != NULL)
        failed = daemon_open_pid_file(o->pid_file, &m->pid_file_fd);
    if (failed == 0)
        failed = confinement_begin(&d->server);
    return failed;
}

/* Everything up to the first request; what it returns is what open_outside does. */
static int start(struct daemon *d, const struct service *services, unsigned count)
{
    struct main_thread *m = &d->main;
    struct server *server = &d->server;
    const struct options *o = server->options;
    int failed = activation_take(&m->activation) ? 0 : EXIT_USAGE;

    /* Whoever replaces a server in the background is there already. */
    d->detaches = o->daemon && m->activation.ready_fd == -1;
    if (failed == 0 && !handover_prepare(&m->handover, o->argv, o->daemon))
        log_warning("cannot prepare for a restart: %m; SIGUSR2 will do nothing");
    if (failed == 0)
        failed = open_outside(d, services, count);
    if (failed != 0)
        return failed;
    decide_who_writes(server, &m->gate);
    failed = storage_open_state(server);
    if (failed == 0)
        sandbox_prepare(&server->sandbox, server, &m->gate);
    if (failed == 0)
        failed = main_thread_open_events(m);
    if (failed == 0)
        failed = start_threads(d);
    if (failed == 0 && !gate_open(&m->gate)) {
        log_error("cannot accept connections: %m");
        failed = EXIT_FAILED;
    }
    if (failed == 0)
        failed = daemon_write_pid_file(o->pid_file, m->pid_file_fd);
    if (failed != 0)
        return failed;
    sandbox_await(&server->sandbox, d->started + 1 + server->resumes);
    begin_error_log(d);
    announce(server, &m->gate);
    activation_ready(&m->activation);
    if (d->detaches)
        daemon_leave_terminal(o->error_log != NULL);
    sandbox_enter(&server->sandbox, THREAD_MAIN);
    return 0;
}

/* Those that have been started, however far that came. */
static void stop_threads(struct daemon *d)
{
    struct server *server = &d->server;

    if (d->started > 0)
        queue_close(&server->queue);
    for (unsigned i = 0; i < d->started; i++)
        pthread_join(d->workers[i].thread, NULL);
    sweeper_stop(server);
    access_log_close(&server->log);
}

/* Gives back what start took, however far it came. */
static void release(struct daemon *d)
{
    struct server *server = &d->server;
    struct main_thread *m = &d->main;
    const int fds[] = {m->epoll_fd,    m->signal_fd,           m->kick_fd,
                       m->pid_file_fd, server->watch.epoll_fd, server->watch.kick_fd};

    connection_table_free(&server->connections);
    tally_free(&m->gate.tally);
    open_files_close(&server->open_files);
    cache_free(&server->cache);
    gate_close(&m->gate);
    handover_close(&m->handover);
    activation_close(&m->activation);
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] != -1)
            close(fds[i]);
    state_close(&server->state);
    free(d->workers);
    free(server->counters);
    free(server->media_types.entries);
    free(server->docroot_path);
    auth_close(server->auth);
}

int server_run(const struct options *options, const struct service *services, unsigned count)
{
    struct daemon d = {
        .server =
            {
                .options = options,
                .state = STATE_CLOSED,
                .state_lock = PTHREAD_MUTEX_INITIALIZER,
                .watch = {.epoll_fd = -1, .kick_fd = -1},
            },
        .main =
            {
                .server = &d.server,
                .gate = {.options = options, .trust = &d.server.trust},
                .activation = ACTIVATION_NONE,
                .handover = HANDOVER_NONE,
                .epoll_fd = -1,
                .signal_fd = -1,
                .kick_fd = -1,
                .pid_file_fd = -1,
            },
        .error_log_fd = -1,
    };
    int failed = start(&d, services, count);

    if (failed == 0)
        main_thread_serve(&d.main);
    stop_threads(&d);
    /* After a start that failed the file may name a server that goes on. */
    if (failed == 0 && d.main.pid_file_fd != -1)
        unlink(options->pid_file);
    release(&d);
    return failed;
}
