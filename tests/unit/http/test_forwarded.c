#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/forwarded.h"
#include "unit/guard.h"

struct row {
    const char *element, *host, *why;
};

static void expect(const struct row *rows, size_t count, struct span (*host_of)(struct span))
{
    struct guard guard = guard_open(256);

    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(rows[i].element);
        struct span host = host_of(span_make(guard_flush(&guard, rows[i].element, len), len));
        if (!span_equal(host, span_of(rows[i].host)))
            fail_msg("%s: got '" SPAN_FMT "'", rows[i].why, SPAN_ARG(host));
        /* Every prefix: whatever it says, it is found without reading past its end. */
        for (size_t n = 0; n < len; n++)
            host_of(span_make(guard_flush(&guard, rows[i].element, n), n));
    }
    guard_close(&guard);
}

static void reads_forwarded(void **state)
{
    static const struct row rows[] = {
        {"for=192.0.2.43", "192.0.2.43", "RFC 7239 4"},
        {"for=\"_gazonk\"", "_gazonk", "RFC 7239 4: a name that hides"},
        {"For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17", "RFC 7239 4: IPv6, any case"},
        {"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60", "RFC 7239 4: first of three"},
        {"proto=http;by=203.0.113.43;for=192.0.2.60", "192.0.2.60", "last of three"},
        {"for=\"192.0.2.43:47011\"", "192.0.2.43", "RFC 7239 6: with a port"},
        {"for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17", "RFC 7239 6: without a port"},
        {"for=\"[2001:db8:cafe::17]:_p\"", "2001:db8:cafe::17", "a port that hides"},
        {"for=unknown", "unknown", "RFC 7239 6.2"},
        {"for=\"\"", "", "an empty string"},
        {"for=", "", "no value"},
        {"", "", "an empty element"},
        {"by=203.0.113.43", "", "no for"},
        {"xfor=1.2.3.4", "", "another parameter that ends so"},
        {"proto=\"a;for=1.2.3.4\"", "", "a parameter within a string"},
        {"for=1.2.3.4;for=5.6.7.8", "", "twice: RFC 7239 4 forbids it"},
        {"for=\"1.2.3.4", "", "a string without its end"},
        {"for=\"", "", "a quote alone"},
        {"for=\"1.2.3.4\"5", "", "something behind the string"},
        {"for=\"1.2\\.3.4\"", "", "an escape"},
        {"for=\"[2001:db8::1\"", "", "a bracket without its end"},
        {"for=\"[2001:db8::1]x\"", "", "something behind the bracket"},
        {"for", "", "no equals sign"},
        {"for =1.2.3.4", "", "a space before it"},
    };

    (void)state;
    expect(rows, sizeof rows / sizeof *rows, forwarded_host);
}

static void reads_x_forwarded_for(void **state)
{
    static const struct row rows[] = {
        {"203.0.113.195", "203.0.113.195", "IPv4"},
        {" 203.0.113.195\t", "203.0.113.195", "with space around it"},
        {"203.0.113.195:4711", "203.0.113.195", "with a port, as some write it"},
        {"2001:db8:85a3:8d3:1319:8a2e:370:7348", "2001:db8:85a3:8d3:1319:8a2e:370:7348", "IPv6"},
        {"[2001:db8::1]:4711", "2001:db8::1", "IPv6 with a port"},
        {"[2001:db8::1]", "2001:db8::1", "IPv6 in brackets"},
        {"::1", "::1", "two colons and one digit"},
        {"unknown", "unknown", "no address"},
        {"", "", "nothing"},
        {"[", "", "a bracket alone"},
        {"[]", "", "nothing in brackets"},
        {":80", "", "a port alone"},
    };

    (void)state;
    expect(rows, sizeof rows / sizeof *rows, forwarded_for_host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_forwarded),
        cmocka_unit_test(reads_x_forwarded_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
