#include "http/forwarded.h"

/* A node without its port (RFC 7239 6): IPv4 [":" port], "[" IPv6 "]" [":" port]. Of several colons
   without brackets none begins a port: so X-Forwarded-For writes IPv6. */
static struct span host_of(struct span node)
{
    size_t colon = span_find(node, ':');

    if (node.len > 0 && node.ptr[0] == '[') {
        size_t end = span_find(node, ']');
        bool port = end + 1 < node.len && node.ptr[end + 1] == ':';
        return end + 1 == node.len || port ? span_make(node.ptr + 1, end - 1) : SPAN_EMPTY;
    }
    bool one =
        colon < node.len && span_find(span_from(node, colon + 1), ':') == node.len - colon - 1;
    return one ? span_make(node.ptr, colon) : node;
}

/* What stands between the quotes of a quoted-string. An address has nothing to escape in it. */
static bool unquote(struct span *value)
{
    if (value->len == 0 || value->ptr[0] != '"')
        return true;
    size_t close = span_find(span_from(*value, 1), '"') + 1;
    if (close != value->len - 1)
        return false;
    *value = span_make(value->ptr + 1, value->len - 2);
    return span_find(*value, '\\') == value->len;
}

struct span forwarded_host(struct span element)
{
    struct span host = SPAN_EMPTY;
    bool found = false;

    while (element.ptr != NULL) {
        struct span pair = span_cut(&element, ';');
        size_t equals = span_find(pair, '=');
        struct span value = span_from(pair, equals + 1);
        if (!span_equal_nocase(span_make(pair.ptr, equals), SPAN("for")))
            continue;
        /* RFC 7239 4: each parameter must not occur more than once. */
        if (found || !unquote(&value))
            return SPAN_EMPTY;
        found = true;
        host = host_of(value);
    }
    return host;
}

struct span forwarded_for_host(struct span element)
{
    return host_of(span_trim(element));
}
