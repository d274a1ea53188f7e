#include "server/content.h"

#include "server/delivery.h"

enum {
    TURN_BYTES = 4 << 20,      /* sent in one turn while others wait */
    SEND_FILE_BYTES = 2 << 20, /* asked of one sendfile */
    CHUNK_HEAD = 6,            /* "7fff\r\n" */
    CHUNK_LIMIT = 0x7fff,
};

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

enum step content_send(struct worker *w, struct connection *c, struct exchange *x)
{
    for (;;) {
        struct file_run *run = x->run.left > 0 ? &x->run : &x->file;
        bool produces = x->producer != NULL && !x->last_produced;
        enum step step = STEP_DONE;

        if (run->left == 0 && !produces)
            return buffer_free(&w->out) < WORKER_INLINE + WORKER_HEAD_ROOM
                       ? channel_flush(w, c, false)
                       : STEP_DONE;
        if (run->left > 0) {
            step = channel_flush(w, c, true);
            if (step == STEP_DONE)
                step = send_run(w, c, x, run);
        } else {
            if (buffer_free(&w->out) < CHUNK_LIMIT + 2 * CHUNK_HEAD)
                step = channel_flush(w, c, true);
            if (step == STEP_DONE)
                produce(w, x);
            if (step == STEP_DONE && w->moved > TURN_BYTES && queue_has_waiting(&w->server->queue))
                step = STEP_AGAIN;
        }
        if (step != STEP_DONE)
            return step;
    }
}
