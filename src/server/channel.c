#include "server/channel.h"

#include "server/delivery.h"

enum {
    SEND_FILE_BYTES = 256 << 10, /* asked of one sendfile: of 64 KiB to 16 MiB the cheapest */
    STALL_MS = 20000, /* credit of a transfer: how long it may rest before its rate counts */
};

static size_t restore(struct kept *kept, char *memory)
{
    size_t len = kept_len(kept);

    if (kept->bytes != NULL) {
        memcpy(memory, kept->bytes + kept->at, len);
        kept_clear(kept);
    }
    return len;
}

void channel_restore(struct worker *w, struct connection *c)
{
    w->moved = 0;
    w->in_at = w->out_at = 0;
    w->in_len = restore(&c->input, w->in);
    w->out.len = restore(&c->output, w->out.data);
    w->out.overflowed = false;
}

bool channel_keep(const struct worker *w, struct connection *c)
{
    bool kept = true;

    if (channel_unsent(w) > 0)
        kept = kept_set(&c->output, w->out.data + w->out_at, channel_unsent(w));
    if (kept && w->in_len > w->in_at)
        kept = kept_set(&c->input, w->in + w->in_at, w->in_len - w->in_at);
    return kept;
}

enum step channel_flush(struct worker *w, struct connection *c, bool more)
{
    while (channel_unsent(w) > 0) {
        size_t sent;
        enum stream_result result =
            stream_send(c->fd, w->out.data + w->out_at, channel_unsent(w), more, &sent);
        w->out_at += sent;
        w->moved += sent;
        c->sent += sent;
        counters_add(w->counters, COUNTER_SENT, sent);
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

enum step channel_receive(struct worker *w, struct connection *c)
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
        counters_add(w->counters, COUNTER_RECEIVED, len);
        /* A short read has emptied the socket: the next bytes will be an event of their own. The
           end of the stream may have come along with these and been the same event. */
        c->readable = len == room || c->peer_ended;
        return STEP_DONE;
    case STREAM_STALLED: c->readable = false; return STEP_STALLED;
    case STREAM_ENDED: c->ended = true; return STEP_CLOSE;
    default: c->broken = true; return STEP_CLOSE;
    }
}

enum step channel_send_run(struct worker *w, struct connection *c, struct file_run *run,
                           uint64_t *sent)
{
    while (run->left > 0) {
        size_t taken, len = run->left < SEND_FILE_BYTES ? (size_t)run->left : SEND_FILE_BYTES;
        if (w->moved > CHANNEL_TURN_BYTES && queue_has_waiting(&w->server->queue))
            return STEP_AGAIN;
        enum stream_result result = stream_send_file(c->fd, run->fd, &run->at, len, &taken);
        run->left -= taken;
        *sent += taken;
        w->moved += taken;
        c->sent += taken;
        counters_add(w->counters, COUNTER_SENT, taken);
        c->broken |= result == STREAM_BROKEN;
        if (result != STREAM_STALLED && result != STREAM_OK)
            return STEP_CLOSE; /* also when the file is shorter than its head promised */
        if (c->delivery != NULL && !delivery_progress(c))
            return STEP_CLOSE;
        /* Less than was offered may be a full socket, or the end of a file that has become shorter,
           or a place on the disk that cannot be read. Only asking again tells: the event that there
           is room comes when there was none. */
        if (result == STREAM_STALLED)
            return STEP_STALLED;
    }
    return STEP_DONE;
}

int64_t channel_transfer_deadline(const struct worker *w, const struct connection *c)
{
    uint64_t rate = w->server->options->min_rate;
    int64_t due = atomic_load_explicit(&c->deadline, memory_order_relaxed);

    /* The first rest of this transfer: whatever the deadline was, it was not for this. */
    if (due < c->phase_since + STALL_MS)
        due = c->phase_since + STALL_MS;
    if (rate == 0)
        return w->moved > 0 ? w->now_ms + STALL_MS : due;
    due += (int64_t)(w->moved * 1000 / rate);
    return due < w->now_ms + STALL_MS ? due : w->now_ms + STALL_MS;
}

void channel_count_acknowledged(struct worker *w, struct connection *c)
{
    uint64_t acked = c->sent - stream_unacknowledged(c->fd);

    w->moved = acked > c->acked ? acked - c->acked : 0;
    c->acked = acked;
}
