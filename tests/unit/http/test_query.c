#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/query.h"
#include "unit/guard.h"

enum { CAP = 8 };

/* What `key` is in the query; NULL: nothing. */
static const struct row {
    const char *query, *key, *value, *why;
} rows[] = {
    {"a=1&b=2", "a", "1", "the first"},
    {"a=1&b=2", "b", "2", "the last"},
    {"a=1&b=2", "c", NULL, "not there"},
    {"a=1&a=2", "a", "1", "the first of two"},
    {"ba=1&a=2", "a", "2", "a key is a whole word"},
    {"a=", "a", "", "empty"},
    {"a", "a", "", "without a sign"},
    {"&&a=1&", "a", "1", "empty pairs"},
    {"=1", "", "1", "an empty key"},
    {"", "a", NULL, "an empty query"},
    {"a=b=c", "a", "b=c", "only the first sign counts"},
    {"a=1+2", "a", "1 2", "a plus is a space"},
    {"a=1%2B2", "a", "1+2", "a plus that was encoded is none"},
    {"a=%c3%A9", "a", "\303\251", "either case of digits"},
    {"a=%00b", "a", "\0b", "any byte"},
    {"a=100%", "a", "100%", "a percent sign at the end"},
    {"a=%4", "a", "%4", "and one digit"},
    {"a=%zz", "a", "%zz", "and no digits"},
    {"a=12345678", "a", "12345678", "as much as fits"},
    {"a=123456789", "a", NULL, "one more does not"},
    {"a=%31%32%33%34%35%36%37%38", "a", "12345678", "decoded it fits"},
    {"a=1#b=2", "b", NULL, "only & separates"},
};

static void finds_a_value(void **state)
{
    struct guard in = guard_open(256), out = guard_open(CAP);
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        size_t len = strlen(row->query);
        size_t value_len = row->value == NULL ? 0 : strlen(row->value);
        char *space = guard_space(&out, CAP);
        struct span query = span_make(guard_flush(&in, row->query, len), len);
        struct span value = query_find(query, span_of(row->key), space, CAP);

        if (row->value != NULL && strcmp(row->query, "a=%00b") == 0)
            value_len = 2;
        if ((value.ptr == NULL) != (row->value == NULL) || value.len != value_len ||
            (value_len > 0 && memcmp(value.ptr, row->value, value_len) != 0))
            fail_msg("%s (%s): got \"" SPAN_FMT "\"", row->query, row->why, SPAN_ARG(value));
        for (size_t cut = 0; cut < len; cut++)
            query_find(span_make(guard_flush(&in, row->query, cut), cut), span_of(row->key), space,
                       CAP);
    }
    assert_null(query_find(SPAN_EMPTY, SPAN("a"), guard_space(&out, CAP), CAP).ptr);
    guard_close(&in);
    guard_close(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_a_value)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
