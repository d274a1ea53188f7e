#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/file_name.h"
#include "unit/guard.h"

#define TEN(text) text text text text text text text text text text
#define A250      TEN(TEN("a")) TEN(TEN("a")) TEN("aaaaa")
#define E_ACUTE   "\xc3\xa9"

static const struct row {
    struct span name;
    const char *safe, *why;
} rows[] = {
    {SPAN("x.txt"), "x.txt", "nothing to do"},
    {SPAN("../../x<b>.txt"), "x<b>.txt", "directories"},
    {SPAN("..\\..\\x.txt"), "x.txt", "directories, as Windows has them"},
    {SPAN("C:\\fakepath\\x.txt"), "x.txt", "what old browsers send"},
    {SPAN("/etc/passwd"), "passwd", "an absolute path"},
    {SPAN("a/b/"), "b", "a slash at the end"},
    {SPAN("a\\/\\"), "a", "several"},
    {SPAN(""), "", "nothing"},
    {SPAN("/"), "", "only separators"},
    {SPAN("."), "", "reserved"},
    {SPAN(".."), "", "reserved"},
    {SPAN("x/.."), "", "reserved, as the last component"},
    {SPAN("..."), "", "only dots"},
    {SPAN(".htaccess"), "htaccess", "would be hidden"},
    {SPAN(".httpd"), "httpd", "the server's own"},
    {SPAN("..x"), "x", "two dots"},
    {SPAN(". ..x"), "x", "dots and spaces in turn"},
    {SPAN("\x01.x"), "x", "a dot behind a control byte"},
    {SPAN(".\x01.x"), "x", "a control byte between dots"},
    {SPAN("...txt"), "txt", "an extension and no stem"},
    {SPAN("\x01.txt"), "txt", "an extension and no stem"},
    {SPAN("   "), "", "only spaces"},
    {SPAN("  x.txt  "), "x.txt", "spaces around"},
    {SPAN("x.txt \x01 "), "x.txt", "spaces and control bytes behind"},
    {SPAN("x.txt \xc2\x80"), "x.txt", "a space before a C1 control"},
    {SPAN("a b .txt"), "a b .txt", "spaces inside stay"},
    {SPAN("x."), "x.", "a dot behind stays"},
    {SPAN("a\r\nb\0c\td\x1f\x7f.txt"), "abcd.txt", "control bytes"},
    {SPAN("a\xc2\x80\xc2\x9f\xc2\xa0z"), "a\xc2\xa0z", "C1 controls, and not what follows them"},
    {SPAN("a\xc2\xc2\x01\x80\x80z"), "az", "C1 controls made by leaving something out"},
    {SPAN("\xc2\x01\x80.z"), "z", "a dot that comes to the front so"},
    {SPAN("a\xff\x80z"), "a\xff\x80z", "not UTF-8: stays"},
    {SPAN("\xe2\x80\xaegnp.exe"), "\xe2\x80\xaegnp.exe", "text direction is for who shows it"},
    {SPAN(A250 "aaaaa"), A250 "aaaaa", "255 bytes"},
    {SPAN(A250 "aaaaaa"), A250 "aaaaa", "256 bytes"},
    {SPAN(A250 "a.txt"), A250 "a.txt", "255 bytes"},
    {SPAN(A250 "aaa.txt"), A250 "a.txt", "the extension stays"},
    {SPAN(A250 A250 A250 ".tar.gz"), NULL, "both extensions stay"},
    {SPAN(A250 "aaaa" E_ACUTE), A250 "aaaa", "not half a letter"},
    {SPAN(A250 E_ACUTE E_ACUTE ".c"), A250 E_ACUTE ".c", "not half a letter of the stem"},
    {SPAN(A250 E_ACUTE "aa.c"), A250 E_ACUTE "a.c", "as much of the stem as fits"},
    {SPAN(A250 "     x"), A250, "no space left at the end by the cut"},
    {SPAN("a." A250 "aaaaa"), NULL, "a tail too long for an extension is cut"},
    {SPAN(A250 "\x01\x02\x03\x04\x05.txt"), A250 ".txt", "dropped bytes do not count"},
};

static void names(void **state)
{
    struct guard input = guard_open(2048), output = guard_open(FILE_NAME_LIMIT);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t len = 0; len <= rows[i].name.len; len++) {
            struct span name = span_make(guard_flush(&input, rows[i].name.ptr, len), len);
            struct span safe = file_name_safe(name, guard_space(&output, FILE_NAME_LIMIT));
            assert_true(safe.len <= FILE_NAME_LIMIT);
            if (len == rows[i].name.len && rows[i].safe != NULL &&
                !span_equal(safe, span_of(rows[i].safe)))
                fail_msg("%s: %.*s", rows[i].why, (int)safe.len, safe.ptr);
        }
    }
    guard_close(&input);
    guard_close(&output);
}

static void long_tails(void **state)
{
    char out[FILE_NAME_LIMIT];
    struct span safe;
    (void)state;
    safe = file_name_safe(SPAN(A250 A250 A250 ".tar.gz"), out);
    assert_int_equal(safe.len, 255);
    assert_true(span_ends_with(safe, SPAN("aaa.tar.gz")));
    safe = file_name_safe(SPAN("a." A250 "aaaaa"), out);
    assert_int_equal(safe.len, 255);
    assert_true(span_starts_with(safe, SPAN("a.aaa")));
}

static void paths(void **state)
{
    static const struct {
        struct span path;
        const char *safe, *why;
    } cases[] = {
        {SPAN("a/b/c.txt"), "a/b/c.txt", "nothing to do"},
        {SPAN("c.txt"), "c.txt", "one component"},
        {SPAN("/a//b/"), "a/b", "empty components"},
        {SPAN("../../etc/passwd"), "etc/passwd", "climbing"},
        {SPAN("a/../../b"), "a/b", "climbing is dropped, not resolved"},
        {SPAN("a\\b/c"), "a/b/c", "both separators"},
        {SPAN(".git/.config"), "git/config", "hidden ones"},
        {SPAN("a/\x01/b"), "a/b", "a component of nothing but control bytes"},
        {SPAN(" a /b"), "a/b", "spaces around a component"},
        {SPAN(""), NULL, "nothing"},
        {SPAN("/../."), NULL, "nothing left"},
        {SPAN("0123456789abcdef0123456789abcde/"), "0123456789abcdef0123456789abcde",
         "fits to the byte"},
        {SPAN("0123456789abcdef/123456789abcdef"), NULL, "does not fit"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        struct buffer b = BUFFER_OVER(text);
        buffer_put_text(&b, "/");
        bool ok = file_name_safe_path(cases[i].path, &b);
        if (ok != (cases[i].safe != NULL))
            fail_msg("%s", cases[i].why);
        struct span expected = ok ? span_of(cases[i].safe) : SPAN("");
        assert_false(b.overflowed);
        if (!span_equal(span_from(buffer_span(&b), 1), expected))
            fail_msg("%s: %.*s", cases[i].why, (int)b.len, b.data);
    }
}

static void numbers(void **state)
{
    static const struct {
        struct span name;
        unsigned n;
        const char *numbered, *why;
    } cases[] = {
        {SPAN("name.ext"), 2, "name (2).ext", "an extension"},
        {SPAN("name"), 2, "name (2)", "none"},
        {SPAN("a.tar.gz"), 10, "a (10).tar.gz", "two"},
        {SPAN("tar.gz"), 2, "tar (2).gz", "one after all"},
        {SPAN("x.Tar.xz"), 2, "x (2).Tar.xz", "in any case"},
        {SPAN("name."), 2, "name. (2)", "an empty one is none"},
        {SPAN("Mr. Smith"), 2, "Mr. Smith (2)", "a space is no part of one"},
        {SPAN("v1.2 (2).txt"), 3, "v1.2 (2) (3).txt", "a number there was"},
        {SPAN("x"), 4294967295U, "x (4294967295)", "the largest number"},
    };
    char out[FILE_NAME_LIMIT];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct span got = file_name_numbered(cases[i].name, cases[i].n, out);
        if (!span_equal(got, span_of(cases[i].numbered)))
            fail_msg("%s: %.*s", cases[i].why, (int)got.len, got.ptr);
    }
    /* The stem gives way, by no half of a letter: 250 + 2 bytes of it do not fit in 251. */
    struct span got = file_name_numbered(SPAN(A250 "a.txt"), 2, out);
    assert_int_equal(got.len, 255);
    assert_true(span_ends_with(got, SPAN("aa (2).txt")));
    got = file_name_numbered(SPAN(A250 E_ACUTE "aaa"), 2, out);
    assert_true(span_equal(got, SPAN(A250 " (2)")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(long_tails),
        cmocka_unit_test(paths),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
