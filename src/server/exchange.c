#include "server/exchange.h"

#include "base/clock.h"
#include "http/response.h"
#include "server/delivery.h"
#include "server/route.h"
#include "server/status_page.h"
#include "server/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DISCARD_LIMIT =
        1 << 20,          /* a body that nobody wants is read, up to this, to keep the connection */
    TURN_BYTES = 4 << 20, /* content sent in one turn while others wait */
    TURN_REQUESTS = 64,   /* pipelined requests answered in one turn while others wait */
    SEND_FILE_BYTES = 1 << 20, /* asked of one sendfile */
    STALL_MS = 20000,       /* credit of a transfer: how long it may rest before its rate counts */
    DIRECT_LEAST = 1 << 16, /* body bytes that are worth moving straight to a file */
    DIRECT_MOST = 1 << 20,  /* and how many in one go */
    CHUNK_HEAD = 6,         /* "7fff\r\n" */
    CHUNK_LIMIT = 0x7fff,
    CLIENT_WENT_AWAY = 499, /* what nginx writes in its log for a request that got no answer */
};

enum step {
    STEP_DONE,
    STEP_STALLED, /* the client must move first */
    STEP_AGAIN,   /* there is more to do, but others wait */
    STEP_CLOSE,   /* the connection is of no use any more */
};

/* How the part of a body that has been received ends. */
enum body {
    BODY_MORE,
    BODY_WHOLE,
    BODY_MALFORMED, /* there is no telling where it ends, or it broke off */
    BODY_REFUSED,   /* whoever takes it does not want more */
};

/* --- The worker's two buffers ------------------------------------------------------------------
 */

static size_t unsent(const struct worker *w)
{
    return w->out.len - w->out_at;
}

/* Sends what has been composed. STEP_DONE when all of it is gone. */
static enum step flush(struct worker *w, struct connection *c, bool more)
{
    while (unsent(w) > 0) {
        size_t sent;
        enum stream_result result =
            stream_send(c->fd, w->out.data + w->out_at, unsent(w), more, &sent);
        w->out_at += sent;
        w->moved += sent;
        c->sent += sent;
        if (result == STREAM_STALLED)
            return STEP_STALLED;
        if (result != STREAM_OK) {
            c->broken = true;
            return STEP_CLOSE;
        }
    }
    w->out_at = w->out.len = 0;
    return STEP_DONE;
}

/* Receives more behind in[in_at, in_len), and moves those bytes to the front for it. STEP_CLOSE at
   the end of the stream. */
static enum step receive(struct worker *w, struct connection *c)
{
    size_t len;

    if (!c->readable)
        return STEP_STALLED;
    if (w->in_at > 0) {
        memmove(w->in, w->in + w->in_at, w->in_len - w->in_at);
        w->in_len -= w->in_at;
        w->in_at = 0;
    }
    size_t room = sizeof w->in - w->in_len;
    switch (stream_receive(c->fd, w->in + w->in_len, room, &len)) {
    case STREAM_OK:
        w->in_len += len;
        w->moved += len;
        /* A short read has emptied the socket: the next bytes will be an event of their own. The
           end of the stream may have come along with these and been the same event. */
        c->readable = len == room || c->peer_ended;
        return STEP_DONE;
    case STREAM_STALLED: c->readable = false; return STEP_STALLED;
    case STREAM_ENDED: c->ended = true; return STEP_CLOSE;
    default: c->broken = true; return STEP_CLOSE;
    }
}

/* --- Composing a response ----------------------------------------------------------------------
 */

static void put_vary(struct buffer *out, unsigned vary)
{
    static const struct span names[] = {{"Accept", 6}, {"Accept-Encoding", 15}, {"Origin", 6}};
    bool first = true;

    if (vary == 0)
        return;
    buffer_put_text(out, "Vary: ");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if ((vary & 1u << i) == 0)
            continue;
        if (!first)
            buffer_put_text(out, ", ");
        buffer_put_span(out, names[i]);
        first = false;
    }
    buffer_put_text(out, "\r\n");
}

static void put_content_fields(struct buffer *out, const struct exchange *x, const struct answer *a)
{
    if (a->media_type.ptr != NULL && !status_forbids_content(a->status)) {
        buffer_put_text(out, "Content-Type: ");
        buffer_put_span(out, a->media_type);
        if (a->utf8)
            buffer_put_text(out, "; charset=utf-8");
        buffer_put_text(out, "\r\n");
    }
    if (a->coding.ptr != NULL)
        response_field(out, SPAN("Content-Encoding"), a->coding);
    if (status_forbids_content(a->status))
        return;
    if (x->chunk_content)
        buffer_put_text(out, "Transfer-Encoding: chunked\r\n");
    else if (!a->unsized)
        response_field_u64(out, SPAN("Content-Length"), a->length);
}

static void put_head(struct worker *w, const struct exchange *x, const struct answer *a)
{
    struct buffer *out = &w->out;

    worker_date(w);
    response_status_line(out, a->status);
    buffer_put_text(out, "Server: httpd\r\nDate: ");
    buffer_put(out, w->date_text, DATE_LEN);
    buffer_put_text(out, "\r\n");
    put_content_fields(out, x, a);
    if (a->last_modified >= 0)
        response_field_date(out, SPAN("Last-Modified"), a->last_modified);
    if (a->etag.len > 0)
        response_field(out, SPAN("ETag"), etag_span(&a->etag));
    if (a->ranges)
        buffer_put_text(out, "Accept-Ranges: bytes\r\n");
    if (a->cache.len > 0)
        response_field(out, SPAN("Cache-Control"), a->cache);
    put_vary(out, a->vary);
    buffer_put_text(out, "X-Content-Type-Options: nosniff\r\n");
    buffer_put_span(out, buffer_span(&a->fields));
    if (!x->persistent)
        buffer_put_text(out, "Connection: close\r\n");
    else if (x->request.version == VERSION_1_0)
        buffer_put_text(out, "Connection: keep-alive\r\n");
    response_end(out);
}

/* Reads a small file behind its head, so that both go out in one send. False when it has shrunk. */
static bool put_file(struct buffer *out, const struct file_run *file, uint64_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t n =
            pread(file->fd, out->data + out->len, (size_t)length - done, file->at + (off_t)done);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        out->len += (size_t)n;
        done += (size_t)n;
    }
    return true;
}

/*
 * Turns the answer into bytes in the worker's buffer, and into what is to be sent after them. The
 * answer is used up. STEP_CLOSE when the file it promised has shrunk already.
 */
static enum step compose(struct worker *w, struct exchange *x, struct answer *a)
{
    enum step step = STEP_DONE;
    bool simple = x->request.version == VERSION_0_9;

    x->status = a->status;
    if (!x->body_over) {
        /* The rest of the body will not be read, so what comes after it cannot be found. */
        x->persistent = false;
        x->linger = true;
    }
    if (a->close || simple || atomic_load_explicit(&w->server->draining, memory_order_relaxed))
        x->persistent = false;
    if (a->unsized && x->request.version == VERSION_1_1)
        x->chunk_content = true;
    else if (a->unsized)
        x->persistent = false; /* the end of the connection is the end of the content */
    if (!simple)
        put_head(w, x, a);

    if (x->head_only || status_forbids_content(a->status)) {
        answer_release(a);
        return STEP_DONE;
    }
    if (a->delivery != NULL) {
        delivery_attach(w->connection, a->delivery, unsent(w));
        a->delivery = NULL;
    }
    if (a->memory.len > 0) {
        buffer_put_span(&w->out, a->memory);
        x->sent += a->memory.len;
    } else if (a->file.fd != -1 && a->length <= WORKER_INLINE) {
        if (!put_file(&w->out, &a->file, a->length))
            step = STEP_CLOSE;
        x->sent += a->length;
    } else if (a->file.fd != -1) {
        x->file = (struct file_run){a->file.fd, a->file.at, a->length};
        a->file.fd = -1;
    } else if (a->producer != NULL) {
        x->producer = a->producer;
        a->producer = NULL;
    }
    answer_release(a);
    return step;
}

/* --- The stages of an exchange -----------------------------------------------------------------
 */

static void begin_exchange(struct exchange *x)
{
    x->chunked = (struct chunked){0};
    x->body_left = x->request.framing == FRAMING_LENGTH ? x->request.content_length : 0;
    x->body_seen = 0;
    x->body_over = x->request.framing == FRAMING_NONE ||
                   (x->request.framing == FRAMING_LENGTH && x->body_left == 0);
    x->continued = false;
    x->intake = NULL;
    x->status = STATUS_NONE;
    x->head_only = x->request.method == METHOD_HEAD;
    x->persistent = x->request.persistent;
    x->linger = false;
    x->chunk_content = false;
    x->last_produced = false;
    x->sent = 0;
}

/* Answers a request that cannot be taken as it came, and means to close the connection. */
static enum step refuse(struct worker *w, struct exchange *x, enum status status)
{
    struct answer answer;

    answer_init(&answer, BUFFER_OVER(w->fields));
    answer.close = true;
    status_page_answer(w, &x->request, status, SPAN_EMPTY, &answer);
    x->persistent = false;
    x->linger = true;
    return compose(w, x, &answer);
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
                begin_exchange(x);
                return STEP_DONE;
            case REQUEST_REFUSED: begin_exchange(x); return refuse(w, x, refusal);
            case REQUEST_PARTIAL: break;
            }
        }
        enum step step = receive(w, c);
        if (step != STEP_DONE)
            return step;
    }
}

/* Hands a run of the body to whoever wants it. */
static enum intake_result take_body(struct exchange *x, struct span run)
{
    x->body_seen += run.len;
    if (x->intake == NULL)
        return x->body_seen > DISCARD_LIMIT ? INTAKE_REFUSED : INTAKE_TAKEN;
    return x->intake->take(x->intake, run.ptr, run.len);
}

/* What of the body has been received is unwrapped and taken. */
static enum body unwrap_body(struct worker *w, struct exchange *x)
{
    struct span input = span_make(w->in + w->in_at, w->in_len - w->in_at), data;

    if (x->request.framing != FRAMING_CHUNKED) {
        data = span_make(input.ptr, input.len < x->body_left ? input.len : (size_t)x->body_left);
        w->in_at += data.len;
        x->body_left -= data.len;
        if (data.len > 0 && take_body(x, data) == INTAKE_REFUSED)
            return BODY_REFUSED;
        return x->body_left == 0 ? BODY_WHOLE : BODY_MORE;
    }
    for (;;) {
        enum chunked_result result = chunked_decode(&x->chunked, &input, &data);
        w->in_at = w->in_len - input.len;
        if (result == CHUNKED_BAD)
            return BODY_MALFORMED;
        if (result != CHUNKED_DATA)
            return result == CHUNKED_DONE ? BODY_WHOLE : BODY_MORE;
        if (take_body(x, data) == INTAKE_REFUSED)
            return BODY_REFUSED;
    }
}

/* The body is over, in one way or another: makes the answer. */
static enum step finish_body(struct worker *w, struct exchange *x, enum body body)
{
    struct answer answer;

    x->body_over = body == BODY_WHOLE;
    if (body != BODY_WHOLE) {
        if (body == BODY_MALFORMED)
            return refuse(w, x, STATUS_BAD_REQUEST);
        if (x->intake == NULL)
            return refuse(w, x, STATUS_CONTENT_TOO_LARGE);
    }
    answer_init(&answer, BUFFER_OVER(w->fields));
    if (x->intake != NULL)
        x->intake->finish(x->intake, w, &x->request, body == BODY_WHOLE, &answer);
    else
        route_answer(w, &x->request, &answer);
    return compose(w, x, &answer);
}

/* What is received next overwrites the head, which is still needed. */
static void save_head(struct worker *w, struct exchange *x)
{
    if (x == &w->exchange && x->request.head != w->head) {
        memcpy(w->head, x->request.head, x->request.head_len);
        x->request.head = w->head;
    }
}

/* How much of the body can go straight to a file: what is known to be nothing else. */
static size_t direct_len(const struct worker *w, const struct connection *c,
                         const struct exchange *x)
{
    uint64_t left =
        x->request.framing == FRAMING_CHUNKED ? chunked_left(&x->chunked) : x->body_left;

    if (x->intake == NULL || x->intake->file_fd == -1 || !c->readable || w->in_at < w->in_len ||
        left < DIRECT_LEAST)
        return 0;
    return left < DIRECT_MOST ? (size_t)left : DIRECT_MOST;
}

/* Moves body bytes from the socket to where they belong without looking at them. */
static enum step move_body(struct worker *w, struct connection *c, struct exchange *x, size_t len)
{
    size_t moved;
    enum stream_result result =
        stream_receive_to_file(c->fd, &w->pipe, x->intake->file_fd, len, &moved);
    int error = result == STREAM_FILE_FAILED ? errno : 0;

    w->moved += moved;
    x->body_seen += moved;
    if (x->request.framing == FRAMING_CHUNKED)
        chunked_skip(&x->chunked, moved);
    else
        x->body_left -= moved;
    if (x->intake->moved(x->intake, moved, error) == INTAKE_REFUSED)
        return finish_body(w, x, BODY_REFUSED);
    switch (result) {
    case STREAM_OK:
        return w->moved > TURN_BYTES && queue_has_waiting(&w->server->queue) ? STEP_AGAIN
                                                                             : STEP_DONE;
    case STREAM_STALLED: c->readable = false; return STEP_STALLED;
    default: return STEP_CLOSE;
    }
}

/* Reads the request's body, and makes the answer when it is over. */
static enum step receive_body(struct worker *w, struct connection *c, struct exchange *x)
{
    for (;;) {
        enum body body = unwrap_body(w, x);
        if (body != BODY_MORE)
            return finish_body(w, x, body);
        save_head(w, x);
        /* The client waits for a word before it sends the body (RFC 9110 10.1.1). */
        if (x->request.expects_continue && x->body_seen == 0 && !x->continued) {
            x->continued = true;
            buffer_put_text(&w->out, "HTTP/1.1 100 Continue\r\n\r\n");
        }
        if (unsent(w) > 0 && flush(w, c, false) == STEP_CLOSE)
            return STEP_CLOSE;
        size_t direct = direct_len(w, c, x);
        enum step step = direct > 0 ? move_body(w, c, x, direct) : receive(w, c);
        if (step == STEP_CLOSE) /* it ends before its length */
            return finish_body(w, x, BODY_MALFORMED);
        if (step != STEP_DONE || x->status != STATUS_NONE)
            return step;
    }
}

/* The body is not wanted. If it has come with the head, the next request can be found all the same.
 */
static void skip_body(struct worker *w, struct exchange *x)
{
    if (x->request.framing == FRAMING_LENGTH && w->in_len - w->in_at >= x->body_left) {
        w->in_at += (size_t)x->body_left;
        x->body_left = 0;
        x->body_over = true;
    }
}

/*
 * The head is there: decides what becomes of the request. Afterwards its answer has been composed,
 * or its body is to be received.
 */
static enum step begin(struct worker *w, struct connection *c, struct exchange *x)
{
    const struct request *r = &x->request;
    struct answer answer;
    enum step step = STEP_DONE;

    connection_enter(c, PHASE_SEND, w->now_ms);
    answer_init(&answer, BUFFER_OVER(w->fields));
    switch (route_begin(w, r, &answer, &x->intake)) {
    case ROUTE_INTAKE: connection_enter(c, PHASE_BODY, w->now_ms); return STEP_DONE;
    case ROUTE_ANSWERED:
        skip_body(w, x);
        step = compose(w, x, &answer);
        break;
    case ROUTE_DISCARD:
        if (r->framing == FRAMING_NONE || r->expects_continue) {
            route_answer(w, r, &answer);
            step = compose(w, x, &answer);
        } else if (r->framing == FRAMING_LENGTH && r->content_length > DISCARD_LIMIT) {
            step = refuse(w, x, STATUS_CONTENT_TOO_LARGE);
        } else {
            connection_enter(c, PHASE_BODY, w->now_ms);
        }
        break;
    }
    return step;
}

/* Has the producer make the next piece. In the chunked coding, as one chunk (RFC 9112 7.1). */
static void produce(struct worker *w, struct exchange *x)
{
    size_t head = x->chunk_content ? CHUNK_HEAD : 0;
    size_t at = w->out.len;
    struct buffer piece = buffer_make(w->out.data + at + head, CHUNK_LIMIT);

    x->run.left = 0;
    x->last_produced = x->producer->produce(x->producer, &piece, &x->run) == PRODUCE_LAST;
    x->sent += piece.len;
    if (x->chunk_content && piece.len > 0) {
        for (size_t i = 0; i < 4; i++)
            w->out.data[at + i] = "0123456789abcdef"[piece.len >> (12 - 4 * i) & 15];
        memcpy(w->out.data + at + 4, "\r\n", 2);
        w->out.len += head + piece.len;
        buffer_put_text(&w->out, "\r\n");
    } else {
        w->out.len += piece.len;
    }
    if (x->chunk_content && x->last_produced)
        buffer_put_text(&w->out, "0\r\n\r\n");
}

/* Sends what fits of a run of a file. */
static enum step send_run(struct worker *w, struct connection *c, struct exchange *x,
                          struct file_run *run)
{
    while (run->left > 0) {
        size_t sent, len = run->left < SEND_FILE_BYTES ? (size_t)run->left : SEND_FILE_BYTES;
        if (w->moved > TURN_BYTES && queue_has_waiting(&w->server->queue))
            return STEP_AGAIN;
        enum stream_result result = stream_send_file(c->fd, run->fd, &run->at, len, &sent);
        run->left -= sent;
        x->sent += sent;
        w->moved += sent;
        c->sent += sent;
        /* One that took less than it was offered has filled the socket: no need to be told so. */
        if (result == STREAM_STALLED || (result == STREAM_OK && sent < len))
            return STEP_STALLED;
        c->broken |= result == STREAM_BROKEN;
        if (result != STREAM_OK)
            return STEP_CLOSE; /* also when the file is shorter than its head promised */
        if (c->delivery != NULL && !delivery_progress(c))
            return STEP_CLOSE;
    }
    return STEP_DONE;
}

/*
 * Sends the rest of the response. One that is all in memory stays there while it fits, so that
 * pipelined requests are answered in one send.
 */
static enum step send_content(struct worker *w, struct connection *c, struct exchange *x)
{
    for (;;) {
        struct file_run *run = x->run.left > 0 ? &x->run : &x->file;
        bool produces = x->producer != NULL && !x->last_produced;
        enum step step = STEP_DONE;

        if (run->left == 0 && !produces)
            return buffer_free(&w->out) < WORKER_INLINE + WORKER_HEAD_ROOM ? flush(w, c, false)
                                                                           : STEP_DONE;
        if (run->left > 0) {
            step = flush(w, c, true);
            if (step == STEP_DONE)
                step = send_run(w, c, x, run);
        } else {
            if (buffer_free(&w->out) < CHUNK_LIMIT + 2 * CHUNK_HEAD)
                step = flush(w, c, true);
            if (step == STEP_DONE)
                produce(w, x);
            if (step == STEP_DONE && w->moved > TURN_BYTES && queue_has_waiting(&w->server->queue))
                step = STEP_AGAIN;
        }
        if (step != STEP_DONE)
            return step;
    }
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

static void log_exchange(struct worker *w, struct connection *c, const struct exchange *x)
{
    const struct request *r = &x->request;
    bool fields = r->version != VERSION_0_9 && r->head_len > 0;
    struct access_log_line line = {
        .peer = &c->peer,
        .when = worker_date(w),
        .status = x->status != STATUS_NONE ? (unsigned)x->status : CLIENT_WENT_AWAY,
        .sent = x->sent,
        .request = request_line(r),
        .referer = fields ? request_field(r, FIELD_REFERER) : SPAN_EMPTY,
        .user_agent = fields ? request_field(r, FIELD_USER_AGENT) : SPAN_EMPTY,
    };
    access_log_write(&w->server->log, &line);
}

/* Gives up what an exchange owns. */
static void release(struct exchange *x)
{
    if (x->file.fd != -1)
        close(x->file.fd);
    if (x->producer != NULL)
        x->producer->free(x->producer);
    if (x->intake != NULL)
        x->intake->free(x->intake);
    free(x->head_copy);
    x->intake = NULL;
    x->file = x->run = (struct file_run){.fd = -1};
    x->producer = NULL;
    x->head_copy = NULL;
}

/* The exchange is over: one line for it, and the next may begin. */
static void finish_exchange(struct worker *w, struct connection *c, struct exchange *x)
{
    log_exchange(w, c, x);
    release(x);
    if (x != &w->exchange) {
        c->exchange = NULL;
        free(x);
    }
    c->reused = true;
    connection_enter(c, PHASE_IDLE, w->now_ms);
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
            step = receive_body(w, c, x);
            if (step != STEP_STALLED && step != STEP_AGAIN)
                connection_enter(c, PHASE_SEND, w->now_ms);
        }
        if (step == STEP_DONE)
            step = send_content(w, c, x);
        if (step == STEP_STALLED || step == STEP_AGAIN)
            return step;

        bool persistent = x->persistent;
        bool lingers = x->linger || w->in_at < w->in_len;
        finish_exchange(w, c, x);
        if (step != STEP_DONE || !persistent) {
            c->ending = lingers || c->delivery != NULL ? ENDING_LINGER : ENDING_CLOSE;
            return step;
        }
    }
}

/* --- Turns ---------------------------------------------------------------------------------------
 */

/* How long the connection may rest now. A transfer buys time with the bytes it moves, so that one
   which keeps to the minimum rate goes on for ever, and one that does not ends. */
static int64_t deadline_for(struct worker *w, struct connection *c)
{
    const struct options *o = w->server->options;
    int64_t due = atomic_load_explicit(&c->deadline, memory_order_relaxed);
    bool transfers = c->phase == PHASE_BODY || c->phase == PHASE_SEND || c->phase == PHASE_LINGER ||
                     kept_len(&c->output) > 0;

    if (c->phase == PHASE_IDLE && !transfers)
        return c->phase_since + (c->reused ? o->idle_timeout_ms : o->head_timeout_ms);
    if (c->phase == PHASE_HEAD && !transfers)
        return c->phase_since + o->head_timeout_ms;
    /* The first rest of this transfer: whatever the deadline was, it was not for this. */
    if (due < c->phase_since + STALL_MS)
        due = c->phase_since + STALL_MS;
    if (o->min_rate == 0)
        return w->moved > 0 ? w->now_ms + STALL_MS : due;
    due += (int64_t)(w->moved * 1000 / o->min_rate);
    return due < w->now_ms + STALL_MS ? due : w->now_ms + STALL_MS;
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
    w->exchange.producer = NULL;
    w->exchange.intake = NULL;
    c->exchange = kept;
    return true;
}

/* Saves from the worker's memory what the connection needs to go on later. */
static bool keep(struct worker *w, struct connection *c)
{
    bool under_way = c->phase == PHASE_BODY || c->phase == PHASE_SEND;
    bool kept = true;

    if (unsent(w) > 0)
        kept = kept_set(&c->output, w->out.data + w->out_at, unsent(w));
    if (kept && w->in_len > w->in_at)
        kept = kept_set(&c->input, w->in + w->in_at, w->in_len - w->in_at);
    if (kept && under_way && c->exchange == NULL)
        kept = keep_exchange(w, c);
    if (!kept && c->exchange == NULL)
        release(&w->exchange);
    return kept;
}

static size_t restore(struct kept *kept, char *memory)
{
    size_t len = kept_len(kept);

    if (kept->bytes != NULL) {
        memcpy(memory, kept->bytes + kept->at, len);
        kept_clear(kept);
    }
    return len;
}

/* Everything was said: once it has been sent, the connection ends. */
static enum turn end(struct connection *c)
{
    return c->ending == ENDING_LINGER ? TURN_LINGER : TURN_CLOSE;
}

static enum turn http_turn(struct worker *w, struct connection *c)
{
    enum step step = STEP_DONE;

    w->moved = 0;
    w->in_at = w->out_at = 0;
    w->in_len = restore(&c->input, w->in);
    w->out.len = restore(&c->output, w->out.data);
    w->out.overflowed = false;

    if (c->delivery != NULL && !delivery_progress(c))
        return TURN_CLOSE;
    if (unsent(w) > 0)
        step = flush(w, c, c->phase == PHASE_SEND);
    if (step == STEP_DONE && c->ending == ENDING_NOT)
        step = run_exchanges(w, c);
    if (step != STEP_CLOSE && unsent(w) > 0) {
        enum step rest = flush(w, c, false);
        step = rest == STEP_DONE ? step : rest;
    }
    if (step == STEP_CLOSE)
        return TURN_CLOSE;
    if (step == STEP_DONE)
        return end(c);
    if (c->phase == PHASE_IDLE && w->in_len == w->in_at && unsent(w) == 0 &&
        atomic_load_explicit(&w->server->draining, memory_order_relaxed))
        return TURN_CLOSE;
    if (!keep(w, c))
        return TURN_CLOSE;
    connection_set_deadline(c, deadline_for(w, c));
    return step == STEP_AGAIN ? TURN_AGAIN : TURN_PARK;
}

/*
 * The time of a parked send is over. The client may have read all the while from what the kernel
 * had taken for it; what it acknowledged buys time just as well.
 */
static enum turn expire_send(struct worker *w, struct connection *c)
{
    uint64_t acked = c->sent - stream_unacknowledged(c->fd);

    w->moved = acked > c->acked ? acked - c->acked : 0;
    c->acked = acked;
    connection_set_deadline(c, deadline_for(w, c));
    if (atomic_load_explicit(&c->deadline, memory_order_relaxed) > w->now_ms)
        return TURN_PARK;
    if (c->exchange != NULL)
        log_exchange(w, c, c->exchange);
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
    w->moved = 0;
    w->in_at = w->in_len = 0;
    w->out_at = w->out.len = 0;
    if (c->phase == PHASE_HEAD) {
        memset(&x->request, 0, sizeof x->request);
        x->request.version = VERSION_1_1;
        begin_exchange(x);
    }
    refuse(w, x, STATUS_REQUEST_TIMEOUT);
    flush(w, c, false);
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
    .turn = http_turn,
    .expire = http_expire,
    .drop = http_drop,
    .refuse = http_refuse,
};
