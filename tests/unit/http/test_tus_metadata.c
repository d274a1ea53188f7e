#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/sha1.h"
#include "http/tus_metadata.h"
#include "unit/guard.h"

/* "key=value" of each pair, decoded; NULL when the field is malformed. */
static const struct row {
    struct span value;
    const char *pairs, *why;
} rows[] = {
    {SPAN("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential"),
     "filename=world_domination_plan.pdf is_confidential=", "the specification's example"},
    {SPAN("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg=="), "filename=world_domination_plan.pdf",
     "one pair"},
    {SPAN("a YQ==, b Yg== ,c"), "a=a b=b c=", "spaces around"},
    {SPAN("a ,b"), "a= b=", "the space may stay without a value"},
    {SPAN("a!#~ YQ=="), "a!#~=a", "any printable ASCII in a key"},
    {SPAN(""), "", "no pair"},
    {SPAN("  "), "", "no pair"},
    {SPAN("a YQ==,"), "a=a", "a comma at the end"},
    {SPAN("a YQ==,,b"), NULL, "an empty pair"},
    {SPAN(",a"), NULL, "an empty pair"},
    {SPAN("a YQ==,a Yg=="), NULL, "a key twice"},
    {SPAN("a,b,a"), NULL, "a key twice"},
    {SPAN("a YQ="), NULL, "not base64"},
    {SPAN("a YQ"), NULL, "not base64"},
    {SPAN("a  YQ=="), NULL, "two spaces"},
    {SPAN("a YQ== YQ=="), NULL, "two values"},
    {SPAN("a\tYQ=="), NULL, "a tab in a key"},
    {SPAN("a\x01"), NULL, "a control byte in a key"},
    {SPAN("\303\251 YQ=="), NULL, "a key past ASCII"},
};

/* The pairs of a value that is well-formed, each after a space. */
static void tell(struct span value, struct buffer *story)
{
    struct span rest = value;
    struct tus_pair pair;
    while (tus_metadata_next(&rest, &pair) == TUS_PAIR) {
        char decoded[64];
        size_t len = 99;
        assert_true(tus_metadata_find(value, pair.key, decoded, sizeof decoded, &len));
        buffer_put_text(story, " ");
        buffer_put_span(story, pair.key);
        buffer_put_text(story, "=");
        buffer_put(story, decoded, len);
    }
}

static void metadata(void **state)
{
    struct guard guard = guard_open(256);
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        for (size_t len = 0; len <= row->value.len; len++) {
            char text[256];
            struct buffer story = BUFFER_OVER(text);
            struct span value = span_make(guard_flush(&guard, row->value.ptr, len), len);
            bool ok = tus_metadata_check(value);
            if (ok)
                tell(value, &story);
            if (len < row->value.len)
                continue;
            if (ok != (row->pairs != NULL))
                fail_msg("%s", row->why);
            if (ok && !span_equal(span_from(buffer_span(&story), 1), span_of(row->pairs)))
                fail_msg("%s: %.*s", row->why, (int)story.len, story.data);
        }
    }
    guard_close(&guard);
}

static void finding(void **state)
{
    static const struct span value = SPAN("filename d29ybGQ=,empty,bad YQ");
    char out[5];
    size_t len = 99;
    (void)state;
    assert_true(tus_metadata_find(value, SPAN("filename"), out, sizeof out, &len));
    assert_int_equal(len, 5);
    assert_memory_equal(out, "world", 5);
    assert_true(tus_metadata_find(value, SPAN("empty"), out, sizeof out, &len));
    assert_int_equal(len, 0);
    assert_false(tus_metadata_find(value, SPAN("filename"), out, 4, &len)); /* does not fit */
    assert_false(tus_metadata_find(value, SPAN("file"), out, sizeof out, &len));
    assert_false(tus_metadata_find(value, SPAN("bad"), out, sizeof out, &len));
    assert_false(tus_metadata_find(SPAN_EMPTY, SPAN("bad"), out, sizeof out, &len));
}

/* The decoding that checks a long value in pieces sees every byte of it. */
static void long_values(void **state)
{
    (void)state;
    for (size_t digits = 252; digits <= 1032; digits += 4) {
        char text[2 + 1032];
        struct span value = span_make(text, 2 + digits);
        memset(text, 'A', sizeof text);
        text[0] = 'k';
        text[1] = ' ';
        assert_true(tus_metadata_check(value));
        for (size_t at = 2; at < value.len; at += 50) {
            text[at] = '=';
            assert_false(tus_metadata_check(value));
            text[at] = 'A';
        }
        text[1 + digits] = '='; /* one of the last three bytes missing: still base64 */
        assert_true(tus_metadata_check(value));
    }
}

static void pairs_are_bounded(void **state)
{
    char text[1024];
    struct buffer b = BUFFER_OVER(text);
    (void)state;
    for (int i = 0; i < TUS_METADATA_LIMIT; i++)
        buffer_put_format(&b, "%sk%d", i > 0 ? "," : "", i);
    assert_false(b.overflowed);
    assert_true(tus_metadata_check(buffer_span(&b)));
    buffer_put_text(&b, ",k");
    assert_false(tus_metadata_check(buffer_span(&b)));
}

static void concatenation(void **state)
{
    static const struct {
        struct span value;
        enum tus_concat result;
        const char *urls, *why; /* each after a '|' */
    } cases[] = {
        {SPAN("partial"), TUS_CONCAT_PARTIAL, "", "the specification's example"},
        {SPAN("final;/files/a /files/b"), TUS_CONCAT_FINAL, "|/files/a|/files/b",
         "the specification's example"},
        {SPAN("final;http://h/u/1 http://h/u/2"), TUS_CONCAT_FINAL, "|http://h/u/1|http://h/u/2",
         "what tus-js-client sends"},
        {SPAN("final; /a  /b "), TUS_CONCAT_FINAL, "|/a|/b", "more spaces"},
        {SPAN("final;/a"), TUS_CONCAT_FINAL, "|/a", "one"},
        {SPAN("final;"), TUS_CONCAT_BAD, "", "none"},
        {SPAN("final; "), TUS_CONCAT_BAD, "", "none"},
        {SPAN("final"), TUS_CONCAT_BAD, "", "no semicolon"},
        {SPAN("partial;/a"), TUS_CONCAT_BAD, "", "partial with a list"},
        {SPAN("Partial"), TUS_CONCAT_BAD, "", "another word"},
        {SPAN(""), TUS_CONCAT_BAD, "", "nothing"},
    };
    struct guard guard = guard_open(64);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t len = 0; len <= cases[i].value.len; len++) {
            char text[64];
            struct buffer story = BUFFER_OVER(text);
            struct span urls = SPAN_EMPTY, url;
            struct span value = span_make(guard_flush(&guard, cases[i].value.ptr, len), len);
            enum tus_concat result = tus_concat_parse(value, &urls);
            while (result == TUS_CONCAT_FINAL && tus_concat_next(&urls, &url)) {
                buffer_put_text(&story, "|");
                buffer_put_span(&story, url);
            }
            if (len == cases[i].value.len &&
                (result != cases[i].result ||
                 !span_equal(buffer_span(&story), span_of(cases[i].urls))))
                fail_msg("%s", cases[i].why);
        }
    }
    guard_close(&guard);
}

static void checksums(void **state)
{
    static const struct {
        struct span value;
        enum tus_checksum_result result;
        const char *why;
    } cases[] = {
        {SPAN("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), TUS_CHECKSUM_OK, "the specification's example"},
        {SPAN("SHA1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), TUS_CHECKSUM_OK, "in capitals"},
        {SPAN("sha256 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="), TUS_CHECKSUM_OK, "sha256"},
        {SPAN("md5 XrY7u+Ae7tCTyyK7j1rNww=="), TUS_CHECKSUM_UNKNOWN, "another algorithm"},
        {SPAN("crc32 DUoRhQ=="), TUS_CHECKSUM_UNKNOWN, "another algorithm"},
        {SPAN("sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0="), TUS_CHECKSUM_BAD, "too short for it"},
        {SPAN("sha1 uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek="), TUS_CHECKSUM_BAD,
         "too long for it"},
        {SPAN("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0"), TUS_CHECKSUM_BAD, "padding missing"},
        {SPAN("sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0="), TUS_CHECKSUM_BAD, "two spaces"},
        {SPAN("sha1"), TUS_CHECKSUM_BAD, "no digest"},
        {SPAN(""), TUS_CHECKSUM_BAD, "nothing"},
        {SPAN("a/b c"), TUS_CHECKSUM_BAD, "no name of an algorithm"},
    };
    struct guard guard = guard_open(128);
    struct tus_checksum sum;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t len = 0; len <= cases[i].value.len; len++) {
            struct span value = span_make(guard_flush(&guard, cases[i].value.ptr, len), len);
            enum tus_checksum_result result = tus_checksum_parse(value, &sum);
            if (len == cases[i].value.len && result != cases[i].result)
                fail_msg("%s", cases[i].why);
        }
    }
    guard_close(&guard);

    /* The example's digest is that of its body. */
    struct sha1 h;
    uint8_t digest[SHA1_LEN];
    sha1_init(&h);
    sha1_update(&h, "hello world", 11);
    sha1_final(&h, digest);
    assert_int_equal(tus_checksum_parse(cases[0].value, &sum), TUS_CHECKSUM_OK);
    assert_int_equal(sum.algorithm, TUS_SHA1);
    assert_int_equal(sum.len, SHA1_LEN);
    assert_memory_equal(sum.digest, digest, SHA1_LEN);
    assert_int_equal(tus_checksum_parse(cases[2].value, &sum), TUS_CHECKSUM_OK);
    assert_int_equal(sum.algorithm, TUS_SHA256);
    assert_int_equal(sum.len, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metadata),      cmocka_unit_test(finding),
        cmocka_unit_test(long_values),   cmocka_unit_test(pairs_are_bounded),
        cmocka_unit_test(concatenation), cmocka_unit_test(checksums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
