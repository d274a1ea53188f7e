#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/form_fields.h"

#include <stdlib.h>

struct pair {
    const char *name, *value;
};

static const struct {
    struct pair fields[4]; /* up to the first without a name */
    const char *json;
    const char *why;
} rows[] = {
    {{{"Nombre", "Ada"}}, "{\"Nombre\":\"Ada\"}\n", "the form of the TWS"},
    {{{"a", "1"}, {"b", "2"}}, "{\"a\":\"1\",\"b\":\"2\"}\n", "in the order in which they came"},
    {{{"a", ""}}, "{\"a\":\"\"}\n", "an empty value is a value"},
    {{{"", "x"}}, "{\"\":\"x\"}\n", "an empty name is a name"},
    {{{"a", "1"}, {"b", "x"}, {"a", "2"}},
     "{\"a\":[\"1\",\"2\"],\"b\":\"x\"}\n",
     "checkboxes: names in an object should differ (RFC 8259 4)"},
    {{{"a", "1"}, {"a", "1"}, {"a", "1"}}, "{\"a\":[\"1\",\"1\",\"1\"]}\n", "and the same thrice"},
    {{{"a", "1"}, {"ab", "2"}}, "{\"a\":\"1\",\"ab\":\"2\"}\n", "a prefix is another name"},
    {{{"q\"", "\\\n"}}, "{\"q\\\"\":\"\\\\\\u000a\"}\n", "what JSON escapes"},
    {{{"n", "\xC3\xB1"}}, "{\"n\":\"\xC3\xB1\"}\n", "UTF-8 stays"},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int bytewise = 0; bytewise < 2; bytewise++) {
            struct form_fields *f = calloc(1, sizeof *f);
            char text[1000];
            struct buffer out = BUFFER_OVER(text);

            for (size_t k = 0; k < 4 && rows[i].fields[k].name != NULL; k++) {
                struct span value = span_of(rows[i].fields[k].value);
                form_fields_begin(f, span_of(rows[i].fields[k].name));
                for (size_t at = 0; bytewise && at < value.len; at++)
                    form_fields_add(f, span_make(value.ptr + at, 1));
                if (!bytewise)
                    form_fields_add(f, value);
            }
            form_fields_json(f, &out);
            assert_false(f->overflowed);
            buffer_put_char(&out, '\0');
            assert_string_equal(text, rows[i].json);
            free(f);
        }
    }
}

/* What is too much is said to be, and nothing is written past the end. */
static void test_overflow(void **state)
{
    (void)state;
    char *block = malloc(FORM_FIELDS_LIMIT);
    struct form_fields *f = calloc(1, sizeof *f);

    memset(block, 'x', FORM_FIELDS_LIMIT);
    form_fields_begin(f, SPAN("n"));
    size_t room = FORM_FIELDS_LIMIT - f->len;
    form_fields_add(f, span_make(block, room));
    assert_false(f->overflowed);
    form_fields_add(f, span_make(block, 1));
    assert_true(f->overflowed);
    assert_int_equal(f->len, FORM_FIELDS_LIMIT);

    *f = (struct form_fields){0};
    form_fields_begin(f, span_make(block, FORM_FIELDS_LIMIT));
    assert_true(f->overflowed);
    form_fields_add(f, SPAN("x"));
    form_fields_begin(f, SPAN("n"));
    assert_int_equal(f->count, 0);
    free(f);
    free(block);
}

/* The longest that can come of a full set: every byte as \u00XX. */
static void test_json_limit(void **state)
{
    (void)state;
    struct form_fields *f = calloc(1, sizeof *f);
    char *json = malloc(FORM_FIELDS_JSON_LIMIT);
    struct buffer out = buffer_make(json, FORM_FIELDS_JSON_LIMIT);

    form_fields_begin(f, SPAN("\x01"));
    while (f->len < FORM_FIELDS_LIMIT)
        form_fields_add(f, SPAN("\x01"));
    form_fields_json(f, &out);
    assert_false(out.overflowed);

    /* And as many names as can be, each its own. */
    *f = (struct form_fields){0};
    out = buffer_make(json, FORM_FIELDS_JSON_LIMIT);
    for (unsigned i = 0; !f->overflowed; i++) {
        char name[2] = {(char)(1 + i % 31), (char)(1 + i / 31 % 31)};
        form_fields_begin(f, span_make(name, sizeof name));
    }
    assert_true(f->count > 1000);
    form_fields_json(f, &out);
    assert_false(out.overflowed);
    free(json);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_json_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
