#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/status.h"

static void statuses_have_their_registered_phrases(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *reason; /* from the IANA registry of HTTP status codes */
        bool forbids_content;
    } rows[] = {
        {100, "Continue", true},
        {104, "Upload Resumption Supported", true},
        {200, "OK", false},
        {204, "No Content", true},
        {206, "Partial Content", false},
        {304, "Not Modified", true},
        {404, "Not Found", false},
        {413, "Content Too Large", false},
        {416, "Range Not Satisfiable", false},
        {431, "Request Header Fields Too Large", false},
        {505, "HTTP Version Not Supported", false},
        {507, "Insufficient Storage", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum status status = (enum status)rows[i].code;
        assert_true(span_equal(status_reason(status), span_of(rows[i].reason)));
        assert_int_equal(status_forbids_content(status), rows[i].forbids_content);
    }
}

static void a_person_is_told_more_than_the_phrase(void **state)
{
    (void)state;
    assert_true(
        span_equal(status_sentence(STATUS_NOT_FOUND), SPAN("There is nothing at this address.")));
    assert_int_equal(status_sentence(STATUS_OK).len, 0);
    assert_int_equal(status_reason((enum status)299).len, 0);
    assert_int_equal(status_sentence((enum status)299).len, 0);
    assert_int_equal(status_reason(STATUS_NONE).len, 0);
}

static void every_status_has_its_own_words(void **state)
{
    (void)state;
    static const struct {
        enum status status;
        struct span reason, sentence;
    } table[] = {
#define ROW(name, code, reason, sentence) {STATUS_##name, SPAN(reason), SPAN(sentence)},
        STATUS_TABLE(ROW)
#undef ROW
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_in_range(table[i].status, 100, 599);
        assert_true(span_equal(status_reason(table[i].status), table[i].reason));
        assert_true(span_equal(status_sentence(table[i].status), table[i].sentence));
        for (size_t j = 0; j < i; j++)
            assert_false(span_equal(table[i].reason, table[j].reason));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses_have_their_registered_phrases),
        cmocka_unit_test(every_status_has_its_own_words),
        cmocka_unit_test(a_person_is_told_more_than_the_phrase),
    };
    return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
