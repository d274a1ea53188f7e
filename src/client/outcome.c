#include "client/outcome.h"

void outcome_put_url(struct buffer *out, const struct command *command, const struct origin *home)
{
    if (!url_is_absolute(span_of(command->target))) {
        buffer_put_text(out, "http://");
        origin_put_host(out, home);
    }
    url_put_target(out, span_of(command->target));
}

static void put_text(struct buffer *out, struct span text)
{
    buffer_put_char(out, '"');
    buffer_put_json(out, text);
    buffer_put_char(out, '"');
}

void outcome_put_json(struct buffer *out, const struct outcome *outcome,
                      const struct command *command, const struct origin *home, int64_t elapsed_us,
                      const struct failure *failure)
{
    char memory[URL_HOST_LIMIT + URL_TARGET_LIMIT + 32];
    struct buffer url = BUFFER_OVER(memory);
    outcome_put_url(&url, command, home);
    buffer_put_text(out, "{\"method\":");
    put_text(out, command->method);
    buffer_put_text(out, ",\"url\":");
    put_text(out, buffer_span(&url));
    buffer_put_text(out, ",\"status\":");
    if (outcome->status == 0)
        buffer_put_text(out, "null");
    else
        buffer_put_u64(out, outcome->status);
    buffer_put_text(out, ",\"bytes\":");
    buffer_put_u64(out, outcome->bytes);
    buffer_put_text(out, ",\"resumed_from\":");
    buffer_put_u64(out, outcome->resumed_from);
    buffer_put_text(out, ",\"retries\":");
    buffer_put_u64(out, outcome->retries);
    buffer_put_format(out, ",\"seconds\":%.3f", (double)elapsed_us / 1e6);
    buffer_put_text(out, ",\"file\":");
    if (command->output == NULL)
        buffer_put_text(out, "null");
    else
        put_text(out, span_of(command->output));
    if (failure != NULL) {
        buffer_put_text(out, ",\"error\":");
        put_text(out, span_of(failure->text));
    }
    buffer_put_text(out, "}\n");
}
