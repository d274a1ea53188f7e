#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"

static const struct row {
    struct span bytes, text;
    const char *why;
} rows[] = {
    {SPAN(""), SPAN(""), "RFC 4648 10"},
    {SPAN("f"), SPAN("Zg=="), "RFC 4648 10"},
    {SPAN("fo"), SPAN("Zm8="), "RFC 4648 10"},
    {SPAN("foo"), SPAN("Zm9v"), "RFC 4648 10"},
    {SPAN("foob"), SPAN("Zm9vYg=="), "RFC 4648 10"},
    {SPAN("fooba"), SPAN("Zm9vYmE="), "RFC 4648 10"},
    {SPAN("foobar"), SPAN("Zm9vYmFy"), "RFC 4648 10"},
    {SPAN("\x14\xfb\x9c\x03\xd9\x7e"), SPAN("FPucA9l+"), "RFC 4648 9"},
    {SPAN("\x14\xfb\x9c\x03\xd9"), SPAN("FPucA9k="), "RFC 4648 9"},
    {SPAN("\x14\xfb\x9c\x03"), SPAN("FPucAw=="), "RFC 4648 9"},
    {SPAN("\xff\xff\xff"), SPAN("////"), "the last letter of the alphabet"},
};

/* Texts that are not base64 in its one strict spelling. */
static const struct refusal {
    struct span text;
    const char *why;
} refusals[] = {
    {SPAN("Z"), "a digit alone"},
    {SPAN("Zg"), "padding missing"},
    {SPAN("Zg="), "padding short"},
    {SPAN("Zg==="), "padding long"},
    {SPAN("Zm9v===="), "padding alone"},
    {SPAN("===="), "nothing but padding"},
    {SPAN("Z==="), "six bits are no byte"},
    {SPAN("Zh=="), "RFC 4648 3.5: unused bits are not zero"},
    {SPAN("Zm9="), "RFC 4648 3.5: unused bits are not zero"},
    {SPAN("Zg==Zg=="), "padding inside"},
    {SPAN("Z=g="), "padding inside"},
    {SPAN("=Zg="), "padding first"},
    {SPAN("Zm 9"), "a space"},
    {SPAN("Zm9v\r\n"), "a line break"},
    {SPAN("Zm9v\0\0\0\0"), "NULs"},
    {SPAN("-_-_"), "the alphabet for URLs (RFC 4648 5)"},
    {SPAN("Zm9\xff"), "a byte past ASCII"},
    {SPAN("Zm9@"), "before A"},
    {SPAN("Zm9["), "after Z"},
    {SPAN("Zm9`"), "before a"},
    {SPAN("Zm9{"), "after z"},
    {SPAN("Zm9:"), "after 9"},
    {SPAN("Zm9."), "before /"},
};

static void rows_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        char text[16];
        uint8_t bytes[16];
        size_t len = 99;
        assert_int_equal(base64_encoded_len(r->bytes.len), r->text.len);
        assert_int_equal(base64_encode(text, r->bytes.ptr, r->bytes.len), r->text.len);
        assert_memory_equal(text, r->text.ptr, r->text.len);
        assert_true(base64_decode(r->text, bytes, r->bytes.len, &len));
        assert_int_equal(len, r->bytes.len);
        assert_memory_equal(bytes, r->bytes.ptr, len);
        if (r->bytes.len > 0) /* one place too few */
            assert_false(base64_decode(r->text, bytes, r->bytes.len - 1, &len));
    }
}

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        uint8_t bytes[16];
        size_t len = 99;
        if (base64_decode(refusals[i].text, bytes, sizeof bytes, &len))
            fail_msg("taken: %s", refusals[i].why);
        assert_int_equal(len, 99);
    }
}

/* The examples of httpwg's structured-field tests, and what looseness does not reach. */
static void loose(void **state)
{
    static const struct {
        struct span text, bytes;
        bool taken;
        const char *why;
    } cases[] = {
        {SPAN("aGVsbG8="), SPAN("hello"), true, "as it should be"},
        {SPAN("aGVsbG8"), SPAN("hello"), true, "padding missing"},
        {SPAN("iZ=="), SPAN("\x89"), true, "unused bits set"},
        {SPAN("iZ"), SPAN("\x89"), true, "both"},
        {SPAN(""), SPAN(""), true, "nothing"},
        {SPAN("aGVsbG8=="), SPAN(""), false, "one '=' too many"},
        {SPAN("iZ="), SPAN(""), false, "one '=' too few"},
        {SPAN("=aGV"), SPAN(""), false, "padding first"},
        {SPAN("aGVs="), SPAN(""), false, "padding where none belongs"},
        {SPAN("a"), SPAN(""), false, "six bits"},
        {SPAN("aGVsb G8="), SPAN(""), false, "a space"},
        {SPAN("aGVsbG!8="), SPAN(""), false, "not a digit"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t out[8];
        size_t len = 99;
        if (base64_decode_loose(cases[i].text, out, sizeof out, &len) != cases[i].taken)
            fail_msg("%s", cases[i].why);
        assert_int_equal(len, cases[i].taken ? cases[i].bytes.len : 99);
        if (cases[i].taken)
            assert_memory_equal(out, cases[i].bytes.ptr, len);
    }
}

/* A stream encoded in pieces that are multiples of 3 is the same text. */
static void pieces_of_three_join(void **state)
{
    uint8_t data[100];
    char whole[136], joined[136];
    size_t len = base64_encoded_len(sizeof data);
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 73 + 5);
    assert_int_equal(base64_encode(whole, data, sizeof data), len);
    for (size_t piece = 3; piece < sizeof data; piece += 3) {
        size_t at = 0;
        for (size_t from = 0; from < sizeof data; from += piece) {
            size_t take = sizeof data - from < piece ? sizeof data - from : piece;
            at += base64_encode(joined + at, data + from, take);
        }
        assert_int_equal(at, len);
        assert_memory_equal(joined, whole, len);
    }
}

/* Each byte in each of the three places comes back. */
static void every_byte_round_trips(void **state)
{
    (void)state;
    for (unsigned value = 0; value < 256; value++) {
        for (size_t len = 1; len <= 3; len++) {
            uint8_t in[3] = {(uint8_t)value, (uint8_t)(value ^ 0x5A), (uint8_t)~value}, out[3];
            char text[4];
            size_t got = 0;
            assert_int_equal(base64_encode(text, in, len), 4);
            assert_true(base64_decode(span_make(text, 4), out, sizeof out, &got));
            assert_int_equal(got, len);
            assert_memory_equal(out, in, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_both_ways),
        cmocka_unit_test(refused),
        cmocka_unit_test(loose),
        cmocka_unit_test(pieces_of_three_join),
        cmocka_unit_test(every_byte_round_trips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
