#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/precondition.h"

/* The representation of most rows, and 2026-11-21, when they are asked. */
#define TAG   "\"xyzzy\""
#define LM    "Sat, 29 Oct 1994 19:43:31 GMT"
#define LATER "Sat, 29 Oct 1994 19:43:32 GMT"
#define SOON  "Sat, 29 Oct 1994 19:43:30 GMT"

static const int64_t last_modified = 783459811;
static const int64_t now = 1795262400;

enum what { FILE_STRONG, FILE_WEAK, NO_FILE };

static struct validators validators_of(enum what what)
{
    struct validators v = {.exists = what != NO_FILE, .last_modified = last_modified};
    if (what == FILE_STRONG)
        v.etag = SPAN(TAG);
    if (what == FILE_WEAK)
        v.etag = SPAN("W/" TAG);
    v.etag_weak = v.date_weak = what == FILE_WEAK;
    return v;
}

static void parse(struct request *request, char *memory, size_t cap, const char *method,
                  const char *fields)
{
    struct buffer head = buffer_make(memory, cap);
    enum status refusal;
    size_t skipped;
    buffer_put_span(&head, span_of(method));
    buffer_put_text(&head, " / HTTP/1.1\r\nHost: a\r\n");
    buffer_put_span(&head, span_of(fields));
    buffer_put_text(&head, "\r\n");
    assert_false(head.overflowed);
    if (request_parse(request, head.data, head.len, &skipped, &refusal) != REQUEST_DONE)
        fail_msg("not a request: %s", fields);
}

static const struct row {
    const char *method, *fields;
    enum what what;
    enum precondition expected;
    const char *why;
} rows[] = {
    {"GET", "", FILE_STRONG, PRECONDITION_PASS, "no condition"},
    {"PUT", "", NO_FILE, PRECONDITION_PASS, "no condition"},

    /* Step 1: If-Match. */
    {"GET", "If-Match: " TAG "\r\n", FILE_STRONG, PRECONDITION_PASS, "13.1.1"},
    {"PUT", "If-Match: " TAG "\r\n", FILE_STRONG, PRECONDITION_PASS, "13.1.1"},
    {"PUT", "If-Match: \"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"\r\n", FILE_STRONG, PRECONDITION_PASS,
     "13.1.1, three tags"},
    {"PUT", "If-Match: \"r2d2xxxx\"\r\n", FILE_STRONG, PRECONDITION_FAILED, "another state"},
    {"GET", "If-Match: \"r2d2xxxx\"\r\n", FILE_STRONG, PRECONDITION_FAILED, "another state"},
    {"DELETE", "If-Match: W/" TAG "\r\n", FILE_STRONG, PRECONDITION_FAILED, "compared strongly"},
    {"DELETE", "If-Match: W/" TAG "\r\n", FILE_WEAK, PRECONDITION_FAILED, "a weak tag never does"},
    {"DELETE", "If-Match: " TAG "\r\n", FILE_WEAK, PRECONDITION_FAILED, "a weak tag never does"},
    {"PUT", "If-Match: *\r\n", FILE_STRONG, PRECONDITION_PASS, "13.1.1, any"},
    {"PUT", "If-Match: *\r\n", FILE_WEAK, PRECONDITION_PASS, "any, weak too"},
    {"PUT", "If-Match: *\r\n", NO_FILE, PRECONDITION_FAILED, "13.1.1, none to replace"},
    {"PUT", "If-Match: " TAG "\r\n", NO_FILE, PRECONDITION_FAILED, "gone"},
    {"PUT", "If-Match: xyzzy\r\n", FILE_STRONG, PRECONDITION_MALFORMED, "no quotes"},
    {"PUT", "If-Match: \"a\"\r\nIf-Match: " TAG "\r\n", FILE_STRONG, PRECONDITION_PASS,
     "two lines are one list (RFC 9110 5.3)"},
    {"PUT", "If-Match: \"a\"\r\nIf-Match: \"b\"\r\n", FILE_STRONG, PRECONDITION_FAILED,
     "neither line"},
    {"PUT", "If-Match: " TAG "\r\nIf-Match: b\r\n", FILE_STRONG, PRECONDITION_MALFORMED,
     "the second line is broken"},
    {"PUT", "If-Match: \"a\"\r\nIf-Match: *\r\n", FILE_STRONG, PRECONDITION_MALFORMED,
     "a star in a list"},
    {"PUT", "If-Match:\r\n", FILE_STRONG, PRECONDITION_FAILED, "an empty list matches nothing"},

    /* Step 2: If-Unmodified-Since, without If-Match. */
    {"PUT", "If-Unmodified-Since: " LM "\r\n", FILE_STRONG, PRECONDITION_PASS, "13.1.4"},
    {"PUT", "If-Unmodified-Since: " LATER "\r\n", FILE_STRONG, PRECONDITION_PASS, "13.1.4"},
    {"PUT", "If-Unmodified-Since: " SOON "\r\n", FILE_STRONG, PRECONDITION_FAILED, "changed"},
    {"GET", "If-Unmodified-Since: " SOON "\r\n", FILE_STRONG, PRECONDITION_FAILED, "changed"},
    {"PUT", "If-Unmodified-Since: Saturday, 29-Oct-94 19:43:30 GMT\r\n", FILE_STRONG,
     PRECONDITION_FAILED, "the old form of a date"},
    {"PUT", "If-Unmodified-Since: yesterday\r\n", FILE_STRONG, PRECONDITION_PASS, "no date"},
    {"PUT", "If-Unmodified-Since: " SOON "\r\n", NO_FILE, PRECONDITION_PASS,
     "13.1.4: no modification date"},
    {"PUT", "If-Unmodified-Since: " SOON "\r\nIf-Unmodified-Since: " SOON "\r\n", FILE_STRONG,
     PRECONDITION_PASS, "two are no date"},
    {"PUT", "If-Match: " TAG "\r\nIf-Unmodified-Since: " SOON "\r\n", FILE_STRONG,
     PRECONDITION_PASS, "13.1.4: ignored with If-Match"},
    {"PUT", "If-Match: \"a\"\r\nIf-Unmodified-Since: " LATER "\r\n", FILE_STRONG,
     PRECONDITION_FAILED, "13.1.4: ignored with If-Match"},

    /* Step 3: If-None-Match. */
    {"GET", "If-None-Match: " TAG "\r\n", FILE_STRONG, PRECONDITION_NOT_MODIFIED, "13.1.2"},
    {"HEAD", "If-None-Match: " TAG "\r\n", FILE_STRONG, PRECONDITION_NOT_MODIFIED, "13.1.2"},
    {"PUT", "If-None-Match: " TAG "\r\n", FILE_STRONG, PRECONDITION_FAILED, "13.1.2"},
    {"GET", "If-None-Match: W/" TAG "\r\n", FILE_STRONG, PRECONDITION_NOT_MODIFIED, "13.1.2, weak"},
    {"GET", "If-None-Match: " TAG "\r\n", FILE_WEAK, PRECONDITION_NOT_MODIFIED, "13.1.2, weak"},
    {"GET", "If-None-Match: W/\"xyzzy\", W/\"r2d2xxxx\", W/\"c3piozzzz\"\r\n", FILE_STRONG,
     PRECONDITION_NOT_MODIFIED, "13.1.2, three weak tags"},
    {"GET", "If-None-Match: \"a\", \"b\"\r\n", FILE_STRONG, PRECONDITION_PASS, "another state"},
    {"GET", "If-None-Match: *\r\n", FILE_STRONG, PRECONDITION_NOT_MODIFIED, "13.1.2, any"},
    {"PUT", "If-None-Match: *\r\n", FILE_STRONG, PRECONDITION_FAILED, "13.1.2, there is one"},
    {"PUT", "If-None-Match: *\r\n", NO_FILE, PRECONDITION_PASS, "13.1.2, there is none"},
    {"GET", "If-None-Match: " TAG "\r\n", NO_FILE, PRECONDITION_PASS, "nothing to match"},
    {"GET", "If-None-Match: xyzzy\r\n", FILE_STRONG, PRECONDITION_MALFORMED, "no quotes"},
    {"GET", "If-None-Match: \"a\"\r\nIf-None-Match: " TAG "\r\n", FILE_STRONG,
     PRECONDITION_NOT_MODIFIED, "two lines are one list"},

    /* Step 4: If-Modified-Since, for GET and HEAD, without If-None-Match. */
    {"GET", "If-Modified-Since: " LM "\r\n", FILE_STRONG, PRECONDITION_NOT_MODIFIED, "13.1.3"},
    {"HEAD", "If-Modified-Since: " LM "\r\n", FILE_STRONG, PRECONDITION_NOT_MODIFIED, "13.1.3"},
    {"GET", "If-Modified-Since: " LATER "\r\n", FILE_STRONG, PRECONDITION_NOT_MODIFIED, "13.1.3"},
    {"GET", "If-Modified-Since: " SOON "\r\n", FILE_STRONG, PRECONDITION_PASS, "changed"},
    {"GET", "If-Modified-Since: Sat Oct 29 19:43:31 1994\r\n", FILE_STRONG,
     PRECONDITION_NOT_MODIFIED, "asctime form"},
    {"PUT", "If-Modified-Since: " LATER "\r\n", FILE_STRONG, PRECONDITION_PASS,
     "13.1.3: ignored but for GET and HEAD"},
    {"GET", "If-Modified-Since: 0\r\n", FILE_STRONG, PRECONDITION_PASS, "13.1.3: no date"},
    {"GET", "If-Modified-Since: " LM "\r\nIf-Modified-Since: " LM "\r\n", FILE_STRONG,
     PRECONDITION_PASS, "13.1.3: more than one member"},
    {"GET", "If-Modified-Since: " LATER "\r\n", NO_FILE, PRECONDITION_PASS, "nothing there"},
    {"GET", "If-None-Match: \"a\"\r\nIf-Modified-Since: " LATER "\r\n", FILE_STRONG,
     PRECONDITION_PASS, "13.1.3: ignored with If-None-Match"},
    {"GET", "If-None-Match: " TAG "\r\nIf-Modified-Since: " SOON "\r\n", FILE_STRONG,
     PRECONDITION_NOT_MODIFIED, "13.1.3: ignored with If-None-Match"},

    /* The order. */
    {"GET", "If-None-Match: " TAG "\r\nIf-Match: \"a\"\r\n", FILE_STRONG, PRECONDITION_FAILED,
     "If-Match comes first"},
    {"GET", "If-None-Match: " TAG "\r\nIf-Match: " TAG "\r\n", FILE_STRONG,
     PRECONDITION_NOT_MODIFIED, "If-None-Match after If-Match holds"},
    {"GET", "If-Modified-Since: " LM "\r\nIf-Unmodified-Since: " SOON "\r\n", FILE_STRONG,
     PRECONDITION_FAILED, "If-Unmodified-Since comes first"},
    {"GET", "If-Modified-Since: " LM "\r\nIf-Unmodified-Since: " LM "\r\n", FILE_STRONG,
     PRECONDITION_NOT_MODIFIED, "If-Modified-Since after it holds"},
    {"TRACE", "If-Match: \"a\"\r\n", FILE_STRONG, PRECONDITION_PASS,
     "13.2.1: a method without a representation"},
    {"OPTIONS", "If-Match: \"a\"\r\n", FILE_STRONG, PRECONDITION_PASS,
     "13.2.1: a method without a representation"},
};

static void checks_conditions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        struct validators validators = validators_of(row->what);
        struct request request;
        char memory[1024];
        parse(&request, memory, sizeof memory, row->method, row->fields);
        enum precondition result = precondition_check(&request, &validators, now);
        if (result != row->expected)
            fail_msg("%s (%s): %d, not %d", row->why, row->fields, (int)result, (int)row->expected);
    }
}

static const struct range_row {
    const char *fields;
    enum what what;
    bool applies;
    const char *why;
} range_rows[] = {
    {"", FILE_STRONG, true, "no If-Range"},
    {"", NO_FILE, true, "no If-Range"},
    {"If-Range: " TAG "\r\n", FILE_STRONG, true, "13.1.5: the tag"},
    {"If-Range: \"a\"\r\n", FILE_STRONG, false, "13.1.5: another tag"},
    {"If-Range: W/" TAG "\r\n", FILE_STRONG, false, "13.1.5: compared strongly"},
    {"If-Range: W/" TAG "\r\n", FILE_WEAK, false, "13.1.5: compared strongly"},
    {"If-Range: " TAG "\r\n", FILE_WEAK, false, "13.1.5: compared strongly"},
    {"If-Range: " LM "\r\n", FILE_STRONG, true, "13.1.5: the date"},
    {"If-Range: Saturday, 29-Oct-94 19:43:31 GMT\r\n", FILE_STRONG, true, "the date in old form"},
    {"If-Range: " LATER "\r\n", FILE_STRONG, false, "13.1.5: exact match, not later"},
    {"If-Range: " SOON "\r\n", FILE_STRONG, false, "13.1.5: exact match, not earlier"},
    {"If-Range: " LM "\r\n", FILE_WEAK, false, "13.1.5: the date is no strong validator"},
    {"If-Range: " LM "\r\n", NO_FILE, false, "nothing there"},
    {"If-Range: " TAG "\r\n", NO_FILE, false, "nothing there"},
    {"If-Range: " TAG ", \"a\"\r\n", FILE_STRONG, false, "a list is not one tag"},
    {"If-Range: *\r\n", FILE_STRONG, false, "a star is no validator"},
    {"If-Range: xyzzy\r\n", FILE_STRONG, false, "neither tag nor date"},
    {"If-Range:\r\n", FILE_STRONG, false, "empty"},
    {"If-Range: " TAG "\r\nIf-Range: " TAG "\r\n", FILE_STRONG, false, "two"},
};

static void checks_if_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof range_rows / sizeof range_rows[0]; i++) {
        const struct range_row *row = &range_rows[i];
        struct validators validators = validators_of(row->what);
        struct request request;
        char memory[1024];
        parse(&request, memory, sizeof memory, "GET", row->fields);
        if (precondition_range_applies(&request, &validators, now) != row->applies)
            fail_msg("%s (%s)", row->why, row->fields);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_conditions),
        cmocka_unit_test(checks_if_range),
    };
    return cmocka_run_group_tests_name("http/precondition", tests, NULL, NULL);
}
