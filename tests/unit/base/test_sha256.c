#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "base/span.h"

/* Examples of FIPS 180-4 as NIST publishes them, and messages of its SHAVS short-message file. */
static const struct row {
    struct span message;
    const char *digest, *why;
} rows[] = {
    {SPAN(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "nothing"},
    {SPAN("\xd3"), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1", "one byte"},
    {SPAN("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "one block"},
    {SPAN("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
     "56 bytes: the length does not fit behind them"},
    {SPAN("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
          "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1", "two blocks"},
};

/* The portable code must be tested on machines whose processor would do the work. */
static struct sha256 begin(bool portable)
{
    struct sha256 h;
    sha256_init(&h);
    if (portable)
        h.instructions_ = false;
    return h;
}

static void assert_digest(struct sha256 *h, const char *expected)
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1] = {0};
    sha256_final(h, digest);
    hex_encode(hex, digest, sizeof digest);
    assert_string_equal(hex, expected);
}

static void check_rows(bool portable)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct span m = rows[i].message;
        for (size_t first = 0; first <= m.len; first++) {
            for (size_t second = first; second <= m.len; second++) {
                struct sha256 h = begin(portable);
                sha256_update(&h, m.ptr, first);
                sha256_update(&h, m.ptr + first, second - first);
                sha256_update(&h, m.ptr + second, m.len - second);
                assert_digest(&h, rows[i].digest);
            }
        }
    }
}

static void every_row_split_in_three_portable(void **state)
{
    (void)state;
    check_rows(true);
}

static void every_row_split_in_three(void **state)
{
    (void)state;
    check_rows(false);
}

/* FIPS 180-4's long example, in pieces whose length does not divide a block. */
static void a_million_letters(void **state)
{
    char a[1000];
    (void)state;
    memset(a, 'a', sizeof a);
    for (int portable = 0; portable < 2; portable++) {
        struct sha256 h = begin(portable);
        for (int i = 0; i < 1000; i++)
            sha256_update(&h, a, sizeof a);
        assert_digest(&h, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}

/* Both ways of computing agree for every length around the block's, so padding is right in both. */
static void both_ways_agree(void **state)
{
    uint8_t data[300], a[SHA256_LEN], b[SHA256_LEN];
    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 37 + 11);
    for (size_t len = 0; len <= sizeof data; len++) {
        struct sha256 h = begin(true);
        sha256_update(&h, data, len);
        sha256_final(&h, a);
        sha256_of(data, len, b);
        assert_memory_equal(a, b, SHA256_LEN);
    }
}

static void a_copy_goes_its_own_way(void **state)
{
    struct sha256 h, copy;
    (void)state;
    sha256_init(&h);
    sha256_update(&h, "ab", 2);
    copy = h;
    sha256_update(&copy, "x", 1);
    sha256_update(&h, "c", 1);
    assert_digest(&h, rows[2].digest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_split_in_three_portable),
        cmocka_unit_test(every_row_split_in_three),
        cmocka_unit_test(a_million_letters),
        cmocka_unit_test(both_ways_agree),
        cmocka_unit_test(a_copy_goes_its_own_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
