#include "server/exchange.h"

#include "base/clock.h"
#include "http/response.h"
#include "server/body.h"
#include "server/client_address.h"
#include "server/compose.h"
#include "server/content.h"
#include "server/delivery.h"
#include "server/open_files.h"
#include "server/route.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    TURN_REQUESTS = 64,     /* pipelined requests answered in one turn while others wait */
    CLIENT_WENT_AWAY = 499, /* what nginx writes in its log for a request that got no answer */
};

static void begin_exchange(const struct worker *w, const struct connection *c, struct exchange *x)
{
    x->begun_us = w->turn_us;
    x->client = c->peer;
    x->chunked = (struct chunked){0};
    x->body_left = x->request.framing == FRAMING_LENGTH ? x->request.content_length : 0;
    x->body_seen = 0;
    x->body_over = x->request.framing == FRAMING_NONE ||
                   (x->request.framing == FRAMING_LENGTH && x->body_left == 0);
    x->continued = false;
    x->intake = NULL;
    x->user_len = 0;
    x->status = STATUS_NONE;
    x->head_only = x->request.method == METHOD_HEAD;
    x->persistent = x->request.persistent;
    x->linger = false;
    x->chunk_content = false;
    x->last_produced = false;
    x->sent = 0;
}

/* Reads a request's head. STEP_DONE: x->request holds it, or x->status says why it was refused. */
static enum step receive_head(struct worker *w, struct connection *c, struct exchange *x)
{
    for (;;) {
        if (w->in_len > w->in_at) {
            size_t skipped;
            enum status refusal;
            if (c->phase == PHASE_IDLE)
                connection_enter(c, PHASE_HEAD, w->now_ms);
            switch (request_parse(&x->request, w->in + w->in_at, w->in_len - w->in_at, &skipped,
                                  &refusal)) {
            case REQUEST_DONE:
                w->in_at += skipped + x->request.head_len;
                if (c->delivery != NULL)
                    delivery_confirm(c);
                begin_exchange(w, c, x);
                client_address_find(&w->server->trust, &x->request, &x->client);
                return STEP_DONE;
            case REQUEST_REFUSED: begin_exchange(w, c, x); return compose_refusal(w, x, refusal);
            case REQUEST_PARTIAL: break;
            }
        }
        enum step step = channel_receive(w, c);
        if (step != STEP_DONE) {
            connection_waits(c); /* the request, or its rest, comes later */
            return step;
        }
    }
}

static void enter_body(const struct worker *w, struct connection *c)
{
    connection_enter(c, PHASE_BODY, w->now_ms);
    c->drips = 0;
}

/*
 * The head is there: decides what becomes of the request. Afterwards its answer has been composed,
 * or its body is to be received.
 */
static enum step begin(struct worker *w, struct connection *c, struct exchange *x)
{
    const struct request *r = &x->request;
    struct target target;
    struct answer answer;
    enum step step = STEP_DONE;

    connection_enter(c, PHASE_SEND, w->now_ms);
    answer_init(&answer, BUFFER_OVER(w->fields));
    switch (route_begin(w, r, &target, &answer, &x->intake)) {
    case ROUTE_INTAKE:
        x->chunked.reports_trailer = x->intake->trailer != NULL;
        enter_body(w, c);
        return STEP_DONE;
    case ROUTE_ANSWERED:
        body_skip(w, x);
        step = compose_answer(w, x, &answer);
        break;
    case ROUTE_DISCARD:
        if (r->framing == FRAMING_NONE || r->expects_continue) {
            route_answer(w, r, &target, &answer);
            step = compose_answer(w, x, &answer);
        } else if (r->framing == FRAMING_LENGTH && r->content_length > BODY_DISCARD_LIMIT) {
            step = compose_refusal(w, x, STATUS_CONTENT_TOO_LARGE);
        } else {
            enter_body(w, c);
        }
        break;
    }
    return step;
}

/* "GET / HTTP/1.1", as far as it was understood. */
static struct span request_line(const struct request *r)
{
    enum { VERSION_LEN = sizeof " HTTP/1.1" - 1 };
    size_t end = (size_t)r->target_at + r->target_len;

    if (r->target_len == 0)
        return SPAN_EMPTY;
    if (r->version != VERSION_0_9 && r->head_len >= end + VERSION_LEN)
        end += VERSION_LEN;
    return span_make(r->head, end);
}

static void log_exchange(struct worker *w, const struct exchange *x)
{
    const struct request *r = &x->request;
    bool fields = r->version != VERSION_0_9 && r->head_len > 0;
    struct access_log_line line = {
        .peer = &x->client,
        .when = worker_date(w),
        .status = x->status != STATUS_NONE ? (unsigned)x->status : CLIENT_WENT_AWAY,
        .sent = x->sent,
        .user = span_make(x->user, x->user_len),
        .request = request_line(r),
        .referer = fields ? request_field(r, FIELD_REFERER) : SPAN_EMPTY,
        .user_agent = fields ? request_field(r, FIELD_USER_AGENT) : SPAN_EMPTY,
    };
    access_log_write(&w->server->log, &line);
    counters_add(w->counters, counter_of_request((enum method)r->method, line.status), 1);
    /* What comes and goes in one turn has taken as long as the turn, which is not over yet. */
    if (x->begun_us == w->turn_us)
        w->answered++;
    else
        counters_add_duration(w->counters, (uint64_t)(clock_us() - x->begun_us), 1);
}

/* Gives up what an exchange owns. */
static void release(struct exchange *x)
{
    cache_release(x->entry);
    if (x->file.fd != -1)
        close(x->file.fd);
    if (x->producer != NULL)
        x->producer->free(x->producer);
    if (x->intake != NULL)
        x->intake->free(x->intake);
    free(x->head_copy);
    x->entry = NULL;
    x->intake = NULL;
    x->file.fd = x->run.fd = -1;
    x->file.left = x->run.left = 0;
    x->producer = NULL;
    x->head_copy = NULL;
}

/* Leaves the file open for the next request, if it is one of those that may be. */
static void let_rest(struct worker *w, struct exchange *x)
{
    if (x->entry == NULL)
        return;
    open_files_give(&w->server->open_files, x->entry, x->file.fd);
    x->entry = NULL;
    x->file.fd = -1;
}

/* The exchange is over: one line for it, and the next may begin. */
static void finish_exchange(struct worker *w, struct connection *c, struct exchange *x)
{
    log_exchange(w, x);
    w->fetch = 0; /* the next request may have begun a moment ago */
    c->bulk = false;
    c->reused = true;
    c->asked_us = 0;
    connection_enter(c, PHASE_IDLE, w->now_ms);
    let_rest(w, x);
    release(x);
    if (x != &w->exchange) {
        c->exchange = NULL;
        free(x);
    }
}

/*
 * One exchange after the other, each from the stage where it stands: this is the way of a request.
 * STEP_DONE when the last one of the connection is over.
 */
static enum step run_exchanges(struct worker *w, struct connection *c)
{
    for (unsigned count = 0;; count++) {
        struct exchange *x = c->exchange != NULL ? c->exchange : &w->exchange;
        enum step step = STEP_DONE;

        if (count >= TURN_REQUESTS && queue_has_waiting(&w->server->queue))
            return STEP_AGAIN;
        if (c->phase == PHASE_IDLE || c->phase == PHASE_HEAD) {
            step = receive_head(w, c, x);
            if (step != STEP_DONE)
                return step;
            if (x->status == STATUS_NONE)
                step = begin(w, c, x);
            else
                connection_enter(c, PHASE_SEND, w->now_ms);
        }
        if (step == STEP_DONE && c->phase == PHASE_BODY) {
            step = body_receive(w, c, x);
            if (step != STEP_STALLED && step != STEP_AGAIN)
                connection_enter(c, PHASE_SEND, w->now_ms);
        }
        if (step == STEP_DONE)
            step = content_send(w, c, x);
        if (step == STEP_STALLED || step == STEP_AGAIN)
            return step;

        if (c->delivery != NULL && step == STEP_DONE)
            delivery_sent(c, w->in_at < w->in_len);
        bool persistent = x->persistent;
        bool lingers = x->linger || w->in_at < w->in_len;
        finish_exchange(w, c, x);
        if (step != STEP_DONE || !persistent) {
            c->ending = lingers || c->delivery != NULL ? ENDING_LINGER : ENDING_CLOSE;
            return step;
        }
    }
}

/* Until when the connection may rest. */
static int64_t deadline_for(const struct worker *w, const struct connection *c)
{
    const struct options *o = w->server->options;
    bool transfers = c->phase == PHASE_BODY || c->phase == PHASE_SEND || c->phase == PHASE_LINGER ||
                     kept_len(&c->output) > 0;

    if (c->phase == PHASE_IDLE && !transfers)
        return c->phase_since + (c->reused ? o->idle_timeout_ms : o->head_timeout_ms);
    if (c->phase == PHASE_HEAD && !transfers)
        return c->phase_since + o->head_timeout_ms;
    return channel_transfer_deadline(w, c);
}

/* Copies the worker's exchange to the connection. */
static bool keep_exchange(struct worker *w, struct connection *c)
{
    struct exchange *kept = malloc(sizeof *kept);
    size_t head_len = w->exchange.request.head_len;
    char *head = malloc(head_len + 1);

    if (kept == NULL || head == NULL) {
        free(kept);
        free(head);
        return false;
    }
    memcpy(head, w->exchange.request.head, head_len);
    *kept = w->exchange;
    kept->head_copy = head;
    kept->request.head = head;
    w->exchange.file = w->exchange.run = (struct file_run){.fd = -1};
    w->exchange.entry = NULL;
    w->exchange.producer = NULL;
    w->exchange.intake = NULL;
    c->exchange = kept;
    return true;
}

/* Saves from the worker's memory what the connection needs to go on later. */
static bool keep(struct worker *w, struct connection *c)
{
    bool under_way = c->phase == PHASE_BODY || c->phase == PHASE_SEND;
    bool kept = channel_keep(w, c);

    if (kept && under_way && c->exchange == NULL)
        kept = keep_exchange(w, c);
    if (!kept && c->exchange == NULL)
        release(&w->exchange);
    return kept;
}

/* Everything was said: once it has been sent, the connection ends. */
static enum turn end(struct connection *c)
{
    return c->ending == ENDING_LINGER ? TURN_LINGER : TURN_CLOSE;
}

/* Whether another connection goes on with what this one was sending. */
static bool is_evicted(const struct connection *c)
{
    const struct exchange *x = c->exchange;
    struct intake *intake = c->protocol == &http_protocol && x != NULL ? x->intake : NULL;

    return intake != NULL && intake->is_evicted != NULL && intake->is_evicted(intake);
}

/*
 * When a parked connection is to have a turn although nothing moves. Another process may take its
 * transfer, of which nothing here tells; an upload is waited for then (server/transfer_upload.h).
 * And the record of what is under way must not expire.
 */
static int64_t look_for(const struct worker *w, const struct connection *c)
{
    enum { UPLOAD_LOOK_MS = 500, DOWNLOAD_LOOKS = 8 };
    const struct exchange *x = c->exchange;

    if (x != NULL && x->intake != NULL && x->intake->is_evicted != NULL)
        return w->now_ms + UPLOAD_LOOK_MS;
    if (c->delivery != NULL)
        return w->now_ms + w->server->options->expire_s * 1000 / DOWNLOAD_LOOKS;
    return INT64_MAX;
}

static enum turn end_evicted(struct worker *w, struct connection *c)
{
    log_exchange(w, c->exchange);
    return TURN_CLOSE;
}

void exchange_evict(struct worker *w, uint64_t holder)
{
    struct server *server = w->server;
    struct connection *c = connection_at(&server->connections, (uint32_t)holder);

    if (holder >> 32 != server->instance || c == NULL || !watch_claim(c))
        return;
    if (is_evicted(c)) {
        end_evicted(w, c);
        connection_close(&server->connections, c);
    } else {
        /* Another has that place by now: it gets a turn for nothing. */
        queue_push_ready(&server->queue, c);
    }
}

static enum turn http_turn(struct worker *w, struct connection *c)
{
    enum step step = STEP_DONE;

    if (is_evicted(c))
        return end_evicted(w, c);
    channel_restore(w, c);
    if (c->delivery != NULL && !delivery_progress(c))
        return c->exchange != NULL ? end_evicted(w, c) : TURN_CLOSE;
    if (channel_unsent(w) > 0)
        step = channel_flush(w, c, c->phase == PHASE_SEND);
    if (step == STEP_DONE && c->ending == ENDING_NOT)
        step = run_exchanges(w, c);
    if (step != STEP_CLOSE && channel_unsent(w) > 0) {
        enum step rest = channel_flush(w, c, false);
        step = rest == STEP_DONE ? step : rest;
    }
    /* What is on its way to a client that has ended its sending shows what that meant. */
    if (step == STEP_CLOSE)
        return c->ended && c->delivery != NULL && delivery_is_under_way(c) ? TURN_LINGER
                                                                           : TURN_CLOSE;
    if (step == STEP_DONE)
        return end(c);
    if (c->phase == PHASE_IDLE && w->in_len == w->in_at && channel_unsent(w) == 0 &&
        atomic_load_explicit(&w->server->dismissing, memory_order_relaxed))
        return TURN_CLOSE;
    if (!keep(w, c))
        return TURN_CLOSE;
    connection_set_deadline(c, deadline_for(w, c));
    connection_set_look(c, look_for(w, c));
    return step == STEP_AGAIN ? TURN_AGAIN : TURN_PARK;
}

/* The time of a parked send is over, unless the client was reading all the while. */
static enum turn expire_send(struct worker *w, struct connection *c)
{
    channel_count_acknowledged(w, c);
    connection_set_deadline(c, deadline_for(w, c));
    if (atomic_load_explicit(&c->deadline, memory_order_relaxed) > w->now_ms)
        return TURN_PARK;
    if (c->exchange != NULL)
        log_exchange(w, c->exchange);
    return TURN_CLOSE;
}

static enum turn http_expire(struct worker *w, struct connection *c)
{
    struct exchange *x = c->exchange != NULL ? c->exchange : &w->exchange;

    c->expired = false;
    if (c->phase == PHASE_SEND || kept_len(&c->output) > 0 ||
        (c->delivery != NULL && delivery_is_under_way(c)))
        return expire_send(w, c);
    if (c->phase == PHASE_IDLE || c->phase == PHASE_LINGER)
        return TURN_CLOSE;
    if (c->low_water > 0) {
        /* What has come unreported buys time too; it may even be the end of the body. */
        enum turn turn = http_turn(w, c);
        if (turn != TURN_PARK || c->phase != PHASE_BODY ||
            atomic_load_explicit(&c->deadline, memory_order_relaxed) > w->now_ms)
            return turn;
        x = c->exchange;
    }
    w->moved = 0;
    w->in_at = w->in_len = 0;
    w->out_at = w->out.len = 0;
    if (c->phase == PHASE_HEAD) {
        memset(&x->request, 0, sizeof x->request);
        x->request.version = VERSION_1_1;
        begin_exchange(w, c, x);
    }
    compose_refusal(w, x, STATUS_REQUEST_TIMEOUT);
    channel_flush(w, c, false);
    finish_exchange(w, c, x);
    return TURN_LINGER;
}

static void http_drop(struct connection *c)
{
    if (c->delivery != NULL)
        delivery_end(c);
    if (c->exchange != NULL) {
        release(c->exchange);
        free(c->exchange);
    }
    c->exchange = NULL;
}

static void http_refuse(struct connection *c)
{
    char bytes[1024];
    char ignored[4096];
    struct buffer out = BUFFER_OVER(bytes);
    struct span sentence = status_sentence(STATUS_SERVICE_UNAVAILABLE);
    size_t n;

    response_status_line(&out, STATUS_SERVICE_UNAVAILABLE);
    response_field(&out, SPAN("Server"), SPAN("httpd"));
    response_field_date(&out, SPAN("Date"), clock_wall_s());
    response_field(&out, SPAN("Content-Type"), SPAN("text/plain; charset=utf-8"));
    response_field_u64(&out, SPAN("Content-Length"), sentence.len + 1);
    response_field(&out, SPAN("Cache-Control"), SPAN("no-store"));
    response_field_u64(&out, SPAN("Retry-After"), 1);
    response_field(&out, SPAN("Connection"), SPAN("close"));
    response_end(&out);
    buffer_put_span(&out, sentence);
    buffer_put_text(&out, "\n");
    /* A request that is here already is read, so that closing does not reset the connection. */
    stream_receive(c->fd, ignored, sizeof ignored, &n);
    stream_send(c->fd, out.data, out.len, false, &n);
}

const struct protocol http_protocol = {
    .name = "http",
    .changes_files = true,
    .turn = http_turn,
    .expire = http_expire,
    .drop = http_drop,
    .refuse = http_refuse,
};
