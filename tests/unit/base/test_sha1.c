#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/sha1.h"
#include "base/span.h"

/* FIPS 180-4's examples as NIST publishes them, and RFC 3174 7.3. */
static const struct row {
    struct span message;
    const char *digest, *why;
} rows[] = {
    {SPAN(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709", "nothing"},
    {SPAN("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d", "one block"},
    {SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1", "56 bytes: the length does not fit behind them"},
    {SPAN("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
          "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
     "a49b2446a02c645bf419f995b67091253a04a259", "two blocks"},
};

static void assert_digest(struct sha1 *h, const char *expected)
{
    uint8_t digest[SHA1_LEN];
    char hex[2 * SHA1_LEN + 1] = {0};
    sha1_final(h, digest);
    hex_encode(hex, digest, sizeof digest);
    assert_string_equal(hex, expected);
}

static void every_row_split_in_three(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span m = rows[i].message;
        for (size_t first = 0; first <= m.len; first++) {
            for (size_t second = first; second <= m.len; second++) {
                struct sha1 h;
                sha1_init(&h);
                sha1_update(&h, m.ptr, first);
                sha1_update(&h, m.ptr + first, second - first);
                sha1_update(&h, m.ptr + second, m.len - second);
                assert_digest(&h, rows[i].digest);
            }
        }
    }
}

static void a_million_letters(void **state)
{
    char a[1000];
    struct sha1 h;
    (void)state;
    memset(a, 'a', sizeof a);
    sha1_init(&h);
    for (int i = 0; i < 1000; i++)
        sha1_update(&h, a, sizeof a);
    assert_digest(&h, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

/* RFC 3174 7.3, TEST4: 64 bytes ten times, so that every update is a whole block. */
static void whole_blocks(void **state)
{
    struct sha1 h;
    (void)state;
    sha1_init(&h);
    for (int i = 0; i < 10; i++)
        sha1_update(&h, "0123456701234567012345670123456701234567012345670123456701234567", 64);
    assert_digest(&h, "dea356a2cddd90c7a7ecedc5ebb563934f460452");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_split_in_three),
        cmocka_unit_test(a_million_letters),
        cmocka_unit_test(whole_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
