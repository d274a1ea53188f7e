/* Hosts, ports, targets, and references as servers write them in Location. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/url.h"
#include "unit/guard.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

struct origin_row {
    const char *authority;
    const char *host, *port; /* NULL: refused */
    const char *why;
};

static const struct origin_row origins[] = {
    {"localhost", "localhost", "80", "a name"},
    {"localhost:8080", "localhost", "8080", "a name and a port"},
    {"EXAMPLE.org:080", "example.org", "80", "lower case; leading zeros of a port are digits"},
    {"example.org:", "example.org", "80", "an empty port is the default one (RFC 3986 3.2.3)"},
    {"127.0.0.1:65535", "127.0.0.1", "65535", "the last port"},
    {"[::1]", "::1", "80", "IPv6"},
    {"[::1]:8080", "::1", "8080", "IPv6 and a port"},
    {"[FE80::1]", "fe80::1", "80", "IPv6 in capitals"},
    {"[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", "1", "IPv4 inside IPv6"},
    {"::1", "::1", "80", "IPv6 without brackets has no port"},
    {"", NULL, NULL, "nothing"},
    {":80", NULL, NULL, "no host"},
    {"localhost:0", NULL, NULL, "port 0"},
    {"localhost:65536", NULL, NULL, "a port of 17 bits"},
    {"localhost:99999999999999999999999", NULL, NULL, "a port that fits nowhere"},
    {"localhost:-1", NULL, NULL, "a negative port"},
    {"localhost:8o", NULL, NULL, "a port with a letter"},
    {"user@localhost", NULL, NULL, "a name in the URL (RFC 9110 4.2.4)"},
    {"user:pass@localhost", NULL, NULL, "a name and password in the URL"},
    {"local host", NULL, NULL, "a space"},
    {"local\r\nhost", NULL, NULL, "a line end would split the request"},
    {"a/b", NULL, NULL, "a slash"},
    {"[::1", NULL, NULL, "an open bracket"},
    {"[]", NULL, NULL, "an empty address"},
    {"[::1]x", NULL, NULL, "something between bracket and colon"},
    {"[::1]:x", NULL, NULL, "a bad port after brackets"},
    {"[localhost]", NULL, NULL, "brackets are for IPv6"},
    {"[dead]", NULL, NULL, "no colon, no IPv6"},
    {"x:y:z", NULL, NULL, "two colons, but no IPv6"},
};

static void reads_hosts(void **state)
{
    (void)state;
    struct guard guard = guard_open(4096);
    for (size_t i = 0; i < COUNT(origins); i++) {
        const struct origin_row *row = &origins[i];
        print_message("%s\n", row->why);
        size_t len = strlen(row->authority);
        struct origin origin = {"untouched", "7"};
        enum url_result result =
            origin_parse(&origin, span_make(guard_flush(&guard, row->authority, len), len));
        assert_int_equal(result, row->host != NULL ? URL_OK : URL_MALFORMED);
        assert_string_equal(origin.host, row->host != NULL ? row->host : "untouched");
        assert_string_equal(origin.port, row->port != NULL ? row->port : "7");
    }
    guard_close(&guard);
}

static void bounds_the_length_of_hosts(void **state)
{
    (void)state;
    char name[URL_HOST_LIMIT + 1];
    struct origin origin;
    memset(name, 'a', sizeof name);
    assert_int_equal(origin_parse(&origin, span_make(name, URL_HOST_LIMIT)), URL_OK);
    assert_int_equal(strlen(origin.host), URL_HOST_LIMIT);
    assert_int_equal(origin_parse(&origin, span_make(name, URL_HOST_LIMIT + 1)), URL_TOO_LONG);
}

static void writes_host_fields(void **state)
{
    (void)state;
    static const struct {
        const char *authority, *host;
    } rows[] = {
        {"a.b", "a.b"},
        {"a.b:80", "a.b"},
        {"a.b:81", "a.b:81"},
        {"[::1]:80", "[::1]"},
        {"[::1]:8080", "[::1]:8080"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char memory[64];
        struct buffer out = BUFFER_OVER(memory);
        struct origin origin;
        assert_int_equal(origin_parse(&origin, span_of(rows[i].authority)), URL_OK);
        origin_put_host(&out, &origin);
        assert_true(span_equal(buffer_span(&out), span_of(rows[i].host)));
    }
}

struct reference_row {
    const char *reference;
    const char *host, *port, *target; /* host NULL: refused */
    enum url_result result;
};

/* The examples of RFC 3986 5.4, seen from http://a/b/c/d;p?q, as far as they are http. */
static const struct reference_row references[] = {
    {"http://g", "g", "80", "/", URL_OK},
    {"g", "a", "80", "/b/c/g", URL_OK},
    {"./g", "a", "80", "/b/c/g", URL_OK},
    {"g/", "a", "80", "/b/c/g/", URL_OK},
    {"/g", "a", "80", "/g", URL_OK},
    {"//g", "g", "80", "/", URL_OK},
    {"?y", "a", "80", "/b/c/d;p?y", URL_OK},
    {"g?y", "a", "80", "/b/c/g?y", URL_OK},
    {"#s", "a", "80", "/b/c/d;p?q", URL_OK},
    {"g#s", "a", "80", "/b/c/g", URL_OK},
    {"g?y#s", "a", "80", "/b/c/g?y", URL_OK},
    {";x", "a", "80", "/b/c/;x", URL_OK},
    {"g;x?y#s", "a", "80", "/b/c/g;x?y", URL_OK},
    {"", "a", "80", "/b/c/d;p?q", URL_OK},
    {".", "a", "80", "/b/c/", URL_OK},
    {"./", "a", "80", "/b/c/", URL_OK},
    {"..", "a", "80", "/b/", URL_OK},
    {"../", "a", "80", "/b/", URL_OK},
    {"../g", "a", "80", "/b/g", URL_OK},
    {"../..", "a", "80", "/", URL_OK},
    {"../../", "a", "80", "/", URL_OK},
    {"../../g", "a", "80", "/g", URL_OK},
    {"../../../g", "a", "80", "/g", URL_OK},
    {"../../../../g", "a", "80", "/g", URL_OK},
    {"/./g", "a", "80", "/g", URL_OK},
    {"/../g", "a", "80", "/g", URL_OK},
    {"g.", "a", "80", "/b/c/g.", URL_OK},
    {".g", "a", "80", "/b/c/.g", URL_OK},
    {"g..", "a", "80", "/b/c/g..", URL_OK},
    {"..g", "a", "80", "/b/c/..g", URL_OK},
    {"./../g", "a", "80", "/b/g", URL_OK},
    {"./g/.", "a", "80", "/b/c/g/", URL_OK},
    {"g/./h", "a", "80", "/b/c/g/h", URL_OK},
    {"g/../h", "a", "80", "/b/c/h", URL_OK},
    {"g;x=1/./y", "a", "80", "/b/c/g;x=1/y", URL_OK},
    {"g;x=1/../y", "a", "80", "/b/c/y", URL_OK},
    {"g?y/./x", "a", "80", "/b/c/g?y/./x", URL_OK},
    {"g?y/../x", "a", "80", "/b/c/g?y/../x", URL_OK},
    /* what else servers say */
    {"http://h:8080/x?y", "h", "8080", "/x?y", URL_OK},
    {"HTTP://H/X", "h", "80", "/X", URL_OK},
    {"http://h?y", "h", "80", "/?y", URL_OK},
    {"http://[::1]:8080/x", "::1", "8080", "/x", URL_OK},
    {"/a b\xC3\xA4", "a", "80", "/a%20b%C3%A4", URL_OK},
    {"/%41", "a", "80", "/%41", URL_OK},
    {"https://g/", NULL, NULL, NULL, URL_OTHER_SCHEME},
    {"g:h", NULL, NULL, NULL, URL_OTHER_SCHEME},
    {"javascript:alert(1)", NULL, NULL, NULL, URL_OTHER_SCHEME},
    {"http:g", NULL, NULL, NULL, URL_MALFORMED},
    {"http://", NULL, NULL, NULL, URL_MALFORMED},
    {"http:///x", NULL, NULL, NULL, URL_MALFORMED},
    {"http://u:p@h/", NULL, NULL, NULL, URL_MALFORMED},
    {"http://h:x/", NULL, NULL, NULL, URL_MALFORMED},
};

static void resolves_references(void **state)
{
    (void)state;
    struct guard guard = guard_open(4096);
    const struct origin base = {"a", "80"};
    for (size_t i = 0; i < COUNT(references); i++) {
        const struct reference_row *row = &references[i];
        print_message("'%s'\n", row->reference);
        size_t len = strlen(row->reference);
        char memory[256];
        struct buffer out = BUFFER_OVER(memory);
        struct origin to;
        enum url_result result =
            url_resolve(span_make(guard_flush(&guard, row->reference, len), len), &base,
                        SPAN("/b/c/d;p?q"), &to, &out);
        assert_int_equal(result, row->result);
        if (row->host == NULL)
            continue;
        assert_string_equal(to.host, row->host);
        assert_string_equal(to.port, row->port);
        assert_true(span_equal(buffer_span(&out), span_of(row->target)));
    }
    guard_close(&guard);
}

static void refuses_what_is_too_long(void **state)
{
    (void)state;
    static char reference[3 * URL_TARGET_LIMIT], memory[URL_TARGET_LIMIT];
    const struct origin base = {"a", "80"};
    static const struct {
        size_t len;
        enum url_result result;
    } rows[] = {
        {URL_TARGET_LIMIT, URL_OK},
        {URL_TARGET_LIMIT + 1, URL_TOO_LONG},
        {sizeof reference, URL_TOO_LONG},
    };
    memset(reference, 'x', sizeof reference);
    reference[0] = '/';
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct origin to;
        struct buffer out = BUFFER_OVER(memory);
        assert_int_equal(
            url_resolve(span_make(reference, rows[i].len), &base, SPAN("/"), &to, &out),
            rows[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hosts),
        cmocka_unit_test(bounds_the_length_of_hosts),
        cmocka_unit_test(writes_host_fields),
        cmocka_unit_test(resolves_references),
        cmocka_unit_test(refuses_what_is_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
