#include "server/access.h"

#include "http/response.h"
#include "net/address.h"
#include "server/auth.h"
#include "server/cors.h"
#include "server/dashboard.h"
#include "server/page_asset.h"
#include "server/sign_in.h"
#include "server/status_page.h"
#include "server/transfer_address.h"

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

/* Whether a name is an IPv4 address to a browser: its last label is all digits, which no name of
   the public DNS is. (What such an address is exactly does not matter here.) */
static bool ends_in_number(struct span name)
{
    size_t at = name.len;

    while (at > 0 && name.ptr[at - 1] >= '0' && name.ptr[at - 1] <= '9')
        at--;
    return at < name.len && (at == 0 || name.ptr[at - 1] == '.');
}

static bool is_address(struct span name)
{
    char text[64];
    struct address address;

    if (ends_in_number(name))
        return true;
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
static bool is_own_name(const struct server *server, struct span name)
{
    if (span_find(name, '.') == name.len || is_address(name) ||
        (name.len > 10 &&
         span_starts_with_nocase(span_from(name, name.len - 10), SPAN(".localhost"))))
        return true;
    for (unsigned i = 0; i < server->options->host_count; i++)
        if (span_equal_nocase(name, span_of(server->options->hosts[i])))
            return true;
    return false;
}

static bool speaks_for(const struct server *server, struct span host)
{
    struct span name = host_name(host);

    return !server->loopback_only || name.len == 0 || is_own_name(server, name);
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
 * know it, Origin on everything that is not a GET. Programs send neither, and nobody sends one
 * twice who means well.
 */
static bool is_cross_site(const struct server *server, const struct request *request)
{
    struct span site = request_field(request, FIELD_SEC_FETCH_SITE);
    struct span origin = request_field(request, FIELD_ORIGIN);

    if (field_count(&request->fields, FIELD_SEC_FETCH_SITE) > 1 ||
        field_count(&request->fields, FIELD_ORIGIN) > 1)
        return true;
    if (cors_allows(server, request))
        return false;
    if (span_equal(site, SPAN("cross-site")) || span_equal(site, SPAN("same-site")))
        return true;
    return origin.ptr != NULL && !is_own_origin(origin, request_field(request, FIELD_HOST));
}

/* --- Accounts ------------------------------------------------------------------------------------
 */

/*
 * The path that an account must cover. That of a transfer is the file's, for who else could say
 * where it may go? An id itself, and asking for one, tells nothing about a file: any account will
 * do.
 */
static void ask_about(const struct server *server, const struct target *target,
                      struct auth_question *question)
{
    struct transfer_address address;

    question->path = target->path;
    if (transfer_address_of(server, target, &address)) {
        question->path = address.target.path;
        question->anywhere = question->path.len == 0;
    } else if (span_equal(target->path, SPAN(".uuid")) || page_asset_is(target->path) ||
               sign_in_is(target->path)) {
        question->anywhere = true;
    }
}

static void put_challenge(struct answer *answer)
{
    buffer_put_text(&answer->fields,
                    "WWW-Authenticate: Basic realm=\"httpd\", charset=\"UTF-8\"\r\n"
                    "WWW-Authenticate: Bearer realm=\"httpd\"\r\n");
}

/* Turns what is wrong with the client's account into an answer. */
static bool refuse_account(struct worker *worker, const struct request *request,
                           enum auth_result result, unsigned retry_s, struct answer *answer)
{
    switch (result) {
    case AUTH_ALLOWED: return true;
    case AUTH_UNKNOWN:
        refuse(worker, request, STATUS_UNAUTHORIZED, SPAN_EMPTY, answer);
        put_challenge(answer);
        break;
    case AUTH_FORBIDDEN:
        refuse(worker, request, STATUS_FORBIDDEN, SPAN("This account may not do that here."),
               answer);
        break;
    case AUTH_MALFORMED:
        refuse(worker, request, STATUS_BAD_REQUEST, SPAN("The credentials are malformed."), answer);
        break;
    case AUTH_SLOWED:
        refuse(worker, request, STATUS_TOO_MANY_REQUESTS,
               SPAN("Too many logins from this address have failed. Please wait a little."),
               answer);
        response_field_u64(&answer->fields, SPAN("Retry-After"), retry_s);
        break;
    case AUTH_BUSY: refuse(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer); break;
    }
    return false;
}

/* A body may be judged again when it is whole, and the connection has kept its exchange by then. */
static const struct address *client_of(const struct worker *worker)
{
    const struct exchange *kept = worker->connection->exchange;
    return kept != NULL ? &kept->client : &worker->exchange.client;
}

/*
 * Whether the request is for what the server says of itself, and needs an account for that. It is
 * for this machine; for others only if they have an account, or if everybody may see it. A proxy
 * that runs here asks for others, and says so.
 */
static bool asks_for_closed_status(struct worker *worker, const struct request *request,
                                   const struct target *target)
{
    const struct server *server = worker->server;

    if (!target->hidden || !dashboard_is(target->path) || server->options->public_status)
        return false;
    /* Where proxies are trusted, anybody may be behind an address of the loopback. */
    if (!address_is_loopback(client_of(worker)) || !trust_is_empty(&server->trust))
        return true;
    if (request->version == VERSION_0_9)
        return false;
    return request_field(request, FIELD_FORWARDED).ptr != NULL ||
           request_field(request, FIELD_X_FORWARDED_FOR).ptr != NULL ||
           !is_own_name(server, host_name(request_field(request, FIELD_HOST)));
}

/* Whether the client has an account that may do this here. Notes who it is. */
static bool has_account(struct worker *worker, const struct request *request,
                        const struct target *target, bool writes, struct exchange *x,
                        struct answer *answer)
{
    const struct server *server = worker->server;

    if (server->auth == NULL)
        return true;
    struct auth_question question = {
        .authorization = request->version == VERSION_0_9
                             ? SPAN_EMPTY
                             : request_field(request, FIELD_AUTHORIZATION),
        .writes = writes,
        .peer = client_of(worker),
        .now_ms = worker->now_ms,
    };
    struct auth_verdict verdict;
    enum auth_result result = AUTH_ALLOWED;

    if (writes || server->options->private_reads || sign_in_is(target->path) ||
        asks_for_closed_status(worker, request, target)) {
        ask_about(server, target, &question);
        result = auth_decide(server->auth, &question, &verdict);
    } else if (question.authorization.ptr != NULL) {
        auth_recall(server->auth, question.authorization, &verdict);
    } else {
        return true;
    }
    if (x != NULL) {
        memcpy(x->user, verdict.user, verdict.user_len);
        x->user_len = (uint8_t)verdict.user_len;
    }
    return refuse_account(worker, request, result, verdict.retry_s, answer);
}

static bool allows_write(struct worker *worker, const struct request *request,
                         const struct target *target, struct exchange *x, struct answer *answer)
{
    if (worker->server->read_only) {
        refuse(worker, request, STATUS_METHOD_NOT_ALLOWED,
               SPAN("This server only lets its files be read."), answer);
        response_field(&answer->fields, SPAN("Allow"), SPAN("GET, HEAD, OPTIONS"));
        return false;
    }
    return has_account(worker, request, target, true, x, answer);
}

bool access_allows_write(struct worker *worker, const struct request *request,
                         const struct target *target, struct answer *answer)
{
    return allows_write(worker, request, target, NULL, answer);
}

bool access_may_write(struct worker *worker, const struct request *request, struct span path)
{
    const struct server *server = worker->server;
    struct auth_question question = {
        .path = path,
        .writes = true,
        .peer = client_of(worker),
        .now_ms = worker->now_ms,
    };
    struct auth_verdict verdict;

    if (server->read_only)
        return false;
    if (server->auth == NULL)
        return true;
    if (request->version == VERSION_0_9)
        return false;
    question.authorization = request_field(request, FIELD_AUTHORIZATION);
    return question.authorization.ptr != NULL &&
           auth_decide(server->auth, &question, &verdict) == AUTH_ALLOWED;
}

/* DELETE of a transfer: a client takes back what it began, and no file of the site changes. */
static bool forgets_transfer(const struct server *server, const struct request *request,
                             const struct target *target)
{
    struct transfer_address address;

    return request->method == METHOD_DELETE && !target->hidden &&
           transfer_address_of(server, target, &address) && address.target.path.len > 0;
}

bool access_allows(struct worker *worker, const struct request *request,
                   const struct target *target, struct answer *answer)
{
    /* A request is decided upon when its head has come: the worker still has the exchange. */
    struct exchange *x = &worker->exchange;
    struct span host =
        target->authority.ptr != NULL ? target->authority : request_field(request, FIELD_HOST);

    if (request->version != VERSION_0_9 && !speaks_for(worker->server, host))
        return refuse(worker, request, STATUS_MISDIRECTED_REQUEST,
                      SPAN("This server does not speak for that host. Start it with --host NAME "
                           "if it should."),
                      answer);
    if (cors_answer_preflight(worker->server, request, answer))
        return false;
    if (worker->server->auth == NULL && asks_for_closed_status(worker, request, target))
        return refuse(worker, request, STATUS_FORBIDDEN,
                      SPAN("This is shown on the server's own machine only. Start it with "
                           "--auth FILE or --public-status if others should see it."),
                      answer);
    if (method_is_safe((enum method)request->method))
        return has_account(worker, request, target, false, x, answer);
    if (worker->server->read_only && forgets_transfer(worker->server, request, target) &&
        !is_cross_site(worker->server, request))
        return has_account(worker, request, target, false, x, answer);
    if (is_cross_site(worker->server, request))
        return refuse(worker, request, STATUS_FORBIDDEN,
                      SPAN("A page of another site may not change anything here."), answer);
    return allows_write(worker, request, target, x, answer);
}
