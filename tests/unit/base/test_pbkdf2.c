#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/pbkdf2.h"

/*
 * RFC 7914 11 gives two for PBKDF2-HMAC-SHA256. RFC 6070's inputs were worked with SHA-1; the rows
 * with them here carry the SHA-256 answers that its readers agreed on and that OpenSSL and Python's
 * hashlib give, as they do for the first two.
 */
static const struct row {
    struct span password, salt;
    uint32_t iterations;
    const char *key, *why;
} rows[] = {
    {SPAN("passwd"), SPAN("salt"), 1,
     "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
     "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783",
     "RFC 7914 11: two blocks of output"},
    {SPAN("Password"), SPAN("NaCl"), 80000,
     "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"
     "a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
     "RFC 7914 11: many iterations"},
    {SPAN("password"), SPAN("salt"), 4096,
     "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a", "one block"},
    {SPAN("passwordPASSWORDpassword"), SPAN("saltSALTsaltSALTsaltSALTsaltSALTsalt"), 4096,
     "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1c635518c7dac47e9",
     "40 bytes: the last block is cut"},
    {SPAN("pass\0word"), SPAN("sa\0lt"), 4096, "89b69d0516f829893c696226650a8687",
     "a NUL is a byte like others; less than a block"},
};

static void every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        size_t len = strlen(r->key) / 2;
        uint8_t key[65], expected[65];
        memset(key, 0xEE, sizeof key);
        memset(expected, 0xEE, sizeof expected); /* and not a byte past what was asked for */
        assert_true(hex_decode(span_of(r->key), expected, len));
        pbkdf2_hmac_sha256(r->password, r->salt, r->iterations, key, len);
        assert_memory_equal(key, expected, sizeof key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_row)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
