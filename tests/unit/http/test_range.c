#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "http/range.h"
#include "unit/guard.h"

static const struct range_row {
    const char *value;
    uint64_t size;
    const char *result; /* "first-last ..." as they would be sent, "416" or "ignored" */
    const char *why;
} range_rows[] = {
    {"bytes=0-499", 10000, "0-499", "RFC 9110 14.1.2, first 500"},
    {"bytes=500-999", 10000, "500-999", "RFC 9110 14.1.2, second 500"},
    {"bytes=-500", 10000, "9500-9999", "RFC 9110 14.1.2, final 500"},
    {"bytes=9500-", 10000, "9500-9999", "RFC 9110 14.1.2, final 500"},
    {"bytes=0-0,-1", 10000, "0-0 9999-9999", "RFC 9110 14.1.2, first and last byte only"},
    {"bytes= 0-999, 4500-5499, -1000", 10000, "0-999 4500-5499 9000-9999",
     "RFC 9110 14.1.2, first, middle and last 1000"},
    {"bytes=500-600,601-999", 10000, "500-999", "RFC 9110 14.1.2, touching"},
    {"bytes=500-700,601-999", 10000, "500-999", "RFC 9110 14.1.2, overlapping"},

    {"bytes=0-", 1, "0-0", "one byte"},
    {"bytes=0-0", 1, "0-0", "one byte"},
    {"bytes=1-", 1, "416", "begins at the end"},
    {"bytes=0-", 0, "416", "nothing there"},
    {"bytes=-1", 0, "416", "nothing there"},
    {"bytes=-0", 100, "416", "a suffix of nothing"},
    {"bytes=-0,5-5", 100, "5-5", "one that can be met is enough"},
    {"bytes=100-200,5-5", 100, "5-5", "one that can be met is enough"},
    {"bytes=99-", 100, "99-99", "the last byte"},
    {"bytes=99-1000", 100, "99-99", "cut to the end"},
    {"bytes=100-", 100, "416", "first byte past the end"},
    {"bytes=-1000", 100, "0-99", "a suffix longer than all"},
    {"bytes=-100", 100, "0-99", "a suffix of all"},
    {"bytes=0-99", 100, "0-99", "all"},
    {"BYTES=0-1", 100, "0-1", "units ignore case (RFC 9110 14.1)"},
    {"bytes=,,0-1 ,, 5-6,", 100, "0-1 5-6", "empty elements (RFC 9110 5.6.1.2)"},
    {"bytes=0-1\t,\t5-6", 100, "0-1 5-6", "tabs"},
    {"bytes=00-01", 100, "0-1", "leading zeros"},

    {"bytes=50-59,0-9", 100, "50-59 0-9", "the client's order stays"},
    {"bytes=50-59,0-9,60-69", 100, "50-69 0-9", "merged into the place of the first"},
    {"bytes=50-59,0-9,10-49", 100, "0-59", "one that joins two"},
    {"bytes=0-9,50-59,20-29,5-55", 100, "0-59", "one that joins three"},
    {"bytes=0-9,11-20", 100, "0-9 11-20", "one byte between is a gap"},
    {"bytes=0-,0-,0-,0-", 100, "0-99", "many times all"},
    {"bytes=5-5,5-5", 100, "5-5", "twice the same"},
    {"bytes=10-20,12-13", 100, "10-20", "one inside the other"},
    {"bytes=12-13,10-20", 100, "10-20", "one around the other"},

    {"bytes=18446744073709551615-", 100, "416", "largest number"},
    {"bytes=18446744073709551616-", 100, "416", "one more than fits"},
    {"bytes=99999999999999999999999-99999999999999999999999", 100, "416", "far more than fits"},
    {"bytes=0-18446744073709551616", 100, "0-99", "a last byte that does not fit"},
    {"bytes=-18446744073709551616", 100, "0-99", "a suffix that does not fit"},
    {"bytes=18446744073709551614-,0-0", UINT64_MAX, "18446744073709551614-18446744073709551614 0-0",
     "the largest size"},
    {"bytes=4294967296-4294967297", 5000000000, "4294967296-4294967297", "beyond 32 bits"},

    {"bytes=500-499", 10000, "ignored", "last before first (RFC 9110 14.1.1)"},
    {"bytes=0-1,9-8", 100, "ignored", "one wrong spoils the set"},
    {"bytes=999-998", 100, "ignored", "wrong even past the end"},
    {"bytes=", 100, "ignored", "no range"},
    {"bytes=,", 100, "ignored", "only empty ones"},
    {"bytes=-", 100, "ignored", "no number"},
    {"bytes=--1", 100, "ignored", "two dashes"},
    {"bytes=0--1", 100, "ignored", "two dashes"},
    {"bytes=1", 100, "ignored", "no dash"},
    {"bytes=+1-2", 100, "ignored", "a sign"},
    {"bytes=0x1-2", 100, "ignored", "hexadecimal"},
    {"bytes=0 -1", 100, "ignored", "a space inside"},
    {"bytes=0- 1", 100, "ignored", "a space inside"},
    {"bytes=a-b", 100, "ignored", "letters"},
    {"bytes=0-1;5-6", 100, "ignored", "the wrong separator"},
    {"bytes = 0-1", 100, "ignored", "a space before ="},
    {"bytes 0-1", 100, "ignored", "no ="},
    {"bytes:0-1", 100, "ignored", "no ="},
    {"0-1", 100, "ignored", "no unit"},
    {"items=0-1", 100, "ignored", "another unit"},
    {"byte=0-1", 100, "ignored", "another unit"},
    {"", 100, "ignored", "empty"},

    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30",
     100, "0-0 2-2 4-4 6-6 8-8 10-10 12-12 14-14 16-16 18-18 20-20 22-22 24-24 26-26 28-28 30-30",
     "sixteen parts"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,"
     "32-32",
     100, "ignored", "seventeen parts"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,"
     "32-32,5-5",
     100, "0-0 2-2 4-6 8-8 10-10 12-12 14-14 16-16 18-18 20-20 22-22 24-24 26-26 28-28 30-30 32-32",
     "seventeen, and one that joins two of them"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,"
     "32-32,0-50",
     100, "0-50", "seventeen that the eighteenth joins"},
};

static void write_result(struct buffer *out, enum range_result result, const struct range_set *set)
{
    if (result == RANGE_IGNORE)
        buffer_put_text(out, "ignored");
    else if (result == RANGE_UNSATISFIABLE)
        buffer_put_text(out, "416");
    else
        for (unsigned i = 0; i < set->count; i++) {
            if (i > 0)
                buffer_put_char(out, ' ');
            buffer_put_u64(out, set->ranges[i].first);
            buffer_put_char(out, '-');
            buffer_put_u64(out, set->ranges[i].last);
        }
}

static void parses_ranges(void **state)
{
    (void)state;
    struct guard guard = guard_open(512);
    for (size_t i = 0; i < sizeof range_rows / sizeof range_rows[0]; i++) {
        const struct range_row *row = &range_rows[i];
        size_t len = strlen(row->value);
        char text[512];
        struct buffer out = BUFFER_OVER(text);
        struct range_set set;
        enum range_result result =
            range_parse(&set, span_make(guard_flush(&guard, row->value, len), len), row->size);
        write_result(&out, result, &set);
        if (!span_equal(buffer_span(&out), span_of(row->result)))
            fail_msg("%s (%s): " SPAN_FMT, row->why, row->value, SPAN_ARG(buffer_span(&out)));
        for (size_t cut = 0; cut < len; cut++)
            range_parse(&set, span_make(guard_flush(&guard, row->value, cut), cut), row->size);
    }
    guard_close(&guard);
}

/* As many ranges as may be asked for, all the same, are one; one more is not looked at. */
static void limits_what_is_asked(void **state)
{
    (void)state;
    char text[8 + 4 * (RANGE_SPEC_LIMIT + 1)];
    struct buffer value = BUFFER_OVER(text);
    struct range_set set;

    buffer_put_text(&value, "bytes=");
    for (int i = 0; i < RANGE_SPEC_LIMIT; i++)
        buffer_put_text(&value, "0-0,");
    assert_int_equal(range_parse(&set, buffer_span(&value), 9), RANGE_SATISFIABLE);
    assert_int_equal(set.count, 1);
    buffer_put_text(&value, "0-0");
    assert_int_equal(range_parse(&set, buffer_span(&value), 9), RANGE_IGNORE);
}

static const struct content_row {
    const char *value;
    bool good;
    uint64_t first, last, length;
    bool known;
    const char *why;
} content_rows[] = {
    {"bytes 42-1233/1234", true, 42, 1233, 1234, true, "RFC 9110 14.4"},
    {"bytes 42-1233/*", true, 42, 1233, 0, false, "RFC 9110 14.4, length unknown"},
    {"bytes */1234", false, 0, 0, 0, false, "RFC 9110 14.4, unsatisfied: no range to write"},
    {"bytes 0-499/1234", true, 0, 499, 1234, true, "RFC 9110 14.4, first 500"},
    {"bytes 500-999/1234", true, 500, 999, 1234, true, "RFC 9110 14.4, second 500"},
    {"bytes 500-1233/1234", true, 500, 1233, 1234, true, "RFC 9110 14.4, all but the first 500"},
    {"bytes 734-1233/1234", true, 734, 1233, 1234, true, "RFC 9110 14.4, last 500"},
    {"Bytes 0-0/1", true, 0, 0, 1, true, "units ignore case"},
    {"bytes 0-9223372036854775806/9223372036854775807", true, 0, 9223372036854775806,
     9223372036854775807, true, "the largest file"},
    {"bytes 0-9223372036854775807/*", true, 0, 9223372036854775807, 0, false, "2^63-1"},
    {"bytes 0-9223372036854775808/*", false, 0, 0, 0, false, "2^63"},
    {"bytes 0-1/9223372036854775808", false, 0, 0, 0, false, "2^63"},
    {"bytes 0-1/18446744073709551616", false, 0, 0, 0, false, "2^64"},
    {"bytes 5-4/10", false, 0, 0, 0, false, "RFC 9110 14.4: last before first"},
    {"bytes 5-10/10", false, 0, 0, 0, false, "RFC 9110 14.4: length not above last"},
    {"bytes 5-9/10", true, 5, 9, 10, true, "length just above last"},
    {"bytes 0-/10", false, 0, 0, 0, false, "no last"},
    {"bytes -5/10", false, 0, 0, 0, false, "no first"},
    {"bytes 0-1/", false, 0, 0, 0, false, "no length"},
    {"bytes 0-1", false, 0, 0, 0, false, "no slash"},
    {"bytes 0/1-2", false, 0, 0, 0, false, "slash before dash"},
    {"bytes 01/2", false, 0, 0, 0, false, "no dash"},
    {"bytes 0-1/2/3", false, 0, 0, 0, false, "two slashes"},
    {"bytes 0-1-2/3", false, 0, 0, 0, false, "two dashes"},
    {"bytes  0-1/2", false, 0, 0, 0, false, "two spaces"},
    {"bytes 0 - 1/2", false, 0, 0, 0, false, "spaces inside"},
    {"bytes 0-1/2 ", false, 0, 0, 0, false, "space at the end"},
    {"bytes 0-1/**", false, 0, 0, 0, false, "two stars"},
    {"bytes=0-1/2", false, 0, 0, 0, false, "the = of Range"},
    {"bytes: 0-1/2", false, 0, 0, 0, false, "a colon"},
    {"items 0-1/2", false, 0, 0, 0, false, "another unit"},
    {"bytes", false, 0, 0, 0, false, "the unit alone"},
    {"", false, 0, 0, 0, false, "empty"},
};

static void parses_content_ranges(void **state)
{
    (void)state;
    struct guard guard = guard_open(128);
    for (size_t i = 0; i < sizeof content_rows / sizeof content_rows[0]; i++) {
        const struct content_row *row = &content_rows[i];
        size_t len = strlen(row->value);
        struct content_range range = {7, 7, 7, true};
        if (content_range_parse(&range, span_make(guard_flush(&guard, row->value, len), len)) !=
            row->good)
            fail_msg("%s (%s)", row->why, row->value);
        if (!row->good) {
            assert_true(range.first == 7 && range.last == 7 && range.length == 7);
        } else if (range.first != row->first || range.last != row->last ||
                   range.length_known != row->known || range.length != row->length) {
            fail_msg("%s (%s): other numbers", row->why, row->value);
        }
        for (size_t cut = 0; cut < len; cut++)
            content_range_parse(&range, span_make(guard_flush(&guard, row->value, cut), cut));
    }
    guard_close(&guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_ranges),
        cmocka_unit_test(limits_what_is_asked),
        cmocka_unit_test(parses_content_ranges),
    };
    return cmocka_run_group_tests_name("http/range", tests, NULL, NULL);
}
