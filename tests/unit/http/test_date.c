#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/date.h"
#include "unit/guard.h"

/* Sat, 21 Nov 2026 12:00:00 GMT, the day on which rows with two-digit years are read. */
static const int64_t now = 1795262400;

static const struct format_row {
    int64_t when;
    const char *text;
    const char *why;
} format_rows[] = {
    {784111777, "Sun, 06 Nov 1994 08:49:37 GMT", "RFC 9110 5.6.7"},
    {0, "Thu, 01 Jan 1970 00:00:00 GMT", "the epoch"},
    {-1, "Wed, 31 Dec 1969 23:59:59 GMT", "the second before"},
    {86399, "Thu, 01 Jan 1970 23:59:59 GMT", "last second of a day"},
    {86400, "Fri, 02 Jan 1970 00:00:00 GMT", "first second of a day"},
    {951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "leap day in a year divisible by 400"},
    {951868800, "Wed, 01 Mar 2000 00:00:00 GMT", "day after it"},
    {4107456000, "Sun, 28 Feb 2100 00:00:00 GMT", "divisible by 100: no leap year"},
    {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT", "day after it"},
    {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT", "leap day"},
    {2147483647, "Tue, 19 Jan 2038 03:14:07 GMT", "last second of 32 bits"},
    {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT", "first one past 32 bits"},
    {-2208988800, "Mon, 01 Jan 1900 00:00:00 GMT", "the epoch of NTP"},
    {-11644473600, "Mon, 01 Jan 1601 00:00:00 GMT", "the epoch of Windows"},
    {1795262400, "Sat, 21 Nov 2026 12:00:00 GMT", "noon"},
    {1798761599, "Thu, 31 Dec 2026 23:59:59 GMT", "last second of a year"},
    {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT", "last date of four digits"},
    {253402300800, "Fri, 31 Dec 9999 23:59:59 GMT", "clamped"},
    {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT", "clamped"},
    {-62167219200, "Sat, 01 Jan 0000 00:00:00 GMT", "first date of four digits"},
    {-62167219201, "Sat, 01 Jan 0000 00:00:00 GMT", "clamped"},
    {INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT", "clamped"},
    {-62162035201, "Tue, 29 Feb 0000 23:59:59 GMT", "year 0 is a leap year"},
};

static void formats(void **state)
{
    (void)state;
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < sizeof format_rows / sizeof format_rows[0]; i++) {
        const struct format_row *row = &format_rows[i];
        char *text = guard_space(&guard, DATE_LEN);
        date_format(text, row->when);
        if (memcmp(text, row->text, DATE_LEN) != 0)
            fail_msg("%s: %.*s, not %s", row->why, DATE_LEN, text, row->text);
    }
    guard_close(&guard);
}

static void formats_rfc3339(void **state)
{
    (void)state;
    static const struct {
        int64_t when;
        const char *text;
        const char *why;
    } rows[] = {
        {482196050, "1985-04-12T23:20:50Z", "the example of RFC 3339 5.8, without its fraction"},
        {851042397, "1996-12-20T00:39:57Z", "the second one, in UTC"},
        {0, "1970-01-01T00:00:00Z", "the epoch"},
        {-1, "1969-12-31T23:59:59Z", "the second before"},
        {1709164800, "2024-02-29T00:00:00Z", "leap day"},
        {INT64_MAX, "9999-12-31T23:59:59Z", "clamped"},
        {INT64_MIN, "0000-01-01T00:00:00Z", "clamped"},
    };
    struct guard guard = guard_open(64);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = guard_space(&guard, DATE_RFC3339_LEN);
        date_format_rfc3339(text, rows[i].when);
        if (memcmp(text, rows[i].text, DATE_RFC3339_LEN) != 0)
            fail_msg("%s: %.*s, not %s", rows[i].why, DATE_RFC3339_LEN, text, rows[i].text);
    }
    guard_close(&guard);
}

#define REFUSED INT64_MIN

static const struct parse_row {
    const char *text;
    int64_t when; /* or REFUSED */
    const char *why;
} parse_rows[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777, "IMF-fixdate of RFC 9110 5.6.7"},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777, "RFC 850 date of RFC 9110 5.6.7"},
    {"Sun Nov  6 08:49:37 1994", 784111777, "asctime date of RFC 9110 5.6.7"},
    {"Tue, 15 Nov 1994 12:45:26 GMT", 784903526, "Last-Modified of RFC 9110 8.8.2"},
    {"Sat, 29 Oct 1994 19:43:31 GMT", 783459811, "If-Modified-Since of RFC 9110 13.1.3"},
    {"Thu, 01 Jan 1970 00:00:00 GMT", 0, "the epoch"},
    {"Wed, 31 Dec 1969 23:59:59 GMT", -1, "before the epoch"},
    {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400, "leap day"},
    {"Mon, 29 Feb 2100 00:00:00 GMT", REFUSED, "2100 is no leap year"},
    {"Tue, 29 Feb 2023 00:00:00 GMT", REFUSED, "nor is 2023"},
    {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799, "last one"},
    {"Sat, 01 Jan 0000 00:00:00 GMT", -62167219200, "first one"},
    {"Sat Nov 21 12:00:00 2026", 1795262400, "asctime with a day of two digits"},
    {"Sun Nov 06 08:49:37 1994", 784111777, "asctime day is 2DIGIT or SP 1DIGIT"},
    {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777, "the wrong weekday changes nothing"},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800, "leap second"},
    {"Sat, 31 Dec 2016 23:59:61 GMT", REFUSED, "second 61"},
    {"Sat, 31 Dec 2016 24:00:00 GMT", REFUSED, "hour 24"},
    {"Sat, 31 Dec 2016 23:60:00 GMT", REFUSED, "minute 60"},
    {"Sat, 00 Dec 2016 23:59:59 GMT", REFUSED, "day 0"},
    {"Sat, 32 Dec 2016 23:59:59 GMT", REFUSED, "day 32"},
    {"Sat, 31 Nov 2016 23:59:59 GMT", REFUSED, "31st of a month of 30 days"},
    {"Sat Nov  0 08:49:37 1994", REFUSED, "day 0 in asctime"},
    {"sun, 06 Nov 1994 08:49:37 GMT", REFUSED, "case matters in a weekday"},
    {"Sun, 06 nov 1994 08:49:37 GMT", REFUSED, "case matters in a month"},
    {"Sun, 06 Nov 1994 08:49:37 gmt", REFUSED, "case matters in the zone"},
    {"Sun, 06 Nov 1994 08:49:37 UTC", REFUSED, "another zone"},
    {"Sun, 06 Nov 1994 08:49:37 GXT", REFUSED, "almost the zone"},
    {"Sunday, 06-Nov-94 08:49:37 G\xb4T", REFUSED, "almost the zone"},
    {"Sun, 06 Nov 1994 08:49:37 +0000", REFUSED, "a numeric zone"},
    {"Sun, 06 Nov 1994 08:49:37", REFUSED, "no zone"},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", REFUSED, "space at the end"},
    {" Sun, 06 Nov 1994 08:49:37 GMT", REFUSED, "space at the start"},
    {"Sun, 06 Nov 1994 08:49:37 GMT; length=3", REFUSED, "an old Netscape parameter"},
    {"Sun, 6 Nov 1994 08:49:37 GMT", REFUSED, "a day of one digit"},
    {"Sun, 06 Nov 94 08:49:37 GMT", REFUSED, "a year of two digits here"},
    {"Sun, 06-Nov-1994 08:49:37 GMT", REFUSED, "a mixture of two forms"},
    {"Sun, 06-Nov-94 08:49:37 GMT", REFUSED, "RFC 850 with a short weekday"},
    {"Sunday, 06 Nov 1994 08:49:37 GMT", REFUSED, "IMF-fixdate with a long weekday"},
    {"Sun, 06 Nov -994 08:49:37 GMT", REFUSED, "a sign"},
    {"Sun, 06 Nov 1994 8:49:37 GMT", REFUSED, "an hour of one digit"},
    {"Sun, 06 Nov 1994 08.49.37 GMT", REFUSED, "other separators"},
    {"Sun, 06 Foo 1994 08:49:37 GMT", REFUSED, "no such month"},
    {"Foo, 06 Nov 1994 08:49:37 GMT", REFUSED, "no such weekday"},
    {"1994-11-06T08:49:37Z", REFUSED, "ISO 8601"},
    {"784111777", REFUSED, "seconds"},
    {"0", REFUSED, "zero"},
    {"", REFUSED, "empty"},

    /* now is 2026-11-21 12:00:00: up to 2076-11-21 12:00:00 is the future, the rest is past. */
    {"Saturday, 21-Nov-26 12:00:00 GMT", 1795262400, "this year"},
    {"Saturday, 21-Nov-76 12:00:00 GMT", 3373185600, "50 years ahead is not more than 50"},
    {"Sunday, 21-Nov-76 12:00:01 GMT", 217425601, "one second more is the past century"},
    {"Friday, 31-Dec-99 23:59:59 GMT", 946684799, "1999"},
    {"Saturday, 01-Jan-00 00:00:00 GMT", 946684800, "2000"},
    {"Tuesday, 29-Feb-00 00:00:00 GMT", 951782400, "a leap day once the century is known"},
    {"Tuesday, 29-Feb-77 00:00:00 GMT", REFUSED, "1977 was no leap year"},
    {"Sunday, 06-Nov-94 08:49:37", REFUSED, "no zone"},
    {"Sunday, 06-Nov-1994 08:49:37 GMT", REFUSED, "a year of four digits here"},
    {"Sunday, 06-Foo-94 08:49:37 GMT", REFUSED, "no such month"},
    {"Sun Nov x6 08:49:37 1994", REFUSED, "no digit, no space"},
    {"Sun Nov 6 08:49:37 1994", REFUSED, "asctime without its padding"},
    {"Sun Nov  6 08:49:37 1994 GMT", REFUSED, "asctime with a zone"},
    {"Sun Nov  6 08:49:37 1994\n", REFUSED, "asctime as the C function ends it"},
};

static int64_t parse(struct span text)
{
    int64_t when = REFUSED;
    if (!date_parse(text, now, &when))
        assert_true(when == REFUSED); /* untouched */
    return when;
}

static void parses(void **state)
{
    (void)state;
    struct guard guard = guard_open(128);
    for (size_t i = 0; i < sizeof parse_rows / sizeof parse_rows[0]; i++) {
        const struct parse_row *row = &parse_rows[i];
        size_t len = strlen(row->text);
        int64_t when = parse(span_make(guard_flush(&guard, row->text, len), len));
        if (when != row->when)
            fail_msg("%s (%s): %lld", row->why, row->text, (long long)when);
        for (size_t cut = 0; cut < len; cut++)
            if (parse(span_make(guard_flush(&guard, row->text, cut), cut)) != REFUSED &&
                row->when != REFUSED)
                fail_msg("%s: accepted %.*s", row->why, (int)cut, row->text);
    }
    guard_close(&guard);
}

/* RFC 9110 5.6.7 near the end of a century: 05 read in 2099 is 2105, 94 read in 2060 is 2094. */
static void places_two_digit_years(void **state)
{
    (void)state;
    int64_t when;
    assert_true(date_parse(SPAN("Thursday, 01-Jan-05 00:00:00 GMT"), 4070908800, &when));
    assert_true(when == 4260211200);
    assert_true(date_parse(SPAN("Friday, 01-Jan-94 00:00:00 GMT"), 2840140800, &when));
    assert_true(when == 3913142400);
    /* Clocks that are far off must not make it trap. */
    assert_true(date_parse(SPAN("Friday, 01-Jan-94 00:00:00 GMT"), INT64_MAX, &when));
    assert_true(date_parse(SPAN("Friday, 01-Jan-94 00:00:00 GMT"), INT64_MIN, &when));
}

/* Each day of four centuries, at a second of the day that moves along, reads back as itself, and is
   followed by the next. */
static void reads_what_it_writes(void **state)
{
    (void)state;
    char text[DATE_LEN];
    for (int64_t day = -146097; day < 146097; day++) {
        int64_t when = day * 86400 + (day + 146097) % 86400;
        int64_t read;
        date_format(text, when);
        if (!date_parse(span_make(text, DATE_LEN), now, &read) || read != when)
            fail_msg("day %lld: %.*s", (long long)day, DATE_LEN, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(formats_rfc3339),
        cmocka_unit_test(parses),
        cmocka_unit_test(places_two_digit_years),
        cmocka_unit_test(reads_what_it_writes),
    };
    return cmocka_run_group_tests_name("http/date", tests, NULL, NULL);
}
