#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/response.h"
#include "unit/guard.h"

#define OUTPUT(text) SPAN(text), __LINE__

static void expect_text(struct buffer *out, struct span text, int line)
{
    if (!span_equal(buffer_span(out), text))
        fail_msg("line %d: " SPAN_FMT, line, SPAN_ARG(buffer_span(out)));
    out->len = 0;
}

static void writes_status_lines(void **state)
{
    (void)state;
    char memory[128];
    struct buffer out = BUFFER_OVER(memory);

    response_status_line(&out, STATUS_OK);
    expect_text(&out, OUTPUT("HTTP/1.1 200 OK\r\n"));
    response_status_line(&out, STATUS_NOT_FOUND);
    expect_text(&out, OUTPUT("HTTP/1.1 404 Not Found\r\n"));
    /* RFC 9112 4: the space stays when the reason phrase is empty. */
    response_status_line(&out, (enum status)299);
    expect_text(&out, OUTPUT("HTTP/1.1 299 \r\n"));
}

static void writes_locations(void **state)
{
    (void)state;
    char memory[128];
    struct buffer out = BUFFER_OVER(memory);

    response_location(&out, SPAN("a/b c.txt"), false);
    expect_text(&out, OUTPUT("Location: /a/b%20c.txt\r\n"));
    response_location(&out, SPAN("a"), true);
    expect_text(&out, OUTPUT("Location: /a/\r\n"));
    /* One slash: with two it would name another host (RFC 3986 4.2). */
    response_location(&out, SPAN(""), true);
    expect_text(&out, OUTPUT("Location: /\r\n"));
    response_location(&out, SPAN("a\r\nb:%?#"), false);
    expect_text(&out, OUTPUT("Location: /a%0D%0Ab%3A%25%3F%23\r\n"));
}

static const struct field_row {
    struct span value;
    const char *line;
    const char *why;
} field_rows[] = {
    {{"b", 1}, "A: b\r\n", "a value"},
    {{"", 0}, "A: \r\n", "an empty value"},
    {{NULL, 0}, "A: \r\n", "no value"},
    {{"b\r\nSet-Cookie: c", 16}, "A: bSet-Cookie: c\r\n", "CRLF splits (RFC 9110 5.5)"},
    {{"b\nc", 3}, "A: bc\r\n", "and so does LF"},
    {{"b\rc", 3}, "A: bc\r\n", "and CR, for some"},
    {{"b\0c", 3}, "A: bc\r\n", "NUL ends it, for some"},
    {{"\r\n\r\nb", 5}, "A: b\r\n", "at the start"},
    {{"b\r\n\r\n", 5}, "A: b\r\n", "at the end"},
    {{"\r\n", 2}, "A: \r\n", "nothing else"},
    {{"b\tc \xff", 5}, "A: b\tc \xff\r\n", "HTAB, SP and obs-text stay"},
};

static void writes_fields(void **state)
{
    (void)state;
    char memory[128];
    struct buffer out = BUFFER_OVER(memory);
    struct guard guard = guard_open(64);

    for (size_t i = 0; i < sizeof field_rows / sizeof field_rows[0]; i++) {
        const struct field_row *row = &field_rows[i];
        char *value = guard_flush(&guard, row->value.ptr, row->value.len);
        response_field(&out, SPAN("A"), span_make(value, row->value.len));
        if (!span_equal(buffer_span(&out), span_of(row->line)))
            fail_msg("%s: " SPAN_FMT, row->why, SPAN_ARG(buffer_span(&out)));
        out.len = 0;
    }
    guard_close(&guard);
}

static void writes_numbers_and_dates(void **state)
{
    (void)state;
    char memory[128];
    struct buffer out = BUFFER_OVER(memory);

    response_field_u64(&out, SPAN("Content-Length"), 0);
    expect_text(&out, OUTPUT("Content-Length: 0\r\n"));
    response_field_u64(&out, SPAN("Content-Length"), UINT64_MAX);
    expect_text(&out, OUTPUT("Content-Length: 18446744073709551615\r\n"));
    response_field_date(&out, SPAN("Date"), 784111777);
    expect_text(&out, OUTPUT("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    response_end(&out);
    expect_text(&out, OUTPUT("\r\n"));
    assert_false(out.overflowed);
}

static void write_head(struct buffer *out)
{
    response_status_line(out, STATUS_PARTIAL_CONTENT);
    response_field_date(out, SPAN("Date"), 784111777);
    response_field(out, SPAN("Content-Range"), SPAN("bytes 0-499/1234"));
    response_field_u64(out, SPAN("Content-Length"), 500);
    response_end(out);
}

/* In every space too small for it the head is known to be cut, and nothing stands behind it. */
static void says_when_it_does_not_fit(void **state)
{
    (void)state;
    static const char head[] = "HTTP/1.1 206 Partial Content\r\n"
                               "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                               "Content-Range: bytes 0-499/1234\r\n"
                               "Content-Length: 500\r\n\r\n";
    struct guard guard = guard_open(256);

    for (size_t cap = 0; cap < sizeof head; cap++) {
        struct buffer out = buffer_make(guard_space(&guard, cap), cap);
        write_head(&out);
        assert_int_equal(out.overflowed, cap < sizeof head - 1);
        if (!out.overflowed)
            expect_text(&out, span_of(head), __LINE__);
    }
    guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_status_lines),
        cmocka_unit_test(writes_locations),
        cmocka_unit_test(writes_fields),
        cmocka_unit_test(writes_numbers_and_dates),
        cmocka_unit_test(says_when_it_does_not_fit),
    };
    return cmocka_run_group_tests_name("http/response", tests, NULL, NULL);
}
