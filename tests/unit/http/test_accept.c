#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/accept.h"
#include "unit/guard.h"

struct weight_row {
    const char *value; /* NULL: no such field */
    const char *wanted;
    unsigned weight;
    const char *why;
};

#define RFC_ACCEPT                                                                                 \
    "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed,\t"                                  \
    "text/plain;format=fixed;q=0.4, */*;q=0.5"

static const struct weight_row type_rows[] = {
    {RFC_ACCEPT, "text/plain;format=flowed", 1000, "RFC 9110 12.5.1, table 5"},
    {RFC_ACCEPT, "text/plain", 700, "RFC 9110 12.5.1, table 5"},
    {RFC_ACCEPT, "text/html", 300, "RFC 9110 12.5.1, table 5"},
    {RFC_ACCEPT, "image/jpeg", 500, "RFC 9110 12.5.1, table 5"},
    {RFC_ACCEPT, "text/plain;format=fixed", 400, "RFC 9110 12.5.1, table 5"},
    {RFC_ACCEPT, "text/html;level=3", 300, "RFC 9110 12.5.1, table 5"},
    {"audio/*; q=0.2, audio/basic", "audio/basic", 1000, "RFC 9110 12.5.1"},
    {"audio/*; q=0.2, audio/basic", "audio/mpeg", 200, "RFC 9110 12.5.1"},
    {"audio/*; q=0.2, audio/basic", "text/html", 0, "not asked for"},
    {"text/plain; q=0.5, text/html,\ttext/x-dvi; q=0.8, text/x-c", "text/html", 1000,
     "RFC 9110 12.5.1, elaborate"},
    {"text/plain; q=0.5, text/html,\ttext/x-dvi; q=0.8, text/x-c", "text/x-dvi", 800,
     "RFC 9110 12.5.1, elaborate"},
    {"text/plain; q=0.5, text/html,\ttext/x-dvi; q=0.8, text/x-c", "text/plain", 500,
     "RFC 9110 12.5.1, elaborate"},
    {"text/*, text/plain, text/plain;format=flowed, */*", "text/plain;format=flowed", 1000,
     "RFC 9110 12.5.1, precedence"},
    {"*/*;q=0.9, text/*;q=0.1", "text/html", 100, "precise wins though it comes later"},
    {"text/html;q=0.1, text/*", "text/html", 100, "and though it weighs less"},
    {NULL, "text/html", 1000, "no field: anything"},
    {"", "text/html", 1000, "an empty field"},
    {"  ", "text/html", 1000, "a blank field"},
    {"TEXT/HTML", "text/html", 1000, "case does not count"},
    {"text/html;Q=0.5", "text/html", 500, "nor in the name of the weight"},
    {"text/html ; q=0.5", "text/html", 500, "space before the semicolon"},
    {"text/html;charset=utf-8", "text/html", 0, "a parameter that the type has not"},
    {"text/html;charset=utf-8", "text/html; charset=utf-8", 1000, "one that it has"},
    {"text/html;charset=\"UTF-8\"", "text/html; charset=utf-8", 1000, "in quotes"},
    {"text/html;q=0.5;charset=x", "text/html", 500, "what follows the weight does not select"},
    {"text/html;;q=0.5", "text/html", 500, "an empty parameter"},
    {"application/json", "application/jsonx", 0, "a beginning is not the whole"},
    {"application/jsonx", "application/json", 0, "nor the whole the beginning"},
    {"app/*", "application/json", 0, "nor in the type"},
    {"*", "text/html", 0, "a star alone is no media range"},
    {"*/html", "text/html", 0, "any type of one subtype is none either"},
    {"/*", "text/html", 0, "no type"},
    {",,text/html,,", "text/html", 1000, "empty elements"},
    {"text/html;a=\",\", image/png", "image/png", 1000, "a comma in quotes"},
    {"text/html;a=\"\\", "text/html", 0, "a backslash at the end"},
    {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json", 800,
     "a browser"},
};

static const struct weight_row qvalue_rows[] = {
    {"a/b;q=0", "a/b", 0, "0"},
    {"a/b;q=0.", "a/b", 0, "a point and no digit is allowed"},
    {"a/b;q=0.000", "a/b", 0, "three zeros"},
    {"a/b;q=0.001", "a/b", 1, "the least"},
    {"a/b;q=0.01", "a/b", 10, "two digits"},
    {"a/b;q=0.999", "a/b", 999, "the most below 1"},
    {"a/b;q=1", "a/b", 1000, "1"},
    {"a/b;q=1.", "a/b", 1000, "1 and a point"},
    {"a/b;q=1.000", "a/b", 1000, "1 and three zeros"},
    {"a/b;q=1.001", "a/b", 0, "more than 1"},
    {"a/b;q=0.1234", "a/b", 0, "four digits"},
    {"a/b;q=1.0000", "a/b", 0, "four zeros"},
    {"a/b;q=2", "a/b", 0, "2"},
    {"a/b;q=.5", "a/b", 0, "nothing before the point"},
    {"a/b;q=", "a/b", 0, "nothing"},
    {"a/b;q=-0.5", "a/b", 0, "a sign"},
    {"a/b;q=0,5", "a/b", 0, "a comma"},
    {"a/b;q=0.5x", "a/b", 0, "something after it"},
    {"a/b;q=00.5", "a/b", 0, "two digits before the point"},
    {"a/b;q=\"1\"", "a/b", 0, "in quotes"},
    {"a/b;q=x", "a/b", 0, "a letter"},
};

static const struct weight_row encoding_rows[] = {
    {"compress, gzip", "gzip", 1000, "RFC 9110 12.5.3"},
    {"compress, gzip", "br", 0, "RFC 9110 12.5.3"},
    {"compress, gzip", "identity", 1, "unnamed: acceptable, after what is named"},
    {"", "gzip", 0, "RFC 9110 12.5.3, empty"},
    {"", "identity", 1, "RFC 9110 12.5.3, empty: no coding wanted"},
    {"*", "gzip", 1000, "RFC 9110 12.5.3"},
    {"*", "identity", 1000, "a star names it too"},
    {"compress;q=0.5, gzip;q=1.0", "gzip", 1000, "RFC 9110 12.5.3"},
    {"compress;q=0.5, gzip;q=1.0", "compress", 500, "RFC 9110 12.5.3"},
    {"gzip;q=1.0, identity; q=0.5, *;q=0", "gzip", 1000, "RFC 9110 12.5.3"},
    {"gzip;q=1.0, identity; q=0.5, *;q=0", "identity", 500, "RFC 9110 12.5.3"},
    {"gzip;q=1.0, identity; q=0.5, *;q=0", "br", 0, "RFC 9110 12.5.3"},
    {"identity;q=0", "identity", 0, "RFC 9110 12.5.3, rule 2: excluded"},
    {"*;q=0", "identity", 0, "RFC 9110 12.5.3, rule 2: excluded by the star"},
    {"*;q=0, identity", "identity", 1000, "a more specific entry counts"},
    {"gzip;q=0", "gzip", 0, "refused"},
    {"gzip;q=0, *", "gzip", 0, "refused in spite of the star"},
    {"*, gzip;q=0.2", "gzip", 200, "its own weight though the star comes first"},
    {"*;q=0.3, *;q=0.9", "gzip", 300, "the first of two stars"},
    {"x-gzip", "gzip", 1000, "RFC 9110 8.4.1.3"},
    {"gzip", "x-gzip", 1000, "RFC 9110 8.4.1.3"},
    {"GZIP;Q=0.5", "gzip", 500, "case does not count (RFC 9110 8.4.1)"},
    {NULL, "gzip", 0, "no field: identity only"},
    {NULL, "identity", 1000, "no field: identity only"},
    {"gzip, deflate, br, zstd", "zstd", 1000, "a browser"},
    {"gzip;q=0.8", "identity", 1, "what is named comes first whatever its weight"},
    {"gzippy", "gzip", 0, "a beginning is not the whole"},
    {"gzi", "gzip", 0, "nor the whole the beginning"},
    {",, gzip ,", "gzip", 1000, "empty elements"},
    {"gzip;q=x", "gzip", 0, "a malformed weight"},
};

static void check(const struct weight_row *rows, size_t count,
                  unsigned (*weigh)(struct span value, struct span wanted))
{
    struct guard guard = guard_open(256);
    for (size_t i = 0; i < count; i++) {
        const struct weight_row *row = &rows[i];
        struct span value = SPAN_EMPTY;
        size_t len = row->value != NULL ? strlen(row->value) : 0;
        if (row->value != NULL)
            value = span_make(guard_flush(&guard, row->value, len), len);
        unsigned weight = weigh(value, span_of(row->wanted));
        if (weight != row->weight)
            fail_msg("%s (%s for %s): %u, not %u", row->why, row->value, row->wanted, weight,
                     row->weight);
        for (size_t cut = 0; cut < len; cut++)
            assert_true(weigh(span_make(guard_flush(&guard, row->value, cut), cut),
                              span_of(row->wanted)) <= 1000);
    }
    guard_close(&guard);
}

static void weighs_types(void **state)
{
    (void)state;
    check(type_rows, sizeof type_rows / sizeof type_rows[0], accept_weight);
    check(qvalue_rows, sizeof qvalue_rows / sizeof qvalue_rows[0], accept_weight);
}

static void weighs_encodings(void **state)
{
    (void)state;
    check(encoding_rows, sizeof encoding_rows / sizeof encoding_rows[0], accept_encoding_weight);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weighs_types),
        cmocka_unit_test(weighs_encodings),
    };
    return cmocka_run_group_tests_name("http/accept", tests, NULL, NULL);
}
