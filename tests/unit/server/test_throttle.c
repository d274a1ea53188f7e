#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/throttle.h"

#include <stdlib.h>

static struct address at(const char *text)
{
    struct address address;

    assert_true(address_parse(&address, text, 4711));
    return address;
}

static struct throttle *make(void)
{
    struct throttle *throttle = malloc(sizeof *throttle);

    assert_non_null(throttle);
    assert_true(throttle_init(throttle));
    return throttle;
}

static void fail_often(struct throttle *throttle, const struct address *who, int64_t now_ms)
{
    for (unsigned i = 1; i <= THROTTLE_FAILURES; i++)
        assert_int_equal(throttle_failed(throttle, who, now_ms), i);
}

static void test_waits_after_the_limit(void **state)
{
    struct throttle *throttle = make();
    struct address who = at("192.0.2.1"), other = at("192.0.2.2");

    (void)state;
    for (unsigned i = 1; i < THROTTLE_FAILURES; i++)
        assert_int_equal(throttle_failed(throttle, &who, 1000 * i), i);
    assert_int_equal(throttle_wait_s(throttle, &who, 9000), 0);
    throttle_failed(throttle, &who, 10000);
    /* The minute began with the first failure, at 1 s, and is over at 61 s. */
    assert_int_equal(throttle_wait_s(throttle, &who, 10000), 51);
    assert_int_equal(throttle_wait_s(throttle, &who, 60999), 1);
    assert_int_equal(throttle_wait_s(throttle, &who, 61000), 0);
    assert_int_equal(throttle_wait_s(throttle, &other, 10000), 0);
    assert_int_equal(throttle_failed(throttle, &who, 61000), 1);
    free(throttle);
}

/* Whose failures count together. */
static void test_addresses(void **state)
{
    static const struct {
        const char *fails, *asks;
        bool waits;
        const char *why;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true, "the same address, from whatever port"},
        {"192.0.2.1", "192.0.2.3", false, "a neighbour"},
        {"::ffff:192.0.2.1", "192.0.2.1", true, "IPv4 mapped into IPv6 is IPv4"},
        {"2001:db8:0:1::1", "2001:db8:0:1:ffff::9", true, "one network of IPv6 has one owner"},
        {"2001:db8:0:1::1", "2001:db8:0:2::1", false, "the next network"},
        {"::1", "127.0.0.1", false, "two loopbacks"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct throttle *throttle = make();
        struct address fails = at(rows[i].fails), asks = at(rows[i].asks);

        fail_often(throttle, &fails, 0);
        if ((throttle_wait_s(throttle, &asks, 1) > 0) != rows[i].waits)
            fail_msg("%s, %s: %s", rows[i].fails, rows[i].asks, rows[i].why);
        free(throttle);
    }
}

/* However many addresses have failed, the one that fails now has to wait. */
static void test_many_addresses(void **state)
{
    struct throttle *throttle = make();
    struct address who = at("10.0.0.0");
    uint32_t first = ntohl(who.v4.sin_addr.s_addr);

    (void)state;
    for (uint32_t i = 0; i < 20000; i++) {
        who.v4.sin_addr.s_addr = htonl(first + i);
        fail_often(throttle, &who, i / 1000);
        assert_int_not_equal(throttle_wait_s(throttle, &who, i / 1000), 0);
    }
    free(throttle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_after_the_limit),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_many_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
