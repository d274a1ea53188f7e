#include "http/response.h"

static void end_line(struct buffer *out)
{
    buffer_put_text(out, "\r\n");
}

static void begin_field(struct buffer *out, struct span name)
{
    buffer_put_span(out, name);
    buffer_put_text(out, ": ");
}

void response_status_line(struct buffer *out, enum status status)
{
    struct span line = status_line(status);

    if (line.len > 0) {
        buffer_put_span(out, line);
        return;
    }
    buffer_put_text(out, "HTTP/1.1 ");
    buffer_put_u64(out, (unsigned)status);
    /* The space stays when there is no reason phrase (RFC 9112 4). */
    buffer_put_text(out, " \r\n");
}

static bool splits(char c)
{
    return c == '\r' || c == '\n' || c == '\0';
}

void response_field(struct buffer *out, struct span name, struct span value)
{
    begin_field(out, name);
    size_t from = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (splits(value.ptr[i])) {
            buffer_put(out, value.ptr + from, i - from);
            from = i + 1;
        }
    }
    buffer_put_span(out, span_from(value, from));
    end_line(out);
}

void response_field_u64(struct buffer *out, struct span name, uint64_t value)
{
    begin_field(out, name);
    buffer_put_u64(out, value);
    end_line(out);
}

void response_field_date(struct buffer *out, struct span name, int64_t when)
{
    char text[DATE_LEN];
    date_format(text, when);
    begin_field(out, name);
    buffer_put(out, text, sizeof text);
    end_line(out);
}

void response_location(struct buffer *out, struct span path, bool directory)
{
    begin_field(out, SPAN("Location"));
    buffer_put_char(out, '/');
    buffer_put_url_path(out, path);
    if (directory && path.len > 0)
        buffer_put_char(out, '/');
    end_line(out);
}

void response_end(struct buffer *out)
{
    end_line(out);
}
