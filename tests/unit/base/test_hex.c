#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"

static void rows_of_the_rfc(void **state)
{
    /* RFC 4648 10 */
    static const struct {
        struct span bytes, text;
    } rows[] = {
        {SPAN(""), SPAN("")},
        {SPAN("f"), SPAN("66")},
        {SPAN("fo"), SPAN("666f")},
        {SPAN("foo"), SPAN("666f6f")},
        {SPAN("foob"), SPAN("666f6f62")},
        {SPAN("foobar"), SPAN("666f6f626172")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[16];
        uint8_t bytes[8];
        hex_encode(text, rows[i].bytes.ptr, rows[i].bytes.len);
        assert_memory_equal(text, rows[i].text.ptr, rows[i].text.len);
        assert_true(hex_decode(rows[i].text, bytes, rows[i].bytes.len));
        assert_memory_equal(bytes, rows[i].bytes.ptr, rows[i].bytes.len);
        assert_false(hex_decode(rows[i].text, bytes, rows[i].bytes.len + 1));
    }
}

static void every_byte_either_case(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        uint8_t in = (uint8_t)i, out = (uint8_t)~i;
        char text[2], upper[2];
        hex_encode(text, &in, 1);
        assert_true(hex_decode(span_make(text, 2), &out, 1));
        assert_int_equal(out, in);
        for (int j = 0; j < 2; j++)
            upper[j] = (char)(text[j] >= 'a' ? text[j] - 'a' + 'A' : text[j]);
        out = (uint8_t)~i;
        assert_true(hex_decode(span_make(upper, 2), &out, 1));
        assert_int_equal(out, in);
    }
}

static void only_digits(void **state)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    (void)state;
    for (int c = 0; c < 256; c++) {
        char text[2] = {'0', (char)c};
        uint8_t out;
        bool expected = c != 0 && strchr(digits, c) != NULL;
        assert_int_equal(hex_decode(span_make(text, 2), &out, 1), expected);
        assert_int_equal(hex_digit((char)c) >= 0, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_the_rfc),
        cmocka_unit_test(every_byte_either_case),
        cmocka_unit_test(only_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
