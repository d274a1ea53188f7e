#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/request.h"
#include "unit/guard.h"

/* One result of request_parse, with the input flush against an unreadable page. */
struct parsed {
    enum request_result result;
    enum status refusal;
    size_t skipped;
};

static struct parsed parse(struct guard *guard, struct request *request, const char *bytes,
                           size_t len)
{
    struct parsed parsed = {REQUEST_PARTIAL, STATUS_NONE, 0};
    parsed.result = request_parse(request, guard_flush(guard, bytes, len), len, &parsed.skipped,
                                  &parsed.refusal);
    return parsed;
}

/* The beginning of a head that is good so far. */
#define HEAD_1_1 "GET / HTTP/1.1\r\nHost: a\r\n"

struct good_row {
    struct span input; /* a head and nothing after it */
    enum version version;
    enum target_form form;
    enum framing framing;
    uint64_t length;
    bool persistent;
    bool expects_continue;
    const char *why;
};

static const struct good_row good_rows[] = {
    {SPAN("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_NONE, 0, true,
     false, "the smallest 1.1 request"},
    {SPAN("GET / HTTP/1.1\r\nHost:\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_NONE, 0, true,
     false, "an empty Host (RFC 9112 3.2)"},
    {SPAN("GET / HTTP/1.0\r\n\r\n"), VERSION_1_0, TARGET_ORIGIN, FRAMING_NONE, 0, false, false,
     "the smallest 1.0 request: closes"},
    {SPAN("GET / HTTP/1.9\r\nHost: a\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_NONE, 0, true,
     false, "a later minor version is 1.1 (RFC 9110 2.5)"},
    {SPAN("GET /\r\n"), VERSION_0_9, TARGET_ORIGIN, FRAMING_NONE, 0, false, false,
     "a simple request ends with its line"},
    {SPAN("GET http://a/b\r\n"), VERSION_0_9, TARGET_ABSOLUTE, FRAMING_NONE, 0, false, false,
     "a simple request through a proxy"},
    {SPAN("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_NONE, 0, true,
     false, "an unknown method is well-formed"},
    {SPAN("GET /\xC3\xB1\"<>\\^`{|} HTTP/1.1\r\nHost: a\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_NONE, 0, true, false, "what clients do not encode is the target's business"},

    {SPAN("GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n"), VERSION_1_1, TARGET_ABSOLUTE, FRAMING_NONE,
     0, true, false, "absolute-form (RFC 9112 3.2.2)"},
    {SPAN("GET u+r-n.1:x HTTP/1.1\r\nHost: a\r\n\r\n"), VERSION_1_1, TARGET_ABSOLUTE, FRAMING_NONE,
     0, true, false, "every character of a scheme (RFC 3986 3.1)"},
    {SPAN("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), VERSION_1_1, TARGET_ASTERISK, FRAMING_NONE, 0,
     true, false, "asterisk-form (RFC 9112 3.2.4)"},
    {SPAN("CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"), VERSION_1_1, TARGET_AUTHORITY,
     FRAMING_NONE, 0, true, false, "authority-form (RFC 9112 3.2.3)"},

    {SPAN(HEAD_1_1 "Connection: close\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_NONE, 0, false,
     false, "1.1 closes when asked (RFC 9112 9.3)"},
    {SPAN(HEAD_1_1 "Connection: x, CLOSE ,y\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_NONE, 0,
     false, false, "Connection is a list of tokens"},
    {SPAN(HEAD_1_1 "Connection: x\r\nConnection: close\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_NONE, 0, false, false, "and may stand twice"},
    {SPAN(HEAD_1_1 "Connection: closed, not-close\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_NONE, 0, true, false, "tokens are compared whole"},
    {SPAN(HEAD_1_1 "Connection: keep-alive, close\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_NONE, 0, false, false, "close wins"},
    {SPAN("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"), VERSION_1_0, TARGET_ORIGIN,
     FRAMING_NONE, 0, true, false, "1.0 stays when asked"},
    {SPAN("GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n"), VERSION_1_0,
     TARGET_ORIGIN, FRAMING_NONE, 0, false, false, "close wins in 1.0"},
    {SPAN("GET / HTTP/1.0\r\nHost: a\r\n\r\n"), VERSION_1_0, TARGET_ORIGIN, FRAMING_NONE, 0, false,
     false, "1.0 may have a Host"},

    {SPAN(HEAD_1_1 "Content-Length: 0\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_LENGTH, 0,
     true, false, "a body of no bytes, even on GET"},
    {SPAN("PUT /a HTTP/1.1\r\nHost: a\r\ncontent-length:42\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_LENGTH, 42, true, false, "a length"},
    {SPAN("PUT /a HTTP/1.0\r\nContent-Length: 007\r\n\r\n"), VERSION_1_0, TARGET_ORIGIN,
     FRAMING_LENGTH, 7, false, false, "a length in 1.0, with 1*DIGIT"},
    {SPAN(HEAD_1_1 "Content-Length: 9223372036854775807\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_LENGTH, INT64_MAX, true, false, "the largest length"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_CHUNKED, 0, true, false, "chunked"},
    {SPAN(HEAD_1_1 "transfer-encoding:\tChunKED \r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_CHUNKED, 0, true, false, "coding names have no case (RFC 9112 7)"},

    {SPAN(HEAD_1_1 "Expect: 100-Continue\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_NONE, 0,
     true, true, "an expectation, without case (RFC 9110 10.1.1)"},
    {SPAN(HEAD_1_1 "Expect: 100-continue, 100-continue\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN,
     FRAMING_NONE, 0, true, true, "a list of it"},
    {SPAN(HEAD_1_1 "Expect:\r\n\r\n"), VERSION_1_1, TARGET_ORIGIN, FRAMING_NONE, 0, true, false,
     "no expectation"},
    {SPAN("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), VERSION_1_0, TARGET_ORIGIN,
     FRAMING_NONE, 0, false, false, "ignored from a 1.0 client (RFC 9110 10.1.1)"},
};

static void assert_good(struct guard *guard, const struct good_row *row)
{
    struct request request;
    struct parsed parsed;

    for (size_t len = 0; len < row->input.len; len++) {
        parsed = parse(guard, &request, row->input.ptr, len);
        if (parsed.result != REQUEST_PARTIAL)
            fail_msg("%s: not partial at %zu bytes", row->why, len);
    }
    parsed = parse(guard, &request, row->input.ptr, row->input.len);
    if (parsed.result != REQUEST_DONE)
        fail_msg("%s: result %d, status %d", row->why, (int)parsed.result, (int)parsed.refusal);
    if (request.version != row->version || request.form != row->form ||
        request.framing != row->framing || request.persistent != row->persistent ||
        request.expects_continue != row->expects_continue)
        fail_msg("%s: version %u form %u framing %u persistent %d continue %d", row->why,
                 request.version, request.form, request.framing, request.persistent,
                 request.expects_continue);
    assert_int_equal(request.content_length, row->length);
    assert_int_equal(request.head_len, row->input.len);
    assert_int_equal(parsed.skipped, 0);
}

static void good_requests_are_partial_until_they_end(void **state)
{
    (void)state;
    struct guard guard = guard_open(256);
    for (size_t i = 0; i < sizeof good_rows / sizeof *good_rows; i++)
        assert_good(&guard, &good_rows[i]);
    guard_close(&guard);
}

/* What follows a head, a body or the next request, changes nothing about it. */
static void bytes_after_the_head_are_left_alone(void **state)
{
    (void)state;
    struct guard guard = guard_open(256);
    struct request request;

    for (size_t i = 0; i < sizeof good_rows / sizeof *good_rows; i++) {
        char space[256];
        struct buffer bytes = BUFFER_OVER(space);
        buffer_put_span(&bytes, good_rows[i].input);
        buffer_put_text(&bytes, " \n\r\x01 garbage\r\n\r\n");
        assert_false(bytes.overflowed);
        struct parsed parsed = parse(&guard, &request, space, bytes.len);
        assert_int_equal(parsed.result, REQUEST_DONE);
        assert_int_equal(request.head_len, good_rows[i].input.len);
    }
    guard_close(&guard);
}

struct bad_row {
    struct span partial; /* nothing is wrong so far */
    struct span rest;    /* its first byte decides */
    enum status refusal;
    const char *why;
};

/* clang-format off: a row a line is what can be read */
static const struct bad_row bad_rows[] = {
    /* The request line (RFC 9112 3). */
    {SPAN(""), SPAN(" GET / HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "space before the method"},
    {SPAN(""), SPAN("\nGET / HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "an empty line without CR"},
    {SPAN("\r"), SPAN("GET / HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "an empty line without LF"},
    {SPAN(""), SPAN("\x16\x03\x01\x02\x00"), STATUS_BAD_REQUEST, "TLS, known by its first byte"},
    {SPAN("GET"), SPAN("\0/ HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "NUL in the method"},
    {SPAN("GET"), SPAN("\t/ HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "a tab after the method"},
    {SPAN("G"), SPAN("(T / HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "a delimiter in the method"},
    {SPAN("GET"), SPAN("\r\n"), STATUS_BAD_REQUEST, "a method alone"},
    {SPAN("GET "), SPAN("\r\n"), STATUS_BAD_REQUEST, "no target"},
    {SPAN("GET "), SPAN(" / HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "two spaces before the target"},
    {SPAN("GET / "), SPAN(" HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "two spaces after the target"},
    {SPAN("GET /"), SPAN("\tHTTP/1.1\r\n"), STATUS_BAD_REQUEST, "a tab after the target"},
    {SPAN("GET / HTTP/1.1"), SPAN(" \r\n"), STATUS_BAD_REQUEST, "space after the version"},
    {SPAN("GET /a "), SPAN("b HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "space in the target"},
    {SPAN("GET /a"), SPAN("\0b HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "NUL in the target"},
    {SPAN("GET /a"), SPAN("\x7F HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "DEL in the target"},
    {SPAN("GET /0123456789"), SPAN("\x1F HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "a control byte"},
    {SPAN("GET /"), SPAN("\nHost: a\r\n"), STATUS_BAD_REQUEST, "LF alone after the target"},
    {SPAN("GET /\r"), SPAN("x HTTP/1.1\r\n"), STATUS_BAD_REQUEST, "CR alone in the target"},
    {SPAN("GET / HTTP/1.1"), SPAN("\nHost: a\n\n"), STATUS_BAD_REQUEST, "LF alone (RFC 9112 2.2)"},
    {SPAN("GET / HTTP/1.1\r"), SPAN("\r\n"), STATUS_BAD_REQUEST, "CR alone (RFC 9112 2.2)"},

    /* The version (RFC 9112 2.3). */
    {SPAN("GET / "), SPAN("\r\n"), STATUS_BAD_REQUEST, "an empty version is not a simple request"},
    {SPAN("GET / "), SPAN("http/1.1\r\n"), STATUS_BAD_REQUEST, "case matters"},
    {SPAN("GET / H"), SPAN("tTP/1.1\r\n"), STATUS_BAD_REQUEST, "case matters everywhere"},
    {SPAN("GET / HTTP/"), SPAN(".1\r\n"), STATUS_BAD_REQUEST, "no major digit"},
    {SPAN("GET / HTTP/1"), SPAN("\r\n"), STATUS_BAD_REQUEST, "no minor version"},
    {SPAN("GET / HTTP/1."), SPAN("\r\n"), STATUS_BAD_REQUEST, "no minor digit"},
    {SPAN("GET / HTTP/1"), SPAN("1.1\r\n"), STATUS_BAD_REQUEST, "two major digits"},
    {SPAN("GET / HTTP/1.1"), SPAN("1\r\n"), STATUS_BAD_REQUEST, "two minor digits"},
    {SPAN("GET / HTTP/1"), SPAN(",1\r\n"), STATUS_BAD_REQUEST, "another dot"},
    {SPAN("GET / HTTP"), SPAN(" 1.1\r\n"), STATUS_BAD_REQUEST, "another slash"},
    {SPAN("GET / HTTP/2.0\r"), SPAN("\n"), STATUS_VERSION_NOT_SUPPORTED, "the next major version"},
    {SPAN("GET / HTTP/0.9\r"), SPAN("\n"), STATUS_VERSION_NOT_SUPPORTED, "0.9 does not say so"},
    {SPAN("PRI * HTTP/2.0\r"), SPAN("\n\r\nSM\r\n\r\n"), STATUS_VERSION_NOT_SUPPORTED,
     "the HTTP/2 preface (RFC 9113 3.4)"},
    {SPAN("HEAD /\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a simple request is a GET"},
    {SPAN("get /\r"), SPAN("\n"), STATUS_BAD_REQUEST, "in capitals"},

    /* The form of the target (RFC 9112 3.2), as soon as the line is there. */
    {SPAN("GET a HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "no form at all"},
    {SPAN("GET a/b:c HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a colon makes no scheme"},
    {SPAN("GET 1a:b HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a scheme begins with a letter"},
    {SPAN("GET :b HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "an empty scheme"},
    {SPAN("GET ?a HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a query alone"},
    {SPAN("GET * HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "an asterisk is for OPTIONS"},
    {SPAN("OPTIONS ** HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "one asterisk"},
    {SPAN("CONNECT / HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "CONNECT wants a host"},
    {SPAN("CONNECT a HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "and a port (RFC 9110 9.3.6)"},
    {SPAN("CONNECT a: HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "which is not empty"},
    {SPAN("CONNECT http://a:80/ HTTP/1.1\r"), SPAN("\n"), STATUS_BAD_REQUEST, "and no more"},
    {SPAN("GET a\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a simple request with no form"},

    /* Fields (RFC 9112 5): each row of test_field is one of these. */
    {SPAN("GET / HTTP/1.1\r\n"), SPAN(" Host: a\r\n\r\n"), STATUS_BAD_REQUEST, "space first"},
    {SPAN("GET / HTTP/1.1\r\nHost"), SPAN(" : a\r\n\r\n"), STATUS_BAD_REQUEST, "space, then colon"},
    {SPAN(HEAD_1_1 "A: b\r\n"), SPAN(" c\r\n\r\n"), STATUS_BAD_REQUEST, "obs-fold"},
    {SPAN("GET / HTTP/1.1\r\nHost: a"), SPAN("\0\r\n\r\n"), STATUS_BAD_REQUEST, "NUL"},

    /* Host (RFC 9112 3.2). */
    {SPAN("GET / HTTP/1.1\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "none in 1.1"},
    {SPAN(HEAD_1_1 "Host: a\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "two, though the same"},
    {SPAN("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "two in 1.0"},
    {SPAN("GET / HTTP/1.1\r\nHost: a b\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "two names"},
    {SPAN("GET / HTTP/1.1\r\nHost: a, b\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a list"},
    {SPAN("GET / HTTP/1.1\r\nHost: a/b\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a path"},
    {SPAN("GET / HTTP/1.1\r\nHost: u@a\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a user"},
    {SPAN("GET / HTTP/1.0\r\nHost: a:b\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "a bad port in 1.0"},
    {SPAN("GET / HTTP/1.1\r\nHost: [::1\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "half brackets"},
    {SPAN("GET http://a/ HTTP/1.1\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "none, though the target says it"},

    /* Framing (RFC 9112 6): a doubt about where the body ends is a way to smuggle. */
    {SPAN(HEAD_1_1 "Content-Length: 1\r\nContent-Length: 1\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "repeated"},
    {SPAN(HEAD_1_1 "Content-Length: 1\r\nContent-Length: 2\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "repeated and different"},
    {SPAN(HEAD_1_1 "Content-Length: 1, 1\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a list"},
    {SPAN(HEAD_1_1 "Content-Length:\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "empty"},
    {SPAN(HEAD_1_1 "Content-Length: +1\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a plus sign"},
    {SPAN(HEAD_1_1 "Content-Length: -1\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a minus sign"},
    {SPAN(HEAD_1_1 "Content-Length: 0x10\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "hexadecimal"},
    {SPAN(HEAD_1_1 "Content-Length: 1 0\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "space inside"},
    {SPAN(HEAD_1_1 "Content-Length: 1.0\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "a fraction"},
    {SPAN(HEAD_1_1 "Content-Length: \"1\"\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "quotes"},
    {SPAN(HEAD_1_1 "Content-Length: 9223372036854775808\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "64 bits"},
    {SPAN(HEAD_1_1 "Content-Length: 18446744073709551617\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "more than 64 bits, which would be 1"},
    {SPAN("PUT / HTTP/1.0\r\nContent-Length: x\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "no number in 1.0"},
    {SPAN(HEAD_1_1 "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r"), SPAN("\n"),
     STATUS_BAD_REQUEST, "both (RFC 9112 6.1)"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r"), SPAN("\n"),
     STATUS_BAD_REQUEST, "both, the other way round"},
    {SPAN(HEAD_1_1 "Content-Length: 1\r\nTransfer-Encoding:\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "both, one empty"},
    {SPAN("PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "a coding in 1.0 (RFC 9112 6.1)"},
    {SPAN(HEAD_1_1 "Transfer-Encoding:\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST, "no coding"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: gzip\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "the last coding is not chunked (RFC 9112 6.3)"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: identity\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "the coding that RFC 7230 took away"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked, gzip\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "chunked is not last"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked, chunked\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "chunked twice (RFC 9112 6.1)"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r"), SPAN("\n"),
     STATUS_BAD_REQUEST, "chunked twice, in two fields"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r"), SPAN("\n"),
     STATUS_BAD_REQUEST, "chunked, and something after it"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked, gzip, chunked\r\n\r"), SPAN("\n"),
     STATUS_BAD_REQUEST, "chunked twice, with another between"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked;a=b\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "chunked has no parameters (RFC 9112 7.1)"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked;\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "not even none of them"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: ,chunked\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "an empty element"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked,\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "an empty element at the end"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: \"chunked\"\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "quotes"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: x chunked\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "no comma"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: chunked\xA0\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "what looks like space"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: \"a, chunked\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "an open quoted-string"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: gzip, chunked\r\n\r"), SPAN("\n"), STATUS_NOT_IMPLEMENTED,
     "a coding unknown here (RFC 9112 6.1)"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r"), SPAN("\n"),
     STATUS_NOT_IMPLEMENTED, "the same in two fields"},
    {SPAN(HEAD_1_1 "Transfer-Encoding: a;b=\"c,d\", chunked\r\n\r"), SPAN("\n"),
     STATUS_NOT_IMPLEMENTED, "a parameter with a comma in it"},

    /* Expect (RFC 9110 10.1.1). */
    {SPAN(HEAD_1_1 "Expect: 200-ok\r\n\r"), SPAN("\n"), STATUS_EXPECTATION_FAILED, "another"},
    {SPAN(HEAD_1_1 "Expect: 100-continue, x\r\n\r"), SPAN("\n"), STATUS_EXPECTATION_FAILED,
     "another beside it"},
    {SPAN(HEAD_1_1 "Expect: 100-continue\r\nExpect: x\r\n\r"), SPAN("\n"),
     STATUS_EXPECTATION_FAILED, "another in a second field"},
    {SPAN(HEAD_1_1 "Expect: 100-continue;a=b\r\n\r"), SPAN("\n"), STATUS_EXPECTATION_FAILED,
     "with a parameter"},
    {SPAN(HEAD_1_1 "Expect: x\r\nContent-Length: y\r\n\r"), SPAN("\n"), STATUS_BAD_REQUEST,
     "doubts about framing come first"},
};
/* clang-format on */

static void assert_bad(struct guard *guard, const struct bad_row *row)
{
    char space[256];
    struct buffer bytes = BUFFER_OVER(space);
    buffer_put_span(&bytes, row->partial);
    buffer_put_span(&bytes, row->rest);
    assert_false(bytes.overflowed);

    for (size_t len = 0; len <= bytes.len; len++) {
        struct request request;
        struct parsed parsed = parse(guard, &request, space, len);
        bool decided = len > row->partial.len;
        if (parsed.result != (decided ? REQUEST_REFUSED : REQUEST_PARTIAL) ||
            (decided && parsed.refusal != row->refusal))
            fail_msg("%s: result %d, status %d at %zu bytes", row->why, (int)parsed.result,
                     (int)parsed.refusal, len);
    }
}

static void bad_requests_are_refused_at_the_byte_that_decides(void **state)
{
    (void)state;
    struct guard guard = guard_open(256);
    for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++)
        assert_bad(&guard, &bad_rows[i]);
    guard_close(&guard);
}

/* RFC 9112 2.2. The head begins after them, and its offsets count from there. */
static void empty_lines_before_the_request_are_skipped(void **state)
{
    (void)state;
    static const char bytes[] = "\r\n\r\nGET /a HTTP/1.0\r\nRange: x\r\n\r\n";
    struct guard guard = guard_open(64);
    struct request request;
    struct parsed parsed;

    for (size_t len = 0; len < sizeof bytes - 1; len++)
        assert_int_equal(parse(&guard, &request, bytes, len).result, REQUEST_PARTIAL);
    parsed = parse(&guard, &request, bytes, sizeof bytes - 1);
    assert_int_equal(parsed.result, REQUEST_DONE);
    assert_int_equal(parsed.skipped, 4);
    assert_int_equal(request.head_len, sizeof bytes - 1 - 4);
    assert_true(span_equal(request_method_text(&request), SPAN("GET")));
    assert_true(span_equal(request_target(&request), SPAN("/a")));
    assert_true(span_equal(request_field(&request, FIELD_RANGE), SPAN("x")));
    guard_close(&guard);
}

/* A parked head is copied, and `head` set to the copy. */
static void a_request_moves_with_its_head(void **state)
{
    (void)state;
    static const char bytes[] = "DELETE /a?b HTTP/1.1\r\nHost: example\r\nRange: bytes=0-\r\n\r\n";
    struct guard guard = guard_open(64);
    char copy[sizeof bytes];
    struct request request;

    assert_int_equal(parse(&guard, &request, bytes, sizeof bytes - 1).result, REQUEST_DONE);
    memcpy(copy, request.head, request.head_len);
    guard_close(&guard);
    request.head = copy;
    assert_int_equal(request.method, METHOD_DELETE);
    assert_true(span_equal(request_method_text(&request), SPAN("DELETE")));
    assert_true(span_equal(request_target(&request), SPAN("/a?b")));
    assert_true(span_equal(request_field(&request, FIELD_HOST), SPAN("example")));
    assert_true(span_equal(request_field(&request, FIELD_RANGE), SPAN("bytes=0-")));
    assert_null(request_field(&request, FIELD_EXPECT).ptr);
}

/* So that a refusal is logged as what it was, and answered in its form. */
static void a_refusal_says_what_was_understood(void **state)
{
    (void)state;
    static const struct {
        struct span input;
        const char *method, *target;
        enum method method_known;
        enum version version;
    } rows[] = {
        {SPAN(" "), "", "", METHOD_UNKNOWN, VERSION_1_1},
        {SPAN("GET\r"), "GET", "", METHOD_GET, VERSION_1_1},
        {SPAN("BREW /a\tb"), "BREW", "/a", METHOD_UNKNOWN, VERSION_1_1},
        {SPAN("HEAD /a  "), "HEAD", "/a", METHOD_HEAD, VERSION_1_1},
        {SPAN("HEAD /a\r\n"), "HEAD", "/a", METHOD_HEAD, VERSION_1_1},
        {SPAN("GET a\r\n"), "GET", "a", METHOD_GET, VERSION_0_9},
        {SPAN("GET /a HTTP/3.0\r\n"), "GET", "/a", METHOD_GET, VERSION_1_1},
        {SPAN("PUT /a HTTP/1.0\r\n:"), "PUT", "/a", METHOD_PUT, VERSION_1_0},
        {SPAN("PUT /a HTTP/1.1\r\n\r\n"), "PUT", "/a", METHOD_PUT, VERSION_1_1},
    };
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct request request;
        struct parsed parsed = parse(&guard, &request, rows[i].input.ptr, rows[i].input.len);
        assert_int_equal(parsed.result, REQUEST_REFUSED);
        assert_true(span_equal(request_method_text(&request), span_of(rows[i].method)));
        assert_true(span_equal(request_target(&request), span_of(rows[i].target)));
        assert_int_equal(request.method, rows[i].method_known);
        assert_int_equal(request.version, rows[i].version);
        assert_false(request.persistent);
        /* Fields can be asked for, also where none were read. */
        assert_null(request_field(&request, FIELD_ACCEPT).ptr);
    }
    guard_close(&guard);
}

static void put_many(struct buffer *b, char c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buffer_put_char(b, c);
}

/* A request line of exactly `len` bytes, without its CRLF. */
static void put_line(struct buffer *b, size_t len)
{
    buffer_put_text(b, "GET /");
    put_many(b, 'a', len - (sizeof "GET / HTTP/1.0" - 1));
    buffer_put_text(b, " HTTP/1.0");
}

static void a_line_past_its_limit_is_414_at_once(void **state)
{
    (void)state;
    static char space[REQUEST_LINE_LIMIT + 64];
    struct guard guard = guard_open(sizeof space);
    struct buffer bytes = BUFFER_OVER(space);
    struct request request;
    struct parsed parsed;

    put_line(&bytes, REQUEST_LINE_LIMIT);
    assert_int_equal(parse(&guard, &request, space, bytes.len).result, REQUEST_PARTIAL);
    buffer_put_text(&bytes, "\r\n");
    assert_int_equal(parse(&guard, &request, space, bytes.len - 1).result, REQUEST_PARTIAL);
    buffer_put_text(&bytes, "\r\n");
    parsed = parse(&guard, &request, space, bytes.len);
    assert_int_equal(parsed.result, REQUEST_DONE);
    assert_int_equal(request.head_len, REQUEST_LINE_LIMIT + 4);

    bytes.len = 0;
    put_line(&bytes, REQUEST_LINE_LIMIT + 1);
    parsed = parse(&guard, &request, space, REQUEST_LINE_LIMIT);
    assert_int_equal(parsed.result, REQUEST_PARTIAL);
    parsed = parse(&guard, &request, space, REQUEST_LINE_LIMIT + 1);
    assert_int_equal(parsed.result, REQUEST_REFUSED);
    assert_int_equal(parsed.refusal, STATUS_URI_TOO_LONG);
    assert_true(span_equal(request_method_text(&request), SPAN("GET")));

    bytes.len = 0;
    put_many(&bytes, 'M', REQUEST_LINE_LIMIT + 1);
    parsed = parse(&guard, &request, space, bytes.len);
    assert_int_equal(parsed.result, REQUEST_REFUSED);
    assert_int_equal(parsed.refusal, STATUS_URI_TOO_LONG);
    guard_close(&guard);
}

/* "GET / HTTP/1.0" CRLF "A: " and as many bytes as make a head of `len` with its end. */
static void put_head(struct buffer *b, size_t len)
{
    buffer_put_text(b, "GET / HTTP/1.0\r\nA: ");
    put_many(b, 'a', len - b->len - 4);
    buffer_put_text(b, "\r\n\r\n");
}

static void a_head_past_its_limit_is_431_at_once(void **state)
{
    (void)state;
    static char space[REQUEST_HEAD_LIMIT + 64];
    struct guard guard = guard_open(sizeof space);
    struct buffer bytes = BUFFER_OVER(space);
    struct request request;
    struct parsed parsed;

    put_head(&bytes, REQUEST_HEAD_LIMIT);
    assert_int_equal(parse(&guard, &request, space, bytes.len - 1).result, REQUEST_PARTIAL);
    parsed = parse(&guard, &request, space, bytes.len);
    assert_int_equal(parsed.result, REQUEST_DONE);
    assert_int_equal(request.head_len, REQUEST_HEAD_LIMIT);
    /* More that has come with it changes nothing. */
    put_many(&bytes, 'x', 60);
    assert_int_equal(parse(&guard, &request, space, bytes.len).result, REQUEST_DONE);

    bytes.len = 0;
    put_head(&bytes, REQUEST_HEAD_LIMIT + 1);
    for (size_t len = REQUEST_HEAD_LIMIT - 2; len <= bytes.len; len++) {
        parsed = parse(&guard, &request, space, len);
        assert_int_equal(parsed.result,
                         len < REQUEST_HEAD_LIMIT ? REQUEST_PARTIAL : REQUEST_REFUSED);
        if (len >= REQUEST_HEAD_LIMIT)
            assert_int_equal(parsed.refusal, STATUS_FIELDS_TOO_LARGE);
    }
    guard_close(&guard);
}

/* A buffer of the head's limit is never full of what can still become a request. */
static void endless_empty_lines_are_refused(void **state)
{
    (void)state;
    static char space[REQUEST_HEAD_LIMIT];
    struct guard guard = guard_open(sizeof space);
    struct request request;

    for (size_t i = 0; i < sizeof space; i++)
        space[i] = "\r\n"[i % 2];
    assert_int_equal(parse(&guard, &request, space, sizeof space - 1).result, REQUEST_PARTIAL);
    struct parsed parsed = parse(&guard, &request, space, sizeof space);
    assert_int_equal(parsed.result, REQUEST_REFUSED);
    assert_int_equal(parsed.refusal, STATUS_FIELDS_TOO_LARGE);
    guard_close(&guard);
}

static void more_fields_than_the_limit_are_431(void **state)
{
    (void)state;
    static char space[2048];
    struct guard guard = guard_open(sizeof space);
    struct buffer bytes = BUFFER_OVER(space);
    struct request request;

    buffer_put_text(&bytes, "GET / HTTP/1.0\r\n");
    for (int i = 0; i < FIELD_LIMIT; i++)
        buffer_put_text(&bytes, "A: b\r\n");
    size_t full = bytes.len;
    buffer_put_text(&bytes, "\r\n");
    assert_int_equal(parse(&guard, &request, space, bytes.len).result, REQUEST_DONE);

    bytes.len = full;
    buffer_put_text(&bytes, "A");
    struct parsed parsed = parse(&guard, &request, space, bytes.len);
    assert_int_equal(parsed.result, REQUEST_REFUSED);
    assert_int_equal(parsed.refusal, STATUS_FIELDS_TOO_LARGE);
    guard_close(&guard);
}

/* RFC 9112 6.3: so long a list of codings, over several fields, is nothing to be read further. */
static void a_list_of_codings_that_does_not_fit_is_refused(void **state)
{
    (void)state;
    static char space[1024];
    struct guard guard = guard_open(sizeof space);
    struct buffer bytes = BUFFER_OVER(space);
    struct request request;

    buffer_put_text(&bytes, HEAD_1_1 "Transfer-Encoding: ");
    put_many(&bytes, 'a', 300);
    buffer_put_text(&bytes, "\r\nTransfer-Encoding: chunked\r\n\r\n");
    struct parsed parsed = parse(&guard, &request, space, bytes.len);
    assert_int_equal(parsed.result, REQUEST_REFUSED);
    assert_int_equal(parsed.refusal, STATUS_BAD_REQUEST);
    guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_requests_are_partial_until_they_end),
        cmocka_unit_test(bytes_after_the_head_are_left_alone),
        cmocka_unit_test(bad_requests_are_refused_at_the_byte_that_decides),
        cmocka_unit_test(empty_lines_before_the_request_are_skipped),
        cmocka_unit_test(a_request_moves_with_its_head),
        cmocka_unit_test(a_refusal_says_what_was_understood),
        cmocka_unit_test(a_line_past_its_limit_is_414_at_once),
        cmocka_unit_test(a_head_past_its_limit_is_431_at_once),
        cmocka_unit_test(endless_empty_lines_are_refused),
        cmocka_unit_test(more_fields_than_the_limit_are_431),
        cmocka_unit_test(a_list_of_codings_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
