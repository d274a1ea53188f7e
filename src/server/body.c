#include "server/body.h"

#include "server/compose.h"
#include "server/route.h"

#include <errno.h>

enum {
    DIRECT_LEAST = 1 << 16, /* body bytes that are worth moving straight to a file */
    DIRECT_MOST = 1 << 20,  /* and how many in one go, when nobody waits */
    BODY_WAKE = 1 << 20, /* and for how many it is worth to be woken: half the CPU of an upload */
    DRIP_MOST = 1 << 12, /* fewer in a turn are a drip, and so many are worth a turn */
};

/* How the part of a body that has been received ends. */
enum body {
    BODY_MORE,
    BODY_WHOLE,
    BODY_MALFORMED, /* there is no telling where it ends, or it broke off */
    BODY_REFUSED,   /* whoever takes it does not want more */
};

/* Hands a run of the body to whoever wants it. */
static enum intake_result take_body(struct exchange *x, struct span run)
{
    x->body_seen += run.len;
    if (x->intake == NULL)
        return x->body_seen > BODY_DISCARD_LIMIT ? INTAKE_REFUSED : INTAKE_TAKEN;
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
        if (result == CHUNKED_TRAILER) {
            x->intake->trailer(x->intake, data.ptr, data.len);
            continue;
        }
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
            return compose_refusal(w, x, STATUS_BAD_REQUEST);
        if (x->intake == NULL)
            return compose_refusal(w, x, STATUS_CONTENT_TOO_LARGE);
    }
    answer_init(&answer, BUFFER_OVER(w->fields));
    if (x->intake != NULL)
        x->intake->finish(x->intake, w, &x->request, body == BODY_WHOLE, &answer);
    else
        route_answer_later(w, &x->request, &answer);
    return compose_answer(w, x, &answer);
}

/* What is received next overwrites the head, which is still needed. */
static void save_head(struct worker *w, struct exchange *x)
{
    if (x == &w->exchange && x->request.head != w->head) {
        memcpy(w->head, x->request.head, x->request.head_len);
        x->request.head = w->head;
    }
}

/* How many bytes to come are known to be of the body, and nothing else. */
static uint64_t known_left(const struct exchange *x)
{
    return x->request.framing == FRAMING_CHUNKED ? chunked_left(&x->chunked) : x->body_left;
}

/* How much of a body may be moved before it gives way, and in one go. */
static uint64_t turn_bytes(const struct worker *w)
{
    struct queue *queue = &w->server->queue;

    if (!queue_is_calm(queue))
        return BODY_SHORT_TURN_BYTES;
    return queue_has_waiting(queue) ? BODY_TURN_BYTES : DIRECT_MOST;
}

/* How much of the body can go straight to a file. */
static size_t direct_len(const struct worker *w, const struct connection *c,
                         const struct exchange *x)
{
    uint64_t left = known_left(x);

    if (x->intake == NULL || x->intake->file_fd == -1 || !c->readable || w->in_at < w->in_len ||
        left < DIRECT_LEAST)
        return 0;
    uint64_t most = turn_bytes(w);
    return (size_t)(left < most ? left : most);
}

/*
 * The rest of the body has to be waited for. Of a body that comes in drips the kernel reports only
 * what is worth a turn, and its whole rest: a thousand clients that send a byte a second cost next
 * to nothing then. Its deadline looks at what has come unreported. Not so where each byte that has
 * come counts at once, because the client may ask for the offset on another connection.
 */
static void note_rest(const struct worker *w, struct connection *c, const struct exchange *x)
{
    uint64_t left = known_left(x);
    bool begun_before = x->begun_us != w->turn_us;
    bool drips = begun_before && w->moved > 0 && w->moved < DRIP_MOST;

    if (c->drips > 0) /* what was waited for has come: it must have been more to be none */
        drips = w->moved < 2 * DRIP_MOST;
    if (x->intake != NULL && x->intake->is_evicted != NULL)
        drips = false;
    c->drips = !drips ? 0 : left < DRIP_MOST ? (uint32_t)left : DRIP_MOST;
}

/* Moves body bytes from the socket to where they belong without looking at them. */
static enum step move_body(struct worker *w, struct connection *c, struct exchange *x, size_t len)
{
    size_t moved;
    enum stream_result result =
        stream_receive_to_file(c->fd, &w->pipe, x->intake->file_fd, len, &moved);
    int error = result == STREAM_FILE_FAILED ? errno : 0;

    w->moved += moved;
    counters_add(w->counters, COUNTER_RECEIVED, moved);
    x->body_seen += moved;
    if (x->request.framing == FRAMING_CHUNKED)
        chunked_skip(&x->chunked, moved);
    else
        x->body_left -= moved;
    if (x->intake->moved(x->intake, moved, error) == INTAKE_REFUSED)
        return finish_body(w, x, BODY_REFUSED);
    switch (result) {
    case STREAM_OK: return STEP_DONE;
    case STREAM_STALLED:
        c->readable = false;
        c->wants = known_left(x) < BODY_WAKE ? (uint32_t)known_left(x) : BODY_WAKE;
        return STEP_STALLED;
    default: return STEP_CLOSE;
    }
}

/* Whether it has had its turn, and there is more that could be received at once. */
static bool should_give_way(const struct worker *w, const struct connection *c)
{
    struct queue *queue = &w->server->queue;

    return c->readable && w->moved >= turn_bytes(w) &&
           (queue_has_waiting(queue) || !queue_is_calm(queue));
}

enum step body_receive(struct worker *w, struct connection *c, struct exchange *x)
{
    for (;;) {
        enum body body = unwrap_body(w, x);
        if (body != BODY_MORE)
            return finish_body(w, x, body);
        save_head(w, x);
        if (should_give_way(w, c))
            return STEP_AGAIN;
        /* The client waits for a word before it sends the body (RFC 9110 10.1.1). */
        if (x->request.expects_continue && x->body_seen == 0 && !x->continued) {
            x->continued = true;
            buffer_put_text(&w->out, "HTTP/1.1 100 Continue\r\n\r\n");
        }
        /* A client that reads nothing is told nothing. */
        if (x->intake != NULL && x->intake->tell != NULL && channel_unsent(w) == 0)
            x->intake->tell(x->intake, w, &x->request);
        if (channel_unsent(w) > 0 && channel_flush(w, c, false) == STEP_CLOSE)
            return STEP_CLOSE;
        size_t direct = direct_len(w, c, x);
        enum step step = direct > 0 ? move_body(w, c, x, direct) : channel_receive(w, c);
        if (w->moved >= BODY_SHORT_TURN_BYTES && !c->bulk)
            queue_begin_bulk(&w->server->queue, c);
        if (step == STEP_CLOSE) /* it ends before its length */
            return finish_body(w, x, BODY_MALFORMED);
        if (step == STEP_STALLED)
            note_rest(w, c, x);
        if (step != STEP_DONE || x->status != STATUS_NONE)
            return step;
    }
}

void body_skip(struct worker *w, struct exchange *x)
{
    if (x->request.framing == FRAMING_LENGTH && w->in_len - w->in_at >= x->body_left) {
        w->in_at += (size_t)x->body_left;
        x->body_left = 0;
        x->body_over = true;
    }
}
