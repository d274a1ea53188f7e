#include "client/url.h"

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* reg-name and IPv4 (RFC 3986 3.2.2) without what no host in use has: %-encoding and sub-delims. */
static bool is_name_byte(char c)
{
    return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
}

static bool is_address6_byte(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

static enum url_result set_host(struct origin *origin, struct span host, bool (*allowed)(char))
{
    if (host.len == 0)
        return URL_MALFORMED;
    if (host.len > URL_HOST_LIMIT)
        return URL_TOO_LONG;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        if (!allowed(c))
            return URL_MALFORMED;
        origin->host[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    origin->host[host.len] = '\0';
    return URL_OK;
}

static enum url_result set_port(struct origin *origin, struct span port)
{
    uint64_t number = 80;
    /* "host:" is a host with an empty port, which means the default one (RFC 3986 3.2.3). */
    if (port.len > 0 && (!span_to_u64(port, &number) || number == 0 || number > UINT16_MAX))
        return URL_MALFORMED;
    struct buffer text = buffer_make(origin->port, sizeof origin->port - 1);
    buffer_put_u64(&text, number);
    origin->port[text.len] = '\0';
    return URL_OK;
}

enum url_result origin_parse(struct origin *origin, struct span authority)
{
    struct origin parsed;
    struct span host = authority, port = SPAN_EMPTY;
    bool (*allowed)(char) = is_name_byte;
    size_t colon = span_find(authority, ':');

    if (authority.len > 0 && authority.ptr[0] == '[') {
        size_t end = span_find(authority, ']');
        struct span after = span_from(authority, end + 1);
        if (end == authority.len || (after.len > 0 && after.ptr[0] != ':'))
            return URL_MALFORMED;
        host = span_make(authority.ptr + 1, end - 1);
        port = span_from(after, 1);
        allowed = is_address6_byte;
    } else if (colon < authority.len &&
               span_find(span_from(authority, colon + 1), ':') < authority.len - colon - 1) {
        allowed = is_address6_byte;
    } else if (colon < authority.len) {
        host = span_make(authority.ptr, colon);
        port = span_from(authority, colon + 1);
    }
    if (allowed == is_address6_byte && span_find(host, ':') == host.len)
        return URL_MALFORMED;
    enum url_result result = set_host(&parsed, host, allowed);
    if (result == URL_OK)
        result = set_port(&parsed, port);
    if (result == URL_OK)
        *origin = parsed;
    return result;
}

bool origin_equal(const struct origin *a, const struct origin *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->port, b->port) == 0;
}

void origin_put_host(struct buffer *out, const struct origin *origin)
{
    struct span host = span_of(origin->host);
    bool address6 = span_find(host, ':') < host.len;
    if (address6)
        buffer_put_char(out, '[');
    buffer_put_span(out, host);
    if (address6)
        buffer_put_char(out, ']');
    if (strcmp(origin->port, "80") != 0) {
        buffer_put_char(out, ':');
        buffer_put_span(out, span_of(origin->port));
    }
}

/* Length of "scheme:" at the start of s, 0 when there is none (RFC 3986 3.1). */
static size_t scheme_len(struct span s)
{
    size_t i = 0;
    if (s.len == 0 || !is_alpha(s.ptr[0]))
        return 0;
    while (i < s.len && (is_alpha(s.ptr[i]) || is_digit(s.ptr[i]) || s.ptr[i] == '+' ||
                         s.ptr[i] == '-' || s.ptr[i] == '.'))
        i++;
    return i < s.len && s.ptr[i] == ':' ? i + 1 : 0;
}

bool url_is_absolute(struct span s)
{
    size_t scheme = scheme_len(s);
    return scheme > 0 && span_starts_with(span_from(s, scheme), SPAN("//"));
}

void url_put_target(struct buffer *out, struct span s)
{
    for (size_t i = 0; i < s.len && s.ptr[i] != '#'; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c > ' ' && c < 0x7F) {
            buffer_put_char(out, s.ptr[i]);
        } else {
            buffer_put_char(out, '%');
            buffer_put_char(out, "0123456789ABCDEF"[c >> 4]);
            buffer_put_char(out, "0123456789ABCDEF"[c & 15]);
        }
    }
}

static size_t find_any(struct span s, const char *set)
{
    size_t i = 0;
    while (i < s.len && strchr(set, s.ptr[i]) == NULL)
        i++;
    return i;
}

/*
 * RFC 3986 5.2.4 on a path that begins with a slash, in place: each segment is copied down, "."
 * dropped, ".." takes the segment before it away.
 */
static size_t remove_dot_segments(char *path, size_t len)
{
    size_t out = 0, in = 0;
    while (in < len) {
        struct span rest = span_make(path + in + 1, len - in - 1);
        size_t segment = span_find(rest, '/');
        bool last = segment == rest.len;
        bool up = segment == 2 && memcmp(rest.ptr, "..", 2) == 0;
        bool here = segment == 1 && rest.ptr[0] == '.';
        if (up)
            while (out > 0 && path[--out] != '/')
                ;
        if (!up && !here) {
            memmove(path + out, path + in, segment + 1);
            out += segment + 1;
        } else if (last) {
            path[out++] = '/';
        }
        in += segment + 1;
    }
    return out;
}

/* The path and query of a reference that has no authority of its own (RFC 3986 5.2.2, 5.2.3). */
static enum url_result put_relative(struct buffer *out, struct span path, struct span query,
                                    struct span target)
{
    char merged[2 * URL_TARGET_LIMIT];
    struct buffer whole = BUFFER_OVER(merged);
    struct span base = span_make(target.ptr, find_any(target, "?#"));
    struct span base_query = span_from(target, base.len);

    if (path.len == 0) {
        buffer_put_span(&whole, base);
    } else {
        if (path.ptr[0] != '/') {
            while (base.len > 0 && base.ptr[base.len - 1] != '/')
                base.len--;
            buffer_put_span(&whole, base.len > 0 ? base : SPAN("/"));
        }
        buffer_put_span(&whole, path);
    }
    if (whole.overflowed)
        return URL_TOO_LONG;
    /* "*" (OPTIONS) and an empty base have no segments to go by. */
    if (whole.len == 0 || merged[0] != '/')
        return URL_MALFORMED;
    whole.len = remove_dot_segments(merged, whole.len);
    url_put_target(out, buffer_span(&whole));
    url_put_target(out, path.len == 0 && query.len == 0 ? base_query : query);
    return out->overflowed ? URL_TOO_LONG : URL_OK;
}

enum url_result url_resolve(struct span reference, const struct origin *origin, struct span target,
                            struct origin *to, struct buffer *out)
{
    struct span rest = span_make(reference.ptr, span_find(reference, '#'));
    size_t scheme = scheme_len(rest);
    *to = *origin;
    if (scheme > 0) {
        if (!span_equal_nocase(span_make(rest.ptr, scheme), SPAN("http:")))
            return URL_OTHER_SCHEME;
        rest = span_from(rest, scheme);
        if (!span_starts_with(rest, SPAN("//")))
            return URL_MALFORMED;
    }
    if (span_starts_with(rest, SPAN("//"))) {
        rest = span_from(rest, 2);
        struct span authority = span_make(rest.ptr, find_any(rest, "/?"));
        /* A name and password in a URL are refused, not sent (RFC 9110 4.2.4). */
        enum url_result result = origin_parse(to, authority);
        if (result != URL_OK)
            return result;
        rest = span_from(rest, authority.len);
        target = SPAN("/");
    }
    struct span path = span_make(rest.ptr, span_find(rest, '?'));
    return put_relative(out, path, span_from(rest, path.len), target);
}

const char *url_result_text(enum url_result result)
{
    switch (result) {
    case URL_OK: break;
    case URL_MALFORMED: return "is malformed";
    case URL_OTHER_SCHEME: return "is not http: only http:// is spoken here";
    case URL_TOO_LONG: return "is too long";
    }
    return "is fine";
}
