#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/sfv.h"
#include "unit/guard.h"

enum { BAD = -1 };

/* From RFC 9651 3.3 and 4.2, and httpwg's structured-field-tests. */
static const struct item_row {
    struct span value;
    int kind; /* enum sfv_kind or BAD */
    int64_t number;
    const char *text, *why;
} item_rows[] = {
    {SPAN("42"), SFV_INTEGER, 42, NULL, "3.3.1"},
    {SPAN("0"), SFV_INTEGER, 0, NULL, "zero integer"},
    {SPAN("-0"), SFV_INTEGER, 0, NULL, "negative zero"},
    {SPAN("00"), SFV_INTEGER, 0, NULL, "leading 0 zero"},
    {SPAN("-042"), SFV_INTEGER, -42, NULL, "leading 0 negative integer"},
    {SPAN("999999999999999"), SFV_INTEGER, 999999999999999, NULL, "largest"},
    {SPAN("-999999999999999"), SFV_INTEGER, -999999999999999, NULL, "smallest"},
    {SPAN("1000000000000000"), BAD, 0, NULL, "16 digits"},
    {SPAN("-1000000000000000"), BAD, 0, NULL, "16 digits"},
    {SPAN("2,3"), BAD, 0, NULL, "comma"},
    {SPAN("-"), BAD, 0, NULL, "a sign alone"},
    {SPAN("--0"), BAD, 0, NULL, "double negative zero"},
    {SPAN("+1"), BAD, 0, NULL, "no plus"},
    {SPAN("-a23"), BAD, 0, NULL, "negative non-DIGIT first character"},
    {SPAN("4-2"), BAD, 0, NULL, "sign out of place"},
    {SPAN("4.5"), SFV_DECIMAL, 0, NULL, "3.3.2"},
    {SPAN("-1.23"), SFV_DECIMAL, 0, NULL, "negative decimal"},
    {SPAN("123456789012.123"), SFV_DECIMAL, 0, NULL, "the longest decimal"},
    {SPAN("1234567890123.0"), BAD, 0, NULL, "13 digits before the point"},
    {SPAN("1.1234"), BAD, 0, NULL, "4 digits after it"},
    {SPAN("1."), BAD, 0, NULL, "none after it"},
    {SPAN(".5"), BAD, 0, NULL, "none before it"},
    {SPAN("1.5.4"), BAD, 0, NULL, "double decimal decimal"},
    {SPAN("1..4"), BAD, 0, NULL, "adjacent double decimal decimal"},
    {SPAN("\"hello world\""), SFV_STRING, 0, "hello world", "3.3.3"},
    {SPAN("\"\""), SFV_STRING, 0, "", "empty string"},
    {SPAN("\"foo \\\"bar\\\" \\\\ baz\""), SFV_STRING, 0, "foo \"bar\" \\ baz", "string quoting"},
    {SPAN("'foo'"), BAD, 0, NULL, "single quoted string"},
    {SPAN("\"foo"), BAD, 0, NULL, "unbalanced string"},
    {SPAN("\"foo \\,\""), BAD, 0, NULL, "bad string quoting"},
    {SPAN("\"foo \\\""), BAD, 0, NULL, "ending string quote"},
    {SPAN("\"foo \\"), BAD, 0, NULL, "abruptly ending string quote"},
    {SPAN("\"f\303\274\""), BAD, 0, NULL, "non-ascii string"},
    {SPAN("\"\t\""), BAD, 0, NULL, "tab in string"},
    {SPAN("\"\n\""), BAD, 0, NULL, "newline in string"},
    {SPAN("\"\x7f\""), BAD, 0, NULL, "DEL in string"},
    {SPAN("\"\0\""), BAD, 0, NULL, "NUL in string"},
    {SPAN("\" ~\""), SFV_STRING, 0, " ~", "both ends of printable ASCII"},
    {SPAN("foo123/456"), SFV_TOKEN, 0, "foo123/456", "3.3.4"},
    {SPAN("a_b-c.d3:f%00/*"), SFV_TOKEN, 0, "a_b-c.d3:f%00/*", "basic token"},
    {SPAN("FooBar"), SFV_TOKEN, 0, "FooBar", "token starting with capitals"},
    {SPAN("*foo"), SFV_TOKEN, 0, "*foo", "a star first"},
    {SPAN("a!#$&'^`|~+"), SFV_TOKEN, 0, "a!#$&'^`|~+", "every sign"},
    {SPAN("_foo"), BAD, 0, NULL, "only in the rest of a token"},
    {SPAN("foo(bar"), BAD, 0, NULL, "not in a token"},
    {SPAN(":cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:"), SFV_BYTES, 0,
     "pretend this is binary content.", "3.3.5"},
    {SPAN(":aGVsbG8=:"), SFV_BYTES, 0, "hello", "basic binary"},
    {SPAN("::"), SFV_BYTES, 0, "", "empty binary"},
    {SPAN(":aGVsbG8:"), SFV_BYTES, 0, "hello", "4.2.7: padding may be missing"},
    {SPAN(":iZ==:"), SFV_BYTES, 0, "\x89", "4.2.7: pad bits may be set"},
    {SPAN(":aGVsbG8="), BAD, 0, NULL, "bad end delimiter"},
    {SPAN(":aGVsb G8=:"), BAD, 0, NULL, "extra whitespace"},
    {SPAN(":aGVsbG!8=:"), BAD, 0, NULL, "extra chars"},
    {SPAN(":aGVsbG8=!:"), BAD, 0, NULL, "suffix chars"},
    {SPAN(":_-Ah:"), BAD, 0, NULL, "non-ASCII, URL-safe alphabet"},
    {SPAN("?1"), SFV_BOOLEAN, 1, NULL, "3.3.6"},
    {SPAN("?0"), SFV_BOOLEAN, 0, NULL, "3.3.6"},
    {SPAN("?"), BAD, 0, NULL, "nothing after the mark"},
    {SPAN("?2"), BAD, 0, NULL, "unknown boolean"},
    {SPAN("?T"), BAD, 0, NULL, "uppercase boolean"},
    {SPAN("? 1"), BAD, 0, NULL, "whitespace boolean"},
    {SPAN("?-0"), BAD, 0, NULL, "negative zero boolean"},
    {SPAN("@1659578233"), SFV_DATE, 0, NULL, "3.3.7"},
    {SPAN("@-1659578233"), SFV_DATE, 0, NULL, "before 1970"},
    {SPAN("@1659578233.12"), BAD, 0, NULL, "3.3.7: no decimal"},
    {SPAN("@"), BAD, 0, NULL, "no number"},
    {SPAN("%\"This is intended for display to %c3%bcsers.\""), SFV_DISPLAY_STRING, 0, NULL,
     "3.3.8"},
    {SPAN("%\"\""), SFV_DISPLAY_STRING, 0, NULL, "empty"},
    {SPAN("%\"a%C3%BC\""), BAD, 0, NULL, "4.2.10: lower-case digits only"},
    {SPAN("%\"a%c\""), BAD, 0, NULL, "one digit"},
    {SPAN("%\"a"), BAD, 0, NULL, "no end"},
    {SPAN("%a"), BAD, 0, NULL, "no quote"},
    {SPAN("%\"\303\274\""), BAD, 0, NULL, "bytes past ASCII"},
    {SPAN(""), BAD, 0, NULL, "empty item"},
    {SPAN("  "), BAD, 0, NULL, "only spaces"},
    {SPAN("  1  "), SFV_INTEGER, 1, NULL, "leading and trailing space"},
    {SPAN("\t1"), BAD, 0, NULL, "leading tab"},
    {SPAN("1\t"), BAD, 0, NULL, "trailing tab"},
    {SPAN("1 2"), BAD, 0, NULL, "two items"},
    {SPAN("(1 2)"), BAD, 0, NULL, "an inner list is no item"},
    {SPAN("5; foo=bar"), SFV_INTEGER, 5, NULL, "3.3: parameters"},
    {SPAN("1; a; b=?0"), SFV_INTEGER, 1, NULL, "3.1.2"},
    {SPAN("2; foourl=\"https://foo.example.com/\""), SFV_INTEGER, 2, NULL, "1.2"},
    {SPAN("a;q=1.0"), SFV_TOKEN, 0, "a", "a decimal parameter"},
    {SPAN("a ;q=1.0"), BAD, 0, NULL, "whitespace before ;"},
    {SPAN("a;q =1.0"), BAD, 0, NULL, "whitespace before ="},
    {SPAN("a;q= 1.0"), BAD, 0, NULL, "whitespace after ="},
    {SPAN("a;"), BAD, 0, NULL, "no parameter after ;"},
    {SPAN("a;Q=1"), BAD, 0, NULL, "4.2.3.3: keys are lower case"},
    {SPAN("a;q=(1)"), BAD, 0, NULL, "a parameter is no list"},
    {SPAN("a;*q.-_9=1"), SFV_TOKEN, 0, "a", "every sign of a key"},
};

static void check_item(const struct item_row *row, struct span value)
{
    struct sfv_item item;
    int kind = sfv_item_parse(value, &item) ? (int)item.kind : BAD;
    if (kind != row->kind)
        fail_msg("%.*s (%s): kind %d", (int)row->value.len, row->value.ptr, row->why, kind);
    if (kind == SFV_INTEGER)
        assert_true(item.integer == row->number);
    if (kind == SFV_BOOLEAN)
        assert_int_equal(item.boolean, row->number);
    if (kind == SFV_STRING || kind == SFV_TOKEN || kind == SFV_BYTES) {
        char text[64];
        struct buffer b = BUFFER_OVER(text);
        size_t len = 0;
        if (kind == SFV_BYTES)
            assert_true(sfv_bytes(&item, text, sizeof text, &len));
        else
            sfv_text(&item, &b);
        assert_int_equal(kind == SFV_BYTES ? len : b.len, strlen(row->text));
        assert_memory_equal(text, row->text, strlen(row->text));
    }
}

static void items(void **state)
{
    struct guard guard = guard_open(256);
    (void)state;
    for (size_t i = 0; i < sizeof item_rows / sizeof item_rows[0]; i++) {
        const struct item_row *row = &item_rows[i];
        for (size_t len = 0; len < row->value.len; len++) {
            struct sfv_item item;
            sfv_item_parse(span_make(guard_flush(&guard, row->value.ptr, len), len), &item);
        }
        check_item(row,
                   span_make(guard_flush(&guard, row->value.ptr, row->value.len), row->value.len));
    }
    guard_close(&guard);
}

static void one_kind_only(void **state)
{
    bool boolean = false;
    int64_t integer = 7;
    (void)state;
    assert_true(sfv_boolean_parse(SPAN("?1;a=2"), &boolean));
    assert_true(boolean);
    assert_false(sfv_boolean_parse(SPAN("1"), &boolean));
    assert_false(sfv_boolean_parse(SPAN("?1?"), &boolean));
    assert_false(sfv_integer_parse(SPAN("1.0"), &integer));
    assert_false(sfv_integer_parse(SPAN("?1"), &integer));
    assert_false(sfv_integer_parse(SPAN("@1"), &integer));
    assert_int_equal(integer, 7);
    assert_true(sfv_integer_parse(SPAN("123"), &integer));
    assert_int_equal(integer, 123);
}

static void bytes_that_are_not(void **state)
{
    struct sfv_item item;
    char out[4];
    size_t len;
    (void)state;
    assert_true(sfv_item_parse(SPAN(":a=GV:"), &item));
    assert_false(sfv_bytes(&item, out, sizeof out, &len)); /* padding inside */
    assert_true(sfv_item_parse(SPAN(":aGVsbG8=:"), &item));
    assert_false(sfv_bytes(&item, out, sizeof out, &len)); /* five bytes do not fit */
    assert_true(sfv_item_parse(SPAN("aGVs"), &item));
    assert_false(sfv_bytes(&item, out, sizeof out, &len)); /* a token */
}

/* Members as "key:kind" with integers and booleans spelled out; NULL for malformed. */
static const struct dictionary_row {
    struct span value;
    const char *members, *why;
} dictionary_rows[] = {
    {SPAN(""), "", "3.2: empty"},
    {SPAN("   "), "", "spaces"},
    {SPAN("en=\"Applepie\", da=:w4ZibGV0w6ZydGU=:"), "en:string da:bytes", "3.2"},
    {SPAN("a=?0, b, c; foo=bar"), "a:0 b:1 c:1", "3.2: a value that is true is left out"},
    {SPAN("rating=1.5, feelings=(joy sadness)"), "rating:decimal feelings:list", "3.2"},
    {SPAN("a=(1 2), b=3, c=4;aa=bb, d=(5 6);valid"), "a:list b:3 c:4 d:list", "3.2"},
    {SPAN("foo=1, bar=2"), "foo:1 bar:2", "3.2"},
    {SPAN("a=1,b=2"), "a:1 b:2", "no whitespace dictionary"},
    {SPAN("a=1 ,  b=2"), "a:1 b:2", "extra whitespace dictionary"},
    {SPAN("a=1\t,\tb=2"), "a:1 b:2", "tab separated dictionary"},
    {SPAN("     a=1 ,  b=2  "), "a:1 b:2", "leading whitespace dictionary"},
    {SPAN("a=1,b=2,a=3"), "a:1 b:2 a:3", "duplicate key dictionary"},
    {SPAN("a=1;q=9;r=\"+w\""), "a:1", "parameterised"},
    {SPAN("a=()"), "a:list", "empty inner list"},
    {SPAN("a=( 1  2 ;x)"), NULL, "space before a parameter"},
    {SPAN("a=( 1  2;x )"), "a:list", "spaces inside"},
    {SPAN("a=(1\t2)"), NULL, "a tab inside"},
    {SPAN("a=(1,2)"), NULL, "commas inside"},
    {SPAN("a=(1(2))"), NULL, "a list inside"},
    {SPAN("a=(1"), NULL, "no end"},
    {SPAN("a=(1 "), NULL, "no end"},
    {SPAN("a=("), NULL, "no end"},
    {SPAN("\ta=1"), NULL, "leading tab"},
    {SPAN("a=1, b=2,"), NULL, "trailing comma dictionary"},
    {SPAN("a=1,,b=2"), NULL, "empty item dictionary"},
    {SPAN(",a=1"), NULL, "comma first"},
    {SPAN("a=, b=2"), NULL, "no value"},
    {SPAN("a =1"), NULL, "whitespace before ="},
    {SPAN("a= 1"), NULL, "whitespace after ="},
    {SPAN("a=1 b=2"), NULL, "no comma"},
    {SPAN("A=1"), NULL, "keys are lower case"},
    {SPAN("1a=1"), NULL, "a digit first"},
    {SPAN("*a=1, *=2"), "*a:1 *:2", "a star first"},
    {SPAN("a=b=c"), NULL, "two ="},
};

static void put_member(struct buffer *b, const struct sfv_member *m)
{
    if (b->len > 0)
        buffer_put_char(b, ' ');
    buffer_put_span(b, m->key);
    buffer_put_char(b, ':');
    switch (m->item.kind) {
    case SFV_BOOLEAN: buffer_put_u64(b, m->item.boolean); break;
    case SFV_INTEGER: buffer_put_u64(b, (uint64_t)m->item.integer); break;
    case SFV_STRING: buffer_put_text(b, "string"); break;
    case SFV_BYTES: buffer_put_text(b, "bytes"); break;
    case SFV_DECIMAL: buffer_put_text(b, "decimal"); break;
    case SFV_INNER_LIST: buffer_put_text(b, "list"); break;
    default: buffer_put_text(b, "?"); break;
    }
}

static enum sfv_next walk(struct span value, struct buffer *members)
{
    struct sfv_member member;
    enum sfv_next next;
    while ((next = sfv_dictionary_next(&value, &member)) == SFV_MEMBER)
        put_member(members, &member);
    return next;
}

static void dictionaries(void **state)
{
    struct guard guard = guard_open(256);
    (void)state;
    for (size_t i = 0; i < sizeof dictionary_rows / sizeof dictionary_rows[0]; i++) {
        const struct dictionary_row *row = &dictionary_rows[i];
        for (size_t len = 0; len <= row->value.len; len++) {
            char text[256];
            struct buffer members = BUFFER_OVER(text);
            struct span value = span_make(guard_flush(&guard, row->value.ptr, len), len);
            enum sfv_next end = walk(value, &members);
            if (len < row->value.len)
                continue;
            if ((end == SFV_END) != (row->members != NULL))
                fail_msg("%.*s: %s", (int)len, row->value.ptr, row->why);
            if (end == SFV_END && !span_equal(buffer_span(&members), span_of(row->members)))
                fail_msg("%s: %.*s", row->why, (int)members.len, members.data);
        }
    }
    guard_close(&guard);
}

static void finding_a_key(void **state)
{
    struct sfv_item item;
    (void)state;
    assert_int_equal(sfv_dictionary_find(SPAN("a=1, b=2, a=3"), SPAN("a"), &item), SFV_FOUND);
    assert_int_equal(item.integer, 3); /* 3.2: the last one counts */
    assert_int_equal(sfv_dictionary_find(SPAN("a=1, b=2"), SPAN("c"), &item), SFV_ABSENT);
    assert_int_equal(sfv_dictionary_find(SPAN_EMPTY, SPAN("c"), &item), SFV_ABSENT);
    assert_int_equal(sfv_dictionary_find(SPAN("a=1, b="), SPAN("a"), &item), SFV_MALFORMED);
}

static void writing(void **state)
{
    char text[256];
    struct buffer b = BUFFER_OVER(text);
    (void)state;
    sfv_put_key(&b, true, SPAN("max-size"));
    sfv_put_integer(&b, 999999999999999);
    sfv_put_key(&b, false, SPAN("n"));
    sfv_put_integer(&b, -42);
    sfv_put_key(&b, false, SPAN("b"));
    sfv_put_boolean(&b, true);
    sfv_put_key(&b, false, SPAN("s"));
    sfv_put_string(&b, SPAN("foo \"bar\" \\ baz"));
    sfv_put_key(&b, false, SPAN("t"));
    sfv_put_token(&b, SPAN("foo123/456"));
    sfv_put_key(&b, false, SPAN("y"));
    sfv_put_bytes(&b, "pretend this is binary content.", 31);
    assert_false(b.overflowed);
    assert_true(
        span_equal(buffer_span(&b), SPAN("max-size=999999999999999, n=-42, b=?1, "
                                         "s=\"foo \\\"bar\\\" \\\\ baz\", t=foo123/456, "
                                         "y=:cHJldGVuZCB0aGlzIGlzIGJpbmFyeSBjb250ZW50Lg==:")));
}

static void what_cannot_be_written(void **state)
{
    (void)state;
    for (int i = 0; i < 11; i++) {
        char text[8];
        struct buffer b = BUFFER_OVER(text);
        switch (i) {
        case 0: sfv_put_integer(&b, 1000000000000000); break;
        case 1: sfv_put_integer(&b, -1000000000000000); break;
        case 2: sfv_put_integer(&b, INT64_MIN); break;
        case 3: sfv_put_string(&b, SPAN("\x1f")); break;
        case 4: sfv_put_string(&b, SPAN("\x7f")); break;
        case 5: sfv_put_token(&b, SPAN("")); break;
        case 6: sfv_put_token(&b, SPAN("1a")); break;
        case 7: sfv_put_token(&b, SPAN("a b")); break;
        case 8: sfv_put_key(&b, true, SPAN("A")); break;
        case 9: sfv_put_bytes(&b, "12345", 5); break;
        case 10: sfv_put_key(&b, true, SPAN("a=")); break;
        }
        assert_true(b.overflowed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items),
        cmocka_unit_test(one_kind_only),
        cmocka_unit_test(dictionaries),
        cmocka_unit_test(bytes_that_are_not),
        cmocka_unit_test(finding_a_key),
        cmocka_unit_test(writing),
        cmocka_unit_test(what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
