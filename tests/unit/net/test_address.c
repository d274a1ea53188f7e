#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/address.h"

static void reads_and_writes(void **state)
{
    static const struct {
        const char *text, *host, *with_port;
        bool loopback;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1", "127.0.0.1:80", true},
        {"127.255.0.9", "127.255.0.9", "127.255.0.9:80", true},
        {"10.1.2.3", "10.1.2.3", "10.1.2.3:80", false},
        {"::1", "::1", "[::1]:80", true},
        {"[::1]", "::1", "[::1]:80", true},
        {"2001:db8:0:0::1", "2001:db8::1", "[2001:db8::1]:80", false},
        {"::ffff:127.0.0.1", "127.0.0.1", "127.0.0.1:80", true},
        {"*", "::", "[::]:80", false},
        {"0.0.0.0", "0.0.0.0", "0.0.0.0:80", false},
        {"10.99.100.255", "10.99.100.255", "10.99.100.255:80", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct address address;
        char bytes[ADDRESS_TEXT_LIMIT];
        struct buffer out = BUFFER_OVER(bytes);

        assert_true(address_parse(&address, rows[i].text, 80));
        address_put_host(&out, &address);
        assert_true(span_equal(buffer_span(&out), span_of(rows[i].host)));
        out.len = 0;
        address_put(&out, &address);
        assert_true(span_equal(buffer_span(&out), span_of(rows[i].with_port)));
        assert_int_equal(address_is_loopback(&address), rows[i].loopback);
        assert_int_equal(address_port(&address), 80);
        assert_int_equal(address_is_every(&address),
                         strcmp(rows[i].host, "::") == 0 || strcmp(rows[i].host, "0.0.0.0") == 0);
    }
}

static void refuses_what_is_no_address(void **state)
{
    static const char *const rows[] = {
        "",
        "localhost",
        "127.0.0.1:80",
        "256.0.0.1",
        "1.2.3",
        "[::1",
        "::1]",
        "127.0.0.1 ",
        "[127.0.0.1",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999",
        "0000000000000000000000000000000000000000000000000000000000000000000001",
    };
    struct address address;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(address_parse(&address, rows[i], 80));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(refuses_what_is_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
