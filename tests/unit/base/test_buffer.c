#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>

#include "base/buffer.h"
#include "unit/guard.h"

enum { ROOM = 64 };

static void assert_buffer(const struct buffer *b, const char *expected)
{
    assert_int_equal(b->len, strlen(expected));
    if (b->len > 0)
        assert_memory_equal(b->data, expected, b->len);
}

/* Runs `put` with every room from none to enough, the byte after which cannot be touched: what does
   not fit shows in `overflowed`. */
static void assert_puts(void (*put)(struct buffer *, const void *), const void *argument,
                        const char *expected)
{
    struct guard guard = guard_open(ROOM);
    size_t whole = strlen(expected);
    assert_true(whole <= ROOM);
    for (size_t cap = 0; cap <= whole; cap++) {
        struct buffer b = buffer_make(guard_space(&guard, cap), cap);
        put(&b, argument);
        assert_int_equal(b.overflowed, cap < whole);
        assert_true(b.len <= cap);
        if (cap == whole)
            assert_buffer(&b, expected);
    }
    guard_close(&guard);
}

static void what_does_not_fit_is_dropped_whole(void **state)
{
    (void)state;
    struct guard guard = guard_open(8);
    struct buffer b = buffer_make(guard_space(&guard, 5), 5);

    buffer_put_text(&b, "abc");
    buffer_put_text(&b, "defg");
    assert_true(b.overflowed);
    assert_buffer(&b, "abc");
    assert_int_equal(buffer_free(&b), 2);
    buffer_put_span(&b, SPAN("de"));
    assert_buffer(&b, "abcde");
    buffer_put_char(&b, 'f');
    assert_buffer(&b, "abcde");
    buffer_put(&b, NULL, 0);
    assert_buffer(&b, "abcde");
    assert_true(b.overflowed); /* and stays so */
    assert_true(span_equal(buffer_span(&b), SPAN("abcde")));
    guard_close(&guard);
}

static void a_buffer_over_an_array_has_its_size(void **state)
{
    (void)state;
    char array[3];
    struct buffer b = BUFFER_OVER(array);
    buffer_put_text(&b, "abc");
    assert_false(b.overflowed);
    buffer_put_text(&b, "d");
    assert_true(b.overflowed);
    assert_buffer(&b, "abc");
}

static void put_u64(struct buffer *b, const void *value)
{
    buffer_put_u64(b, *(const uint64_t *)value);
}

static void put_hex(struct buffer *b, const void *value)
{
    buffer_put_hex(b, *(const uint64_t *)value);
}

static void numbers_are_written_without_leading_zeros(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *decimal, *hex;
    } rows[] = {
        {0, "0", "0"},
        {9, "9", "9"},
        {10, "10", "a"},
        {255, "255", "ff"},
        {4096, "4096", "1000"},
        {UINT64_C(9223372036854775808), "9223372036854775808", "8000000000000000"},
        {UINT64_MAX, "18446744073709551615", "ffffffffffffffff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_puts(put_u64, &rows[i].value, rows[i].decimal);
        assert_puts(put_hex, &rows[i].value, rows[i].hex);
    }
}

/* Around every power of ten the number of digits changes. */
static void numbers_are_as_printf_writes_them(void **state)
{
    (void)state;
    for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10)
        for (uint64_t value = power - 1; value <= power + 11; value++) {
            char text[24];
            snprintf(text, sizeof text, "%" PRIu64, value);
            assert_puts(put_u64, &value, text);
        }
}

static void format_fits_or_leaves_the_buffer_alone(void **state)
{
    (void)state;
    struct guard guard = guard_open(16);
    struct buffer b = buffer_make(guard_space(&guard, 8), 8);

    buffer_put_format(&b, "%d-%s", 12, "ab");
    assert_buffer(&b, "12-ab");
    assert_false(b.overflowed);
    buffer_put_format(&b, "%s", "toolong");
    assert_buffer(&b, "12-ab");
    assert_true(b.overflowed);
    guard_close(&guard);
}

typedef void put_span_function(struct buffer *, struct span);

struct escape {
    put_span_function *put;
    struct span input;
};

static void put_escaped(struct buffer *b, const void *argument)
{
    const struct escape *escape = argument;
    escape->put(b, escape->input);
}

struct escape_row {
    const char *input, *expected, *why;
};

static void assert_escapes(put_span_function *put, const struct escape_row *rows, size_t count)
{
    struct guard guard = guard_open(ROOM);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].input);
        struct escape escape = {put, span_make(guard_flush(&guard, rows[i].input, len), len)};
        assert_puts(put_escaped, &escape, rows[i].expected);
    }
    guard_close(&guard);
}

static void html_is_safe_as_text_and_in_attributes(void **state)
{
    (void)state;
    static const struct escape_row rows[] = {
        {"", "", "nothing"},
        {"plain.txt", "plain.txt", "ordinary bytes stay"},
        {"<b>", "&lt;b&gt;", "no tag"},
        {"a&lt;", "a&amp;lt;", "what looks escaped is text too"},
        {"\"'", "&quot;&#39;", "no end of an attribute, in either quotes"},
        {"\xC3\xB1\xFF", "\xC3\xB1\xFF", "other bytes are the page's business"},
    };
    assert_escapes(buffer_put_html, rows, sizeof rows / sizeof *rows);
}

static void json_strings_are_valid_utf8(void **state)
{
    (void)state;
    static const struct escape_row rows[] = {
        {"a/b", "a/b", "a slash needs no escape"},
        {"\"\\", "\\\"\\\\", "quote and backslash"},
        {"\x01\n\x1F", "\\u0001\\u000a\\u001f", "controls (RFC 8259 7)"},
        {"\x7F", "\\u007f", "DEL as well, for terminals' sake"},
        {"\xC3\xB1", "\xC3\xB1", "two bytes"},
        {"\xE2\x82\xAC", "\xE2\x82\xAC", "three bytes"},
        {"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80", "four bytes"},
        {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF", "U+10FFFF"},
        {"\xF4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd", "past U+10FFFF"},
        {"\xC0\xAF", "\\ufffd\\ufffd", "overlong slash"},
        {"\xE0\x80\xAF", "\\ufffd\\ufffd\\ufffd", "overlong in three"},
        {"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd", "a surrogate"},
        {"\xED\x9F\xBF", "\xED\x9F\xBF", "the last before the surrogates"},
        {"\xC3", "\\ufffd", "cut off at the end"},
        {"\xE2\x82", "\\ufffd\\ufffd", "cut off after two of three"},
        {"\xC3z", "\\ufffdz", "the byte after a broken sequence is not lost"},
        {"\x80\xFF", "\\ufffd\\ufffd", "bytes that begin nothing"},
    };
    assert_escapes(buffer_put_json, rows, sizeof rows / sizeof *rows);
}

static void url_paths_keep_unreserved_bytes_and_slashes(void **state)
{
    (void)state;
    static const struct escape_row rows[] = {
        {"/a/b-c_d.e~f", "/a/b-c_d.e~f", "unreserved (RFC 3986 2.3) and the slash"},
        {"AZaz09", "AZaz09", "ends of the ranges"},
        {"a b", "a%20b", "space"},
        {"?#%", "%3F%23%25", "what would end the path"},
        {"@[`{", "%40%5B%60%7B", "neighbours of the ranges"},
        {"\xC3\xB1\x7F", "%C3%B1%7F", "capital hexadecimal (RFC 3986 2.1)"},
        {"\"<>'&", "%22%3C%3E%27%26", "also safe in an attribute"},
    };
    assert_escapes(buffer_put_url_path, rows, sizeof rows / sizeof *rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_is_dropped_whole),
        cmocka_unit_test(a_buffer_over_an_array_has_its_size),
        cmocka_unit_test(numbers_are_written_without_leading_zeros),
        cmocka_unit_test(numbers_are_as_printf_writes_them),
        cmocka_unit_test(format_fits_or_leaves_the_buffer_alone),
        cmocka_unit_test(html_is_safe_as_text_and_in_attributes),
        cmocka_unit_test(json_strings_are_valid_utf8),
        cmocka_unit_test(url_paths_keep_unreserved_bytes_and_slashes),
    };
    return cmocka_run_group_tests_name("buffer", tests, NULL, NULL);
}
