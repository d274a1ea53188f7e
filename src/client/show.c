#include "client/show.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "http/status.h"

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

    if (command->include || span_equal(trip->method, SPAN("HEAD")))
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
    if (!url_is_absolute(span_of(command->target))) {
        buffer_put_text(out, "http://");
        origin_put_host(out, home);
    }
    url_put_target(out, span_of(command->target));
}

/* On a terminal somebody wants to know that a PUT has worked; a script has the exit code. */
static bool is_silent(const struct show *show)
{
    return show->received == 0 && !wants_file(show) && !show->command->include &&
           !span_equal(show->command->method, SPAN("HEAD"));
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

    bool good = session_perform(session, command, home, &show.visitor, &status, &failure);
    progress_end(&show.progress);
    if (show.download.fd != -1) {
        if (good)
            good = download_complete(&show.download, &failure);
        else
            download_discard(&show.download);
    }
    put_subject(&subject, command, home);
    if (!good) {
        log_error("%.*s: %s", (int)subject.len, memory, failure.text);
        return failure.kind == FAILURE_USAGE ? SHOW_USAGE : SHOW_FAILED;
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
