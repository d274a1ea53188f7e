#include "hftp/hftp.h"

#include "hftp/answer.h"

#include <stdlib.h>

enum {
    TURN_COMMANDS = 64, /* pipelined commands answered in one turn while others wait */
};

/* A command and its answer. While the client keeps up it lives on the worker's stack; it is copied
   to connection->exchange when the connection is parked in the middle of it. */
struct hftp_exchange {
    struct hftp_command command;
    struct hftp_answer answer;
};

static void begin(struct hftp_exchange *x)
{
    hftp_command_begin(&x->command);
    x->answer = HFTP_ANSWER_NONE;
}

/* Of a line that was not kept whole, as much as there is. */
static void log_exchange(struct worker *w, const struct connection *c,
                         const struct hftp_exchange *x)
{
    size_t len = x->command.len < HFTP_LINE_KEPT ? x->command.len : HFTP_LINE_KEPT;
    struct access_log_line line = {
        .peer = &c->peer,
        .when = worker_date(w),
        .status = (unsigned)x->answer.code,
        .sent = x->answer.sent,
        .request = len > 0 ? span_make(x->command.line, len) : SPAN_EMPTY,
    };
    access_log_write(&w->server->log, &line);
    counters_add(w->counters, x->answer.code == HFTP_OK ? COUNTER_HFTP_OK : COUNTER_HFTP_FAILED, 1);
}

/* Reads a command. STEP_DONE: it is whole, or known to be none. */
static enum step receive_command(struct worker *w, struct connection *c,
                                 struct hftp_command *command)
{
    for (;;) {
        struct span input = span_make(w->in + w->in_at, w->in_len - w->in_at);
        if (input.len > 0 && c->phase == PHASE_IDLE)
            connection_enter(c, PHASE_HEAD, w->now_ms);
        bool whole = hftp_command_take(command, &input);
        w->in_at = w->in_len - input.len;
        if (whole)
            return STEP_DONE;
        enum step step = channel_receive(w, c);
        if (step != STEP_DONE)
            return step;
    }
}

/* One line in the log for it, and the next may begin. Whether there is a next. */
static bool finish(struct worker *w, struct connection *c, struct hftp_exchange *x)
{
    bool last = hftp_code_is_fatal(x->answer.code) ||
                (x->answer.code == HFTP_OK && x->command.verb == HFTP_QUIT) ||
                atomic_load_explicit(&w->server->dismissing, memory_order_relaxed);

    log_exchange(w, c, x);
    hftp_answer_free(&x->answer);
    begin(x);
    c->reused = true;
    connection_enter(c, PHASE_IDLE, w->now_ms);
    return !last;
}

/* One command after the other. STEP_DONE when the last one of the connection is answered. */
static enum step run(struct worker *w, struct connection *c, struct hftp_exchange *x)
{
    for (unsigned count = 0;; count++) {
        enum step step;

        if (count >= TURN_COMMANDS && queue_has_waiting(&w->server->queue))
            return STEP_AGAIN;
        if (c->phase != PHASE_SEND) {
            step = receive_command(w, c, &x->command);
            if (step == STEP_CLOSE && c->ended) {
                /* It asks no more, but may still read the answers. */
                c->ending = ENDING_LINGER;
                return STEP_DONE;
            }
            if (step != STEP_DONE)
                return step;
            connection_enter(c, PHASE_SEND, w->now_ms);
            hftp_answer_begin(&x->answer, w, &x->command);
        }
        step = hftp_answer_send(&x->answer, w, c);
        if (step == STEP_STALLED || step == STEP_AGAIN)
            return step;
        if (!finish(w, c, x) || step == STEP_CLOSE) {
            c->ending = ENDING_LINGER;
            return step;
        }
    }
}

/* Until when the connection may rest. A long line is no reason to end it, one that hardly grows is:
   each byte of it buys the time that it may take by the minimum rate. */
static int64_t deadline_for(const struct worker *w, const struct connection *c,
                            const struct hftp_exchange *x)
{
    const struct options *o = w->server->options;

    if (c->phase == PHASE_SEND || kept_len(&c->output) > 0)
        return channel_transfer_deadline(w, c);
    if (c->phase == PHASE_IDLE)
        return c->phase_since + (c->reused ? o->idle_timeout_ms : o->head_timeout_ms);
    if (o->min_rate == 0)
        return (w->moved > 0 ? w->now_ms : c->phase_since) + o->head_timeout_ms;
    return c->phase_since + o->head_timeout_ms +
           (int64_t)((uint64_t)x->command.len * 1000 / o->min_rate);
}

/* Copies to the connection what it needs to go on later: between commands that is nothing. */
static bool keep(struct worker *w, struct connection *c, const struct hftp_exchange *x)
{
    if (!channel_keep(w, c))
        return false;
    if (c->phase == PHASE_IDLE || c->exchange != NULL)
        return true;
    struct hftp_exchange *kept = malloc(sizeof *kept);
    if (kept == NULL)
        return false;
    *kept = *x;
    c->exchange = kept;
    return true;
}

static void hftp_drop(struct connection *c)
{
    struct hftp_exchange *x = c->exchange;

    hftp_answer_free(&x->answer);
    free(x);
    c->exchange = NULL;
}

/* Sends and answers what can be. */
static enum step move(struct worker *w, struct connection *c, struct hftp_exchange *x)
{
    enum step step = STEP_DONE;

    if (channel_unsent(w) > 0)
        step = channel_flush(w, c, c->phase == PHASE_SEND);
    if (step == STEP_DONE && c->ending == ENDING_NOT)
        step = run(w, c, x);
    if (step != STEP_CLOSE && channel_unsent(w) > 0) {
        enum step rest = channel_flush(w, c, false);
        step = rest == STEP_DONE ? step : rest;
    }
    return step;
}

static enum turn hftp_turn(struct worker *w, struct connection *c)
{
    struct hftp_exchange here;
    struct hftp_exchange *x = c->exchange != NULL ? c->exchange : &here;

    begin(&here);
    channel_restore(w, c);
    enum step step = move(w, c, x);
    if (c->exchange != NULL && c->phase == PHASE_IDLE) {
        hftp_drop(c);
        x = &here;
    }
    bool quiet = c->phase == PHASE_IDLE && w->in_len == w->in_at && channel_unsent(w) == 0;
    if (step == STEP_DONE)
        return TURN_LINGER;
    if (step == STEP_CLOSE ||
        (quiet && atomic_load_explicit(&w->server->dismissing, memory_order_relaxed)) ||
        !keep(w, c, x)) {
        hftp_answer_free(&here.answer);
        return TURN_CLOSE;
    }
    connection_set_deadline(c, deadline_for(w, c, x));
    return step == STEP_AGAIN ? TURN_AGAIN : TURN_PARK;
}

/* The line took too long: it is a bad request, and the client may read that. */
static enum turn expire_command(struct worker *w, struct connection *c, struct hftp_exchange *x)
{
    channel_restore(w, c);
    x->command.code = HFTP_BAD_REQUEST;
    hftp_answer_begin(&x->answer, w, &x->command);
    channel_flush(w, c, false);
    finish(w, c, x);
    return TURN_LINGER;
}

static enum turn hftp_expire(struct worker *w, struct connection *c)
{
    struct hftp_exchange *x = c->exchange;

    c->expired = false;
    if (c->phase == PHASE_SEND || kept_len(&c->output) > 0) {
        channel_count_acknowledged(w, c);
        connection_set_deadline(c, channel_transfer_deadline(w, c));
        if (atomic_load_explicit(&c->deadline, memory_order_relaxed) > w->now_ms)
            return TURN_PARK;
        if (x != NULL && c->phase == PHASE_SEND)
            log_exchange(w, c, x);
        return TURN_CLOSE;
    }
    return c->phase == PHASE_HEAD && x != NULL ? expire_command(w, c, x) : TURN_CLOSE;
}

/* The protocol has no code of its own for it; this one says that it is not the client's fault. */
static void hftp_refuse(struct connection *c)
{
    char bytes[64], ignored[4096];
    struct buffer out = BUFFER_OVER(bytes);
    size_t n;

    hftp_code_put(&out, HFTP_INTERNAL_ERROR);
    /* A command that is here already is read, so that closing does not reset the connection. */
    stream_receive(c->fd, ignored, sizeof ignored, &n);
    stream_send(c->fd, out.data, out.len, false, &n);
}

const struct protocol hftp_protocol = {
    .name = "hftp",
    .turn = hftp_turn,
    .expire = hftp_expire,
    .drop = hftp_drop,
    .refuse = hftp_refuse,
};
