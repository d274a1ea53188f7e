#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hmac.h"
#include "resume/client_id.h"

static const uint8_t secret[CLIENT_ID_SECRET_LEN] = "the secret of one docroot, 32 by";

static void minted_ids_are_ours(void **state)
{
    struct client_id_key key;
    (void)state;
    client_id_key_derive(&key, secret);
    for (int i = 0; i < 1000; i++) {
        struct uuid id;
        assert_true(client_id_mint(&key, &id));
        assert_int_equal(uuid_version(&id), 8);
        assert_true(client_id_is_ours(&key, &id));
    }
}

/* An id lives longer than the server that minted it: the layout is that of the header, for ever. */
static void the_layout_is_a_promise(void **state)
{
    struct client_id_key key;
    struct uuid id = {{0, 1, 2, 3, 4, 5, 0x86, 7, 0x88, 9}};
    uint8_t derived[HMAC_SHA256_LEN];
    (void)state;
    hmac_sha256_of(secret, sizeof secret, "httpd client id", 15, derived);
    uint64_t code = siphash24(derived, id.bytes, 10);
    for (unsigned i = 0; i < 6; i++)
        id.bytes[10 + i] = (uint8_t)(code >> 8 * i);
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
    assert_true(client_id_mint(&key, &id));
    for (unsigned bit = 0; bit < 128; bit++) {
        struct uuid other = id;
        other.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(client_id_is_ours(&key, &other));
    }
    for (unsigned version = 0; version < 16; version++) {
        struct uuid other = id;
        uuid_set_version(&other, version);
        uint64_t code = siphash24(key.siphash_, other.bytes, 10);
        for (unsigned i = 0; i < 6; i++)
            other.bytes[10 + i] = (uint8_t)(code >> 8 * i);
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
    assert_true(client_id_mint(&key, &id));
    for (size_t i = 0; i < sizeof other; i++) { /* every byte of the secret counts */
        memcpy(other, secret, sizeof other);
        other[i] ^= 1;
        client_id_key_derive(&foreign, other);
        assert_false(client_id_is_ours(&foreign, &id));
    }
}

/* Each of the 74 random bits is seen set and seen clear, so none is stuck. */
static void ids_are_random(void **state)
{
    struct client_id_key key;
    uint8_t ones[UUID_LEN] = {0}, zeros[UUID_LEN] = {0};
    (void)state;
    client_id_key_derive(&key, secret);
    for (int i = 0; i < 200; i++) {
        struct uuid id;
        assert_true(client_id_mint(&key, &id));
        for (size_t j = 0; j < UUID_LEN; j++) {
            ones[j] |= id.bytes[j];
            zeros[j] |= (uint8_t)~id.bytes[j];
        }
    }
    for (size_t j = 0; j < UUID_LEN; j++) {
        uint8_t both = ones[j] & zeros[j];
        assert_int_equal(both, j == 6 ? 0x0F : j == 8 ? 0x3F : 0xFF);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minted_ids_are_ours),     cmocka_unit_test(the_layout_is_a_promise),
        cmocka_unit_test(changed_ids_are_foreign), cmocka_unit_test(another_secret_makes_other_ids),
        cmocka_unit_test(ids_are_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
