#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/content_disposition.h"
#include "unit/guard.h"

/* type NULL: malformed. name and filename NULL: absent. */
static const struct row {
    struct span value;
    const char *type, *name, *filename, *why;
} rows[] = {
    {SPAN("Attachment; filename=example.html"), "Attachment", NULL, "example.html", "RFC 6266 5"},
    {SPAN("INLINE; FILENAME= \"an example.html\""), "INLINE", NULL, "an example.html",
     "RFC 6266 5: in any case, with space after ="},
    {SPAN("attachment;filename*= UTF-8''%e2%82%ac%20rates"), "attachment", NULL,
     "\xe2\x82\xac rates", "RFC 6266 5"},
    {SPAN("attachment; filename=\"EURO rates\"; filename*=utf-8''%e2%82%ac%20rates"), "attachment",
     NULL, "\xe2\x82\xac rates", "RFC 6266 5: the extended one is preferred"},
    {SPAN("attachment; filename*=utf-8''%e2%82%ac%20rates; filename=\"EURO rates\""), "attachment",
     NULL, "\xe2\x82\xac rates", "in either order"},
    {SPAN("attachment; filename*=UTF-8'en'%c2%a3%20and%20%e2%82%ac%20rates"), "attachment", NULL,
     "\xc2\xa3 and \xe2\x82\xac rates", "RFC 8187 3.2.3, with a language"},
    {SPAN("attachment; filename=x; filename*=iso-8859-1'en'%A3%20rates"), "attachment", NULL, "x",
     "RFC 8187 3.2.1: another charset is ignored"},
    {SPAN("attachment; filename=x; filename*=UTF-8''%A3"), "attachment", NULL, "x",
     "bytes that are not UTF-8"},
    {SPAN("attachment; filename=x; filename*=UTF-8''%A"), "attachment", NULL, "x", "half a byte"},
    {SPAN("attachment; filename=x; filename*=UTF-8''a%zz"), "attachment", NULL, "x", "no digits"},
    {SPAN("attachment; filename=x; filename*=UTF-8'a"), "attachment", NULL, "x", "one quote"},
    {SPAN("attachment; filename=x; filename*=UTF-8"), "attachment", NULL, "x", "no quote"},
    {SPAN("attachment; filename=x; filename*=UTF-8''a(b"), "attachment", NULL, "x",
     "not an attr-char"},
    {SPAN("attachment; filename=x; filename*=\"UTF-8''y\""), "attachment", NULL, "x",
     "RFC 8187 3.2.1: never quoted"},
    {SPAN("attachment; filename*=UTF-8''%"), "attachment", NULL, NULL, "nothing valid left"},
    {SPAN("attachment"), "attachment", NULL, NULL, "no parameter"},
    {SPAN("attachment;"), "attachment", NULL, NULL, "a semicolon at the end"},
    {SPAN("attachment; filename=x ; "), "attachment", NULL, "x", "a semicolon at the end"},
    {SPAN("attachment; filename=\"x\" ; foo=bar;a=\"b;c\""), "attachment", NULL, "x",
     "others are passed over"},
    {SPAN("attachment; filename=\"a;b=c\""), "attachment", NULL, "a;b=c", "signs inside quotes"},
    {SPAN("attachment; filename=\"a \\\"b\\\" \\\\ c\""), "attachment", NULL, "a \"b\" \\ c",
     "escapes"},
    {SPAN("attachment; filename=\"C:\\temp\\x.txt\""), "attachment", NULL, "C:\\temp\\x.txt",
     "a backslash that escapes nothing"},
    {SPAN("attachment; filename=a(1).txt"), "attachment", NULL, "a(1).txt",
     "not a token, yet clear"},
    {SPAN("attachment; filename=\303\251t\303\251"), "attachment", NULL, "\303\251t\303\251",
     "raw UTF-8"},
    {SPAN("attachment; filename=\"100%22\""), "attachment", NULL, "100%22",
     "not form-data: a percent sign is one"},
    {SPAN("form-data; name=\"user\""), "form-data", "user", NULL, "RFC 7578 4.2"},
    {SPAN("form-data; name=\"f\"; filename=\"a%22b%0D%0Ac%41\""), "form-data", "f", "a\"b\r\nc%41",
     "what browsers encode, and no more"},
    {SPAN("form-data; name=\"f\"; filename=\"\""), "form-data", "f", "", "no file was chosen"},
    {SPAN("form-data; name=\"\"; filename=\"x\""), "form-data", "", "x", "an empty name"},
    {SPAN("form-data; name=f; name=g"), NULL, NULL, NULL, "twice"},
    {SPAN("form-data; filename=f; FileName=g"), NULL, NULL, NULL, "twice"},
    {SPAN("form-data; filename*=UTF-8''f; filename*=UTF-8''g"), NULL, NULL, NULL, "twice"},
    {SPAN("form-data; filename*=x; filename*=UTF-8''g"), NULL, NULL, NULL, "twice"},
    {SPAN(""), NULL, NULL, NULL, "nothing"},
    {SPAN("; filename=x"), NULL, NULL, NULL, "no type"},
    {SPAN("filename=x"), NULL, NULL, NULL, "no type"},
    {SPAN("attach ment; filename=x"), NULL, NULL, NULL, "two words"},
    {SPAN("attachment; filename=a b.txt"), NULL, NULL, NULL, "a space outside quotes"},
    {SPAN("attachment; filename=a\"b"), NULL, NULL, NULL, "a quote in the middle"},
    {SPAN("attachment; filename="), NULL, NULL, NULL, "no value"},
    {SPAN("attachment; filename"), NULL, NULL, NULL, "no value"},
    {SPAN("attachment; =x"), NULL, NULL, NULL, "no name"},
    {SPAN("attachment;; filename=x"), NULL, NULL, NULL, "a semicolon in the middle"},
    {SPAN("attachment; filename=\"x"), NULL, NULL, NULL, "no end"},
    {SPAN("attachment; filename=\"x\\\""), NULL, NULL, NULL, "no end: it is escaped"},
    {SPAN("attachment; filename=\"x\"y"), NULL, NULL, NULL, "more behind the end"},
    {SPAN("attachment; filename=\"a\nb\""), NULL, NULL, NULL, "a control byte"},
    {SPAN("attachment; filename=\"a\0b\""), NULL, NULL, NULL, "a NUL"},
    {SPAN("attachment; filename=a\x7f"), NULL, NULL, NULL, "DEL"},
};

static void check_text(struct span got, const char *expected, const char *why)
{
    if (expected == NULL ? got.ptr != NULL : got.ptr == NULL || !span_equal(got, span_of(expected)))
        fail_msg("%s: %.*s", why, (int)got.len, got.ptr != NULL ? got.ptr : "(none)");
}

static void every_row_and_its_prefixes(void **state)
{
    struct guard input = guard_open(256), output = guard_open(256);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t len = 0; len <= rows[i].value.len; len++) {
            struct content_disposition d;
            struct span value = span_make(guard_flush(&input, rows[i].value.ptr, len), len);
            bool ok = content_disposition_parse(value, &d, guard_space(&output, len));
            if (len < rows[i].value.len)
                continue;
            if (ok != (rows[i].type != NULL))
                fail_msg("%.*s: %s", (int)len, value.ptr, rows[i].why);
            if (!ok)
                continue;
            check_text(d.type, rows[i].type, rows[i].why);
            check_text(d.name, rows[i].name, rows[i].why);
            check_text(d.filename, rows[i].filename, rows[i].why);
        }
    }
    guard_close(&input);
    guard_close(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row_and_its_prefixes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
