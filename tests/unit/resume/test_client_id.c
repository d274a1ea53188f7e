#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hmac.h"
#include "resume/client_id.h"

static const uint8_t secret[CLIENT_ID_SECRET_LEN] = "the secret of one docroot, 32 by";

static const int64_t NOW_S = 1700000000;

static void minted_ids_are_ours(void **state)
{
    struct client_id_key key;
    (void)state;
    client_id_key_derive(&key, secret);
    for (int i = 0; i < 1000; i++) {
        struct uuid id;
        assert_true(client_id_mint(&key, NOW_S, &id));
        assert_int_equal(uuid_version(&id), 8);
        assert_true(client_id_is_ours(&key, &id));
    }
}

/* An id lives longer than the server that minted it: the layout is that of the header, for ever. */
static void the_layout_is_a_promise(void **state)
{
    struct client_id_key key;
    struct uuid id = {{0, 1, 2, 3, 4, 5, 0x86, 7, 0x88, 9, 10}};
    uint8_t derived[HMAC_SHA256_LEN];
    (void)state;
    hmac_sha256_of(secret, sizeof secret, "httpd client id", 15, derived);
    uint64_t code = siphash24(derived, id.bytes, 11);
    for (unsigned i = 0; i < 5; i++)
        id.bytes[11 + i] = (uint8_t)(code >> 8 * i);
    client_id_key_derive(&key, secret);
    assert_true(client_id_is_ours(&key, &id));
}

/* No bit of an id can be changed, version and variant included, not even with the code made anew.
 */
static void changed_ids_are_foreign(void **state)
{
    struct client_id_key key;
    struct uuid id;
    (void)state;
    client_id_key_derive(&key, secret);
    assert_true(client_id_mint(&key, NOW_S, &id));
    for (unsigned bit = 0; bit < 128; bit++) {
        struct uuid other = id;
        other.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(client_id_is_ours(&key, &other));
    }
    for (unsigned version = 0; version < 16; version++) {
        struct uuid other = id;
        uuid_set_version(&other, version);
        uint64_t code = siphash24(key.siphash_, other.bytes, 11);
        for (unsigned i = 0; i < 5; i++)
            other.bytes[11 + i] = (uint8_t)(code >> 8 * i);
        assert_int_equal(client_id_is_ours(&key, &other), version == 8);
    }
}

static void another_secret_makes_other_ids(void **state)
{
    struct client_id_key key, foreign;
    struct uuid id;
    uint8_t other[CLIENT_ID_SECRET_LEN];
    (void)state;
    client_id_key_derive(&key, secret);
    assert_true(client_id_mint(&key, NOW_S, &id));
    for (size_t i = 0; i < sizeof other; i++) { /* every byte of the secret counts */
        memcpy(other, secret, sizeof other);
        other[i] ^= 1;
        client_id_key_derive(&foreign, other);
        assert_false(client_id_is_ours(&foreign, &id));
    }
}

/* Each of the 50 random bits is seen set and seen clear, so none is stuck. */
static void ids_are_random(void **state)
{
    struct client_id_key key;
    uint8_t ones[UUID_LEN] = {0}, zeros[UUID_LEN] = {0};
    (void)state;
    client_id_key_derive(&key, secret);
    for (int i = 0; i < 200; i++) {
        struct uuid id;
        assert_true(client_id_mint(&key, NOW_S, &id));
        for (size_t j = 0; j < UUID_LEN; j++) {
            ones[j] |= id.bytes[j];
            zeros[j] |= (uint8_t)~id.bytes[j];
        }
    }
    for (size_t j = 4; j < UUID_LEN; j++) {
        uint8_t both = ones[j] & zeros[j];
        assert_int_equal(both, j == 6 ? 0x0F : j == 8 ? 0x3F : 0xFF);
    }
}

static void an_id_has_an_age(void **state)
{
    static const struct {
        int64_t minted_s, now_s, expected;
        const char *why;
    } rows[] = {
        {1700000000, 1700000000, 0, "just minted"},
        {1700000000, 1700086401, 86401, "a day and a second"},
        {1700000000, 1699999990, -10, "by a server whose clock is ahead"},
        {4294967290, 4294967300, 10, "over the end of 32 bits, in 2106"},
        {0, INT32_MAX, INT32_MAX, "as old as it gets"},
    };
    struct client_id_key key;
    struct uuid id;
    (void)state;
    client_id_key_derive(&key, secret);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(client_id_mint(&key, rows[i].minted_s, &id));
        assert_true(client_id_is_ours(&key, &id));
        if (client_id_age_s(&id, rows[i].now_s) != rows[i].expected)
            fail_msg("%s", rows[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minted_ids_are_ours),     cmocka_unit_test(the_layout_is_a_promise),
        cmocka_unit_test(changed_ids_are_foreign), cmocka_unit_test(another_secret_makes_other_ids),
        cmocka_unit_test(ids_are_random),          cmocka_unit_test(an_id_has_an_age),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
