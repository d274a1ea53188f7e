#include "server/worker.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/response.h"
#include "server/delivery.h"

#include <errno.h>
#include <unistd.h>

enum {
    STACK_SIZE = 256 * 1024, /* the deepest call holds a few paths and a log line: 30 KB measured */
    LINGER_MS = 2000,        /* how long a client gets to read the last words and hang up */
    LINGER_BYTES = 1 << 20,  /* and how much of what it still sends is thrown away meanwhile */
};

int64_t worker_date(struct worker *worker)
{
    int64_t now = clock_wall_s();

    if (now != worker->date_s) {
        worker->date_lines.len = 0;
        response_field(&worker->date_lines, SPAN("Server"), SPAN("httpd"));
        response_field_date(&worker->date_lines, SPAN("Date"), now);
        worker->date_s = now;
    }
    return now;
}

/*
 * Throws away what the client still sends. To close a socket with unread bytes resets the
 * connection, and the reset may destroy the response before the client has read it (RFC 9112 9.6).
 */
static enum turn linger(struct worker *worker, struct connection *c)
{
    size_t len = 0, total = 0;
    enum stream_result result = STREAM_STALLED;

    if (c->phase != PHASE_LINGER) {
        stream_finish(c->fd);
        connection_enter(c, PHASE_LINGER, worker->now_ms);
        connection_set_deadline(c, worker->now_ms + LINGER_MS);
    }
    do {
        result = stream_receive(c->fd, worker->in, sizeof worker->in, &len);
        total += len;
    } while (result == STREAM_OK && total < LINGER_BYTES);
    counters_add(worker->counters, COUNTER_RECEIVED, total);
    c->ended |= result == STREAM_ENDED;
    c->broken |= result == STREAM_BROKEN;
    if (result == STREAM_ENDED && c->delivery != NULL && delivery_is_under_way(c))
        return TURN_PARK;
    return result == STREAM_STALLED ? TURN_PARK : TURN_CLOSE;
}

/*
 * The clock is the dearest part of counting, so it is read once for a turn, at its end, and that is
 * then the time at which the next one begins. After a wait it is read anew.
 */
static void end_turn(struct worker *worker)
{
    worker->now_us = clock_us();
    if (worker->answered > 0)
        counters_add_duration(worker->counters, (uint64_t)(worker->now_us - worker->turn_us),
                              worker->answered);
    worker->answered = 0;
}

/* One turn; what the protocol decides to end is ended here. */
static enum turn take_turn(struct worker *worker, struct connection *c)
{
    enum turn turn;

    worker->turn_us = worker->now_us;
    worker->now_ms = worker->now_us / 1000;
    worker->connection = c;
    c->wants = 0;
    c->readable |= c->low_water > 0;
    /* A download that still makes its way is for the protocol to judge. */
    if (c->phase == PHASE_LINGER && !(c->expired && c->delivery != NULL))
        return c->expired ? TURN_CLOSE : linger(worker, c);
    turn = c->expired ? c->protocol->expire(worker, c) : c->protocol->turn(worker, c);
    if (turn == TURN_LINGER)
        turn = linger(worker, c);
    end_turn(worker);
    return turn;
}

/* Once, until it is put right. What the sandbox allows is bound to the directory, not its name. */
static void say_replaced(struct server *server)
{
    if (!atomic_exchange(&server->replaced_said, true))
        log_error(
            "another directory stands at %s now, which the sandbox does not let this process "
            "into: answering 503 until httpd is restarted (SIGUSR2 does so without a gap), or "
            "the old one is put back",
            server->docroot_path);
}

/*
 * Whatever was done before a request was sent, it must find done: also that another directory has
 * taken the docroot's place. The state that lies in it goes along; the first worker that notices
 * takes it over for all.
 */
static void look_at_docroot(struct worker *worker)
{
    struct server *server = worker->server;
    ino_t before = worker->docroot.inode;

    enum fs_result result = docroot_refresh(&worker->docroot);

    if (result == FS_REPLACED)
        say_replaced(server);
    if (result != FS_OK || worker->docroot.inode == before || !server->resumes ||
        server->state_path != NULL || server->sandbox.files)
        return;
    pthread_mutex_lock(&server->state_lock);
    if (server->state_inode != worker->docroot.inode &&
        state_follow(&server->state, &worker->docroot) == FS_OK)
        server->state_inode = worker->docroot.inode;
    pthread_mutex_unlock(&server->state_lock);
}

/* What the kernel is to wait for before it reports bytes. An end it reports always. */
static void set_low_water(struct connection *c, uint32_t bytes)
{
    if (bytes != c->low_water && stream_set_low_water(c->fd, bytes > 0 ? bytes : 1))
        c->low_water = bytes;
}

/* Whether to wait for its client costs nobody anything. */
static bool may_wait(const struct worker *worker, const struct connection *c)
{
    struct server *server = worker->server;
    int64_t left = atomic_load_explicit(&c->deadline, memory_order_relaxed) - worker->now_ms;

    /* What the next request of a connection in the watch set would wake is whoever watches, too. */
    if (c->phase == PHASE_IDLE && c->watched != 0)
        return false;
    /* With more connections than workers, a worker that waits on one is missing elsewhere. */
    return left >= server->options->patience_ms && c->phase != PHASE_LINGER && c->drips == 0 &&
           connection_count(&server->connections) <= server->options->threads &&
           !queue_is_pressed(&server->queue);
}

/*
 * Waits a little for the client of this very connection, when that costs nobody anything: what
 * comes back within the patience is served without a hand-over. When nobody watches the others, the
 * worker rather parks it and watches all of them, this one among them.
 */
static bool wait_patiently(struct worker *worker, struct connection *c)
{
    int64_t patience = worker->server->options->patience_ms;

    if (patience == 0 || !may_wait(worker, c))
        return false;
    bool sends = c->phase == PHASE_SEND || kept_len(&c->output) > 0;
    set_low_water(c, sends ? 0 : c->wants);
    if (!stream_wait(c->fd, sends ? STREAM_WAIT_WRITE : STREAM_WAIT_READ, (int)patience))
        return false;
    c->readable = true;
    worker->now_us = clock_us();
    worker->fetch = 0;
    look_at_docroot(worker);
    return true;
}

/* Serves a connection until it is parked, closed, or should let others go first. */
static void serve(struct worker *worker, struct connection *c)
{
    struct server *server = worker->server;

    for (;;) {
        bool failed = false;
        enum turn turn = take_turn(worker, c);
        if (turn == TURN_CLOSE) {
            connection_close(&server->connections, c);
            return;
        }
        if (turn == TURN_AGAIN) {
            queue_push_ready(&server->queue, c);
            return;
        }
        if (wait_patiently(worker, c))
            continue;
        set_low_water(c, c->phase == PHASE_BODY ? c->drips : 0);
        if (watch_park(&server->watch, c, &failed))
            return;
        if (failed) {
            connection_close(&server->connections, c);
            return;
        }
        worker->fetch = 0; /* what has come may be younger than the last look */
        docroot_refresh(&worker->docroot);
    }
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct server *server = worker->server;
    struct connection *c;
    struct queue_turn turn = {0};
    uint64_t refreshed = 0;

    pthread_setname_np(pthread_self(), "httpd-worker");
    sandbox_enter(&server->sandbox, THREAD_WORKER);
    queue_join(&server->queue);
    while ((c = queue_take(&server->queue, &turn)) != NULL) {
        /* One look serves all the connections that were ready before it. */
        if (turn.fetch != refreshed) {
            worker->now_us = clock_us();
            look_at_docroot(worker);
        }
        refreshed = turn.fetch;
        worker->fetch = c->has_begun ? turn.fetch : 0;
        c->has_begun = false;
        serve(worker, c);
    }
    docroot_close(&worker->docroot);
    stream_pipe_close(&worker->pipe);
    return NULL;
}

bool worker_prepare(struct worker *worker, struct server *server, unsigned index)
{
    worker->server = server;
    worker->counters = &server->counters[index];
    worker->date_s = -1;
    worker->date_lines = BUFFER_OVER(worker->date_bytes);
    worker->pipe = STREAM_PIPE_CLOSED;
    worker->out = BUFFER_OVER(worker->out_bytes);
    worker->exchange.file.fd = worker->exchange.run.fd = -1;
    return docroot_open(&worker->docroot, server->docroot_path) == FS_OK;
}

int worker_start(struct worker *worker, struct server *server, unsigned index)
{
    pthread_attr_t attributes;
    int error;

    if (!worker_prepare(worker, server, index))
        return errno;
    if (server->sandbox.files)
        docroot_bind(&worker->docroot);
    if ((error = pthread_attr_init(&attributes)) != 0)
        return error;
    error = pthread_attr_setstacksize(&attributes, STACK_SIZE);
    if (error == 0)
        error = pthread_create(&worker->thread, &attributes, worker_main, worker);
    pthread_attr_destroy(&attributes);
    return error;
}
