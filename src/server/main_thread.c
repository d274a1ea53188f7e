#include "server/main_thread.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/auth.h"
#include "server/server.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    SWEEP_MS = 250,        /* how often deadlines are looked at: they are seconds long */
    DRAIN_MS = 10000,      /* requests under way get this long to finish at the end */
    DRAIN_NUDGE_MS = 50,   /* how often idle connections are asked to go meanwhile */
    DRAIN_NOTICE_MS = 200, /* who asks again within that time is told first */

    EVENT_SIGNAL = 1000, /* names of the main thread's descriptors; below are the listeners */
    EVENT_KICK,
    EVENT_HANDOVER,
};

static bool watch_descriptor(struct main_thread *m, int fd, uint64_t name)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = name};
    return fd != -1 && epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, fd, &event) != -1;
}

int main_thread_open_events(struct main_thread *m)
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

/*
 * Gives every parked connection whose time is over or that is to be looked at, or all of them, to
 * the workers. A walk over the table four times a second costs less than keeping ordered lists on
 * every park: 10,000 connections are 10,000 neighbouring words, some 20 microseconds.
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

static void reopen_error_log(const struct server *server)
{
    const char *path = server->error_log;
    int fd = path != NULL ? log_open(path) : -1;

    if (path == NULL && server->options->error_log != NULL)
        log_error("a log outside the --chroot cannot be re-opened; going on with the old file");
    else if (path != NULL && (fd == -1 || !log_to(fd)))
        log_error("cannot re-open the log %s: %m; going on with the old file", path);
    if (fd != -1)
        close(fd);
}

static void obey_signal(struct main_thread *m, uint32_t signal, int64_t now_ms)
{
    if (signal == SIGHUP) {
        access_log_reopen(&m->server->log);
        reopen_error_log(m->server);
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
        m->leaving == LEAVING_NOT && !open_files_any(&m->server->open_files))
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
        open_files_tend(&m->server->open_files);
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

void main_thread_serve(struct main_thread *m)
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
