#include "client/resumable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "client/wait.h"
#include "http/status.h"

void resumable_tell(const char *format, ...)
{
    char text[512];
    va_list args;
    if (!isatty(STDERR_FILENO))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_notice("%s", text);
}

/* --- Where to, and what is kept ------------------------------------------------------------------
 */

static bool locate(struct resumable *r, const struct origin *home, struct failure *failure)
{
    struct buffer path = BUFFER_OVER(r->sidecar.path), host = BUFFER_OVER(r->sidecar.host);
    struct span given = span_of(r->command->target);
    enum url_result result = URL_OK;
    r->origin = *home;
    if (url_is_absolute(given)) {
        struct origin none = {0};
        result = url_resolve(given, &none, SPAN("/"), &r->origin, &path);
    } else {
        url_put_target(&path, given);
    }
    origin_put_host(&host, &r->origin);
    buffer_put_char(&path, '\0');
    buffer_put_char(&host, '\0');
    if (result == URL_OK && (path.overflowed || host.overflowed))
        result = URL_TOO_LONG;
    return result == URL_OK || failure_set(failure, FAILURE_USAGE, "'%.100s' %s",
                                           r->command->target, url_result_text(result));
}

bool resumable_begin(struct resumable *r, struct session *session, const struct command *command,
                     const struct origin *home, struct outcome *outcome, struct failure *failure)
{
    *r = (struct resumable){
        .session = session,
        .command = command,
        .outcome = outcome,
        .file = SIDECAR_FILE_NONE,
        .by_id = true,
    };
    return locate(r, home, failure);
}

bool resumable_open_sidecar(struct resumable *r, const char *path, bool may_forget,
                            struct failure *failure)
{
    struct sidecar found;
    switch (sidecar_open(&r->file, path, &found)) {
    case SIDECAR_OPENED:
        r->found_sidecar = true;
        r->is_same =
            strcmp(r->sidecar.host, found.host) == 0 && strcmp(r->sidecar.path, found.path) == 0;
        if (r->is_same)
            r->sidecar = found;
        return true;
    case SIDECAR_FRESH: return true;
    case SIDECAR_FOREIGN:
        return failure_set(failure, FAILURE_LOCAL,
                           "%s: is not what an earlier run has left: remove it to begin", path);
    case SIDECAR_BUSY:
        return failure_set(failure, FAILURE_LOCAL, "%s: another httpclient is at it", path);
    case SIDECAR_FAILED: break;
    }
    if (may_forget && (errno == EACCES || errno == EROFS || errno == EPERM)) {
        resumable_tell("%s: %s: another run could not go on with it", path, "cannot be kept");
        return true;
    }
    return failure_set(failure, FAILURE_LOCAL, "%s: %m", path);
}

void resumable_end(struct resumable *r, bool keep)
{
    sidecar_close(&r->file, keep);
}

/* --- Ids -----------------------------------------------------------------------------------------
 */

/*
 * The fields given with -H, but for conditions and what describes the content: those are for the
 * transfer itself, not for the questions about it.
 */
static void put_plain_fields(struct buffer *out, const struct command *command)
{
    struct span rest = span_make(command->fields, command->fields_len);
    while (rest.len > 0) {
        struct span line = span_make(rest.ptr, span_find(rest, '\n') + 1);
        if (!span_starts_with_nocase(line, SPAN("If-")) &&
            !span_starts_with_nocase(line, SPAN("Content-")) &&
            !span_starts_with_nocase(line, SPAN("Expect:")))
            buffer_put_span(out, line);
        rest = span_from(rest, line.len);
    }
}

struct id_visitor {
    struct visitor visitor;
    struct resumable *r;
    bool wanted;
    struct buffer text;
    char memory[UUID_TEXT_LEN + 4];
};

static bool id_begin(struct visitor *visitor, const struct roundtrip *trip, struct failure *failure)
{
    struct id_visitor *v = (struct id_visitor *)visitor;
    (void)failure;
    v->wanted = trip->head.status == STATUS_OK;
    resumable_note_head(v->r, &trip->head);
    return true;
}

static bool id_take(struct sink *sink, struct span bytes, struct failure *failure)
{
    struct id_visitor *v = (struct id_visitor *)sink;
    (void)failure;
    if (v->wanted)
        buffer_put_span(&v->text, bytes);
    return true;
}

/* Of a server that gives no ids, anything else. */
static bool read_id(struct sidecar *sidecar, const struct buffer *text)
{
    struct span id = buffer_span(text);
    struct uuid parsed;
    while (id.len > 0 && (id.ptr[id.len - 1] == '\n' || id.ptr[id.len - 1] == '\r'))
        id.len--;
    if (text->overflowed || !uuid_parse(id, &parsed))
        return false;
    uuid_format(&parsed, sidecar->id);
    sidecar->id[UUID_TEXT_LEN] = '\0';
    return true;
}

bool resumable_identify(struct resumable *r, struct failure *failure)
{
    struct id_visitor v = {.visitor = {.sink = {.take = id_take}, .begin = id_begin}, .r = r};
    struct buffer fields = BUFFER_OVER(r->request.fields);
    unsigned status;
    if (!r->by_id || r->sidecar.id[0] != '\0')
        return true;
    v.text = BUFFER_OVER(v.memory);
    put_plain_fields(&fields, r->command);
    r->request.method = SPAN("GET");
    r->request.target = "/.uuid";
    r->request.body = NULL;
    r->request.fields_len = fields.len;
    if (!session_perform(r->session, &r->request, &r->origin, &v.visitor, &status, failure))
        return false;
    if (resumable_is_passing_status(status))
        return failure_set(failure, FAILURE_LOST, "%u %s", status, r->outcome->reason);
    r->by_id = r->minted = read_id(&r->sidecar, &v.text);
    return sidecar_store(&r->file, &r->sidecar, failure);
}

/* --- Requests ------------------------------------------------------------------------------------
 */

bool resumable_perform(struct resumable *r, struct span method, struct span fields,
                       const struct body *body, struct visitor *visitor, struct failure *failure)
{
    char target[URL_TARGET_LIMIT + UUID_TEXT_LEN + 2];
    struct buffer path = BUFFER_OVER(target), all = BUFFER_OVER(r->request.fields);
    unsigned status;
    if (r->by_id) {
        buffer_put_char(&path, '/');
        buffer_put_span(&path, span_of(r->sidecar.id));
    }
    buffer_put_span(&path, span_of(r->sidecar.path));
    buffer_put_char(&path, '\0');
    if (span_equal(method, SPAN("HEAD")))
        put_plain_fields(&all, r->command);
    else
        buffer_put(&all, r->command->fields, r->command->fields_len);
    buffer_put_span(&all, fields);
    if (path.overflowed || all.overflowed)
        return failure_set(failure, FAILURE_USAGE, "the request's head is too long");
    r->request.method = method;
    r->request.target = target;
    r->request.fields_len = all.len;
    r->request.body = body;
    r->request.follow = r->command->follow;
    return session_perform(r->session, &r->request, &r->origin, visitor, &status, failure);
}

void resumable_note_head(struct resumable *r, const struct response_head *head)
{
    struct span reason = response_reason(head);
    r->outcome->status = head->status;
    snprintf(r->outcome->reason, sizeof r->outcome->reason, SPAN_FMT, SPAN_ARG(reason));
    if (!span_to_u64(response_field_value(head, FIELD_RETRY_AFTER), &r->retry_after))
        r->retry_after = 0;
}

/* --- Trying again --------------------------------------------------------------------------------
 */

bool resumable_is_passing(const struct failure *failure)
{
    return failure->kind == FAILURE_RESOLVE || failure->kind == FAILURE_REFUSED ||
           failure->kind == FAILURE_TIMEOUT || failure->kind == FAILURE_LOST;
}

bool resumable_is_passing_status(unsigned status)
{
    return status == STATUS_REQUEST_TIMEOUT || status == STATUS_TOO_MANY_REQUESTS ||
           status == STATUS_INTERNAL_SERVER_ERROR || status == STATUS_BAD_GATEWAY ||
           status == STATUS_SERVICE_UNAVAILABLE || status == STATUS_GATEWAY_TIMEOUT;
}

int64_t resumable_pause_ms(unsigned tries, uint64_t retry_after_s, uint32_t chance)
{
    int64_t pause = RESUMABLE_FIRST_WAIT_MS;
    for (unsigned i = 1; i < tries && pause < RESUMABLE_MAX_WAIT_MS; i++)
        pause *= 2;
    if (pause > RESUMABLE_MAX_WAIT_MS)
        pause = RESUMABLE_MAX_WAIT_MS;
    pause -= chance % (pause / 2);
    if (retry_after_s > RESUMABLE_MAX_WAIT_MS / 1000)
        retry_after_s = RESUMABLE_MAX_WAIT_MS / 1000;
    return pause < (int64_t)retry_after_s * 1000 ? (int64_t)retry_after_s * 1000 : pause;
}

bool resumable_again(struct resumable *r, bool progressed, struct failure *failure)
{
    uint32_t chance;
    if (!resumable_is_passing(failure))
        return false;
    r->tries = progressed ? 1 : r->tries + 1;
    if (r->tries >= r->command->tries && !progressed)
        return false;
    if (!random_fill(&chance, sizeof chance))
        chance = 0;
    int64_t pause = resumable_pause_ms(r->tries, r->retry_after, chance);
    resumable_tell("%s; trying again in %.1f s", failure->text, (double)pause / 1000);
    r->retry_after = 0;
    r->outcome->retries++;
    /* Who changes networks may find the server at another address. */
    r->session->addresses.count = 0;
    wire_close(&r->session->wire);
    if (wait_for(-1, 0, clock_ms() + pause, r->session->wire.cancel_fd, NULL) != WAIT_TIMEOUT)
        return failure_set(failure, FAILURE_CANCELLED, "stopped while waiting to try again");
    return true;
}
