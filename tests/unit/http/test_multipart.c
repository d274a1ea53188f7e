#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/multipart.h"
#include "unit/guard.h"

#define FORM "Content-Disposition: form-data; "

/*
 * What a body tells: "{name|filename|type" for a part ("-" for what is absent), its bytes, "}" for
 * its end, then "." when the last boundary was read, "!" when it was malformed.
 */
static const struct row {
    struct span boundary, body;
    const char *story, *why;
} rows[] = {
    {SPAN("AaB03x"),
     SPAN("--AaB03x\r\n" FORM "name=\"submit-name\"\r\n\r\nLarry\r\n"
          "--AaB03x\r\n" FORM "name=\"files\"; filename=\"file1.txt\"\r\n"
          "Content-Type: text/plain\r\n\r\n... contents of file1.txt ...\r\n--AaB03x--\r\n"),
     "{submit-name|-|-:Larry}{files|file1.txt|text/plain:... contents of file1.txt ...}.",
     "HTML 4 17.13.4.2, what RFC 7578 grew from"},
    {SPAN("gc0pJq0M:08jU534c0p"),
     SPAN(
         "preamble, to be\r\nignored\r\n--gc0pJq0M:08jU534c0p\r\n\r\nimplicitly typed, no linebreak"
         "\r\n--gc0pJq0M:08jU534c0p  \t\r\nContent-type: text/plain\r\n\r\nends with a "
         "linebreak\r\n"
         "\r\n--gc0pJq0M:08jU534c0p--\r\nepilogue\r\n--gc0pJq0M:08jU534c0p\r\n"),
     "{-|-|-:implicitly typed, no linebreak}{-|-|text/plain:ends with a linebreak\r\n}.",
     "RFC 2046 5.1.1: preamble, no head, padding, epilogue"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f\r\n\r\n\r\n--b--"), "{f|-|-:}.", "an empty body"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f\r\n\r\n--b--"), "{f|-|-:}.",
     "RFC 2046 5.1.1: a part may have no body at all"},
    {SPAN("b"), SPAN("--b--"), ".", "a form without fields"},
    {SPAN("b"), SPAN("\r\n--b--"), ".", "a line before the first boundary"},
    {SPAN("b"), SPAN("x--b\r\n\r\n--b--"), ".",
     "a boundary not at the start of a line is preamble"},
    {SPAN("b"), SPAN("--b\r\n\r\n--x\r\n--b--"), "{-|-|-:--x}.", "dashes at the start of data"},
    {SPAN("b"), SPAN("--b\r\n\r\n-\r\n--b--"), "{-|-|-:-}.", "one dash at the start of data"},
    {SPAN("b"), SPAN("--b\r\n\r\n\r\r\n--b--"), "{-|-|-:\r}.", "CR before the boundary's CR"},
    {SPAN("b"), SPAN("--b\r\n\r\n\n\r\n\n--b\r\n-\r\n--\r\n--a\r\n--b--"),
     "{-|-|-:\n\r\n\n--b\r\n-\r\n--\r\n--a}.", "what begins like a boundary"},
    {SPAN("b"), SPAN("--b\r\n\r\n\r\n\r\n--b--"), "{-|-|-:\r\n}.", "data of one line break"},
    {SPAN("--b"), SPAN("----b\r\n\r\n-\r\n---b\r\n----b--"), "{-|-|-:-\r\n---b}.",
     "a boundary of dashes"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f; filename*=UTF-8''%e2%82%ac\r\n\r\n1\r\n--b--"),
     "{f|\xe2\x82\xac|-:1}.", "filename*, which RFC 7578 4.2 forbids and some send"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f; filename=\"\"\r\n\r\n\r\n--b--"), "{f||-:}.",
     "no file chosen"},
    {SPAN("b"),
     SPAN("--b\r\nX: y\r\ncontent-type: a/b\r\nCONTENT-DISPOSITION: form-data; "
          "name=\"a;b\"\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--"),
     "{a;b|-|a/b:1}{-|-|-:2}.", "others are passed over; names are in any case"},
    {SPAN("b"), SPAN("--b\r\n\r\n1\r\n--bb\r\n--b--"), "{-|-|-:1!", "a boundary and more"},
    {SPAN("b"), SPAN("--b\r\n\r\n1\r\n--b-\r\n--b--"), "{-|-|-:1!", "half an end"},
    {SPAN("b"), SPAN("--b\r\n\r\n1\r\n--b\n2"), "{-|-|-:1!", "a bare LF after a boundary"},
    {SPAN("b"), SPAN("--b\r\n\r\n1\r\n--b \r\r\n"), "{-|-|-:1!", "a bare CR after a boundary"},
    {SPAN("b"), SPAN("--b --\r\n"), "!", "padding before the end"},
    {SPAN("b"), SPAN("--b\r\nX: y\n\r\n\r\n--b--"), "!", "a bare LF in a head"},
    {SPAN("b"), SPAN("--b\r\n\n"), "!", "a bare LF for a head"},
    {SPAN("b"), SPAN("--b\r\nX : y\r\n\r\n\r\n--b--"), "!", "a space before the colon"},
    {SPAN("b"), SPAN("--b\r\nX: y\r\n z\r\n\r\n\r\n--b--"), "!", "a folded line"},
    {SPAN("b"), SPAN("--b\r\nX: \0\r\n\r\n\r\n--b--"), "!", "a NUL in a head"},
    {SPAN("b"),
     SPAN("--b\r\n" FORM "name=f; filename=\"a\x01"
          "b\x1b\x7f.txt\"\r\n\r\n\x01\r\n--b--"),
     "{f|a\tb\t\t.txt|-:\x01}.", "other control characters in a name, which browsers send"},
    {SPAN("b"), SPAN("--b\r\nX\x01: y\r\n\r\n\r\n--b--"), "!", "and anywhere else"},
    {SPAN("b"), SPAN("--b\r\n--b--\r\n\r\n"), "!", "a boundary in a head"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f; name=g\r\n\r\n\r\n--b--"), "!", "two names"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f\r\n" FORM "name=g\r\n\r\n\r\n--b--"), "!",
     "two dispositions"},
    {SPAN("b"), SPAN("--b\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n\r\n--b--"), "!",
     "two types"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f\r\n\r\n1\r\n--b"), "{f|-|-:1", "cut off in a boundary"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f\r\n\r\n1\r\n--b\r"), "{f|-|-:1", "cut off behind it"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f\r\n\r\n1\r\n--b-"), "{f|-|-:1", "cut off behind it"},
    {SPAN("b"), SPAN("--b\r\n" FORM "name=f\r\n\r\n1\r\n--b\r\n"), "{f|-|-:1}",
     "cut off before the next head"},
    {SPAN("b"), SPAN(""), "", "nothing"},
};

static void put_text(struct buffer *story, struct span s)
{
    if (s.ptr == NULL)
        buffer_put_text(story, "-");
    else
        buffer_put_span(story, s);
}

/* Feeds one piece; false once nothing more is to come. */
static bool feed(struct multipart *m, struct span input, struct buffer *story)
{
    for (;;) {
        struct span data = SPAN_EMPTY;
        struct multipart_part part;
        switch (multipart_next(m, &input, &data, &part)) {
        case MULTIPART_MORE: assert_int_equal(input.len, 0); return true;
        case MULTIPART_PART:
            buffer_put_text(story, "{");
            put_text(story, part.name);
            buffer_put_text(story, "|");
            put_text(story, part.filename);
            buffer_put_text(story, "|");
            put_text(story, part.content_type);
            buffer_put_text(story, ":");
            break;
        case MULTIPART_DATA:
            assert_true(data.len > 0);
            buffer_put_span(story, data);
            break;
        case MULTIPART_PART_END: buffer_put_text(story, "}"); break;
        case MULTIPART_DONE:
            assert_int_equal(input.len, 0);
            buffer_put_text(story, ".");
            return false;
        case MULTIPART_BAD: buffer_put_text(story, "!"); return false;
        }
    }
}

static void check(const struct row *row, const struct buffer *story, size_t first, size_t second)
{
    if (!span_equal(buffer_span(story), span_of(row->story)))
        fail_msg("%s, cut at %zu and %zu:\n%.*s", row->why, first, second, (int)story->len,
                 story->data);
}

static void check_cut_twice(const struct row *row, struct guard *guard, size_t first, size_t second)
{
    const size_t cuts[] = {0, first, second, row->body.len};
    struct multipart m;
    char text[512];
    struct buffer story = BUFFER_OVER(text);
    multipart_init(&m, row->boundary);
    for (size_t i = 0; i < 3; i++) {
        size_t len = cuts[i + 1] - cuts[i];
        if (!feed(&m, span_make(guard_flush(guard, row->body.ptr + cuts[i], len), len), &story))
            break;
    }
    check(row, &story, first, second);
}

static void check_byte_by_byte(const struct row *row, struct guard *guard)
{
    struct multipart m;
    char text[512];
    struct buffer story = BUFFER_OVER(text);
    multipart_init(&m, row->boundary);
    for (size_t i = 0; i < row->body.len; i++)
        if (!feed(&m, span_make(guard_flush(guard, row->body.ptr + i, 1), 1), &story))
            break;
    check(row, &story, 1, 1);
}

/* Whole, cut in two anywhere, in three anywhere where the row is short, and byte by byte. */
static void every_row_cut_anywhere(void **state)
{
    struct guard guard = guard_open(1024);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        size_t len = row->body.len;
        for (size_t first = 0; first <= len; first++)
            for (size_t second = len < 160 ? first : len; second <= len; second++)
                check_cut_twice(row, &guard, first, second);
        check_byte_by_byte(row, &guard);
    }
    guard_close(&guard);
}

/* After the end anything may come; after a malformed byte it stays malformed. */
static void endings_last(void **state)
{
    struct multipart m;
    struct multipart_part part;
    struct span data, input = SPAN("--b--");
    (void)state;
    multipart_init(&m, SPAN("b"));
    assert_int_equal(multipart_next(&m, &input, &data, &part), MULTIPART_DONE);
    input = SPAN("\r\n--b\r\n\r\n");
    assert_int_equal(multipart_next(&m, &input, &data, &part), MULTIPART_DONE);
    assert_int_equal(input.len, 0);

    multipart_init(&m, SPAN("b"));
    input = SPAN("--bad");
    assert_int_equal(multipart_next(&m, &input, &data, &part), MULTIPART_BAD);
    input = SPAN("--b--");
    assert_int_equal(multipart_next(&m, &input, &data, &part), MULTIPART_BAD);
}

/* The head of a part may have MULTIPART_HEAD_LIMIT bytes and not one more. */
static void heads_are_bounded(void **state)
{
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        static const struct span name = SPAN("X: "), end = SPAN("\r\n\r\n");
        char body[5 + MULTIPART_HEAD_LIMIT + 1];
        struct buffer b = BUFFER_OVER(body);
        struct multipart m;
        struct multipart_part part;
        struct span data;
        buffer_put_text(&b, "--b\r\n");
        buffer_put_span(&b, name);
        while (b.len < 5 + MULTIPART_HEAD_LIMIT + over - end.len)
            buffer_put_char(&b, 'y');
        buffer_put_span(&b, end);
        assert_false(b.overflowed);
        struct span input = buffer_span(&b);
        multipart_init(&m, SPAN("b"));
        assert_int_equal(multipart_next(&m, &input, &data, &part),
                         over ? MULTIPART_BAD : MULTIPART_PART);
    }
}

/* A run of data is handed over in one piece, where it lies, though it is full of line breaks. */
static void data_is_not_copied_nor_chopped(void **state)
{
    char body[4096];
    struct buffer b = BUFFER_OVER(body);
    struct multipart m;
    struct multipart_part part;
    struct span data;
    (void)state;
    buffer_put_text(&b, "--b\r\n\r\n");
    size_t start = b.len;
    for (int i = 0; i < 300; i++)
        buffer_put_text(&b, "\r\n--a\r\r\n-");
    size_t len = b.len - start;
    buffer_put_text(&b, "\r\n--b--");
    struct span input = buffer_span(&b);
    multipart_init(&m, SPAN("b"));
    assert_int_equal(multipart_next(&m, &input, &data, &part), MULTIPART_PART);
    assert_int_equal(multipart_next(&m, &input, &data, &part), MULTIPART_DATA);
    assert_ptr_equal(data.ptr, body + start);
    assert_int_equal(data.len, len);
    assert_int_equal(multipart_next(&m, &input, &data, &part), MULTIPART_PART_END);
    assert_int_equal(multipart_next(&m, &input, &data, &part), MULTIPART_DONE);
}

#define SEVENTY "0123456789012345678901234567890123456789012345678901234567890123456789"

static void boundaries(void **state)
{
    static const struct {
        struct span type;
        const char *boundary, *why;
    } cases[] = {
        {SPAN("multipart/form-data; boundary=AaB03x"), "AaB03x", "RFC 7578 4.1"},
        {SPAN("multipart/form-data; boundary=\"gc0pJq0M:08jU534c0p\""), "gc0pJq0M:08jU534c0p",
         "RFC 2046 5.1.1: quoted"},
        {SPAN("multipart/form-data; boundary=gc0pJq0M:08jU534c0p"), "gc0pJq0M:08jU534c0p",
         "not quoted, though it should be"},
        {SPAN("Multipart/Form-Data;charset=utf-8 ; Boundary=\"a b\" "), "a b", "case and space"},
        {SPAN("multipart/form-data; a=\"; boundary=x\"; boundary=y"), "y", "one inside quotes"},
        {SPAN("multipart/form-data; boundary=y;"), "y", "a semicolon at the end"},
        {SPAN("multipart/form-data; boundary=\"'()+_,-./:=?\""), "'()+_,-./:=?", "every sign"},
        {SPAN("multipart/form-data; boundary=" SEVENTY), SEVENTY, "70"},
        {SPAN("multipart/form-data; boundary=" SEVENTY "0"), NULL, "71"},
        {SPAN("multipart/form-data; boundary=\"\""), NULL, "none"},
        {SPAN("multipart/form-data; boundary="), NULL, "none"},
        {SPAN("multipart/form-data; boundary"), NULL, "no value"},
        {SPAN("multipart/form-data; boundary=\"a \""), NULL, "a space last"},
        {SPAN("multipart/form-data; boundary=\"a"), NULL, "half a quote"},
        {SPAN("multipart/form-data; boundary=\"a\\\"\""), NULL, "a quote inside"},
        {SPAN("multipart/form-data; boundary=a*b"), NULL, "a sign it cannot have"},
        {SPAN("multipart/form-data; boundary=a\0b"), NULL, "a NUL"},
        {SPAN("multipart/form-data; boundary=a\xc3\xa9"), NULL, "past ASCII"},
        {SPAN("multipart/form-data; boundary=a; boundary=a"), NULL, "twice"},
        {SPAN("multipart/form-data; xboundary=a"), NULL, "another parameter"},
        {SPAN("multipart/form-data"), NULL, "no parameter"},
        {SPAN("multipart/mixed; boundary=a"), NULL, "another type"},
        {SPAN("multipart/form-datax; boundary=a"), NULL, "another type"},
        {SPAN(""), NULL, "nothing"},
    };
    struct guard guard = guard_open(256);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t len = 0; len <= cases[i].type.len; len++) {
            struct span boundary = SPAN_EMPTY;
            struct span type = span_make(guard_flush(&guard, cases[i].type.ptr, len), len);
            bool ok = multipart_boundary(type, SPAN("multipart/form-data"), &boundary);
            if (len < cases[i].type.len)
                continue;
            if (ok != (cases[i].boundary != NULL) ||
                (ok && !span_equal(boundary, span_of(cases[i].boundary))))
                fail_msg("%s", cases[i].why);
        }
    }
    struct span boundary;
    assert_false(multipart_boundary(SPAN_EMPTY, SPAN("multipart/form-data"),
                                    &boundary)); /* no Content-Type */
    guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_cut_anywhere),
        cmocka_unit_test(endings_last),
        cmocka_unit_test(heads_are_bounded),
        cmocka_unit_test(data_is_not_copied_nor_chopped),
        cmocka_unit_test(boundaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
