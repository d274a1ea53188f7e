#include "server/access.h"

#include "http/response.h"
#include "net/address.h"
#include "server/status_page.h"

static bool refuse(struct worker *worker, const struct request *request, enum status status,
                   struct span sentence, struct answer *answer)
{
    status_page_answer(worker, request, status, sentence, answer);
    return false;
}

/* "localhost:8080" without its port, "[::1]:8080" without that and the brackets. */
static struct span host_name(struct span host)
{
    if (host.len > 0 && host.ptr[0] == '[')
        return span_make(host.ptr + 1, span_find(host, ']') - 1);
    return span_make(host.ptr, span_find(host, ':'));
}

static bool is_address(struct span name)
{
    char text[64];
    struct address address;

    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return address_parse(&address, text, 0);
}

/*
 * A page of a stranger's site can have its own name resolve to 127.0.0.1 and then read and write
 * here as that name ("DNS rebinding"). Such a name is one of the public DNS, so it has a dot in it;
 * an address, a name without a dot, and what ends in ".localhost" (RFC 6761 6.3) nobody can point
 * here.
 */
static bool speaks_for(const struct server *server, struct span host)
{
    struct span name = host_name(host);

    if (!server->loopback_only || name.len == 0)
        return true;
    if (span_find(name, '.') == name.len || is_address(name) ||
        (name.len > 10 &&
         span_starts_with_nocase(span_from(name, name.len - 10), SPAN(".localhost"))))
        return true;
    for (unsigned i = 0; i < server->options->host_count; i++)
        if (span_equal_nocase(name, span_of(server->options->hosts[i])))
            return true;
    return false;
}

/* Whether `origin` ("http://host:port") is the host that the request was sent to. */
static bool is_own_origin(struct span origin, struct span host)
{
    struct span scheme_end = SPAN("://");

    for (size_t i = 0; i + scheme_end.len <= origin.len; i++)
        if (span_starts_with(span_from(origin, i), scheme_end))
            return span_equal_nocase(span_from(origin, i + scheme_end.len), host);
    return false;
}

/*
 * Whether a page of another site is behind the request. Browsers say so: Sec-Fetch-Site where they
 * know it, Origin on everything that is not a GET. Programs send neither.
 */
static bool is_cross_site(const struct server *server, const struct request *request)
{
    struct span site = request_field(request, FIELD_SEC_FETCH_SITE);
    struct span origin = request_field(request, FIELD_ORIGIN);

    if (origin.ptr != NULL && server->options->cors_origin != NULL &&
        span_equal(origin, span_of(server->options->cors_origin)))
        return false;
    if (span_equal(site, SPAN("cross-site")) || span_equal(site, SPAN("same-site")))
        return true;
    return origin.ptr != NULL && !is_own_origin(origin, request_field(request, FIELD_HOST));
}

bool access_allows_write(struct worker *worker, const struct request *request,
                         const struct target *target, struct answer *answer)
{
    (void)target;
    if (worker->server->read_only) {
        refuse(worker, request, STATUS_METHOD_NOT_ALLOWED,
               SPAN("This server only lets its files be read."), answer);
        response_field(&answer->fields, SPAN("Allow"), SPAN("GET, HEAD, OPTIONS"));
        return false;
    }
    return true;
}

bool access_allows(struct worker *worker, const struct request *request,
                   const struct target *target, struct answer *answer)
{
    struct span host =
        target->authority.ptr != NULL ? target->authority : request_field(request, FIELD_HOST);

    if (request->version != VERSION_0_9 && !speaks_for(worker->server, host))
        return refuse(worker, request, STATUS_MISDIRECTED_REQUEST,
                      SPAN("This server does not speak for that host. Start it with --host NAME "
                           "if it should."),
                      answer);
    if (method_is_safe((enum method)request->method))
        return true;
    if (is_cross_site(worker->server, request))
        return refuse(worker, request, STATUS_FORBIDDEN,
                      SPAN("A page of another site may not change anything here."), answer);
    return access_allows_write(worker, request, target, answer);
}
