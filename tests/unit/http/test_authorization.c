#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base64.h"
#include "http/authorization.h"
#include "unit/guard.h"

static const struct row {
    struct span value;
    enum authorization_result result;
    const char *first, *second, *why; /* user and password, or token */
} rows[] = {
    {SPAN("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), AUTHORIZATION_BASIC, "Aladdin", "open sesame",
     "RFC 7617 2"},
    {SPAN("Basic dGVzdDoxMjPCow=="), AUTHORIZATION_BASIC, "test", "123\xc2\xa3", "RFC 7617 2.1"},
    {SPAN("bASIC   QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), AUTHORIZATION_BASIC, "Aladdin", "open sesame",
     "RFC 9110 11.1: schemes are in any case; 11.4: 1*SP"},
    {SPAN("Basic dTphOmI6"), AUTHORIZATION_BASIC, "u", "a:b:", "colons in a password"},
    {SPAN("Basic Og=="), AUTHORIZATION_BASIC, "", "", "both empty"},
    {SPAN("Basic dTo="), AUTHORIZATION_BASIC, "u", "", "no password"},
    {SPAN("Basic OnA="), AUTHORIZATION_BASIC, "", "p", "no user"},
    {SPAN("Basic dQ=="), AUTHORIZATION_MALFORMED, NULL, NULL, "no colon"},
    {SPAN("Basic"), AUTHORIZATION_MALFORMED, NULL, NULL, "nothing"},
    {SPAN("Basic "), AUTHORIZATION_MALFORMED, NULL, NULL, "nothing"},
    {SPAN("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ"), AUTHORIZATION_MALFORMED, NULL, NULL,
     "padding missing"},
    {SPAN("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== "), AUTHORIZATION_MALFORMED, NULL, NULL,
     "more behind it"},
    {SPAN("Basic user:password"), AUTHORIZATION_MALFORMED, NULL, NULL, "not encoded"},
    {SPAN("Basic dTpwAA=="), AUTHORIZATION_MALFORMED, NULL, NULL, "RFC 7617 2: a NUL"},
    {SPAN("Basic dTpwfw=="), AUTHORIZATION_MALFORMED, NULL, NULL, "RFC 7617 2: DEL"},
    {SPAN("Basic dQo6cA=="), AUTHORIZATION_MALFORMED, NULL, NULL, "RFC 7617 2: a line feed"},
    {SPAN("Basic\tdTpw"), AUTHORIZATION_MALFORMED, NULL, NULL, "a tab is no SP"},
    {SPAN("BasicdTpw"), AUTHORIZATION_UNSUPPORTED, NULL, NULL, "no space: another scheme"},
    {SPAN("Bearer mF_9.B5f-4.1JqM"), AUTHORIZATION_BEARER, "mF_9.B5f-4.1JqM", NULL, "RFC 6750 2.1"},
    {SPAN("bearer a~+/=="), AUTHORIZATION_BEARER, "a~+/==", NULL, "every sign"},
    {SPAN("Bearer"), AUTHORIZATION_MALFORMED, NULL, NULL, "nothing"},
    {SPAN("Bearer ="), AUTHORIZATION_MALFORMED, NULL, NULL, "only padding"},
    {SPAN("Bearer a=b"), AUTHORIZATION_MALFORMED, NULL, NULL, "padding inside"},
    {SPAN("Bearer a b"), AUTHORIZATION_MALFORMED, NULL, NULL, "two words"},
    {SPAN("Bearer a,b"), AUTHORIZATION_MALFORMED, NULL, NULL, "a sign it cannot have"},
    {SPAN("Bearer a\0"), AUTHORIZATION_MALFORMED, NULL, NULL, "a NUL"},
    {SPAN("Digest username=\"Mufasa\""), AUTHORIZATION_UNSUPPORTED, NULL, NULL, "RFC 7616"},
    {SPAN("Negotiate"), AUTHORIZATION_UNSUPPORTED, NULL, NULL, "a scheme alone"},
    {SPAN(""), AUTHORIZATION_MALFORMED, NULL, NULL, "no scheme"},
    {SPAN(" Basic dTpw"), AUTHORIZATION_MALFORMED, NULL, NULL, "no scheme"},
    {SPAN("a/b c"), AUTHORIZATION_MALFORMED, NULL, NULL, "a scheme is a token"},
};

static void every_row_and_its_prefixes(void **state)
{
    struct guard input = guard_open(256), output = guard_open(AUTHORIZATION_LIMIT);
    char *text = guard_space(&output, AUTHORIZATION_LIMIT);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        for (size_t len = 0; len <= row->value.len; len++) {
            struct authorization a;
            struct span value = span_make(guard_flush(&input, row->value.ptr, len), len);
            enum authorization_result result = authorization_parse(value, &a, text);
            if (len < row->value.len)
                continue;
            if (result != row->result)
                fail_msg("%s: %d", row->why, result);
            if (result == AUTHORIZATION_BASIC) {
                assert_true(span_equal(a.user, span_of(row->first)));
                assert_true(span_equal(a.password, span_of(row->second)));
            } else if (result == AUTHORIZATION_BEARER) {
                assert_true(span_equal(a.token, span_of(row->first)));
            }
        }
    }
    guard_close(&input);
    guard_close(&output);
}

static void absent_is_not_empty(void **state)
{
    struct authorization a;
    char text[AUTHORIZATION_LIMIT];
    (void)state;
    assert_int_equal(authorization_parse(SPAN_EMPTY, &a, text), AUTHORIZATION_NONE);
}

/* Credentials of just the limit are taken, one byte more is refused and nothing overwritten. */
static void bounded(void **state)
{
    struct guard output = guard_open(AUTHORIZATION_LIMIT);
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct authorization a;
        char plain[AUTHORIZATION_LIMIT + 1], value[6 + 2 * AUTHORIZATION_LIMIT];
        size_t len = AUTHORIZATION_LIMIT + over;
        memset(plain, 'p', sizeof plain);
        plain[1] = ':';
        memcpy(value, "Basic ", 6);
        len = 6 + base64_encode(value + 6, plain, len);
        assert_int_equal(authorization_parse(span_make(value, len), &a,
                                             guard_space(&output, AUTHORIZATION_LIMIT)),
                         over ? AUTHORIZATION_MALFORMED : AUTHORIZATION_BASIC);
    }
    guard_close(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_and_its_prefixes),
        cmocka_unit_test(absent_is_not_empty),
        cmocka_unit_test(bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
