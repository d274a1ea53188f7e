#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/chars.h"
#include "unit/guard.h"

static bool is_one_of(const char *bytes, int c)
{
    return c != 0 && strchr(bytes, c) != NULL;
}

static bool is_alpha(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static void each_byte_is_in_the_classes_of_the_grammar(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool alphanumeric = is_alpha(c) || is_digit(c);
        const struct {
            enum char_class class;
            bool in;
        } rows[] = {
            {CHAR_TOKEN, alphanumeric || is_one_of("!#$%&'*+-.^_`|~", c)}, /* RFC 9110 5.6.2 */
            /* RFC 3986 2.2, 2.3: sub-delims and unreserved */
            {CHAR_REGNAME, alphanumeric || is_one_of("-._~!$&'()*+,;=", c)},
            {CHAR_HEX, is_digit(c) || is_one_of("abcdefABCDEF", c)},
            {CHAR_DIGIT, is_digit(c)},
            {CHAR_ALPHA, is_alpha(c)},
            /* RFC 9110 5.6.4: SP / %x21 / %x23-5B / %x5D-7E */
            {CHAR_QUOTABLE,
             c == 0x20 || c == 0x21 || (c >= 0x23 && c <= 0x5B) || (c >= 0x5D && c <= 0x7E)},
            /* Of what may stand in a target at all, what RFC 3986 3.3 and 2.1 give a meaning. */
            {CHAR_NO_SEGMENT, c <= 0x20 || c == 0x7F || is_one_of("#%/?", c)},
        };
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (char_is((char)c, rows[i].class) != rows[i].in)
                fail_msg("byte 0x%02X, class %d: wanted %d", (unsigned)c, rows[i].class,
                         rows[i].in);
    }
}

static void hexadecimal_digits_have_their_value(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 16; value++) {
        assert_int_equal(char_hex("0123456789abcdef"[value]), value);
        assert_int_equal(char_hex("0123456789ABCDEF"[value]), value);
    }
}

/* Each byte at each place of a text longer than two words, which ends where memory does. */
static void a_run_ends_at_the_first_byte_that_is_not_of_it(void **state)
{
    (void)state;
    enum { LEN = 21 };
    struct guard guard = guard_open(LEN);
    const unsigned char least[] = {' ', '!', 0x80};

    for (size_t l = 0; l < sizeof least; l++)
        for (size_t at = 0; at < LEN; at++)
            for (int c = 0; c < 256; c++) {
                char text[LEN];
                memset(text, 0xE9, sizeof text);
                text[at] = (char)c;
                if (at + 2 < LEN)
                    text[at + 2] = '\0'; /* what follows does not count */
                const char *flush = guard_flush(&guard, text, LEN);
                bool ends = c < least[l] || c == 0x7F;
                size_t end = ends ? at : at + 2 < LEN ? at + 2 : LEN;
                assert_int_equal(chars_run(flush, LEN, least[l]), end);
            }
    guard_close(&guard);
}

/* The same for the run of one class. */
static void a_quotable_run_ends_with_its_class(void **state)
{
    (void)state;
    enum { LEN = 21 };
    struct guard guard = guard_open(LEN);

    for (size_t at = 0; at < LEN; at++)
        for (int c = 0; c < 256; c++) {
            char text[LEN];
            memset(text, '~', sizeof text);
            text[at] = (char)c;
            if (at + 2 < LEN)
                text[at + 2] = '"';
            const char *flush = guard_flush(&guard, text, LEN);
            size_t end = !char_is((char)c, CHAR_QUOTABLE) ? at : at + 2 < LEN ? at + 2 : LEN;
            assert_int_equal(chars_quotable_run(flush, LEN), end);
        }
    guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_byte_is_in_the_classes_of_the_grammar),
        cmocka_unit_test(hexadecimal_digits_have_their_value),
        cmocka_unit_test(a_run_ends_at_the_first_byte_that_is_not_of_it),
        cmocka_unit_test(a_quotable_run_ends_with_its_class),
    };
    return cmocka_run_group_tests_name("chars", tests, NULL, NULL);
}
