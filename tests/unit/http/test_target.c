#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/request.h"
#include "http/target.h"
#include "unit/guard.h"

/* A target flush against an unreadable page, and the buffer for its path too. */
struct bench {
    struct guard input, output;
    char *buffer;
};

static struct bench bench_open(void)
{
    struct bench bench = {guard_open(REQUEST_LINE_LIMIT), guard_open(TARGET_PATH_LIMIT), NULL};
    bench.buffer = guard_space(&bench.output, TARGET_PATH_LIMIT);
    return bench;
}

static void bench_close(struct bench *bench)
{
    guard_close(&bench->input);
    guard_close(&bench->output);
}

static enum target_result parse(struct bench *bench, struct target *target, struct span raw)
{
    const char *copy = guard_flush(&bench->input, raw.ptr, raw.len);
    return target_parse(target, span_make(copy, raw.len), bench->buffer);
}

static void assert_path(const struct bench *bench, const struct target *target,
                        const char *expected)
{
    if (!span_equal(target->path, span_of(expected)))
        fail_msg("\"" SPAN_FMT "\" is not \"%s\"", SPAN_ARG(target->path), expected);
    assert_ptr_equal(target->path.ptr, bench->buffer);
    assert_int_equal(target->path.ptr[target->path.len], '\0');
}

static void paths_are_decoded_and_normalised(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *path;
        bool directory;
        const char *why;
    } rows[] = {
        {"/", "", true, "the root"},
        {"/a", "a", false, "a file"},
        {"/a/", "a", true, "a directory"},
        {"/a/b.txt", "a/b.txt", false, "a file in a directory"},

        {"//a", "a", false, "empty segments are dropped"},
        {"//evil/..", "", true, "and are no authority"},
        {"/a//b///c", "a/b/c", false, "empty segments anywhere"},
        {"/a//", "a", true, "empty segments at the end"},
        {"/./a/./b", "a/b", false, "single dots are dropped (RFC 3986 5.2.4)"},
        {"/a/.", "a", true, "a dot at the end leaves a directory"},
        {"/a/b/..", "a", true, "two dots at the end leave a directory"},
        {"/a/b/../c", "a/c", false, "two dots climb"},
        {"/a/b/../../c", "c", false, "twice"},
        {"/aa/bb/../cc", "aa/cc", false, "over names of several bytes"},
        {"/a/..", "", true, "up to the root"},
        {"/a/../b/../c/../d", "d", false, "again and again"},
        {"/a/b/c/./../../g", "a/g", false, "the example of RFC 3986 5.2.4"},
        {"/mid/content=5/../6", "mid/6", false, "the other example there"},
        {"/a//../b", "b", false, "an empty segment is no step"},
        {"/.../a", ".../a", false, "three dots are a name"},
        {"/..a/b../.b", "..a/b../.b", false, "dots with letters are names"},

        {"/a%20b", "a b", false, "decoded"},
        {"/%61%62%7e%7E", "ab~~", false, "hexadecimal digits have no case"},
        {"/%C3%b1", "\xC3\xB1", false, "any byte may come so"},
        {"/\xC3\xB1", "\xC3\xB1", false, "or bare, as curl sends it"},
        {"/%2e%2E/a", NULL, false, "encoded dots climb as bare ones do"},
        {"/a/%2e%2E/b", "b", false, "and as far"},
        {"/a/.%2e/b", "b", false, "in half too"},
        {"/%2e/a", "a", false, "an encoded dot is dropped"},
        {"/%252e%252e/a", "%2e%2e/a", false, "decoded once"},
        {"/%2541", "%41", false, "and not again"},
        {"/a%3Fb%23c%25", "a?b#c%", false, "what would end a path may be in a name"},
        {"/a%0A%7F%FF", "a\n\x7F\xFF", false, "a name may hold any byte but NUL and slash"},
        {"/a+b", "a+b", false, "a plus is a plus outside of forms"},
        {"/a\\..\\b", "a\\..\\b", false, "a backslash is a byte like others"},
        {"/\"<>^`{|}", "\"<>^`{|}", false, "what browsers do not encode"},
    };
    struct bench bench = bench_open();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target;
        enum target_result result = parse(&bench, &target, span_of(rows[i].raw));
        if (rows[i].path == NULL) {
            assert_int_equal(result, TARGET_MALFORMED);
            continue;
        }
        if (result != TARGET_OK)
            fail_msg("%s: %s", rows[i].raw, rows[i].why);
        assert_path(&bench, &target, rows[i].path);
        if (target.directory != rows[i].directory)
            fail_msg("%s: %s", rows[i].raw, rows[i].why);
        assert_null(target.query.ptr);
        assert_null(target.authority.ptr);
    }
    bench_close(&bench);
}

static void what_no_path_can_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct span raw;
        enum target_result expected;
        const char *why;
    } rows[] = {
        {SPAN(""), TARGET_MALFORMED, "nothing"},
        {SPAN("a"), TARGET_MALFORMED, "no slash first"},
        {SPAN("*"), TARGET_MALFORMED, "the asterisk-form has no path"},
        {SPAN("a:80"), TARGET_MALFORMED, "nor has the authority-form"},
        {SPAN("/.."), TARGET_MALFORMED, "above the root"},
        {SPAN("/../a"), TARGET_MALFORMED, "above the root, and down again"},
        {SPAN("/a/../.."), TARGET_MALFORMED, "above the root at the end"},
        {SPAN("/a/../../a"), TARGET_MALFORMED, "above the root in the middle"},
        {SPAN("/./.."), TARGET_MALFORMED, "a dot is no step"},
        {SPAN("//.."), TARGET_MALFORMED, "an empty segment is no step"},
        {SPAN("/%2e%2e"), TARGET_MALFORMED, "above the root, encoded"},
        {SPAN("/%"), TARGET_MALFORMED, "a percent sign alone"},
        {SPAN("/%4"), TARGET_MALFORMED, "one digit"},
        {SPAN("/%4/a"), TARGET_MALFORMED, "one digit and a slash"},
        {SPAN("/%g0"), TARGET_MALFORMED, "no digit"},
        {SPAN("/%0g"), TARGET_MALFORMED, "no second digit"},
        {SPAN("/%-1"), TARGET_MALFORMED, "a sign"},
        {SPAN("/%u00e9"), TARGET_MALFORMED, "what was never a standard"},
        {SPAN("/%%41"), TARGET_MALFORMED, "a percent sign before an encoding"},
        {SPAN("/%?41"), TARGET_MALFORMED, "an encoding does not reach into the query"},
        {SPAN("/a%00.txt"), TARGET_MALFORMED, "NUL would cut the name"},
        {SPAN("/a\0b"), TARGET_MALFORMED, "a bare NUL"},
        {SPAN("/a b"), TARGET_MALFORMED, "space"},
        {SPAN("/a\tb"), TARGET_MALFORMED, "a control byte"},
        {SPAN("/a\x7F"), TARGET_MALFORMED, "DEL"},
        {SPAN("/a?b c"), TARGET_MALFORMED, "space in the query"},
        {SPAN("/a?b\nc"), TARGET_MALFORMED, "a control byte in the query"},
        {SPAN("/a#b"), TARGET_MALFORMED, "a fragment is never sent (RFC 9112 3.2)"},
        {SPAN("/a?b#c"), TARGET_MALFORMED, "a fragment after the query"},
        {SPAN("/a%2Fb"), TARGET_NO_FILE, "no name holds a slash"},
        {SPAN("/a%2fb/"), TARGET_NO_FILE, "in either case"},
        {SPAN("/..%2F..%2Fetc"), TARGET_NO_FILE, "and is no step"},
    };
    struct bench bench = bench_open();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target;
        if (parse(&bench, &target, rows[i].raw) != rows[i].expected)
            fail_msg(SPAN_FMT ": %s", SPAN_ARG(rows[i].raw), rows[i].why);
    }
    bench_close(&bench);
}

static void the_query_is_left_as_sent(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *path, *query;
        bool directory;
    } rows[] = {
        {"/?", "", "", true},
        {"/a?", "a", "", false},
        {"/a?b=c&d", "a", "b=c&d", false},
        {"/a/?b?c", "a", "b?c", true},
        {"/a?../../b", "a", "../../b", false},
        {"/a?100%&%zz%00", "a", "100%&%zz%00", false},
    };
    struct bench bench = bench_open();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target;
        assert_int_equal(parse(&bench, &target, span_of(rows[i].raw)), TARGET_OK);
        assert_path(&bench, &target, rows[i].path);
        assert_non_null(target.query.ptr);
        assert_true(span_equal(target.query, span_of(rows[i].query)));
        assert_int_equal(target.directory, rows[i].directory);
    }
    bench_close(&bench);
}

static void names_with_a_dot_first_are_hidden(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        bool hidden;
    } rows[] = {
        {"/", false},
        {"/a.b/c.", false},
        {"/.a", true},
        {"/%2Ea", true},
        {"/.a/b", true},
        {"/a/.b/", true},
        {"/.httpd/key", true},
        {"/.../a", true},
        {"/.a/../b", false}, /* it is not gone through */
        {"/./a", false},
        {"/.well-known", false}, /* RFC 8615 */
        {"/.well-known/acme-challenge/x", false},
        {"/x/../.well-known/y", false},
        {"/.well-known/.x", true},
        {"/.well-known/a/.x", true},
        {"/.well-known2", true},
        {"/.well-know", true},
        {"/.Well-Known/a", true},
        {"/a/.well-known", true}, /* as the first segment only */
        {"/.well-known/.well-known", true},
    };
    struct bench bench = bench_open();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target;
        assert_int_equal(parse(&bench, &target, span_of(rows[i].raw)), TARGET_OK);
        if (target.hidden != rows[i].hidden)
            fail_msg("%s", rows[i].raw);
    }
    bench_close(&bench);
}

static void absolute_targets_have_an_authority(void **state)
{
    (void)state;
    static const struct {
        const char *raw;
        const char *authority; /* NULL: malformed */
        const char *path, *query;
        bool directory;
    } rows[] = {
        {"http://a/b", "a", "b", NULL, false},
        {"HTTPS://a:443/b/?c", "a:443", "b", "c", true},
        {"http://a", "a", "", NULL, true}, /* RFC 9110 4.2.3: an empty path is "/" */
        {"http://a?b", "a", "", "b", true},
        {"http://[::1]:80/x/../y", "[::1]:80", "y", NULL, false},
        {"http://a//b", "a", "b", NULL, false},
        {"http://", NULL, NULL, NULL, false},
        {"http:///a", NULL, NULL, NULL, false},
        {"http://:80/a", NULL, NULL, NULL, false},
        {"http://u:p@a/", NULL, NULL, NULL, false}, /* RFC 9110 4.2.4 */
        {"http://a:b/", NULL, NULL, NULL, false},
        {"http://a/..", NULL, NULL, NULL, false},
        {"http://a/#b", NULL, NULL, NULL, false},
        {"http:/a", NULL, NULL, NULL, false},
        {"http:a", NULL, NULL, NULL, false},
        {"ftp://a/b", NULL, NULL, NULL, false},
        {"file:///etc/passwd", NULL, NULL, NULL, false},
    };
    struct bench bench = bench_open();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct target target;
        enum target_result result = parse(&bench, &target, span_of(rows[i].raw));
        if (result != (rows[i].authority != NULL ? TARGET_OK : TARGET_MALFORMED))
            fail_msg("%s: %d", rows[i].raw, (int)result);
        if (rows[i].authority == NULL)
            continue;
        assert_path(&bench, &target, rows[i].path);
        assert_true(span_equal(target.authority, span_of(rows[i].authority)));
        assert_int_equal(target.query.ptr == NULL, rows[i].query == NULL);
        if (rows[i].query != NULL)
            assert_true(span_equal(target.query, span_of(rows[i].query)));
        assert_int_equal(target.directory, rows[i].directory);
    }
    bench_close(&bench);
}

static void put_many(struct buffer *b, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_put(b, text, strlen(text));
}

/* A name of 255 bytes is the longest one (NAME_MAX), counted after decoding. */
static void a_segment_too_long_names_no_file(void **state)
{
    (void)state;
    static char space[REQUEST_LINE_LIMIT];
    struct bench bench = bench_open();
    struct target target;

    for (size_t len = 254; len <= 257; len++) {
        enum target_result expected = len <= 255 ? TARGET_OK : TARGET_TOO_LONG;
        struct buffer raw = BUFFER_OVER(space);
        buffer_put_text(&raw, "/");
        put_many(&raw, "a", len);
        assert_int_equal(parse(&bench, &target, buffer_span(&raw)), expected);
        buffer_put_text(&raw, "/b");
        assert_int_equal(parse(&bench, &target, buffer_span(&raw)), expected);

        raw.len = 1;
        put_many(&raw, "%61", len);
        assert_int_equal(parse(&bench, &target, buffer_span(&raw)), expected);
        if (expected == TARGET_OK)
            assert_int_equal(target.path.len, len);
    }
    bench_close(&bench);
}

/* The path and its NUL fill TARGET_PATH_LIMIT bytes: PATH_MAX counts the NUL too. */
static void a_path_too_long_names_no_file(void **state)
{
    (void)state;
    static char space[REQUEST_LINE_LIMIT];
    struct bench bench = bench_open();
    struct target target;

    for (size_t len = TARGET_PATH_LIMIT - 4; len <= TARGET_PATH_LIMIT + 4; len++) {
        enum target_result expected = len < TARGET_PATH_LIMIT ? TARGET_OK : TARGET_TOO_LONG;
        struct buffer raw = BUFFER_OVER(space);
        /* "/a/a/a/...": a path of an odd length, or with one more byte of an even one. */
        put_many(&raw, "/a", (len + 1) / 2);
        if (len % 2 == 0)
            buffer_put_text(&raw, "a");
        assert_int_equal(raw.len, len + 1);
        assert_int_equal(parse(&bench, &target, buffer_span(&raw)), expected);
        if (expected == TARGET_OK) {
            assert_int_equal(target.path.len, len);
            assert_int_equal(target.path.ptr[len], '\0');
        }
        buffer_put_text(&raw, "/");
        assert_int_equal(parse(&bench, &target, buffer_span(&raw)), expected);
        if (len == TARGET_PATH_LIMIT - 1) {
            /* The slash filled the last byte of the buffer: nothing may come after it. */
            buffer_put_text(&raw, "b");
            assert_int_equal(parse(&bench, &target, buffer_span(&raw)), TARGET_TOO_LONG);
        }
    }
    bench_close(&bench);
}

/* What counts is the path in the end, not what was gone through on the way. */
static void a_long_target_may_have_a_short_path(void **state)
{
    (void)state;
    static char space[REQUEST_LINE_LIMIT];
    struct bench bench = bench_open();
    struct target target;

    struct buffer raw = BUFFER_OVER(space);
    put_many(&raw, "/aa/..", 1300);
    put_many(&raw, "/", 300);
    buffer_put_text(&raw, "b");
    assert_false(raw.overflowed);
    assert_int_equal(parse(&bench, &target, buffer_span(&raw)), TARGET_OK);
    assert_path(&bench, &target, "b");

    raw.len = 0;
    put_many(&raw, "/a", 300);
    put_many(&raw, "/..", 300);
    assert_int_equal(parse(&bench, &target, buffer_span(&raw)), TARGET_OK);
    assert_path(&bench, &target, "");
    buffer_put_text(&raw, "/..");
    assert_int_equal(parse(&bench, &target, buffer_span(&raw)), TARGET_MALFORMED);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_decoded_and_normalised),
        cmocka_unit_test(what_no_path_can_be_is_refused),
        cmocka_unit_test(the_query_is_left_as_sent),
        cmocka_unit_test(names_with_a_dot_first_are_hidden),
        cmocka_unit_test(absolute_targets_have_an_authority),
        cmocka_unit_test(a_segment_too_long_names_no_file),
        cmocka_unit_test(a_path_too_long_names_no_file),
        cmocka_unit_test(a_long_target_may_have_a_short_path),
    };
    return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
