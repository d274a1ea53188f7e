#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/chunked.h"
#include "unit/guard.h"

static const struct row {
    const char *input;
    enum chunked_result result;
    const char *body; /* all data that came out */
    const char *rest; /* what follows the body, when it is done */
    const char *why;
} rows[] = {
    {"4\r\nWiki\r\n5\r\npedia\r\nE\r\n in\r\n\r\nchunks.\r\n0\r\n\r\n", CHUNKED_DONE,
     "Wikipedia in\r\n\r\nchunks.", "", "several chunks, line ends within data"},
    {"0\r\n\r\n", CHUNKED_DONE, "", "", "nothing"},
    {"000\r\n\r\n", CHUNKED_DONE, "", "", "last-chunk is 1*\"0\""},
    {"0\r\n\r\nGET / HTTP/1.1\r\n", CHUNKED_DONE, "", "GET / HTTP/1.1\r\n", "the next request"},
    {"1\r\na\r\n0\r\n\r\n\r\n", CHUNKED_DONE, "a", "\r\n", "an empty line after the body"},
    {"a\r\n0123456789\r\n0\r\n\r\n", CHUNKED_DONE, "0123456789", "", "small letters"},
    {"A\r\n0123456789\r\n0\r\n\r\n", CHUNKED_DONE, "0123456789", "", "capital letters"},
    {"0000000000000000000000000000000001\r\na\r\n0\r\n\r\n", CHUNKED_DONE, "a", "",
     "leading zeros beyond 16 digits"},
    {"3;ext\r\nabc\r\n0;last\r\n\r\n", CHUNKED_DONE, "abc", "", "extensions (RFC 9112 7.1.1)"},
    {"3;name=value;other=\"a;b\"\r\nabc\r\n0\r\n\r\n", CHUNKED_DONE, "abc", "", "with values"},
    {"3 \t; ext\t= x\r\nabc\r\n0\r\n\r\n", CHUNKED_DONE, "abc", "", "bad whitespace"},
    {"0\r\nA: b\r\n\r\n", CHUNKED_DONE, "", "", "a trailer field (RFC 9112 7.1.2)"},
    {"0\r\nA: b\r\nC:\r\nD:\te \r\n\r\nX", CHUNKED_DONE, "", "X", "three, one without a value"},
    {"0\r\n!#$%&'*+-.^_`|~09azAZ: \xff\r\n\r\n", CHUNKED_DONE, "", "", "every tchar, obs-text"},

    {"", CHUNKED_MORE, "", "", "nothing yet"},
    {"7fffffffffffffff\r\nabc", CHUNKED_MORE, "abc", "", "the largest size"},
    {"3\r\nabc\r\n0\r\nA: b\r\n", CHUNKED_MORE, "abc", "", "the trailer section goes on"},

    {"8000000000000000\r\n", CHUNKED_BAD, "", "", "2^63"},
    {"ffffffffffffffff\r\n", CHUNKED_BAD, "", "", "2^64-1"},
    {"10000000000000000\r\n", CHUNKED_BAD, "", "", "2^64"},
    {"100000000000000000000\r\n", CHUNKED_BAD, "", "", "far above"},
    {"\r\n0\r\n\r\n", CHUNKED_BAD, "", "", "no digit"},
    {";ext\r\n", CHUNKED_BAD, "", "", "an extension without a size"},
    {" 1\r\na\r\n", CHUNKED_BAD, "", "", "space before the size"},
    {"-1\r\n", CHUNKED_BAD, "", "", "a sign"},
    {"+1\r\n", CHUNKED_BAD, "", "", "a sign"},
    {"0x1\r\n", CHUNKED_BAD, "", "", "0x"},
    {"g\r\n", CHUNKED_BAD, "", "", "no hexadecimal digit"},
    {"1g\r\n", CHUNKED_BAD, "", "", "no hexadecimal digit at the end"},
    {"1_0\r\n", CHUNKED_BAD, "", "", "an underscore"},
    {"1 \r\n", CHUNKED_BAD, "", "", "space after the size, no extension"},
    {"1 2\r\n", CHUNKED_BAD, "", "", "two sizes"},
    {"1\na\n0\n\n", CHUNKED_BAD, "", "", "bare LF after a size"},
    {"1\ra", CHUNKED_BAD, "", "", "bare CR after a size"},
    {"1\r\r\na", CHUNKED_BAD, "", "", "two CR"},
    {"1;x\na\r\n", CHUNKED_BAD, "", "", "bare LF in an extension"},
    {"1;x\ry\r\na\r\n", CHUNKED_BAD, "", "", "bare CR in an extension"},
    {"1;x=\"\n\"\r\na\r\n", CHUNKED_BAD, "", "", "LF in a quoted value"},
    {"1;\x01\r\n", CHUNKED_BAD, "", "", "a control byte in an extension"},
    {"1;\x7f\r\n", CHUNKED_BAD, "", "", "DEL in an extension"},
    {"1\r\nab\r\n", CHUNKED_BAD, "a", "", "data longer than its size"},
    {"1\r\na\n0\r\n\r\n", CHUNKED_BAD, "a", "", "bare LF after data"},
    {"1\r\na\r0\r\n\r\n", CHUNKED_BAD, "a", "", "bare CR after data"},
    {"1\r\na0\r\n\r\n", CHUNKED_BAD, "a", "", "no CRLF after data"},
    {"1\r\na\r\n\r\n0\r\n\r\n", CHUNKED_BAD, "a", "", "an empty line between chunks"},
    {"2\r\n\r\n\r\n\r\n", CHUNKED_BAD, "\r\n", "", "data that is a line end"},
    {"0\r\n\n", CHUNKED_BAD, "", "", "bare LF at the end"},
    {"0\r\n\rX", CHUNKED_BAD, "", "", "bare CR at the end"},
    {"0\r\nX\r\n\r\n", CHUNKED_BAD, "", "", "a trailer line without a colon"},
    {"0\r\n: b\r\n\r\n", CHUNKED_BAD, "", "", "without a name"},
    {"0\r\nA : b\r\n\r\n", CHUNKED_BAD, "", "", "space before the colon"},
    {"0\r\n A: b\r\n\r\n", CHUNKED_BAD, "", "", "space at the start"},
    {"0\r\nA: b\r\n c\r\n\r\n", CHUNKED_BAD, "", "", "obs-fold"},
    {"0\r\nA: b\n\r\n", CHUNKED_BAD, "", "", "bare LF in the trailer section"},
    {"0\r\nA: b\rc\r\n\r\n", CHUNKED_BAD, "", "", "bare CR in the trailer section"},
    {"0\r\nA: \x08\r\n\r\n", CHUNKED_BAD, "", "", "a control byte in a value"},
    {"0\r\nA\"B: c\r\n\r\n", CHUNKED_BAD, "", "", "a quote in a name"},
};

/* Feeds one piece and gathers what comes out; `piece` is left with what was not used. */
static enum chunked_result feed(struct chunked *decoder, struct span *piece, struct buffer *body)
{
    const char *end = piece->ptr + piece->len;
    enum chunked_result result;
    struct span data;
    while ((result = chunked_decode(decoder, piece, &data)) == CHUNKED_DATA) {
        assert_true(data.len > 0);
        buffer_put_span(body, data);
    }
    assert_true(piece->ptr + piece->len == end); /* only ever taken off its front */
    if (result == CHUNKED_MORE)
        assert_int_equal(piece->len, 0);
    return result;
}

static void expect_row(const struct row *row, enum chunked_result result, struct span rest,
                       const struct buffer *body, size_t split)
{
    if (result != row->result)
        fail_msg("%s, split at %zu: result %d", row->why, split, (int)result);
    if (!span_equal(buffer_span(body), span_of(row->body)))
        fail_msg("%s, split at %zu: body " SPAN_FMT, row->why, split, SPAN_ARG(buffer_span(body)));
    if (result == CHUNKED_DONE && !span_equal(rest, span_of(row->rest)))
        fail_msg("%s, split at %zu: rest " SPAN_FMT, row->why, split, SPAN_ARG(rest));
}

/* Whole, and in two pieces that part at each position. */
static void decodes_split_anywhere(void **state)
{
    (void)state;
    struct guard guard = guard_open(256);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        size_t len = strlen(row->input);
        for (size_t split = 0; split <= len; split++) {
            char memory[256], rest[256];
            struct buffer body = BUFFER_OVER(memory), left = BUFFER_OVER(rest);
            struct chunked decoder = {0};
            struct span piece = span_make(guard_flush(&guard, row->input, split), split);
            enum chunked_result result = feed(&decoder, &piece, &body);
            buffer_put_span(&left, piece);
            piece = span_make(guard_flush(&guard, row->input + split, len - split), len - split);
            if (result == CHUNKED_MORE)
                result = feed(&decoder, &piece, &body);
            buffer_put_span(&left, piece);
            expect_row(row, result, buffer_span(&left), &body, split);
        }
    }
    guard_close(&guard);
}

static void decodes_byte_by_byte(void **state)
{
    (void)state;
    struct guard guard = guard_open(256);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        size_t at = 0, len = strlen(row->input);
        char memory[256];
        struct buffer body = BUFFER_OVER(memory);
        struct chunked decoder = {0};
        enum chunked_result result = CHUNKED_MORE;
        while (result == CHUNKED_MORE && at < len) {
            struct span piece = span_make(guard_flush(&guard, row->input + at++, 1), 1);
            result = feed(&decoder, &piece, &body);
        }
        expect_row(row, result, span_from(span_of(row->input), at), &body, at);
    }
    guard_close(&guard);
}

/* RFC 9112 7.1: each of these may end here and go on later, so that none is refused or done. */
static void waits_at_every_prefix(void **state)
{
    (void)state;
    static const char whole[] = "3;x=\"y\"\r\nabc\r\nA \t;z\r\n0123456789\r\n0\r\nA: b\r\n\r\n";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char memory[64];
        struct buffer body = BUFFER_OVER(memory);
        struct chunked decoder = {0};
        struct span piece = span_make(whole, len);
        assert_int_equal(feed(&decoder, &piece, &body), CHUNKED_MORE);
    }
}

static void stays_done_and_bad(void **state)
{
    (void)state;
    char memory[16];
    struct buffer body = BUFFER_OVER(memory);
    struct chunked done = {0}, bad = {0};
    struct span last = SPAN("0\r\n\r\n"), wrong = SPAN("x"), more = SPAN("1\r\na");

    assert_int_equal(feed(&done, &last, &body), CHUNKED_DONE);
    assert_int_equal(feed(&done, &more, &body), CHUNKED_DONE);
    assert_int_equal(more.len, 4);
    assert_int_equal(feed(&bad, &wrong, &body), CHUNKED_BAD);
    assert_int_equal(feed(&bad, &more, &body), CHUNKED_BAD);
    assert_int_equal(body.len, 0);
}

/* Data may go past the decoder, whole or in part; sizes and lines may not. */
static void skips_data(void **state)
{
    (void)state;
    char memory[16];
    struct buffer body = BUFFER_OVER(memory);
    struct chunked decoder = {0};
    struct span piece = SPAN("1"), data;

    assert_true(chunked_left(&decoder) == 0);
    assert_int_equal(feed(&decoder, &piece, &body), CHUNKED_MORE);
    assert_true(chunked_left(&decoder) == 0); /* the size is not known yet */
    piece = SPAN("0000000000\r\n");
    assert_int_equal(feed(&decoder, &piece, &body), CHUNKED_MORE);
    assert_true(chunked_left(&decoder) == 0x10000000000);
    chunked_skip(&decoder, 0xfffffffffe);
    assert_true(chunked_left(&decoder) == 2);
    piece = SPAN("a");
    assert_int_equal(chunked_decode(&decoder, &piece, &data), CHUNKED_DATA);
    assert_true(span_equal(data, SPAN("a")));
    assert_true(chunked_left(&decoder) == 1);
    chunked_skip(&decoder, 0);
    assert_true(chunked_left(&decoder) == 1);
    chunked_skip(&decoder, 1);
    assert_true(chunked_left(&decoder) == 0);
    chunked_skip(&decoder, 0); /* splice moved nothing: still before the line end */
    piece = SPAN("\r\n0\r\n\r\nX");
    assert_int_equal(feed(&decoder, &piece, &body), CHUNKED_DONE);
    assert_true(span_equal(piece, SPAN("X")));
    assert_int_equal(body.len, 0);
}

/* RFC 9112 7.1.2: field lines and the empty line that ends them, wherever the pieces part. */
static void reports_the_trailer_section(void **state)
{
    static const struct {
        const char *input;
        enum chunked_result result;
        const char *trailer, *why;
    } trailers[] = {
        {"0\r\n\r\n", CHUNKED_DONE, "\r\n", "no field"},
        {"0\r\nA: b\r\n\r\n", CHUNKED_DONE, "A: b\r\n\r\n", "one"},
        {"0\r\nA: b\r\nC:\r\n\r\nGET /", CHUNKED_DONE, "A: b\r\nC:\r\n\r\n",
         "two, and the next request is not among them"},
        {"0\r\nA: b\r\n", CHUNKED_MORE, "A: b\r\n", "it goes on"},
    };
    struct guard guard = guard_open(256);

    (void)state;
    for (size_t i = 0; i < sizeof trailers / sizeof *trailers; i++)
        for (size_t split = 0; split <= strlen(trailers[i].input); split++) {
            enum chunked_result result;
            char memory[256];
            struct chunked decoder = {.reports_trailer = true};
            struct buffer trailer = BUFFER_OVER(memory);
            size_t len = strlen(trailers[i].input), used = 0;

            result = CHUNKED_MORE;
            for (int part = 0; part < 2 && result == CHUNKED_MORE; part++) {
                size_t from = part == 0 ? 0 : split, to = part == 0 ? split : len;
                struct span data,
                    piece = span_make(guard_flush(&guard, trailers[i].input + from, to - from),
                                      to - from);

                while ((result = chunked_decode(&decoder, &piece, &data)) == CHUNKED_TRAILER)
                    buffer_put_span(&trailer, data);
                used = to - piece.len;
            }
            if (result != trailers[i].result ||
                !span_equal(buffer_span(&trailer), span_of(trailers[i].trailer)))
                fail_msg("%s, split at %zu: result %d, trailer " SPAN_FMT, trailers[i].why, split,
                         (int)result, SPAN_ARG(buffer_span(&trailer)));
            assert_int_equal(used, strlen("0\r\n") + trailer.len);
        }
    guard_close(&guard);
}

/* What is wrong is wrong also when it is reported, and how much there may be of it too. */
static void reports_no_trailer_that_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "0\r\nX\r\n\r\n",      "0\r\n: b\r\n\r\n", "0\r\nA : b\r\n\r\n",
        "0\r\nA: b\r\n c\r\n", "0\r\nA: b\n\r\n",  "0\r\n\rX",
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct chunked decoder = {.reports_trailer = true};
        struct span data, input = span_of(wrong[i]);

        assert_int_equal(chunked_decode(&decoder, &input, &data), CHUNKED_BAD);
        assert_int_equal(chunked_decode(&decoder, &input, &data), CHUNKED_BAD);
    }

    struct chunked lines = {.reports_trailer = true};
    struct span data, piece = SPAN("0\r\n");
    size_t reported = 0;

    assert_int_equal(chunked_decode(&lines, &piece, &data), CHUNKED_MORE);
    for (;;) {
        piece = SPAN("A: b\r\n");
        if (chunked_decode(&lines, &piece, &data) != CHUNKED_TRAILER)
            break;
        reported += data.len;
        assert_true(reported <= CHUNKED_TRAILER_LIMIT);
    }
    assert_int_equal(reported, CHUNKED_TRAILER_LIMIT / 6 * 6);
}

static enum chunked_result feed_times(struct chunked *decoder, const char *text, size_t times)
{
    enum chunked_result result = CHUNKED_MORE;
    char memory[16];
    while (times-- > 0 && result == CHUNKED_MORE) {
        struct buffer body = BUFFER_OVER(memory);
        struct span piece = span_of(text);
        result = feed(decoder, &piece, &body);
    }
    return result;
}

static void limits_a_size_line(void **state)
{
    (void)state;
    struct chunked extension = {0}, digits = {0};
    assert_int_equal(feed_times(&extension, "1;", 1), CHUNKED_MORE);
    assert_int_equal(feed_times(&extension, "x", CHUNKED_LINE_LIMIT - 4), CHUNKED_MORE);
    struct chunked longer = extension;
    assert_int_equal(feed_times(&extension, "\r\na\r\n0\r\n\r\n", 1), CHUNKED_DONE);
    assert_int_equal(feed_times(&longer, "x\r\n", 1), CHUNKED_BAD);

    assert_int_equal(feed_times(&digits, "0", CHUNKED_LINE_LIMIT), CHUNKED_MORE);
    assert_int_equal(feed_times(&digits, "0", 1), CHUNKED_BAD);
}

static void limits_the_trailer_section(void **state)
{
    (void)state;
    struct chunked lines = {0};
    /* 8190 = 1365 * 6, and the last CRLF makes it full. */
    assert_int_equal(feed_times(&lines, "0\r\n", 1), CHUNKED_MORE);
    assert_int_equal(feed_times(&lines, "A: b\r\n", 1365), CHUNKED_MORE);
    struct chunked longer = lines;
    assert_int_equal(feed_times(&lines, "\r\n", 1), CHUNKED_DONE);
    assert_int_equal(feed_times(&longer, "A: b\r\n", 1), CHUNKED_BAD);
}

/* 4000 bytes of extension with each byte of data stop soon; with 4000 bytes of data, or a few bytes
   of extension with each, never. */
static void limits_extensions_without_data(void **state)
{
    (void)state;
    char line[5000];
    struct buffer text = BUFFER_OVER(line);
    struct chunked greedy = {0}, fair = {0}, small = {0};

    buffer_put_text(&text, "1;");
    while (text.len < 4000)
        buffer_put_char(&text, 'x');
    buffer_put(&text, "\r\na\r\n", 6); /* with its NUL */
    assert_int_equal(feed_times(&greedy, line, 4), CHUNKED_MORE);
    assert_int_equal(feed_times(&greedy, line, 1), CHUNKED_BAD);

    assert_int_equal(feed_times(&small, "1;x=12345\r\na\r\n", 100000), CHUNKED_MORE);

    memcpy(line, "0800;", 5);
    for (int i = 0; i < 1000; i++) {
        char memory[16];
        struct buffer body = BUFFER_OVER(memory);
        struct span piece = span_make(line, 4000);
        assert_int_equal(feed(&fair, &piece, &body), CHUNKED_MORE);
        piece = SPAN("\r\n");
        assert_int_equal(feed(&fair, &piece, &body), CHUNKED_MORE);
        assert_true(chunked_left(&fair) == 0x800);
        chunked_skip(&fair, 0x800);
        piece = SPAN("\r\n");
        assert_int_equal(feed(&fair, &piece, &body), CHUNKED_MORE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_split_anywhere),
        cmocka_unit_test(decodes_byte_by_byte),
        cmocka_unit_test(waits_at_every_prefix),
        cmocka_unit_test(stays_done_and_bad),
        cmocka_unit_test(skips_data),
        cmocka_unit_test(reports_the_trailer_section),
        cmocka_unit_test(reports_no_trailer_that_is_wrong),
        cmocka_unit_test(limits_a_size_line),
        cmocka_unit_test(limits_the_trailer_section),
        cmocka_unit_test(limits_extensions_without_data),
    };
    return cmocka_run_group_tests_name("http/chunked", tests, NULL, NULL);
}
