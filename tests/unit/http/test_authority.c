#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/authority.h"
#include "unit/guard.h"

static void authorities_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text, *host, *port; /* port NULL: no colon */
        const char *why;
    } rows[] = {
        {"localhost", "localhost", NULL, "a name"},
        {"localhost:8080", "localhost", "8080", "a name and a port"},
        {"127.0.0.1:80", "127.0.0.1", "80", "an IPv4 address"},
        {"999.999.999.999", "999.999.999.999", NULL, "not an address, so a name"},
        {"example.org:", "example.org", "", "an empty port (RFC 3986 3.2.3)"},
        {"a:0", "a", "0", "the smallest port"},
        {"a:65535", "a", "65535", "the largest port"},
        {"a:0000000065535", "a", "0000000065535", "leading zeros: 1*DIGIT has no bound"},
        {"a-b_c~d.e!$&'()*+,;=", "a-b_c~d.e!$&'()*+,;=", NULL, "unreserved and sub-delims"},
        {"%C3%B1.org", "%C3%B1.org", NULL, "percent-encoded"},
        {"[::1]:8080", "[::1]", "8080", "an IPv6 address"},
        {"[::]", "[::]", NULL, "all groups left out"},
        {"[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:8]", NULL, "no group left out"},
        {"[2001:DB8::ffff]", "[2001:DB8::ffff]", NULL, "both cases"},
        {"[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7::]", NULL, "the last group left out"},
        {"[::2:3:4:5:6:7:8]", "[::2:3:4:5:6:7:8]", NULL, "the first group left out"},
        {"[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]", NULL, "an IPv4 address in it"},
        {"[1:2:3:4:5:6:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.1]", NULL, "six groups and IPv4"},
        {"[1:2:3:4:5::192.0.2.1]", "[1:2:3:4:5::192.0.2.1]", NULL, "five groups, gap, IPv4"},
    };
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct authority authority;
        size_t len = strlen(rows[i].text);
        struct span text = span_make(guard_flush(&guard, rows[i].text, len), len);
        if (!authority_parse(&authority, text))
            fail_msg("%s: %s", rows[i].text, rows[i].why);
        assert_true(span_equal(authority.host, span_of(rows[i].host)));
        assert_int_equal(authority.port.ptr == NULL, rows[i].port == NULL);
        if (rows[i].port != NULL)
            assert_true(span_equal(authority.port, span_of(rows[i].port)));
    }
    guard_close(&guard);
}

static void what_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct span text;
        const char *why;
    } rows[] = {
        {SPAN(""), "no host"},
        {SPAN(":80"), "a port without a host (RFC 9110 4.2.1)"},
        {SPAN("a:65536"), "a port that is none"},
        {SPAN("a:99999999999999999999999"), "a port that does not fit anything"},
        {SPAN("a:-1"), "a sign"},
        {SPAN("a:80x"), "more after the port"},
        {SPAN("a:80:80"), "two ports"},
        {SPAN("user@a"), "user information (RFC 9110 4.2.4)"},
        {SPAN("user:pw@a:80"), "user information with a password"},
        {SPAN("a/b"), "a path"},
        {SPAN("a b"), "space"},
        {SPAN("a,b c"), "a list"},
        {SPAN("a\0b"), "NUL"},
        {SPAN("\xC3\xB1.org"), "not ASCII"},
        {SPAN("a%"), "half a percent-encoding"},
        {SPAN("a%4"), "half a percent-encoding"},
        {SPAN("a%4g"), "a percent-encoding with a wrong digit"},
        {SPAN("::1"), "IPv6 without brackets"},
        {SPAN("[::1"), "an open bracket"},
        {SPAN("["), "an open bracket alone"},
        {SPAN("[]"), "no address"},
        {SPAN("[::1]a"), "more after the bracket"},
        {SPAN("[127.0.0.1]"), "IPv4 in brackets"},
        {SPAN("[::1%25eth0]"), "a zone"},
        {SPAN("[v1.a]"), "a version yet to come"},
        {SPAN("[:1]"), "one colon at the front"},
        {SPAN("[1:]"), "one colon at the end"},
        {SPAN("[1:2:3:4:5:6:7]"), "seven groups"},
        {SPAN("[1:2:3:4:5:6:7:8:9]"), "nine groups"},
        {SPAN("[1:2:3:4:5:6:7:8::]"), "a gap for no group"},
        {SPAN("[1::2::3]"), "two gaps"},
        {SPAN("[:::]"), "three colons"},
        {SPAN("[12345::]"), "five digits"},
        {SPAN("[::g]"), "a wrong digit"},
        {SPAN("[::1.2.3]"), "three octets"},
        {SPAN("[::1.2.3.4.5]"), "five octets"},
        {SPAN("[::1.2.3.]"), "an empty octet"},
        {SPAN("[::1.2.3.256]"), "an octet too large"},
        {SPAN("[::1.2.3.04]"), "an octet with a leading zero"},
        {SPAN("[::1.2.3.4:5]"), "IPv4 not at the end"},
        {SPAN("[1:2:3:4:5:6:7:1.2.3.4]"), "IPv4 after seven groups"},
        {SPAN("[1:2:3:4:5:6::1.2.3.4]"), "IPv4 after six groups and a gap"},
    };
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct authority authority;
        struct span text =
            span_make(guard_flush(&guard, rows[i].text.ptr, rows[i].text.len), rows[i].text.len);
        if (authority_parse(&authority, text))
            fail_msg(SPAN_FMT ": %s", SPAN_ARG(rows[i].text), rows[i].why);
    }
    guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorities_are_taken_apart),
        cmocka_unit_test(what_is_none_is_refused),
    };
    return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
