#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/etag.h"
#include "unit/guard.h"

static const struct make_row {
    uint64_t inode, size;
    int64_t mtime_ns;
    bool weak;
    const char *tag;
} make_rows[] = {
    {0, 0, 0, false, "\"0-0-0\""},
    {0, 0, 0, true, "W/\"0-0-0\""},
    {0x1f2, 1024, 0xabcdef, false, "\"1f2-400-abcdef\""},
    {UINT64_MAX, UINT64_MAX, -1, true, "W/\"ffffffffffffffff-ffffffffffffffff-ffffffffffffffff\""},
};

static void makes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof make_rows / sizeof make_rows[0]; i++) {
        const struct make_row *row = &make_rows[i];
        struct etag tag;
        etag_make(&tag, row->inode, row->size, row->mtime_ns, row->weak);
        assert_int_equal(tag.len, strlen(row->tag));
        assert_memory_equal(tag.text, row->tag, tag.len);
        assert_true(span_equal(etag_span(&tag), span_of(row->tag)));
    }
}

static const struct equal_row {
    const char *a, *b;
    bool strong, weak;
    const char *why;
} equal_rows[] = {
    {"W/\"1\"", "W/\"1\"", false, true, "RFC 9110 8.8.3.2, row 1"},
    {"W/\"1\"", "W/\"2\"", false, false, "RFC 9110 8.8.3.2, row 2"},
    {"W/\"1\"", "\"1\"", false, true, "RFC 9110 8.8.3.2, row 3"},
    {"\"1\"", "\"1\"", true, true, "RFC 9110 8.8.3.2, row 4"},
    {"\"xyzzy\"", "\"XYZZY\"", false, false, "case matters"},
    {"\"\"", "\"\"", true, true, "an empty tag is a tag (RFC 9110 8.8.3)"},
    {"W/\"\"", "\"\"", false, true, "also a weak one"},
    {"w/\"1\"", "w/\"1\"", false, false, "the mark is a capital W"},
    {"", "", false, false, "no tag equals nothing"},
    {"1", "1", false, false, "no tag without quotes"},
    {"\"", "\"", false, false, "one quote is no tag"},
    {"W/", "W/", false, false, "a mark alone is no tag"},
    {"\"1\"", "\"12\"", false, false, "a beginning is not the whole"},
};

static void compares(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof equal_rows / sizeof equal_rows[0]; i++) {
        const struct equal_row *row = &equal_rows[i];
        struct span a = span_of(row->a), b = span_of(row->b);
        if (etag_equal_strong(a, b) != row->strong || etag_equal_strong(b, a) != row->strong)
            fail_msg("strong: %s", row->why);
        if (etag_equal_weak(a, b) != row->weak || etag_equal_weak(b, a) != row->weak)
            fail_msg("weak: %s", row->why);
    }
}

static const struct match_row {
    const char *list;
    const char *tag; /* NULL: there is no representation */
    enum etag_match strong, weak;
    const char *why;
} match_rows[] = {
    {"\"xyzzy\"", "\"xyzzy\"", ETAG_MATCH, ETAG_MATCH, "RFC 9110 13.1.1 and 13.1.2"},
    {"W/\"xyzzy\"", "\"xyzzy\"", ETAG_NO_MATCH, ETAG_MATCH, "RFC 9110 13.1.2"},
    {"\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", "\"c3piozzzz\"", ETAG_MATCH, ETAG_MATCH,
     "RFC 9110 13.1.1, last of three"},
    {"\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", "\"r2d2xxxx\"", ETAG_MATCH, ETAG_MATCH,
     "the middle one"},
    {"\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", "\"c3po\"", ETAG_NO_MATCH, ETAG_NO_MATCH, "none"},
    {"W/\"xyzzy\", W/\"r2d2xxxx\", W/\"c3piozzzz\"", "W/\"r2d2xxxx\"", ETAG_NO_MATCH, ETAG_MATCH,
     "RFC 9110 13.1.2, weak ones"},
    {"*", "\"xyzzy\"", ETAG_MATCH, ETAG_MATCH, "RFC 9110 13.1.1: any"},
    {"*", NULL, ETAG_NO_MATCH, ETAG_NO_MATCH, "nothing is not any"},
    {" * ", "\"1\"", ETAG_MATCH, ETAG_MATCH, "space around the star"},
    {"\"1\"", NULL, ETAG_NO_MATCH, ETAG_NO_MATCH, "nothing has no tag"},
    {"\"\"", NULL, ETAG_NO_MATCH, ETAG_NO_MATCH, "not even the empty one"},
    {"\"*\"", "\"1\"", ETAG_NO_MATCH, ETAG_NO_MATCH, "a star in quotes is a tag"},
    {"\"\"", "\"\"", ETAG_MATCH, ETAG_MATCH, "the empty tag"},
    {"\"a,b\"", "\"a,b\"", ETAG_MATCH, ETAG_MATCH, "a comma inside does not end the tag"},
    {"\"a,b\"", "\"b\"", ETAG_NO_MATCH, ETAG_NO_MATCH, "nor begin one"},
    {"\"a\\\",\"b\"", "\"b\"", ETAG_MATCH, ETAG_MATCH, "a backslash does not escape"},
    {"\"a\",\"b\"", "\"b\"", ETAG_MATCH, ETAG_MATCH, "no space"},
    {"\"a\" \t , \t \"b\"", "\"b\"", ETAG_MATCH, ETAG_MATCH, "much space"},
    {",, \"a\",, ,\"b\",", "\"b\"", ETAG_MATCH, ETAG_MATCH, "empty elements (5.6.1.2)"},
    {"", "\"b\"", ETAG_NO_MATCH, ETAG_NO_MATCH, "an empty list"},
    {" , ", "\"b\"", ETAG_NO_MATCH, ETAG_NO_MATCH, "a list of empty elements"},
    {"\"\xff\x80!\"", "\"\xff\x80!\"", ETAG_MATCH, ETAG_MATCH, "obs-text"},
    {"\"b\" \"a\"", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "no comma between"},
    {"\"b\", a", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "broken after a match"},
    {"b", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "no quotes"},
    {"\"b", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "no second quote"},
    {"b\"", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "no first quote"},
    {"\"a b\"", "\"a b\"", ETAG_MALFORMED, ETAG_MALFORMED, "a space is no etagc"},
    {"\"a\x7f\"", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "nor is DEL"},
    {"\"a\t\"", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "nor HTAB"},
    {"w/\"b\"", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "a small w"},
    {"W/ \"b\"", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "a space after the mark"},
    {"W/", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "a mark alone"},
    {"W/W/\"b\"", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "two marks"},
    {"*, \"b\"", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "a star in a list"},
    {"**", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "two stars"},
    {"\"b\"x", "\"b\"", ETAG_MALFORMED, ETAG_MALFORMED, "something stuck to the tag"},
    {"b", NULL, ETAG_MALFORMED, ETAG_MALFORMED, "malformed against nothing"},
};

static enum etag_match match(struct guard *guard, const struct match_row *row, size_t len,
                             bool strong)
{
    struct span list = span_make(guard_flush(guard, row->list, len), len);
    struct span tag = row->tag != NULL ? span_of(row->tag) : SPAN_EMPTY;
    return etag_list_match(list, tag, row->tag != NULL, strong);
}

static void matches(void **state)
{
    (void)state;
    struct guard guard = guard_open(128);
    for (size_t i = 0; i < sizeof match_rows / sizeof match_rows[0]; i++) {
        const struct match_row *row = &match_rows[i];
        size_t len = strlen(row->list);
        if (match(&guard, row, len, true) != row->strong)
            fail_msg("strong: %s", row->why);
        if (match(&guard, row, len, false) != row->weak)
            fail_msg("weak: %s", row->why);
        /* Prefixes, for the unreadable page behind them. */
        for (size_t cut = 0; cut < len; cut++)
            match(&guard, row, cut, cut % 2 == 0);
    }
    guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes),
        cmocka_unit_test(compares),
        cmocka_unit_test(matches),
    };
    return cmocka_run_group_tests_name("http/etag", tests, NULL, NULL);
}
