#include "server/content.h"

enum {
    CHUNK_HEAD = 6, /* "7fff\r\n" */
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
            /* Not held back to share a segment with the file: a head in front of its pages made
               100 KB cost half as much again as two segments do. */
            step = channel_flush(w, c, false);
            if (step == STEP_DONE)
                step = channel_send_run(w, c, run, &x->sent);
        } else {
            if (buffer_free(&w->out) < CHUNK_LIMIT + 2 * CHUNK_HEAD)
                step = channel_flush(w, c, true);
            if (step == STEP_DONE)
                produce(w, x);
            if (step == STEP_DONE && w->moved > CHANNEL_TURN_BYTES &&
                queue_has_waiting(&w->server->queue))
                step = STEP_AGAIN;
        }
        if (step != STEP_DONE)
            return step;
    }
}
