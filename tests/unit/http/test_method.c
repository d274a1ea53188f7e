#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/method.h"
#include "unit/guard.h"

static const struct {
    const char *name;
    enum method method;
    bool safe; /* RFC 9110 9.2.1, RFC 4918 9.1 */
} known[] = {
    {"GET", METHOD_GET, true},
    {"HEAD", METHOD_HEAD, true},
    {"POST", METHOD_POST, false},
    {"PUT", METHOD_PUT, false},
    {"DELETE", METHOD_DELETE, false},
    {"CONNECT", METHOD_CONNECT, false},
    {"OPTIONS", METHOD_OPTIONS, true},
    {"TRACE", METHOD_TRACE, true},
    {"PATCH", METHOD_PATCH, false},
    {"PROPFIND", METHOD_PROPFIND, true},
    {"PROPPATCH", METHOD_PROPPATCH, false},
    {"MKCOL", METHOD_MKCOL, false},
    {"COPY", METHOD_COPY, false},
    {"MOVE", METHOD_MOVE, false},
    {"LOCK", METHOD_LOCK, false},
    {"UNLOCK", METHOD_UNLOCK, false},
};

enum { KNOWN = sizeof known / sizeof *known };

static void every_method_is_found_by_its_name(void **state)
{
    (void)state;
    struct guard guard = guard_open(16);
    assert_int_equal(KNOWN, METHOD_COUNT - 1);
    for (size_t i = 0; i < KNOWN; i++) {
        size_t len = strlen(known[i].name);
        const char *name = guard_flush(&guard, known[i].name, len);
        assert_int_equal(method_of(span_make(name, len)), known[i].method);
        assert_true(span_equal(method_name(known[i].method), span_of(known[i].name)));
        assert_int_equal(method_is_safe(known[i].method), known[i].safe);
    }
    guard_close(&guard);
}

/* RFC 9110 9.1: case-sensitive. And a name is the whole token: no prefix, no longer one. */
static void only_the_exact_name_is_the_method(void **state)
{
    (void)state;
    struct guard guard = guard_open(16);
    for (size_t i = 0; i < KNOWN; i++) {
        char text[16] = "";
        size_t len = strlen(known[i].name);
        memcpy(text, known[i].name, len);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(method_of(span_make(guard_flush(&guard, text, cut), cut)),
                             METHOD_UNKNOWN);
        text[len] = 'S';
        assert_int_equal(method_of(span_make(guard_flush(&guard, text, len + 1), len + 1)),
                         METHOD_UNKNOWN);
        for (size_t j = 0; j < len; j++) {
            text[j] = (char)(text[j] | 0x20);
            assert_int_equal(method_of(span_make(text, len)), METHOD_UNKNOWN);
            text[j] = known[i].name[j];
        }
    }
    assert_int_equal(method_of(SPAN_EMPTY), METHOD_UNKNOWN);
    assert_int_equal(method_of(SPAN("BREW")), METHOD_UNKNOWN);
    guard_close(&guard);
}

static void the_unknown_method_has_no_name_and_is_not_safe(void **state)
{
    (void)state;
    assert_int_equal(method_name(METHOD_UNKNOWN).len, 0);
    assert_false(method_is_safe(METHOD_UNKNOWN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_is_found_by_its_name),
        cmocka_unit_test(only_the_exact_name_is_the_method),
        cmocka_unit_test(the_unknown_method_has_no_name_and_is_not_safe),
    };
    return cmocka_run_group_tests_name("method", tests, NULL, NULL);
}
