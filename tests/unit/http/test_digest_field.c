#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "http/digest_field.h"
#include "unit/guard.h"

/* RFC 9530 B.1: the content {"hello": "world"} and a line feed. */
#define CONTENT "{\"hello\": \"world\"}\n"
#define SHA256  "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"

enum outcome { MALFORMED, NOTHING, KNOWN, UNKNOWN, BOTH };

static const struct row {
    struct span value;
    enum outcome outcome;
    const char *why;
} rows[] = {
    {SPAN(SHA256), KNOWN, "B.1"},
    {SPAN("sha-512=:AAAA:, " SHA256), BOTH, "one of two is known"},
    {SPAN(SHA256 ", md5=:AAAA:"), BOTH, "one of two is known"},
    {SPAN("sha-512=:AAAA:"), UNKNOWN, "another algorithm"},
    {SPAN("sha=1"), UNKNOWN, "another algorithm, of a kind that is none of ours to judge"},
    {SPAN(""), NOTHING, "an empty dictionary"},
    {SPAN("sha-256=:AAAA:, " SHA256), KNOWN, "RFC 9651 3.2: the last of a key counts"},
    {SPAN(SHA256 ", sha-256=:AAAA:"), MALFORMED, "RFC 9651 3.2: the last of a key counts"},
    {SPAN(SHA256 ";a=1"), KNOWN, "a parameter"},
    {SPAN("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg:"), KNOWN, "without padding"},
    {SPAN("sha-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="), MALFORMED, "RFC 3230's form"},
    {SPAN("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8Fa:"), MALFORMED, "30 bytes"},
    {SPAN("sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDgA:"), MALFORMED, "33 bytes"},
    {SPAN("sha-256=::"), MALFORMED, "no bytes"},
    {SPAN("sha-256"), MALFORMED, "a boolean"},
    {SPAN("sha-256=10"), MALFORMED, "a number"},
    {SPAN(SHA256 ","), MALFORMED, "RFC 9651 4.2.2: a comma at the end"},
    {SPAN("SHA-256=:AAAA:"), MALFORMED, "RFC 9651 4.2.3.3: keys are lower case"},
};

static enum outcome outcome_of(struct span value, const uint8_t expected[32])
{
    struct digest_field field;
    if (!digest_field_parse(value, &field))
        return MALFORMED;
    if (field.has_sha256)
        assert_memory_equal(field.sha256, expected, 32);
    if (field.has_sha256)
        return field.has_unknown ? BOTH : KNOWN;
    return field.has_unknown ? UNKNOWN : NOTHING;
}

static void digests(void **state)
{
    struct guard guard = guard_open(256);
    uint8_t expected[SHA256_LEN];
    (void)state;
    sha256_of(CONTENT, sizeof CONTENT - 1, expected);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t len = 0; len < rows[i].value.len; len++) {
            struct digest_field field;
            digest_field_parse(span_make(guard_flush(&guard, rows[i].value.ptr, len), len), &field);
        }
        struct span value =
            span_make(guard_flush(&guard, rows[i].value.ptr, rows[i].value.len), rows[i].value.len);
        enum outcome outcome = outcome_of(value, expected);
        if (outcome != rows[i].outcome)
            fail_msg("%.*s (%s): %d", (int)value.len, value.ptr, rows[i].why, outcome);
    }
    guard_close(&guard);
}

static void wishes(void **state)
{
    static const struct {
        struct span value;
        unsigned weight;
        const char *why;
    } wants[] = {
        {SPAN("sha-256=1"), 1, "RFC 9530 4"},
        {SPAN("sha-512=3, sha-256=10, unixsum=0"), 10, "RFC 9530 4"},
        {SPAN("sha-512=10, sha-256=0"), 0, "not acceptable"},
        {SPAN("sha-512=10"), 0, "not named"},
        {SPAN("sha-256=11"), 0, "out of range"},
        {SPAN("sha-256=-1"), 0, "out of range"},
        {SPAN("sha-256=1.0"), 0, "a decimal"},
        {SPAN("sha-256"), 0, "a boolean"},
        {SPAN("sha-256=1, sha-256=5"), 5, "RFC 9651 3.2: the last of a key counts"},
        {SPAN("sha-256=1,"), 0, "malformed"},
        {SPAN_EMPTY, 0, "absent"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wants / sizeof wants[0]; i++)
        if (digest_field_want_sha256(wants[i].value) != wants[i].weight)
            fail_msg("%s", wants[i].why);
}

static void written_as_in_the_rfc(void **state)
{
    uint8_t digest[SHA256_LEN];
    char text[sizeof SHA256 - 1];
    struct buffer b = BUFFER_OVER(text);
    (void)state;
    sha256_of(CONTENT, sizeof CONTENT - 1, digest);
    digest_field_put(&b, digest);
    assert_false(b.overflowed);
    assert_true(span_equal(buffer_span(&b), SPAN(SHA256)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests),
        cmocka_unit_test(wishes),
        cmocka_unit_test(written_as_in_the_rfc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
