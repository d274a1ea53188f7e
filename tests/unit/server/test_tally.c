#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/tally.h"

#include <stdio.h>
#include <stdlib.h>

static struct address address_of(const char *text, uint16_t port)
{
    struct address address;

    assert_true(address_parse(&address, text, port));
    return address;
}

static void together(void **state)
{
    (void)state;
    static const struct {
        const char *one, *other;
        bool same;
        const char *why;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true, "the same, from another port"},
        {"192.0.2.1", "192.0.2.2", false, "neighbours are two"},
        {"192.0.2.1", "::ffff:192.0.2.1", true, "the same client over a socket for both families"},
        {"::ffff:192.0.2.1", "::ffff:192.0.2.2", false, "mapped neighbours are two"},
        {"2001:db8::1", "2001:db8::ffff:ffff:ffff:2", true, "one network of 64 bits"},
        {"2001:db8::1", "2001:db8:0:1::1", false, "the network beside it"},
        {"::", "0.0.0.0", false, "all zero in both families"},
        {"c000:201::", "192.0.2.1", false, "the same first bytes in another family"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tally tally;
        struct address one = address_of(rows[i].one, 1), other = address_of(rows[i].other, 2);
        assert_int_equal(tally_init(&tally, 100), 0);
        _Atomic uint32_t *count = tally_of(&tally, &one);
        assert_non_null(count);
        atomic_fetch_add(count, 1);
        if ((tally_of(&tally, &other) == count) != rows[i].same)
            fail_msg("%s and %s: %s", rows[i].one, rows[i].other, rows[i].why);
        tally_free(&tally);
    }
}

enum { MANY = 1000 };

static struct address numbered(unsigned n)
{
    char text[32];

    snprintf(text, sizeof text, "10.%u.%u.%u", n >> 16 & 255, n >> 8 & 255, n & 255);
    return address_of(text, 1);
}

/* As many addresses as there are connections have a count each, whatever came and went before. */
static void all_at_once(void **state)
{
    (void)state;
    struct tally tally;
    _Atomic uint32_t *counts[MANY];

    assert_int_equal(tally_init(&tally, MANY), 0);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < MANY; i++) {
            struct address address = numbered(round * MANY + i);
            counts[i] = tally_of(&tally, &address);
            assert_non_null(counts[i]);
            assert_int_equal(atomic_fetch_add(counts[i], i + 1), 0);
        }
        for (unsigned i = 0; i < MANY; i++) {
            struct address address = numbered(round * MANY + i);
            assert_ptr_equal(tally_of(&tally, &address), counts[i]);
            assert_int_equal(*counts[i], i + 1);
        }
        for (unsigned i = 0; i < MANY; i++)
            atomic_store(counts[i], 0);
    }
    tally_free(&tally);
}

/* A place that becomes free before an address must not hide where that address stands. */
static void holes(void **state)
{
    (void)state;
    struct tally tally;
    _Atomic uint32_t *counts[MANY];

    assert_int_equal(tally_init(&tally, MANY), 0);
    for (unsigned i = 0; i < MANY; i++) {
        struct address address = numbered(i);
        counts[i] = tally_of(&tally, &address);
        atomic_fetch_add(counts[i], 1);
    }
    for (unsigned i = 0; i < MANY; i += 2)
        atomic_store(counts[i], 0);
    for (unsigned i = 1; i < MANY; i += 2) {
        struct address address = numbered(i);
        assert_ptr_equal(tally_of(&tally, &address), counts[i]);
    }
    tally_free(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(together),
        cmocka_unit_test(all_at_once),
        cmocka_unit_test(holes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
