#include "server/channel.h"

enum step channel_flush(struct worker *w, struct connection *c, bool more)
{
    while (channel_unsent(w) > 0) {
        size_t sent;
        enum stream_result result =
            stream_send(c->fd, w->out.data + w->out_at, channel_unsent(w), more, &sent);
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
        /* A short read has emptied the socket: the next bytes will be an event of their own. The
           end of the stream may have come along with these and been the same event. */
        c->readable = len == room || c->peer_ended;
        return STEP_DONE;
    case STREAM_STALLED: c->readable = false; return STEP_STALLED;
    case STREAM_ENDED: c->ended = true; return STEP_CLOSE;
    default: c->broken = true; return STEP_CLOSE;
    }
}
