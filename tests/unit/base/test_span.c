#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"
#include "unit/guard.h"

#define assert_span(span, text) assert_bytes((span).ptr, (span).len, (text))

static void assert_bytes(const char *ptr, size_t len, const char *expected)
{
    assert_int_equal(len, strlen(expected));
    if (len > 0)
        assert_memory_equal(ptr, expected, len);
}

static void equality_is_of_length_and_bytes(void **state)
{
    (void)state;
    static const struct {
        struct span a, b;
        bool equal, equal_nocase;
    } rows[] = {
        {SPAN("abc"), SPAN("abc"), true, true},
        {SPAN("abc"), SPAN("aBC"), false, true},
        {SPAN("abc"), SPAN("abcd"), false, false},
        {SPAN(""), SPAN(""), true, true},
        {{NULL, 0}, SPAN(""), true, true},
        {{NULL, 0}, {NULL, 0}, true, true},
        {SPAN("a\0b"), SPAN("a\0c"), false, false},
        /* Only ASCII letters have a case: these pairs differ in bit 5 alone. */
        {SPAN("@"), SPAN("`"), false, false},
        {SPAN("["), SPAN("{"), false, false},
        {SPAN("\xC4"), SPAN("\xE4"), false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(span_equal(rows[i].a, rows[i].b), rows[i].equal);
        assert_int_equal(span_equal_nocase(rows[i].a, rows[i].b), rows[i].equal_nocase);
        assert_int_equal(span_equal_nocase(rows[i].b, rows[i].a), rows[i].equal_nocase);
    }
}

static void ends_are_compared_within_the_span(void **state)
{
    (void)state;
    struct guard guard = guard_open(16);
    struct span s = span_make(guard_flush(&guard, "Range", 5), 5);

    assert_true(span_starts_with(s, SPAN("")));
    assert_true(span_starts_with(s, SPAN("Ran")));
    assert_true(span_starts_with(s, SPAN("Range")));
    assert_false(span_starts_with(s, SPAN("Ranges")));
    assert_false(span_starts_with(s, SPAN("ran")));
    assert_true(span_starts_with_nocase(s, SPAN("rAN")));
    assert_false(span_starts_with_nocase(s, SPAN("ranges")));
    assert_true(span_ends_with(s, SPAN("")));
    assert_true(span_ends_with(s, SPAN("nge")));
    assert_true(span_ends_with(s, SPAN("Range")));
    assert_false(span_ends_with(s, SPAN("aRange")));
    assert_false(span_ends_with(s, SPAN("Nge")));
    guard_close(&guard);
}

static void find_and_from_stop_at_the_end(void **state)
{
    (void)state;
    struct guard guard = guard_open(16);
    struct span s = span_make(guard_flush(&guard, "a,b,", 4), 4);

    assert_int_equal(span_find(s, ','), 1);
    assert_int_equal(span_find(s, 'a'), 0);
    assert_int_equal(span_find(s, 'x'), 4);
    assert_int_equal(span_find(SPAN_EMPTY, 'x'), 0);
    assert_span(span_from(s, 0), "a,b,");
    assert_span(span_from(s, 3), ",");
    assert_span(span_from(s, 4), "");
    assert_span(span_from(s, SIZE_MAX), "");
    guard_close(&guard);
}

static void trim_takes_sp_and_htab_alone(void **state)
{
    (void)state;
    static const struct {
        const char *input, *expected;
    } rows[] = {
        {"x", "x"},         {"", ""},           {" \t ", ""},       {" \tx\t ", "x"},
        {"  a b  ", "a b"}, {"\rx\n", "\rx\n"}, {"\vx\f", "\vx\f"},
    };
    struct guard guard = guard_open(16);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = strlen(rows[i].input);
        assert_span(span_trim(span_make(guard_flush(&guard, rows[i].input, len), len)),
                    rows[i].expected);
        assert_span(span_trim(span_make(guard_front(&guard, rows[i].input, len), len)),
                    rows[i].expected);
    }
    assert_span(span_trim(SPAN_EMPTY), "");
    guard_close(&guard);
}

static void cut_yields_the_elements_of_a_list(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *elements[5];
        const char *why;
    } rows[] = {
        {"a", {"a"}, "one"},
        {"a,b", {"a", "b"}, "two"},
        {" a\t, b ", {"a", "b"}, "OWS around elements"},
        {"", {""}, "an empty list is one empty element"},
        {",", {"", ""}, "both sides empty"},
        {"a,,b", {"a", "", "b"}, "empty in the middle"},
        {"a,", {"a", ""}, "empty at the end"},
        {"\"a,b\",c", {"\"a,b\"", "c"}, "a quoted comma does not cut"},
        {"\"a\\\",b\",c", {"\"a\\\",b\"", "c"}, "an escaped quote does not end the string"},
        {"\"a\\\\\",b", {"\"a\\\\\"", "b"}, "an escaped backslash does not escape the quote"},
        {"\"a,b", {"\"a,b"}, "an open string takes all"},
        {"\"a\\", {"\"a\\"}, "a backslash may be the last byte"},
        {"a\\,b", {"a\\", "b"}, "outside a string a backslash is a byte like others"},
    };
    struct guard guard = guard_open(32);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = strlen(rows[i].list), n = 0;
        struct span rest = span_make(guard_flush(&guard, rows[i].list, len), len);
        while (rest.ptr != NULL) {
            struct span element = span_cut(&rest, ',');
            assert_true(n < 5 && rows[i].elements[n] != NULL);
            assert_span(element, rows[i].elements[n]);
            n++;
        }
        assert_true(n == 5 || rows[i].elements[n] == NULL);
    }
    guard_close(&guard);
}

static void numbers_are_digits_that_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"7", true, 7},
        {"0000000000000000000000000000001", true, 1},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"18446744073709551620", false, 0},
        {"99999999999999999999", false, 0},
        {"184467440737095516150", false, 0},
        {"", false, 0},
        {"+1", false, 0},
        {"-1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x1", false, 0},
        {"1.0", false, 0},
        {"\xD9\xA1", false, 0},
    };
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = strlen(rows[i].text);
        uint64_t value = 4711;
        struct span text = span_make(guard_flush(&guard, rows[i].text, len), len);
        assert_int_equal(span_to_u64(text, &value), rows[i].good);
        assert_int_equal(value, rows[i].good ? rows[i].value : 4711);
    }
    guard_close(&guard);
}

static void a_list_has_whole_elements(void **state)
{
    (void)state;
    assert_true(span_list_has(SPAN("close"), SPAN("close")));
    assert_true(span_list_has(SPAN("Keep-Alive, Close"), SPAN("close")));
    assert_true(span_list_has(SPAN("a ,\tclose ,b"), SPAN("close")));
    assert_false(span_list_has(SPAN("closed"), SPAN("close")));
    assert_false(span_list_has(SPAN("x-close"), SPAN("close")));
    assert_false(span_list_has(SPAN("\"a, close, b\""), SPAN("close")));
    assert_false(span_list_has(SPAN_EMPTY, SPAN("close")));
    assert_false(span_list_has(SPAN(""), SPAN("close")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_is_of_length_and_bytes),
        cmocka_unit_test(ends_are_compared_within_the_span),
        cmocka_unit_test(find_and_from_stop_at_the_end),
        cmocka_unit_test(trim_takes_sp_and_htab_alone),
        cmocka_unit_test(cut_yields_the_elements_of_a_list),
        cmocka_unit_test(numbers_are_digits_that_fit),
        cmocka_unit_test(a_list_has_whole_elements),
    };
    return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
