#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/field.h"
#include "unit/guard.h"

static const struct {
    enum field_name name;
    const char *text;
} known[] = {
#define ROW(name, text) {FIELD_##name, text},
    FIELD_TABLE(ROW)
#undef ROW
};

enum { KNOWN = sizeof known / sizeof *known };

static enum field_name look_up(struct guard *guard, const char *text, size_t len)
{
    return field_name_of(span_make(guard_flush(guard, text, len), len));
}

static void every_name_is_found_in_any_case(void **state)
{
    (void)state;
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < KNOWN; i++) {
        char lower[64] = "", upper[64] = "";
        size_t len = strlen(known[i].text);
        for (size_t j = 0; j < len; j++) {
            char c = known[i].text[j];
            lower[j] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
            upper[j] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        }
        assert_int_equal(look_up(&guard, known[i].text, len), known[i].name);
        assert_int_equal(look_up(&guard, lower, len), known[i].name);
        assert_int_equal(look_up(&guard, upper, len), known[i].name);
        assert_true(span_equal(field_name_text(known[i].name), span_of(known[i].text)));
    }
    assert_int_equal(field_name_text(FIELD_OTHER).len, 0);
    guard_close(&guard);
}

/* A name one byte off is another field: shorter, longer, or changed at any one place. */
static void nearly_the_name_is_another_field(void **state)
{
    (void)state;
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < KNOWN; i++) {
        char text[64] = "";
        size_t len = strlen(known[i].text);
        memcpy(text, known[i].text, len);
        assert_int_equal(look_up(&guard, text, len - 1), FIELD_OTHER);
        text[len] = 's';
        assert_int_equal(look_up(&guard, text, len + 1), FIELD_OTHER);
        for (size_t j = 0; j < len; j++) {
            text[j] = '_';
            assert_int_equal(look_up(&guard, text, len), FIELD_OTHER);
            text[j] = known[i].text[j];
        }
    }
    assert_int_equal(field_name_of(SPAN_EMPTY), FIELD_OTHER);
    assert_int_equal(field_name_of(SPAN("X")), FIELD_OTHER);
    assert_int_equal(field_name_of(SPAN("X-Forwarded-Proto")), FIELD_OTHER);
    guard_close(&guard);
}

struct section_row {
    struct span input;
    enum field_result expected;
    size_t refused_at; /* with FIELD_BAD: the shortest prefix that shows it, 0: not looked at */
    const char *why;
};

/*
 * Whole, and as every prefix: a prefix of a good section is partial, and a prefix of a bad one is
 * partial until the byte that makes it bad, and bad from there on.
 */
static void assert_section(struct guard *guard, const struct section_row *row)
{
    static struct field_section section;
    for (size_t len = 0; len <= row->input.len; len++) {
        size_t used = 4711;
        const char *head = guard_flush(guard, row->input.ptr, len);
        enum field_result result = field_section_parse(&section, head, 0, len, &used);
        enum field_result expected = FIELD_PARTIAL;
        if (len == row->input.len)
            expected = row->expected;
        else if (row->refused_at > 0 && len >= row->refused_at)
            expected = FIELD_BAD;
        if (result != expected)
            print_error("%s: %zu of %zu bytes\n", row->why, len, row->input.len);
        assert_int_equal(result, expected);
        assert_int_equal(used, result == FIELD_OK ? len : 4711);
    }
}

static void sections_are_strict(void **state)
{
    (void)state;
    static const struct section_row rows[] = {
        {SPAN("\r\n"), FIELD_OK, 0, "no field at all"},
        {SPAN("a:b\r\n\r\n"), FIELD_OK, 0, "one field"},
        {SPAN("a: b\r\nc:\td\t \r\n\r\n"), FIELD_OK, 0, "whitespace around values"},
        {SPAN("a:\r\nb: \r\n\r\n"), FIELD_OK, 0, "values may be empty"},
        {SPAN("a: b\tc  d\r\n\r\n"), FIELD_OK, 0, "HTAB and SP inside"},
        {SPAN("a: \xC3\xB1\x80\xFF\r\n\r\n"), FIELD_OK, 0, "obs-text passes"},
        {SPAN("a: b:c,\"\\;{}\r\n\r\n"), FIELD_OK, 0, "a value may hold what a name may not"},
        {SPAN("!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n"), FIELD_OK, 0, "every tchar (RFC 9110 5.6.2)"},
        {SPAN("a: 0123456789abcdef0123456789abcdef\r\n\r\n"), FIELD_OK, 0, "whole words of eight"},

        {SPAN("a : b\r\n\r\n"), FIELD_BAD, 2, "space before the colon (RFC 9112 5.1)"},
        {SPAN("a\t: b\r\n\r\n"), FIELD_BAD, 2, "tab before the colon"},
        {SPAN("a: b\r\n c\r\n\r\n"), FIELD_BAD, 7, "obs-fold (RFC 9112 5.2)"},
        {SPAN("a: b\r\n\tc: d\r\n\r\n"), FIELD_BAD, 7, "obs-fold with a tab"},
        {SPAN(" a: b\r\n\r\n"), FIELD_BAD, 1, "space before the first field (RFC 9112 2.2)"},
        {SPAN(": b\r\n\r\n"), FIELD_BAD, 1, "no name"},
        {SPAN("a\r\n\r\n"), FIELD_BAD, 2, "no colon"},
        {SPAN("a b: c\r\n\r\n"), FIELD_BAD, 2, "a name of two words"},
        {SPAN("a(b): c\r\n\r\n"), FIELD_BAD, 2, "a delimiter in the name"},
        {SPAN("\xC3\xB1: c\r\n\r\n"), FIELD_BAD, 1, "a name that is not ASCII"},
        {SPAN("a\0: c\r\n\r\n"), FIELD_BAD, 2, "NUL in the name"},
        {SPAN("a\x7F: c\r\n\r\n"), FIELD_BAD, 2, "DEL in the name"},
        {SPAN("a: b\0c\r\n\r\n"), FIELD_BAD, 5, "NUL in the value (RFC 9110 5.5)"},
        {SPAN("a: b\x01\r\n\r\n"), FIELD_BAD, 5, "a control byte in the value"},
        {SPAN("a: b\x7F\r\n\r\n"), FIELD_BAD, 5, "DEL in the value"},
        {SPAN("a: 01234567\x1F\r\n\r\n"), FIELD_BAD, 12, "a control byte after whole words"},
        {SPAN("a: b\n\r\n"), FIELD_BAD, 5, "a bare LF ends no line"},
        {SPAN("a: b\r\n\n"), FIELD_BAD, 7, "a bare LF ends no section"},
        {SPAN("a: b\rc\r\n\r\n"), FIELD_BAD, 6, "a bare CR in a value (RFC 9112 2.2)"},
        {SPAN("a: b\r\r\n\r\n"), FIELD_BAD, 6, "two CR"},
        {SPAN("\r\r\n"), FIELD_BAD, 2, "a CR alone ends no section"},
        {SPAN("\n"), FIELD_BAD, 1, "an LF alone ends no section"},
        {SPAN("a: b\r\n\rc: d\r\n\r\n"), FIELD_BAD, 8, "a name cannot follow a CR"},
    };
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_section(&guard, &rows[i]);
    guard_close(&guard);
}

/* Each byte of the 256 in a name and in a value, at each place of a word of eight. */
static void every_byte_is_judged_by_its_class(void **state)
{
    (void)state;
    static const char delimiters[] = "\"(),/:;<=>?@[\\]{}";
    static struct field_section section;
    struct guard guard = guard_open(64);
    size_t used;

    for (unsigned c = 0; c < 256; c++) {
        bool visible = c > 0x20 && c < 0x7F;
        bool tchar = visible && memchr(delimiters, (int)c, sizeof delimiters - 1) == NULL;
        char name[] = "a?:b\r\n\r\n";
        name[1] = (char)c;
        /* A colon there ends the name: "a" with the value ":b". */
        assert_int_equal(field_section_parse(&section, guard_flush(&guard, name, 8), 0, 8, &used),
                         tchar || c == ':' ? FIELD_OK : FIELD_BAD);
        assert_int_equal(field_is_token(span_make(name + 1, 1)), tchar);

        bool value = c >= 0x20 ? c != 0x7F : c == '\t';
        for (size_t place = 0; place < 17; place++) {
            char line[] = "a:01234567890123456\r\n\r\n";
            line[2 + place] = (char)c;
            const char *head = guard_flush(&guard, line, sizeof line - 1);
            assert_int_equal(field_section_parse(&section, head, 0, sizeof line - 1, &used),
                             value ? FIELD_OK : FIELD_BAD);
        }
    }
    assert_true(field_is_token(SPAN("gzip")));
    assert_false(field_is_token(SPAN("")));
    assert_false(field_is_token(SPAN("a b")));
    guard_close(&guard);
}

static const char example[] = "POST / HTTP/1.1\r\n"
                              "Host: a\r\n"
                              "X-Other:  1 \r\n"
                              "accept: text/html\r\n"
                              "x-other: 2\r\n"
                              "Accept:\r\n"
                              "ACCEPT: */*;q=0.1 \t\r\n"
                              "\r\nbody";
enum { EXAMPLE_AT = 17, EXAMPLE_LEN = sizeof example - 1 };

static void fields_are_found_where_they_stand(void **state)
{
    (void)state;
    static struct field_section section;
    struct guard guard = guard_open(256);
    const char *head = guard_flush(&guard, example, EXAMPLE_LEN);
    size_t used = 0;

    assert_int_equal(field_section_parse(&section, head, EXAMPLE_AT, EXAMPLE_LEN, &used), FIELD_OK);
    assert_int_equal(used, EXAMPLE_LEN - EXAMPLE_AT - strlen("body"));
    assert_int_equal(section.count, 6);
    assert_int_equal(section.fields[1].known, FIELD_OTHER);
    assert_int_equal(section.fields[1].value_len, 1);
    assert_int_equal(head[section.fields[1].value_at], '1');

    assert_int_equal(field_count(&section, FIELD_HOST), 1);
    assert_int_equal(field_count(&section, FIELD_ACCEPT), 3);
    assert_int_equal(field_count(&section, FIELD_RANGE), 0);
    assert_true(span_equal(field_value(&section, head, FIELD_ACCEPT), SPAN("text/html")));
    assert_null(field_value(&section, head, FIELD_RANGE).ptr);

    /* The head may move, and the section goes with it. */
    char moved[EXAMPLE_LEN];
    memcpy(moved, head, EXAMPLE_LEN);
    guard_close(&guard);
    struct span host = field_value(&section, moved, FIELD_HOST);
    assert_true(span_equal(host, SPAN("a")));
    assert_true(host.ptr > moved && host.ptr < moved + EXAMPLE_LEN);
}

static void an_empty_value_is_not_an_absent_field(void **state)
{
    (void)state;
    static struct field_section section;
    static const char head[] = "Host:\r\nRange: \t \r\n\r\n";
    size_t used;

    assert_int_equal(field_section_parse(&section, head, 0, sizeof head - 1, &used), FIELD_OK);
    assert_non_null(field_value(&section, head, FIELD_HOST).ptr);
    assert_int_equal(field_value(&section, head, FIELD_HOST).len, 0);
    assert_non_null(field_value(&section, head, FIELD_RANGE).ptr);
    assert_int_equal(field_value(&section, head, FIELD_RANGE).len, 0);
}

/* RFC 9110 5.3: joined in order, by a comma and a space. */
static void list_fields_are_joined(void **state)
{
    (void)state;
    static const char joined[] = "text/html, , */*;q=0.1";
    static struct field_section section;
    struct guard guard = guard_open(256);
    size_t used;

    assert_int_equal(field_section_parse(&section, example, EXAMPLE_AT, EXAMPLE_LEN, &used),
                     FIELD_OK);
    for (size_t cap = 0; cap < sizeof joined; cap++) {
        struct span list =
            field_list(&section, example, FIELD_ACCEPT, guard_space(&guard, cap), cap);
        if (cap < sizeof joined - 1)
            assert_null(list.ptr);
        else
            assert_true(span_equal(list, SPAN("text/html, , */*;q=0.1")));
    }
    /* One that stands once needs no room. */
    struct span once = field_list(&section, example, FIELD_HOST, guard_space(&guard, 0), 0);
    assert_true(span_equal(once, SPAN("a")));
    assert_null(field_list(&section, example, FIELD_RANGE, guard_space(&guard, 0), 0).ptr);
    guard_close(&guard);
}

static void a_section_has_at_most_field_limit_fields(void **state)
{
    (void)state;
    static struct field_section section;
    static char head[(FIELD_LIMIT + 1) * 8 + 2];
    struct buffer lines = BUFFER_OVER(head);
    size_t used;

    for (int i = 0; i < FIELD_LIMIT; i++)
        buffer_put_text(&lines, "TE: a\r\n");
    size_t full = lines.len;
    buffer_put_text(&lines, "\r\n");
    assert_int_equal(field_section_parse(&section, head, 0, lines.len, &used), FIELD_OK);
    assert_int_equal(field_count(&section, FIELD_TE), FIELD_LIMIT);

    /* Known as soon as the next line begins. */
    lines.len = full;
    assert_int_equal(field_section_parse(&section, head, 0, lines.len, &used), FIELD_PARTIAL);
    buffer_put_text(&lines, "x");
    assert_int_equal(field_section_parse(&section, head, 0, lines.len, &used), FIELD_TOO_MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found_in_any_case),
        cmocka_unit_test(nearly_the_name_is_another_field),
        cmocka_unit_test(sections_are_strict),
        cmocka_unit_test(every_byte_is_judged_by_its_class),
        cmocka_unit_test(fields_are_found_where_they_stand),
        cmocka_unit_test(an_empty_value_is_not_an_absent_field),
        cmocka_unit_test(list_fields_are_joined),
        cmocka_unit_test(a_section_has_at_most_field_limit_fields),
    };
    return cmocka_run_group_tests_name("field", tests, NULL, NULL);
}
