#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/trust.h"

static void believes_who_is_listed(void **state)
{
    static const struct {
        const char *block, *address;
        bool trusted;
        const char *why;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1", true, "one address"},
        {"192.0.2.1", "192.0.2.2", false, "its neighbour"},
        {"192.0.2.1/32", "192.0.2.1", true, "all bits"},
        {"10.0.0.0/8", "10.255.255.255", true, "the last of a network"},
        {"10.0.0.0/8", "11.0.0.0", false, "the first of the next"},
        {"192.0.2.128/25", "192.0.2.128", true, "bits that end within a byte"},
        {"192.0.2.128/25", "192.0.2.127", false, "and just outside"},
        {"0.0.0.0/0", "203.0.113.9", true, "everybody"},
        {"0.0.0.0/0", "2001:db8::1", false, "but of that family alone"},
        {"2001:db8::/32", "2001:db8:ffff::1", true, "an IPv6 network"},
        {"2001:db8::/32", "2001:db9::1", false, "the next"},
        {"2001:db8::/33", "2001:db8:8000::1", false, "a bit more"},
        {"::1", "::1", true, "the loopback"},
        {"::/0", "192.0.2.1", false, "IPv4 is not IPv6"},
        {"192.0.2.0/24", "::ffff:192.0.2.7", true, "IPv4 as a socket for both shows it"},
        {"::ffff:192.0.2.7", "192.0.2.7", true, "and written so"},
        {"unix", "127.0.0.1", false, "a UNIX socket is no address"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct trust trust = {.count = 0};
        struct address address;
        assert_true(address_parse(&address, rows[i].address, 1));
        assert_false(trust_has(&trust, &address));
        assert_true(trust_is_empty(&trust));
        if (!trust_add(&trust, rows[i].block))
            fail_msg("%s: not taken", rows[i].why);
        assert_false(trust_is_empty(&trust));
        if (trust_has(&trust, &address) != rows[i].trusted)
            fail_msg("%s: %s in %s", rows[i].why, rows[i].address, rows[i].block);
    }
}

static void believes_unix_sockets_if_told_to(void **state)
{
    struct address address = {.any.sa_family = AF_UNIX, .len = sizeof(sa_family_t)};
    struct trust trust = {.count = 0};

    (void)state;
    assert_true(trust_add(&trust, "0.0.0.0/0") && trust_add(&trust, "::/0"));
    assert_false(trust_has(&trust, &address));
    assert_true(trust_add(&trust, "unix"));
    assert_true(trust_has(&trust, &address));
}

static void refuses_what_is_no_block(void **state)
{
    static const char *const rows[] = {
        "",
        "*",
        "localhost",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/-1",
        "10.0.0.0/8x",
        "10.0.0.1/8",
        "10.0.0.0/8/8",
        "2001:db8::/129",
        "2001:db8::1/64",
        "/8",
        "unix/8",
        "Unix",
        "10.0.0.0 /8",
        "0000000000000000000000000000000000000000000000000000000000000000000001/8",
    };
    struct trust trust = {.count = 0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (trust_add(&trust, rows[i]))
            fail_msg("taken: '%s'", rows[i]);
    for (unsigned i = 0; i < TRUST_LIMIT; i++)
        assert_true(trust_add(&trust, "192.0.2.1"));
    assert_false(trust_add(&trust, "192.0.2.2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(believes_who_is_listed),
        cmocka_unit_test(believes_unix_sockets_if_told_to),
        cmocka_unit_test(refuses_what_is_no_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
