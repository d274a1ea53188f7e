#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/hmac.h"
#include "base/span.h"

#define TEN(text) text text text text text text text text text text

/* RFC 4231 4, with the count of digest bytes that are given there. */
static const struct row {
    struct span key, data;
    const char *code, *why;
} rows[] = {
    {SPAN("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"),
     SPAN("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", "4.2"},
    {SPAN("Jefe"), SPAN("what do ya want for nothing?"),
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
     "4.3: a key shorter than the code"},
    {SPAN(TEN("\xaa") TEN("\xaa")),
     SPAN(TEN("\xdd") TEN("\xdd") TEN("\xdd") TEN("\xdd") TEN("\xdd")),
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe", "4.4"},
    {SPAN("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
          "\x17\x18\x19"),
     SPAN(TEN("\xcd") TEN("\xcd") TEN("\xcd") TEN("\xcd") TEN("\xcd")),
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b", "4.5"},
    {SPAN(TEN("\x0c") TEN("\x0c")), SPAN("Test With Truncation"),
     "a3b6167473100ee06e0c796c2955552b", "4.6: the first 128 bits"},
    {SPAN(TEN(TEN("\xaa")) TEN("\xaa") TEN("\xaa") TEN("\xaa") "\xaa"),
     SPAN("Test Using Larger Than Block-Size Key - Hash Key First"),
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
     "4.7: a key longer than a block"},
    {SPAN(TEN(TEN("\xaa")) TEN("\xaa") TEN("\xaa") TEN("\xaa") "\xaa"),
     SPAN("This is a test using a larger than block-size key and a larger than block-size data. "
          "The key needs to be hashed before being used by the HMAC algorithm."),
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
     "4.8: key and data longer than a block"},
};

static void assert_code(const uint8_t code[HMAC_SHA256_LEN], const char *expected)
{
    char hex[2 * HMAC_SHA256_LEN + 1] = {0};
    hex_encode(hex, code, HMAC_SHA256_LEN);
    assert_memory_equal(hex, expected, strlen(expected));
}

static void every_row_whole_and_split(void **state)
{
    uint8_t code[HMAC_SHA256_LEN];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        hmac_sha256_of(r->key.ptr, r->key.len, r->data.ptr, r->data.len, code);
        assert_code(code, r->code);
        for (size_t at = 0; at <= r->data.len; at++) {
            struct hmac_sha256 h;
            hmac_sha256_init(&h, r->key.ptr, r->key.len);
            hmac_sha256_update(&h, r->data.ptr, at);
            hmac_sha256_update(&h, r->data.ptr + at, r->data.len - at);
            hmac_sha256_final(&h, code);
            assert_code(code, r->code);
        }
    }
}

/* What PBKDF2 rests on: one keyed state, many messages. */
static void a_copy_of_a_keyed_state_begins_again(void **state)
{
    struct hmac_sha256 keyed, h;
    uint8_t code[HMAC_SHA256_LEN];
    (void)state;
    hmac_sha256_init(&keyed, "Jefe", 4);
    for (int i = 0; i < 2; i++) {
        h = keyed;
        hmac_sha256_update(&h, rows[1].data.ptr, rows[1].data.len);
        hmac_sha256_final(&h, code);
        assert_code(code, rows[1].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_whole_and_split),
        cmocka_unit_test(a_copy_of_a_keyed_state_begins_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
