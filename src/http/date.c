#include "http/date.h"

enum { DAY_S = 24 * 60 * 60 };

/* The ends of what four digits of year can say: 0000-01-01 00:00:00 and 9999-12-31 23:59:59. */
static const int64_t first_second = -62167219200;
static const int64_t last_second = 253402300799;

static const char weekdays[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                     "Thursday", "Friday", "Saturday"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct civil {
    int64_t year;
    unsigned month, day; /* both from 1 */
    unsigned hour, minute, second;
};

static unsigned digit_pair(const char *text)
{
    return (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
}

/*
 * Days since 1970-01-01 of a date in the proleptic Gregorian calendar. Years are counted from the
 * first of March, so that the leap day is the last of its year and the lengths of the months before
 * it follow (153 * m + 2) / 5: 31 30 31 30 31, 31 30 31 30 31, 31. 146097 days make 400 years.
 * 400 years are added so that year 0 divides like the others, and taken off again with the 719468
 * days from 0000-03-01 to 1970-01-01.
 */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    int64_t y = year + 400 - (month <= 2);
    unsigned march_month = (month + 9) % 12;
    int64_t day_of_year = (153 * (int64_t)march_month + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 146097 - 719468;
}

/* The other way; `days` is not before the year 0. */
static void civil_from_days(struct civil *civil, int64_t days)
{
    int64_t n = days + 719468 + 146097; /* since the first of March 400 years before year 0 */
    int64_t era = n / 146097;
    int64_t day_of_era = n % 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned march_month = (unsigned)((5 * day_of_year + 2) / 153);

    civil->day = (unsigned)(day_of_year - (153 * (int64_t)march_month + 2) / 5 + 1);
    civil->month = (march_month + 2) % 12 + 1;
    civil->year = year_of_era + era * 400 - 400 + (civil->month <= 2);
}

static int64_t clamp(int64_t when)
{
    if (when < first_second)
        return first_second;
    return when > last_second ? last_second : when;
}

/* Days and the seconds in the day; unlike the operators, rounds down before 1970 too. */
static int64_t split_days(int64_t when, unsigned *second_of_day)
{
    int64_t days = when / DAY_S;
    int64_t rest = when % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    *second_of_day = (unsigned)rest;
    return days;
}

static void put_pair(char *text, unsigned value)
{
    text[0] = (char)('0' + value / 10 % 10);
    text[1] = (char)('0' + value % 10);
}

static void put_year(char *text, const struct civil *civil)
{
    put_pair(text, (unsigned)civil->year / 100);
    put_pair(text + 2, (unsigned)civil->year % 100);
}

/* "08:49:37". */
static void put_clock(char *text, unsigned second_of_day)
{
    put_pair(text, second_of_day / 3600);
    put_pair(text + 3, second_of_day / 60 % 60);
    put_pair(text + 6, second_of_day % 60);
}

void date_format(char text[static DATE_LEN], int64_t when)
{
    struct civil civil;
    unsigned second_of_day;
    int64_t days = split_days(clamp(when), &second_of_day);
    /* Day 0 was a Thursday. 719530 is a multiple of 7 that makes the first day positive. */
    unsigned weekday = (unsigned)((days + 719530 + 4) % 7);

    civil_from_days(&civil, days);
    memcpy(text, "Sun, 06 Nov 1994 08:49:37 GMT", DATE_LEN);
    memcpy(text, weekdays[weekday], 3);
    put_pair(text + 5, civil.day);
    memcpy(text + 8, months[civil.month - 1], 3);
    put_year(text + 12, &civil);
    put_clock(text + 17, second_of_day);
}

void date_format_rfc3339(char text[static DATE_RFC3339_LEN], int64_t when)
{
    struct civil civil;
    unsigned second_of_day;

    civil_from_days(&civil, split_days(clamp(when), &second_of_day));
    memcpy(text, "1994-11-06T08:49:37Z", DATE_RFC3339_LEN);
    put_year(text, &civil);
    put_pair(text + 5, civil.month);
    put_pair(text + 8, civil.day);
    put_clock(text + 11, second_of_day);
}

/*
 * Whether text has the shape of `pattern`, byte for byte, where in the pattern 'd' is a digit, '_'
 * a digit or a space, and '*' any byte of a month's name. Dates are compared with case (RFC 9110
 * 5.6.7).
 */
static bool has_shape(struct span text, struct span pattern)
{
    if (text.len != pattern.len)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool digit = c >= '0' && c <= '9';
        switch (pattern.ptr[i]) {
        case 'd':
            if (!digit)
                return false;
            break;
        case '_':
            if (!digit && c != ' ')
                return false;
            break;
        case '*': break;
        default:
            if (c != pattern.ptr[i])
                return false;
        }
    }
    return true;
}

/* 1 to 12, or 0 for what is no month. */
static unsigned month_of(const char *name)
{
    for (unsigned i = 0; i < 12; i++)
        if (memcmp(name, months[i], 3) == 0)
            return i + 1;
    return 0;
}

/* Takes a weekday's name, long or short, off the front. Whether it is the right one for the date is
   not asked: the other fields say all. */
static bool take_weekday(struct span *text, bool whole_name)
{
    for (size_t i = 0; i < 7; i++) {
        struct span name = span_make(weekdays[i], whole_name ? strlen(weekdays[i]) : 3);
        if (span_starts_with(*text, name)) {
            *text = span_from(*text, name.len);
            return true;
        }
    }
    return false;
}

static void read_clock(struct civil *civil, const char *text)
{
    civil->hour = digit_pair(text);
    civil->minute = digit_pair(text + 3);
    civil->second = digit_pair(text + 6);
}

/* ", 06 Nov 1994 08:49:37 GMT" */
static bool read_imf_fixdate(struct civil *civil, struct span text)
{
    if (!take_weekday(&text, false) || !has_shape(text, SPAN(", dd *** dddd dd:dd:dd GMT")))
        return false;
    civil->day = digit_pair(text.ptr + 2);
    civil->month = month_of(text.ptr + 5);
    civil->year = (int64_t)digit_pair(text.ptr + 9) * 100 + digit_pair(text.ptr + 11);
    read_clock(civil, text.ptr + 14);
    return true;
}

/* " Nov  6 08:49:37 1994" */
static bool read_asctime(struct civil *civil, struct span text)
{
    if (!take_weekday(&text, false) || !has_shape(text, SPAN(" *** _d dd:dd:dd dddd")))
        return false;
    civil->month = month_of(text.ptr + 1);
    civil->day = text.ptr[5] == ' ' ? (unsigned)(text.ptr[6] - '0') : digit_pair(text.ptr + 5);
    read_clock(civil, text.ptr + 8);
    civil->year = (int64_t)digit_pair(text.ptr + 17) * 100 + digit_pair(text.ptr + 19);
    return true;
}

/* ", 06-Nov-94 08:49:37 GMT": the year is below 100, for place_year. */
static bool read_rfc850(struct civil *civil, struct span text)
{
    if (!take_weekday(&text, true) || !has_shape(text, SPAN(", dd-***-dd dd:dd:dd GMT")))
        return false;
    civil->day = digit_pair(text.ptr + 2);
    civil->month = month_of(text.ptr + 5);
    civil->year = digit_pair(text.ptr + 9);
    read_clock(civil, text.ptr + 12);
    return true;
}

static int64_t seconds_of(const struct civil *civil)
{
    return days_from_civil(civil->year, civil->month, civil->day) * DAY_S +
           (int64_t)civil->hour * 3600 + (int64_t)civil->minute * 60 + civil->second;
}

/*
 * Makes the two digits of a year the latest year that is not more than 50 years ahead of now
 * (RFC 9110 5.6.7). With 2026-11-21 that is 1976-11-22 to 2076-11-21.
 */
static void place_year(struct civil *civil, int64_t now)
{
    struct civil limit;
    unsigned second_of_day;
    int64_t days = split_days(clamp(now), &second_of_day);

    civil_from_days(&limit, days);
    int64_t latest =
        days_from_civil(limit.year + 50, limit.month, limit.day) * DAY_S + second_of_day;
    civil->year += (limit.year + 50) / 100 * 100;
    if (seconds_of(civil) > latest)
        civil->year -= 100;
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    static const unsigned char lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return lengths[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* Second 60 is a leap second (RFC 9110 5.6.7), taken as the first of the next minute. */
static bool is_real(const struct civil *civil)
{
    return civil->day >= 1 && civil->day <= days_in_month(civil->year, civil->month) &&
           civil->hour <= 23 && civil->minute <= 59 && civil->second <= 60;
}

bool date_parse(struct span text, int64_t now, int64_t *when)
{
    struct civil civil;
    bool two_digits = false;

    if (!read_imf_fixdate(&civil, text) && !read_asctime(&civil, text)) {
        if (!read_rfc850(&civil, text))
            return false;
        two_digits = true;
    }
    if (civil.month == 0)
        return false;
    if (two_digits)
        place_year(&civil, now);
    if (!is_real(&civil))
        return false;
    *when = seconds_of(&civil);
    return true;
}
