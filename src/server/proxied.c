#include "server/proxied.h"

#include "base/log.h"
#include "http/proxy_header.h"
#include "server/channel.h"

enum { COMPLAIN_MS = 60000 }; /* one line a minute is enough to find a proxy set up wrongly */

/* Closes it, and says why now and then. */
static enum turn refuse(struct worker *w, const struct connection *c, const char *fault)
{
    char bytes[ADDRESS_TEXT_LIMIT];
    struct buffer who = BUFFER_OVER(bytes);
    int64_t last = atomic_load_explicit(&w->server->complained_ms, memory_order_relaxed);

    if ((last == 0 || w->now_ms - last >= COMPLAIN_MS) &&
        atomic_compare_exchange_strong(&w->server->complained_ms, &last, w->now_ms)) {
        address_put_host(&who, &c->peer);
        log_warning("proxy protocol: " SPAN_FMT " %s", SPAN_ARG(buffer_span(&who)), fault);
    }
    return TURN_CLOSE;
}

/* Puts the client in the peer's place. False when it is no address. */
static bool take_source(struct connection *c, const struct proxy_header *header)
{
    char text[ADDRESS_TEXT_LIMIT];
    struct address source;
    int family = header->family == PROXY_IPV4 ? AF_INET : AF_INET6;

    if (header->family == PROXY_UNKNOWN)
        return true;
    if (!header->text) {
        if (!address_from_bytes(&source, header->source, header->port))
            return false;
    } else {
        if (header->source.len >= sizeof text)
            return false;
        memcpy(text, header->source.ptr, header->source.len);
        text[header->source.len] = '\0';
        if (!address_parse(&source, text, header->port) || source.any.sa_family != family)
            return false;
    }
    c->peer = source;
    return true;
}

static enum turn wait_for_more(struct worker *w, struct connection *c)
{
    if (atomic_load_explicit(&w->server->dismissing, memory_order_relaxed) || !channel_keep(w, c))
        return TURN_CLOSE;
    /* The time of the request's head runs already: the header is a part of it. */
    connection_set_deadline(c, c->phase_since + w->server->options->head_timeout_ms);
    return TURN_PARK;
}

static enum turn proxied_turn(struct worker *w, struct connection *c)
{
    struct proxy_header header;
    enum proxy_result result;

    if (!trust_has(&w->server->trust, &c->peer))
        return refuse(w, c, "is not trusted (--trust)");
    channel_restore(w, c);
    while ((result = proxy_header_parse(&header, w->in, w->in_len)) == PROXY_PARTIAL) {
        enum step step = channel_receive(w, c);
        if (step == STEP_STALLED)
            return wait_for_more(w, c);
        if (step != STEP_DONE)
            return TURN_CLOSE;
    }
    if (result == PROXY_BAD || !take_source(c, &header))
        return refuse(w, c, "sent no PROXY header, or a damaged one");
    w->in_at = header.len;
    if (!channel_keep(w, c))
        return TURN_CLOSE;
    c->protocol = c->inner;
    return c->protocol->turn(w, c);
}

static enum turn proxied_expire(struct worker *w, struct connection *c)
{
    return refuse(w, c, "sent no whole PROXY header in time");
}

static void proxied_refuse(struct connection *c)
{
    c->inner->refuse(c);
}

/* It keeps nothing for itself that would have to be dropped. */
static const struct protocol proxied_protocol = {
    .name = "proxied",
    .turn = proxied_turn,
    .expire = proxied_expire,
    .refuse = proxied_refuse,
};

void proxied_begin(struct connection *c)
{
    c->inner = c->protocol;
    c->protocol = &proxied_protocol;
}
