#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/proxy_header.h"
#include "unit/guard.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4_BLOCK  "\xc0\x00\x02\x01\xc6\x33\x64\x01\xdc\x04\x01\xbb" /* 192.0.2.1:56324 ... :443 */
#define V6_SOURCE "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define V6_BLOCK  V6_SOURCE V6_SOURCE "\xdc\x04\x01\xbb"
#define SIX(x)    x x x x x x
#define NINE(x)   x x x x x x x x x
#define ROW(text) text, sizeof(text) - 1

static const struct row {
    const char *input;
    size_t len;
    enum proxy_result result;
    enum proxy_family family;
    const char *source;
    size_t source_len;
    uint16_t port;
    size_t used; /* length of the header */
    const char *why;
} rows[] = {
    /* Version 1, section 2.1 of the specification. */
    {ROW("PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\nGET / HTTP/1.1\r\n"), PROXY_DONE,
     PROXY_IPV4, ROW("192.0.2.1"), 56324, 45, "a line, and a request behind it"},
    {ROW("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"), PROXY_DONE, PROXY_IPV4,
     ROW("255.255.255.255"), 65535, 56, "the specification's longest of IPv4"},
    {ROW("PROXY TCP6 2001:db8::1 ::1 0 1\r\n"), PROXY_DONE, PROXY_IPV6, ROW("2001:db8::1"), 0, 32,
     "IPv6, port 0"},
    {ROW("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     PROXY_DONE, PROXY_IPV6, ROW("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 65535, 104,
     "the specification's longest of IPv6"},
    {ROW("PROXY UNKNOWN\r\n"), PROXY_DONE, PROXY_UNKNOWN, ROW(""), 0, 15, "not known"},
    {ROW("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     PROXY_DONE, PROXY_UNKNOWN, ROW(""), 0, 107, "the specification's worst case: 107 bytes"},
    {ROW("PROXY UNKNOWN " SIX(NINE("x")) SIX(NINE("x"))), PROXY_BAD, 0, ROW(""), 0, 0,
     "longer than any line may be"},
    {ROW("PROXY "), PROXY_PARTIAL, 0, ROW(""), 0, 0, "a begin"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r"), PROXY_PARTIAL, 0, ROW(""), 0, 0, "all but LF"},
    {ROW("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "no header at all"},
    {ROW("POST / HTTP/1.1\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "one that begins alike"},
    {ROW("proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "small letters"},
    {ROW("PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "no such family"},
    {ROW("PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "datagrams"},
    {ROW("PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "two spaces"},
    {ROW("PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "two spaces within"},
    {ROW("PROXY TCP4\t1.2.3.4 5.6.7.8 1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "a tab"},
    {ROW("PROXY TCP4 ::1 ::1 1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "IPv6 in TCP4"},
    {ROW("PROXY TCP4 a.example 5.6.7.8 1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "a name"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "port too high"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "a leading zero"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "a sign"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8  2\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "no port"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "one port"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n"), PROXY_BAD, 0, ROW(""), 0, 0, "bare LF"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "a space at the end"},
    {ROW("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rX"), PROXY_BAD, 0, ROW(""), 0, 0, "bare CR"},
    {ROW("PROXY UNKNOWN\n"), PROXY_BAD, 0, ROW(""), 0, 0, "UNKNOWN and bare LF"},
    {ROW("PROXY UNKNOWN x\0\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "UNKNOWN and NUL"},

    /* Version 2, section 2.2. */
    {ROW(SIGNATURE "\x21\x11\x00\x0c" V4_BLOCK "GET"), PROXY_DONE, PROXY_IPV4,
     ROW("\xc0\x00\x02\x01"), 56324, 28, "TCP over IPv4"},
    {ROW(SIGNATURE "\x21\x21\x00\x24" V6_BLOCK), PROXY_DONE, PROXY_IPV6, ROW(V6_SOURCE), 56324, 52,
     "TCP over IPv6"},
    {ROW(SIGNATURE "\x21\x11\x00\x13" V4_BLOCK "\x04\x00\x04zero"), PROXY_DONE, PROXY_IPV4,
     ROW("\xc0\x00\x02\x01"), 56324, 35, "an extension behind the addresses"},
    {ROW(SIGNATURE "\x20\x00\x00\x00"), PROXY_DONE, PROXY_UNKNOWN, ROW(""), 0, 16,
     "LOCAL: a health check"},
    {ROW(SIGNATURE "\x20\x11\x00\x0c" V4_BLOCK), PROXY_DONE, PROXY_UNKNOWN, ROW(""), 0, 28,
     "LOCAL with an address, which is to be ignored"},
    {ROW(SIGNATURE "\x20\xff\x00\x01x"), PROXY_DONE, PROXY_UNKNOWN, ROW(""), 0, 17,
     "LOCAL with any family"},
    {ROW(SIGNATURE "\x21\x00\x00\x02xy"), PROXY_DONE, PROXY_UNKNOWN, ROW(""), 0, 18,
     "an unspecified family"},
    {ROW(SIGNATURE "\x21\x31\x00\xd8" SIX(SIX("123456"))), PROXY_DONE, PROXY_UNKNOWN, ROW(""), 0,
     232, "UNIX sockets: 216 bytes of paths"},
    {ROW(SIGNATURE "\x21\x11\x00\x0c\xc0\x00\x02"), PROXY_PARTIAL, 0, ROW(""), 0, 0,
     "an address that is not whole"},
    {ROW(SIGNATURE "\x21\x11\x00\x0b" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0,
     "a length that is less than the addresses"},
    {ROW(SIGNATURE "\x21\x21\x00\x0c" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0, "IPv6 of 12 bytes"},
    {ROW(SIGNATURE "\x21\x31\x00\x0c" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0, "UNIX of 12 bytes"},
    {ROW(SIGNATURE "\x11\x11\x00\x0c" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0, "version 1"},
    {ROW(SIGNATURE "\x31\x11\x00\x0c" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0, "version 3"},
    {ROW(SIGNATURE "\x22\x11\x00\x0c" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0, "no such command"},
    {ROW(SIGNATURE "\x21\x12\x00\x0c" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0, "datagrams"},
    {ROW(SIGNATURE "\x21\x41\x00\x0c" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0, "no such family"},
    {ROW(SIGNATURE "\x21\x10\x00\x0c" V4_BLOCK), PROXY_BAD, 0, ROW(""), 0, 0, "no transport"},
    {ROW(SIGNATURE "\x21\x11\x0f\xf1"), PROXY_BAD, 0, ROW(""), 0, 0, "longer than 4096 bytes"},
    {ROW(SIGNATURE "\x21\x11\xff\xff"), PROXY_BAD, 0, ROW(""), 0, 0, "the longest there can be"},
    {ROW("\r\n\r\n\0\r\nQUIX\n"), PROXY_BAD, 0, ROW(""), 0, 0, "a damaged signature"},
    {ROW("\r\nGET / HTTP/1.1\r\n"), PROXY_BAD, 0, ROW(""), 0, 0, "an empty line before a request"},
};

/* Parses as a server does: what came so far, again and again. The bytes at which it was decided go
   to *at. */
static enum proxy_result arrive(struct guard *guard, const struct row *row, size_t first,
                                size_t step, struct proxy_header *header, size_t *at)
{
    enum proxy_result result = PROXY_PARTIAL;

    for (size_t n = first; result == PROXY_PARTIAL; n = n + step < row->len ? n + step : row->len) {
        result = proxy_header_parse(header, guard_flush(guard, row->input, n), n);
        *at = n;
        if (n == row->len)
            break;
    }
    return result;
}

static void expect(struct guard *guard, const struct row *row, size_t first, size_t step)
{
    struct proxy_header header;
    size_t at;
    enum proxy_result result = arrive(guard, row, first, step, &header, &at);

    if (result != row->result)
        fail_msg("%s, %zu and %zu bytes: result %d", row->why, first, step, (int)result);
    if (result != PROXY_DONE)
        return;
    if (header.family != row->family || header.len != row->used || header.port != row->port ||
        !span_equal(header.source, span_make(row->source, row->source_len)))
        fail_msg("%s, %zu and %zu bytes: family %d, %zu bytes, port %u", row->why, first, step,
                 (int)header.family, header.len, header.port);
    assert_true(header.len <= at);
}

/* Whole, byte by byte, and in two pieces that part at each position. */
static void reads_however_it_comes(void **state)
{
    struct guard guard = guard_open(8192);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t split = 0; split <= rows[i].len; split++)
            expect(&guard, &rows[i], split, rows[i].len);
        expect(&guard, &rows[i], 0, 1);
    }
    guard_close(&guard);
}

/* Nothing before the last byte of a header makes it whole, and no prefix of a good one is bad. */
static void is_partial_until_whole(void **state)
{
    struct guard guard = guard_open(8192);
    struct proxy_header header;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t n = 0; rows[i].result == PROXY_DONE && n < rows[i].used; n++)
            if (proxy_header_parse(&header, guard_flush(&guard, rows[i].input, n), n) !=
                PROXY_PARTIAL)
                fail_msg("%s: decided after %zu bytes", rows[i].why, n);
    guard_close(&guard);
}

/* A stranger who sends a request is known for one at its first byte: nobody waits for a header. */
static void refuses_at_the_first_wrong_byte(void **state)
{
    struct proxy_header header;

    (void)state;
    assert_int_equal(proxy_header_parse(&header, "G", 1), PROXY_BAD);
    assert_int_equal(proxy_header_parse(&header, "PO", 2), PROXY_BAD);
    assert_int_equal(proxy_header_parse(&header, "\r\nG", 3), PROXY_BAD);
    assert_int_equal(proxy_header_parse(&header, SIGNATURE "\x11", 13), PROXY_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_however_it_comes),
        cmocka_unit_test(is_partial_until_whole),
        cmocka_unit_test(refuses_at_the_first_wrong_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
