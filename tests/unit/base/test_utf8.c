#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "unit/guard.h"

/* The edges of Unicode 15 table 3-7, row by row. */
static const struct row {
    struct span bytes;
    size_t len;
    const char *why;
} rows[] = {
    {SPAN(""), 0, "nothing"},
    {SPAN("\0"), 1, "U+0000"},
    {SPAN("\x7f"), 1, "U+007F"},
    {SPAN("\x80"), 0, "a second byte first"},
    {SPAN("\xbf"), 0, "a second byte first"},
    {SPAN("\xc0\x80"), 0, "overlong"},
    {SPAN("\xc1\xbf"), 0, "overlong"},
    {SPAN("\xc2\x80"), 2, "U+0080"},
    {SPAN("\xc2\x7f"), 0, "second byte below"},
    {SPAN("\xc2\xc0"), 0, "second byte above"},
    {SPAN("\xdf\xbf"), 2, "U+07FF"},
    {SPAN("\xe0\x9f\xbf"), 0, "overlong"},
    {SPAN("\xe0\xa0\x80"), 3, "U+0800"},
    {SPAN("\xe1\x80\x80"), 3, "U+1000"},
    {SPAN("\xe1\x80\x7f"), 0, "third byte below"},
    {SPAN("\xed\x9f\xbf"), 3, "U+D7FF"},
    {SPAN("\xed\xa0\x80"), 0, "a surrogate"},
    {SPAN("\xee\x80\x80"), 3, "U+E000"},
    {SPAN("\xef\xbf\xbf"), 3, "U+FFFF"},
    {SPAN("\xf0\x8f\xbf\xbf"), 0, "overlong"},
    {SPAN("\xf0\x90\x80\x80"), 4, "U+10000"},
    {SPAN("\xf3\xbf\xbf\xbf"), 4, "U+FFFFF"},
    {SPAN("\xf4\x8f\xbf\xbf"), 4, "U+10FFFF"},
    {SPAN("\xf4\x90\x80\x80"), 0, "past U+10FFFF"},
    {SPAN("\xf5\x80\x80\x80"), 0, "past U+10FFFF"},
    {SPAN("\xff"), 0, "never a byte of UTF-8"},
};

static void every_row_and_its_prefixes(void **state)
{
    struct guard guard = guard_open(16);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t len = 0; len <= rows[i].bytes.len; len++) {
            struct span s = span_make(guard_flush(&guard, rows[i].bytes.ptr, len), len);
            size_t expected = len == rows[i].bytes.len ? rows[i].len : 0;
            if (utf8_sequence(s) != expected)
                fail_msg("%s, %zu bytes of it", rows[i].why, len);
            assert_int_equal(utf8_valid(s), len == 0 || expected > 0);
        }
    }
    guard_close(&guard);
}

static void text_is_valid_to_its_last_byte(void **state)
{
    (void)state;
    assert_true(utf8_valid(SPAN("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z")));
    assert_false(utf8_valid(SPAN("a\xc3\xa9\xff")));
    assert_false(utf8_valid(SPAN("a\xc3\xa9\xe2\x82")));
}

static void prefixes_end_between_sequences(void **state)
{
    static const struct span text = SPAN("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    (void)state;
    for (size_t max = 0; max < sizeof expected / sizeof expected[0]; max++)
        assert_int_equal(utf8_prefix(text, max), expected[max]);
    /* Only second bytes: no place to cut is better than another. */
    for (size_t max = 0; max < 8; max++)
        assert_int_equal(utf8_prefix(SPAN("\x80\x80\x80\x80\x80\x80\x80\x80"), max), max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_and_its_prefixes),
        cmocka_unit_test(text_is_valid_to_its_last_byte),
        cmocka_unit_test(prefixes_end_between_sequences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
