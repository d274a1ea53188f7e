#include "client/show.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "client/resumable.h"
#include "http/status.h"

/* A URL and a file name of which each byte is escaped. */
enum { JSON_LIMIT = 6 * (URL_TARGET_LIMIT + PATH_MAX) + 1024 };

static struct show *show_of(struct visitor *visitor)
{
    return (struct show *)((char *)visitor - offsetof(struct show, visitor));
}

static struct show *show_of_sink(struct sink *sink)
{
    return show_of((struct visitor *)((char *)sink - offsetof(struct visitor, sink)));
}

static struct span bar_name(const struct show *show)
{
    const char *name =
        show->command->output != NULL ? show->command->output : show->command->target;
    const char *slash = strrchr(name, '/');
    return span_of(slash != NULL && slash[1] != '\0' ? slash + 1 : name);
}

static bool wants_file(const struct show *show)
{
    return show->command->output != NULL && strcmp(show->command->output, "-") != 0;
}

/* The bar would be drawn between the lines of a body that is shown on the same terminal. */
static int bar_fd(const struct show *show)
{
    return wants_file(show) || !isatty(STDOUT_FILENO) ? STDERR_FILENO : -1;
}

static bool take(struct sink *sink, struct span bytes, struct failure *failure)
{
    struct show *show = show_of_sink(sink);
    show->received += bytes.len;
    if (show->drop)
        return true;
    if (show->command->json && !wants_file(show))
        return true;
    if (show->download.fd != -1
            ? !download_write(&show->download, bytes, failure)
            : !download_write_all(STDOUT_FILENO, "standard output", bytes, failure))
        return false;
    progress_update(&show->progress, show->received);
    return true;
}

static void sent(struct sink *sink, uint64_t bytes, uint64_t total)
{
    struct show *show = show_of_sink(sink);
    if (!show->sending)
        progress_begin(&show->progress, STDERR_FILENO, bar_name(show), total);
    show->sending = true;
    show->sent = bytes;
    progress_update(&show->progress, bytes);
}

static bool begin(struct visitor *visitor, const struct roundtrip *trip, struct failure *failure)
{
    struct show *show = show_of(visitor);
    const struct response_head *head = &trip->head;
    const struct command *command = show->command;
    struct span reason = response_reason(head);
    show->status = head->status;
    snprintf(show->reason, sizeof show->reason, SPAN_FMT, SPAN_ARG(reason));
    progress_end(&show->progress);

    if (!command->json && (command->include || span_equal(trip->method, SPAN("HEAD"))))
        if (!download_write_all(STDOUT_FILENO, "standard output",
                                span_make(head->head, head->head_len), failure))
            return false;
    if (wants_file(show)) {
        /* Only what was asked for may take the name: no error page, no redirect, no 304. */
        show->drop = head->status < 200 || head->status > 299;
        if (!show->drop && !download_open(&show->download, command->output, failure))
            return false;
    }
    progress_begin(&show->progress, bar_fd(show), bar_name(show),
                   head->framing == RESPONSE_BODY_LENGTH ? head->content_length : 0);
    return true;
}

/* What was asked for, for a message. */
static void put_subject(struct buffer *out, const struct command *command,
                        const struct origin *home)
{
    buffer_put_span(out, command->method);
    buffer_put_char(out, ' ');
    outcome_put_url(out, command, home);
}

/* On a terminal somebody wants to know that a PUT has worked; a script has the exit code. */
static bool is_silent(const struct show *show)
{
    return show->received == 0 && !wants_file(show) && !show->command->include &&
           !span_equal(show->command->method, SPAN("HEAD"));
}

/* The result for a script, on standard output, where then nothing else goes. */
static void show_json(const struct command *command, const struct origin *home,
                      const struct outcome *outcome, int64_t started_us,
                      const struct failure *failure)
{
    char memory[JSON_LIMIT];
    struct buffer line = BUFFER_OVER(memory);
    struct failure ignored;
    outcome_put_json(&line, outcome, command, home, clock_us() - started_us, failure);
    if (!download_write_all(STDOUT_FILENO, "standard output", buffer_span(&line), &ignored))
        log_error("%s", ignored.text);
}

static enum show_result result_of_failure(const struct failure *failure)
{
    switch (failure->kind) {
    case FAILURE_USAGE: return SHOW_USAGE;
    case FAILURE_CHANGED: return SHOW_HTTP_ERROR;
    default: return SHOW_FAILED;
    }
}

static enum show_result show_resumed(struct session *session, const struct command *command,
                                     const struct origin *home)
{
    char memory[URL_TARGET_LIMIT + 512];
    struct buffer subject = BUFFER_OVER(memory);
    struct outcome outcome = {0};
    struct failure failure = {FAILURE_NONE, ""};
    int64_t started_us = clock_us();
    bool is_get = span_equal(command->method, SPAN("GET"));
    bool good = is_get ? resume_get(session, command, home, &outcome, &failure)
                       : resume_put(session, command, home, &outcome, &failure);
    put_subject(&subject, command, home);
    if (command->json)
        show_json(command, home, &outcome, started_us, good ? NULL : &failure);
    if (!good) {
        log_error("%.*s: %s", (int)subject.len, memory, failure.text);
        return result_of_failure(&failure);
    }
    bool stored = outcome.status >= 200 && outcome.status <= 299;
    if (!stored && outcome.status != STATUS_NOT_MODIFIED) {
        log_error("%.*s: %u %s", (int)subject.len, memory, outcome.status, outcome.reason);
        return SHOW_HTTP_ERROR;
    }
    if (!is_get && isatty(STDERR_FILENO))
        log_notice("%.*s: %u %s", (int)subject.len, memory, outcome.status, outcome.reason);
    return SHOW_OK;
}

enum show_result show_command(struct session *session, const struct command *command,
                              const struct origin *home)
{
    struct show show = {.visitor = {.sink = {.take = take, .sent = sent}, .begin = begin},
                        .command = command,
                        .download = DOWNLOAD_NONE,
                        .progress = {.fd = -1}};
    struct failure failure = {FAILURE_NONE, ""};
    char memory[512];
    struct buffer subject = BUFFER_OVER(memory);
    unsigned status;
    int64_t started_us = clock_us();

    if (command->resume)
        return show_resumed(session, command, home);
    bool good = session_perform(session, command, home, &show.visitor, &status, &failure);
    progress_end(&show.progress);
    if (show.download.fd != -1) {
        if (good)
            good = download_complete(&show.download, &failure);
        else
            download_discard(&show.download);
    }
    put_subject(&subject, command, home);
    if (command->json)
        show_json(command, home,
                  &(struct outcome){.status = show.status, .bytes = show.received + show.sent},
                  started_us, good ? NULL : &failure);
    if (!good) {
        log_error("%.*s: %s", (int)subject.len, memory, failure.text);
        return result_of_failure(&failure);
    }
    if (status < 100 || status >= 400) {
        log_error("%.*s: %u %s", (int)subject.len, memory, status, show.reason);
        return SHOW_HTTP_ERROR;
    }
    /* 304 is what a condition given with -H has asked for. */
    if (wants_file(&show) && show.drop && status != STATUS_NOT_MODIFIED) {
        log_error("%.*s: %u %s, so nothing was stored", (int)subject.len, memory, status,
                  show.reason);
        return SHOW_HTTP_ERROR;
    }
    if (is_silent(&show) && isatty(STDERR_FILENO))
        log_notice("%.*s: %u %s", (int)subject.len, memory, status, show.reason);
    return SHOW_OK;
}
