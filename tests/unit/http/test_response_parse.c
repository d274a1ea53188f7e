/* Response heads: what a client accepts, how it frames the body, and what it refuses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/response_parse.h"
#include "unit/guard.h"

#define LINE    "HTTP/1.1 200 OK\r\n"
#define MAX_63  "9223372036854775807"
#define OVER_63 "9223372036854775808"
#define OVER_64 "18446744073709551616"

enum { NO_LENGTH = 0 };

struct accepted {
    const char *why;
    const char *head;
    enum response_to to;
    uint16_t status;
    const char *reason;
    enum response_framing framing;
    uint64_t length;
    bool persistent;
};

static const struct accepted accepted[] = {
    /* framing, RFC 9112 6.3 */
    {"a length (rule 6)", LINE "Content-Length: 5\r\n\r\n", RESPONSE_TO_OTHER, 200, "OK",
     RESPONSE_BODY_LENGTH, 5, true},
    {"length 0", LINE "Content-Length: 0\r\n\r\n", RESPONSE_TO_OTHER, 200, "OK",
     RESPONSE_BODY_LENGTH, 0, true},
    {"the largest length", LINE "Content-Length: " MAX_63 "\r\n\r\n", RESPONSE_TO_OTHER, 200, "OK",
     RESPONSE_BODY_LENGTH, INT64_MAX, true},
    {"leading zeros are digits", LINE "Content-Length: 0005\r\n\r\n", RESPONSE_TO_OTHER, 200, "OK",
     RESPONSE_BODY_LENGTH, 5, true},
    {"a list of equal lengths (rule 5)", LINE "Content-Length: 5, 5\r\n\r\n", RESPONSE_TO_OTHER,
     200, "OK", RESPONSE_BODY_LENGTH, 5, true},
    {"repeated equal lengths (rule 5)", LINE "Content-Length: 5\r\ncontent-length: 5\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_LENGTH, 5, true},
    {"chunked (rule 4)", LINE "Transfer-Encoding: chunked\r\n\r\n", RESPONSE_TO_OTHER, 200, "OK",
     RESPONSE_BODY_CHUNKED, NO_LENGTH, true},
    {"codings ignore case (7)", LINE "transfer-encoding: Chunked\r\n\r\n", RESPONSE_TO_OTHER, 200,
     "OK", RESPONSE_BODY_CHUNKED, NO_LENGTH, true},
    {"neither: until close (rule 8)", LINE "\r\n", RESPONSE_TO_OTHER, 200, "OK",
     RESPONSE_BODY_TO_CLOSE, NO_LENGTH, false},
    {"until close though keep-alive is said", LINE "Connection: keep-alive\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_TO_CLOSE, NO_LENGTH, false},
    {"HEAD has no body (rule 1)", LINE "Content-Length: 5\r\n\r\n", RESPONSE_TO_HEAD, 200, "OK",
     RESPONSE_BODY_NONE, 5, true},
    {"HEAD, chunked (rule 1)", LINE "Transfer-Encoding: chunked\r\n\r\n", RESPONSE_TO_HEAD, 200,
     "OK", RESPONSE_BODY_NONE, NO_LENGTH, true},
    {"HEAD without any length stays open", LINE "\r\n", RESPONSE_TO_HEAD, 200, "OK",
     RESPONSE_BODY_NONE, NO_LENGTH, true},
    {"1xx has no body (rule 1)", "HTTP/1.1 100 Continue\r\n\r\n", RESPONSE_TO_OTHER, 100,
     "Continue", RESPONSE_BODY_NONE, NO_LENGTH, true},
    {"199 is interim too", "HTTP/1.1 199 \r\n\r\n", RESPONSE_TO_OTHER, 199, "", RESPONSE_BODY_NONE,
     NO_LENGTH, true},
    {"204 has no body (rule 1)", "HTTP/1.1 204 No Content\r\n\r\n", RESPONSE_TO_OTHER, 204,
     "No Content", RESPONSE_BODY_NONE, NO_LENGTH, true},
    {"304 has none, whatever the length (rule 1)",
     "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\n\r\n", RESPONSE_TO_OTHER, 304,
     "Not Modified", RESPONSE_BODY_NONE, 77, true},
    {"205 is framed like others", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
     RESPONSE_TO_OTHER, 205, "Reset Content", RESPONSE_BODY_LENGTH, 0, true},
    {"CONNECT, 2xx: a tunnel (rule 2)", LINE "Content-Length: 5\r\n\r\n", RESPONSE_TO_CONNECT, 200,
     "OK", RESPONSE_BODY_NONE, 5, false},
    {"CONNECT refused has a body", "HTTP/1.1 405 No\r\nContent-Length: 5\r\n\r\n",
     RESPONSE_TO_CONNECT, 405, "No", RESPONSE_BODY_LENGTH, 5, true},

    /* persistence, RFC 9112 9.3 */
    {"close", LINE "Content-Length: 5\r\nConnection: close\r\n\r\n", RESPONSE_TO_OTHER, 200, "OK",
     RESPONSE_BODY_LENGTH, 5, false},
    {"close in a list", LINE "Content-Length: 5\r\nConnection: foo, Close\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_LENGTH, 5, false},
    {"close in the second field",
     LINE "Connection: foo\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", RESPONSE_TO_OTHER,
     200, "OK", RESPONSE_BODY_LENGTH, 5, false},
    {"close beats keep-alive", LINE "Content-Length: 5\r\nConnection: keep-alive, close\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_LENGTH, 5, false},
    {"'closed' is not close", LINE "Content-Length: 5\r\nConnection: closed\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_LENGTH, 5, true},
    {"1.0 closes", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", RESPONSE_TO_OTHER, 200, "OK",
     RESPONSE_BODY_LENGTH, 5, false},
    {"1.0 may keep alive", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: Keep-Alive\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_LENGTH, 5, true},

    /* the status line, RFC 9112 4 */
    {"an empty reason", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\n", RESPONSE_TO_OTHER, 200, "",
     RESPONSE_BODY_LENGTH, 1, true},
    {"no reason and no space, as some servers have it", "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "", RESPONSE_BODY_LENGTH, 1, true},
    {"spaces, HTAB and obs-text in the reason",
     "HTTP/1.1 404 Nicht\tda \xC3\xA4\r\nContent-Length: 1\r\n\r\n", RESPONSE_TO_OTHER, 404,
     "Nicht\tda \xC3\xA4", RESPONSE_BODY_LENGTH, 1, true},
    {"a later minor version is 1.1 (RFC 9110 2.5)", "HTTP/1.9 200 OK\r\nContent-Length: 1\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_LENGTH, 1, true},
    {"000 is three digits", "HTTP/1.1 000 x\r\nContent-Length: 1\r\n\r\n", RESPONSE_TO_OTHER, 0,
     "x", RESPONSE_BODY_LENGTH, 1, true},
    {"999 is three digits", "HTTP/1.1 999 Denied\r\nContent-Length: 1\r\n\r\n", RESPONSE_TO_OTHER,
     999, "Denied", RESPONSE_BODY_LENGTH, 1, true},

    /* heads that servers in use send */
    {"nginx",
     LINE "Server: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 02:00:00 GMT\r\nContent-Type: "
          "text/html\r\nContent-Length: 615\r\nLast-Modified: Fri, 20 Nov 2026 01:00:00 GMT\r\n"
          "Connection: keep-alive\r\nETag: \"6557a1b0-267\"\r\nAccept-Ranges: bytes\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_LENGTH, 615, true},
    {"python http.server",
     "HTTP/1.0 200 OK\r\nServer: SimpleHTTP/0.6 Python/3.11.2\r\nDate: Sat, 21 Nov 2026 02:00:00 "
     "GMT\r\nContent-type: text/html; charset=utf-8\r\nContent-Length: 300\r\n\r\n",
     RESPONSE_TO_OTHER, 200, "OK", RESPONSE_BODY_LENGTH, 300, false},
};

struct refused {
    const char *why;
    const char *head;
    enum response_fault fault;
};

static const struct refused refused[] = {
    {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", RESPONSE_NOT_HTTP},
    {"its first byte is enough", "S", RESPONSE_NOT_HTTP},
    {"the name of the protocol has capitals", "http/1.1 200 OK\r\n\r\n", RESPONSE_NOT_HTTP},
    {"an empty line first: no leave for that in 4", "\r\n" LINE "\r\n", RESPONSE_NOT_HTTP},
    {"two digits of minor version", "HTTP/1.10 200 OK\r\n\r\n", RESPONSE_NOT_HTTP},
    {"a body with no head, as HTTP/0.9", "<html>\n", RESPONSE_NOT_HTTP},
    {"HTTP/2", "HTTP/2 200\r\n\r\n", RESPONSE_WRONG_VERSION},
    {"HTTP/0.9 said aloud", "HTTP/0.9 200 OK\r\n\r\n", RESPONSE_WRONG_VERSION},
    {"a status with a letter", "HTTP/1.1 2x0 OK\r\n\r\n", RESPONSE_BAD_STATUS},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", RESPONSE_BAD_STATUS},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", RESPONSE_BAD_STATUS},
    {"a negative status", "HTTP/1.1 -20 OK\r\n\r\n", RESPONSE_BAD_STATUS},
    {"two spaces before the status", "HTTP/1.1  200 OK\r\n\r\n", RESPONSE_BAD_STATUS},
    {"a bare LF after the status", "HTTP/1.1 200\n\n", RESPONSE_BAD_STATUS},
    {"a bare LF after the reason", "HTTP/1.1 200 OK\n\n", RESPONSE_BAD_REASON},
    {"a bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", RESPONSE_BAD_REASON},
    {"an escape in the reason would reach the terminal", "HTTP/1.1 200 \x1b[2J\r\n\r\n",
     RESPONSE_BAD_REASON},
    {"DEL in the reason", "HTTP/1.1 200 O\x7FK\r\n\r\n", RESPONSE_BAD_REASON},
    {"space before the colon (5.1)", LINE "Content-Length : 5\r\n\r\n", RESPONSE_BAD_FIELD},
    {"a folded line (5.2)", LINE "A: b\r\n c\r\n\r\n", RESPONSE_BAD_FIELD},
    {"a field with no colon", LINE "nonsense\r\n\r\n", RESPONSE_BAD_FIELD},
    {"a field with no name", LINE ": x\r\n\r\n", RESPONSE_BAD_FIELD},
    {"a negative length", LINE "Content-Length: -1\r\n\r\n", RESPONSE_BAD_LENGTH},
    {"a length with a plus", LINE "Content-Length: +5\r\n\r\n", RESPONSE_BAD_LENGTH},
    {"an empty length", LINE "Content-Length: \r\n\r\n", RESPONSE_BAD_LENGTH},
    {"a length in hexadecimal", LINE "Content-Length: 0x10\r\n\r\n", RESPONSE_BAD_LENGTH},
    {"a length over 63 bits", LINE "Content-Length: " OVER_63 "\r\n\r\n", RESPONSE_BAD_LENGTH},
    {"a length over 64 bits", LINE "Content-Length: " OVER_64 "\r\n\r\n", RESPONSE_BAD_LENGTH},
    {"a list that ends in nothing", LINE "Content-Length: 5,\r\n\r\n", RESPONSE_BAD_LENGTH},
    {"a second length that is none", LINE "Content-Length: 5\r\nContent-Length: x\r\n\r\n",
     RESPONSE_BAD_LENGTH},
    {"lengths in a list differ", LINE "Content-Length: 5, 6\r\n\r\n", RESPONSE_LENGTHS_DIFFER},
    {"repeated lengths differ", LINE "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
     RESPONSE_LENGTHS_DIFFER},
    {"length and chunked (6.3 rule 3)",
     LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", RESPONSE_LENGTH_AND_CODED},
    {"a coding that was not asked for", LINE "Transfer-Encoding: gzip, chunked\r\n\r\n",
     RESPONSE_UNKNOWN_CODING},
    {"chunked is not the last one", LINE "Transfer-Encoding: chunked, gzip\r\n\r\n",
     RESPONSE_UNKNOWN_CODING},
    {"chunked twice (7.1)", LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     RESPONSE_UNKNOWN_CODING},
    {"an empty coding", LINE "Transfer-Encoding: \r\n\r\n", RESPONSE_UNKNOWN_CODING},
    {"a coding in a 1.0 response (6.1)", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     RESPONSE_CODED_1_0},
};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void check_accepted(const struct accepted *row, const struct response_head *response,
                           size_t len)
{
    assert_int_equal(response->head_len, len);
    assert_int_equal(response->status, row->status);
    struct span reason = response_reason(response);
    assert_true(span_equal(reason, span_of(row->reason)));
    assert_int_equal(response->framing, row->framing);
    assert_int_equal(response->content_length, row->length);
    assert_int_equal(response->persistent, row->persistent);
}

/* Each head alone, with a body behind it, and as every prefix, flush against forbidden memory. */
static void accepts_and_frames(void **state)
{
    (void)state;
    struct guard guard = guard_open(4096);
    for (size_t i = 0; i < COUNT(accepted); i++) {
        const struct accepted *row = &accepted[i];
        print_message("accepted: %s\n", row->why);
        size_t len = strlen(row->head);
        struct response_head response;
        enum response_fault fault;
        for (size_t cut = 0; cut < len; cut++) {
            const char *part = guard_flush(&guard, row->head, cut);
            assert_int_equal(response_parse(&response, part, cut, row->to, &fault),
                             RESPONSE_PARTIAL);
        }
        const char *whole = guard_flush(&guard, row->head, len);
        assert_int_equal(response_parse(&response, whole, len, row->to, &fault), RESPONSE_DONE);
        check_accepted(row, &response, len);

        char *more = guard_space(&guard, len + 5);
        memcpy(more, row->head, len);
        memcpy(more + len, "\r\nHTT", 5);
        assert_int_equal(response_parse(&response, more, len + 5, row->to, &fault), RESPONSE_DONE);
        check_accepted(row, &response, len);
    }
    guard_close(&guard);
}

/* A prefix may be undecided, but never accepted, and once refused never taken back. */
static void refuses_with_the_reason(void **state)
{
    (void)state;
    struct guard guard = guard_open(4096);
    for (size_t i = 0; i < COUNT(refused); i++) {
        const struct refused *row = &refused[i];
        print_message("refused: %s\n", row->why);
        size_t len = strlen(row->head);
        bool was_refused = false;
        for (size_t cut = 0; cut <= len; cut++) {
            struct response_head response;
            enum response_fault fault;
            const char *part = guard_flush(&guard, row->head, cut);
            enum response_result result =
                response_parse(&response, part, cut, RESPONSE_TO_OTHER, &fault);
            if (result == RESPONSE_REFUSED) {
                was_refused = true;
                assert_int_equal(fault, row->fault);
                assert_true(response_fault_text(fault)[0] != '\0');
            } else {
                assert_int_equal(result, RESPONSE_PARTIAL);
                assert_false(was_refused);
            }
        }
        assert_true(was_refused);
    }
    guard_close(&guard);
}

static void a_head_without_end_is_given_up(void **state)
{
    (void)state;
    size_t cap = RESPONSE_HEAD_LIMIT + 10;
    char *bytes = malloc(cap);
    assert_non_null(bytes);
    memset(bytes, 'a', cap);
    memcpy(bytes, LINE "X: ", sizeof LINE "X: " - 1);
    struct response_head response;
    enum response_fault fault;
    assert_int_equal(
        response_parse(&response, bytes, RESPONSE_HEAD_LIMIT - 1, RESPONSE_TO_OTHER, &fault),
        RESPONSE_PARTIAL);
    for (size_t len = RESPONSE_HEAD_LIMIT; len <= cap; len++) {
        assert_int_equal(response_parse(&response, bytes, len, RESPONSE_TO_OTHER, &fault),
                         RESPONSE_REFUSED);
        assert_int_equal(fault, RESPONSE_TOO_LONG);
    }
    /* The same when the line without end is the first one. */
    memcpy(bytes, "HTTP/1.1 200 a", 14);
    memset(bytes + 14, 'a', 20);
    assert_int_equal(response_parse(&response, bytes, cap, RESPONSE_TO_OTHER, &fault),
                     RESPONSE_REFUSED);
    assert_int_equal(fault, RESPONSE_TOO_LONG);
    free(bytes);
}

static void fields_are_counted(void **state)
{
    (void)state;
    static const char field[] = "A: b\r\n";
    char bytes[1024];
    for (size_t count = FIELD_LIMIT; count <= FIELD_LIMIT + 1; count++) {
        size_t len = sizeof LINE - 1;
        memcpy(bytes, LINE, len);
        for (size_t i = 0; i < count; i++, len += sizeof field - 1)
            memcpy(bytes + len, field, sizeof field - 1);
        memcpy(bytes + len, "\r\n", 2);
        struct response_head response;
        enum response_fault fault = RESPONSE_NOT_HTTP;
        enum response_result result =
            response_parse(&response, bytes, len + 2, RESPONSE_TO_OTHER, &fault);
        if (count <= FIELD_LIMIT) {
            assert_int_equal(result, RESPONSE_DONE);
        } else {
            assert_int_equal(result, RESPONSE_REFUSED);
            assert_int_equal(fault, RESPONSE_TOO_MANY_FIELDS);
        }
    }
}

/* Offsets survive a move of the head, and a value is found by name. */
static void a_head_can_be_moved(void **state)
{
    (void)state;
    static const char first[] = LINE "LOCATION:  /there \r\nContent-Length: 0\r\n\r\n";
    char moved[sizeof first];
    struct response_head response;
    enum response_fault fault;
    assert_int_equal(response_parse(&response, first, sizeof first - 1, RESPONSE_TO_OTHER, &fault),
                     RESPONSE_DONE);
    memcpy(moved, first, sizeof first);
    response.head = moved;
    struct span location = response_field_value(&response, FIELD_LOCATION);
    assert_true(location.ptr > moved && location.ptr < moved + sizeof moved);
    assert_true(span_equal(location, SPAN("/there")));
    assert_null(response_field_value(&response, FIELD_ETAG).ptr);
}

/* RFC 9110 15: a class is what a client must understand, and what is outside is like a 5xx. */
static void classes_of_status(void **state)
{
    (void)state;
    static const struct {
        uint16_t status;
        bool interim, error;
    } rows[] = {
        {0, false, true},    {99, false, true},   {100, true, false},  {199, true, false},
        {200, false, false}, {299, false, false}, {399, false, false}, {400, false, true},
        {599, false, true},  {600, false, true},  {999, false, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct response_head response = {.status = rows[i].status};
        assert_int_equal(response_is_interim(&response), rows[i].interim);
        assert_int_equal(response_is_error(&response), rows[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_and_frames),
        cmocka_unit_test(refuses_with_the_reason),
        cmocka_unit_test(a_head_without_end_is_given_up),
        cmocka_unit_test(fields_are_counted),
        cmocka_unit_test(a_head_can_be_moved),
        cmocka_unit_test(classes_of_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
