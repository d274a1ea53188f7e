#include "client/session.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/method.h"
#include "http/status.h"

void session_init(struct session *session, char *buffer, size_t cap, int cancel_fd, int timeout_ms)
{
    *session = (struct session){.timeout_ms = timeout_ms};
    wire_init(&session->wire, buffer, cap, cancel_fd);
}

void session_close(struct session *session)
{
    wire_close(&session->wire);
}

bool session_resolve(struct session *session, const struct origin *origin, struct failure *failure)
{
    if (session->addresses.count > 0 && origin_equal(&session->origin, origin))
        return true;
    wire_close(&session->wire);
    session->origin = *origin;
    if (!dial_resolve(&session->addresses, origin, failure))
        return false;
    if (!session->loopback_only || dial_is_loopback(&session->addresses))
        return true;
    session->addresses.count = 0;
    return failure_set(failure, FAILURE_USAGE,
                       "%s is not this machine: say --target-is-mine if it is yours to load",
                       origin->host);
}

/* A connection to the origin: the open one unless it has gone stale, else a new one. */
static bool connect_to(struct session *session, const struct origin *origin,
                       struct failure *failure)
{
    struct wire *wire = &session->wire;
    if (!session_resolve(session, origin, failure))
        return false;
    if (wire_is_open(wire) && !wire_is_stale(wire))
        return true;
    wire_close(wire);
    int fd = dial_connect(&session->addresses, origin, clock_ms() + session->timeout_ms,
                          wire->cancel_fd, failure);
    if (fd == -1)
        return false;
    wire_open(wire, fd);
    return true;
}

static bool open_body(const struct command *command, struct body *body, struct failure *failure)
{
    struct stat st;
    const char *data = command->data;
    *body = (struct body){.kind = BODY_NONE, .fd = -1};
    if (command->body != NULL) {
        *body = *command->body;
        body->fd = fcntl(body->fd, F_DUPFD_CLOEXEC, 0);
        return body->fd != -1 || failure_set(failure, FAILURE_LOCAL, "%m");
    }
    if (data == NULL)
        return true;
    if (data[0] != '@') {
        body->kind = BODY_MEMORY;
        body->bytes = span_of(data);
        return true;
    }
    body->fd = strcmp(data, "@-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                       : open(data + 1, O_RDONLY | O_CLOEXEC);
    if (body->fd == -1 || fstat(body->fd, &st) == -1) {
        failure_set(failure, FAILURE_LOCAL, "%s: %m", data + 1);
    } else if (S_ISDIR(st.st_mode)) {
        failure_set(failure, FAILURE_LOCAL, "%s: is a directory", data + 1);
    } else {
        body->kind = S_ISREG(st.st_mode) ? BODY_FILE : BODY_STREAM;
        body->len = (uint64_t)st.st_size;
        return true;
    }
    if (body->fd != -1)
        close(body->fd);
    return false;
}

static void close_body(struct body *body)
{
    if (body->fd != -1)
        close(body->fd);
}

/* Where a command has got to on its way through redirects. */
struct journey {
    const struct command *command;
    struct origin first, at;
    struct span method;
    struct body body;
    bool may_expect;
    size_t target_len;
    char target[URL_TARGET_LIMIT];
};

static bool set_out(struct journey *journey, const struct command *command,
                    const struct origin *home, struct failure *failure)
{
    struct buffer target = BUFFER_OVER(journey->target);
    struct span given = span_of(command->target);
    enum url_result result = URL_OK;
    journey->command = command;
    journey->method = command->method;
    journey->may_expect = !command_has_field(command, SPAN("Expect"));
    if (url_is_absolute(given)) {
        struct origin none = {0};
        result = url_resolve(given, &none, SPAN("/"), &journey->at, &target);
    } else {
        journey->at = *home;
        /* As it was given: "/a/../b" is a question that may be meant. */
        url_put_target(&target, given);
        if (target.overflowed)
            result = URL_TOO_LONG;
    }
    journey->target_len = target.len;
    journey->first = journey->at;
    if (result != URL_OK)
        return failure_set(failure, FAILURE_USAGE, "'%.100s' %s", command->target,
                           url_result_text(result));
    return open_body(command, &journey->body, failure);
}

/*
 * The lines given with -H. A name and password, cookies and the Host are for the server they were
 * given for, not for the one it sends us to (RFC 9110 15.4).
 */
static void put_given_fields(struct buffer *out, const struct journey *journey)
{
    struct span rest = span_make(journey->command->fields, journey->command->fields_len);
    bool at_home = origin_equal(&journey->at, &journey->first);
    while (rest.len > 0) {
        struct span line = span_make(rest.ptr, span_find(rest, '\n') + 1);
        struct span name = span_make(line.ptr, span_find(line, ':'));
        bool private = span_equal_nocase(name, SPAN("Authorization")) ||
                       span_equal_nocase(name, SPAN("Cookie")) ||
                       span_equal_nocase(name, SPAN("Host"));
        if (at_home || !private)
            buffer_put_span(out, line);
        rest = span_from(rest, line.len);
    }
}

static void compose_fields(struct buffer *out, const struct session *session,
                           const struct journey *journey)
{
    if (!command_has_field(journey->command, SPAN("User-Agent")))
        buffer_put_text(out, "User-Agent: httpclient/" HTTPD_VERSION "\r\n");
    if (!command_has_field(journey->command, SPAN("Accept")))
        buffer_put_text(out, "Accept: */*\r\n");
    put_given_fields(out, journey);
    if (session->close_after && !command_has_field(journey->command, SPAN("Connection")))
        buffer_put_text(out, "Connection: close\r\n");
}

static bool is_repeatable(const struct journey *journey)
{
    enum method method = method_of(journey->method);
    bool idempotent = method_is_safe(method) || method == METHOD_PUT || method == METHOD_DELETE;
    /* A body that the program gives: it has its own ways to find out how much of it arrived. */
    return idempotent && journey->body.kind != BODY_STREAM && journey->command->body == NULL;
}

/* Up to the head of an answer, over a new connection if the old one turns out to be gone. */
static bool ask(struct session *session, const struct journey *journey, struct roundtrip *trip,
                struct failure *failure)
{
    for (;;) {
        if (!connect_to(session, &journey->at, failure))
            return false;
        bool reused = session->wire.exchanges > 0;
        if (roundtrip_begin(trip, &session->wire, failure))
            return true;
        bool was_idle = reused && failure->kind == FAILURE_LOST && !trip->answered;
        if (!was_idle || !is_repeatable(journey))
            return false;
        /* The wire is closed now, so that this happens once. */
    }
}

/* Reads past an answer that is not the one to be shown, or leaves the connection. */
static bool skip(struct session *session, struct roundtrip *trip, struct failure *failure)
{
    const struct response_head *head = &trip->head;
    bool is_short =
        head->framing == RESPONSE_BODY_NONE ||
        (head->framing == RESPONSE_BODY_LENGTH && head->content_length <= SESSION_DRAIN_LIMIT);
    if (is_short)
        return roundtrip_finish(trip, &session->wire, NULL, failure);
    wire_close(&session->wire);
    return true;
}

static bool is_redirect(const struct response_head *head)
{
    switch (head->status) {
    case STATUS_MOVED_PERMANENTLY:
    case STATUS_FOUND:
    case STATUS_SEE_OTHER:
    case STATUS_TEMPORARY_REDIRECT:
    case STATUS_PERMANENT_REDIRECT: return response_field_value(head, FIELD_LOCATION).ptr != NULL;
    default: return false;
    }
}

/*
 * RFC 9110 15.4: 303 asks for a GET of another thing; after 301 and 302 a POST has become a GET for
 * so long that it is expected; the others repeat the request as it was.
 */
static bool turn(struct journey *journey, const struct response_head *head, struct failure *failure)
{
    char memory[URL_TARGET_LIMIT];
    struct buffer target = BUFFER_OVER(memory);
    bool was_post = span_equal(journey->method, SPAN("POST"));
    bool to_get = head->status == STATUS_SEE_OTHER
                      ? !span_equal(journey->method, SPAN("HEAD"))
                      : was_post && (head->status == STATUS_MOVED_PERMANENTLY ||
                                     head->status == STATUS_FOUND);
    enum url_result result =
        url_resolve(response_field_value(head, FIELD_LOCATION), &journey->at,
                    span_make(journey->target, journey->target_len), &journey->at, &target);
    if (result != URL_OK)
        return failure_set(failure, FAILURE_PROTOCOL, "redirected to a place that %s",
                           url_result_text(result));
    if (to_get) {
        journey->method = SPAN("GET");
        close_body(&journey->body);
        journey->body = (struct body){.kind = BODY_NONE, .fd = -1};
    } else if (journey->body.kind == BODY_STREAM) {
        return failure_set(failure, FAILURE_PROTOCOL,
                           "redirected, but standard input cannot be sent twice");
    }
    memcpy(journey->target, memory, target.len);
    journey->target_len = target.len;
    return true;
}

static void settle(struct visitor *visitor, unsigned status, const struct failure *failure,
                   int64_t started_us)
{
    if (visitor->settled != NULL)
        visitor->settled(visitor, status, failure, started_us);
}

enum step { STEP_DONE, STEP_AGAIN, STEP_FAILED };

/* One request and its answer; STEP_AGAIN when the answer is that another one is to be made. */
static enum step take_step(struct session *session, struct journey *journey, bool may_turn,
                           struct visitor *visitor, unsigned *status, struct failure *failure)
{
    char field_memory[COMMAND_FIELDS_LIMIT + 256], host_memory[URL_HOST_LIMIT + 16];
    struct buffer fields = BUFFER_OVER(field_memory), host = BUFFER_OVER(host_memory);
    bool own_host = command_has_field(journey->command, SPAN("Host")) &&
                    origin_equal(&journey->at, &journey->first);
    compose_fields(&fields, session, journey);
    origin_put_host(&host, &journey->at);
    struct roundtrip trip = {.method = journey->method,
                             .target = span_make(journey->target, journey->target_len),
                             .host = own_host ? SPAN_EMPTY : buffer_span(&host),
                             .fields = buffer_span(&fields),
                             .body = &journey->body,
                             .may_expect = journey->may_expect,
                             .timeout_ms = session->timeout_ms,
                             .sink = &visitor->sink};
    int64_t started_us = clock_us();
    enum step step = STEP_DONE;
    bool good = ask(session, journey, &trip, failure);
    if (good) {
        *status = trip.head.status;
        if (*status == STATUS_EXPECTATION_FAILED && trip.expected) {
            journey->may_expect = false;
            step = STEP_AGAIN;
        } else if (journey->command->follow && is_redirect(&trip.head)) {
            step = STEP_AGAIN;
            good = may_turn ? turn(journey, &trip.head, failure)
                            : failure_set(failure, FAILURE_PROTOCOL,
                                          "more than %d redirects in a row", SESSION_REDIRECTS);
        }
    }
    if (good && step == STEP_AGAIN)
        good = skip(session, &trip, failure);
    else if (good)
        good = visitor->begin(visitor, &trip, failure) &&
               roundtrip_finish(&trip, &session->wire, &visitor->sink, failure);
    settle(visitor, good ? *status : 0, good ? NULL : failure, started_us);
    return good ? step : STEP_FAILED;
}

bool session_perform(struct session *session, const struct command *command,
                     const struct origin *home, struct visitor *visitor, unsigned *status,
                     struct failure *failure)
{
    struct journey journey;
    enum step step = STEP_AGAIN;
    *status = 0;
    if (!set_out(&journey, command, home, failure))
        return false;
    for (int turns = 0; step == STEP_AGAIN; turns++)
        step = take_step(session, &journey, turns < SESSION_REDIRECTS, visitor, status, failure);
    close_body(&journey.body);
    /* A failure leaves a connection in a state that nobody has to know. */
    if (step == STEP_FAILED)
        wire_close(&session->wire);
    return step == STEP_DONE;
}
