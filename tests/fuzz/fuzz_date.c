/* The input is a date as text; its first eight bytes are also a time to be written. */

#include <stdlib.h>

#include "http/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t now = 1795262400;

/* What was written reads back as what was written. */
static void check_written(int64_t when, int64_t expected)
{
    char text[DATE_LEN];
    int64_t read;
    date_format(text, when);
    if (!date_parse(span_make(text, DATE_LEN), now, &read) || read != expected)
        abort();
}

static void check_format(const uint8_t *data)
{
    static const int64_t first = -62167219200, last = 253402300799;
    int64_t when;
    memcpy(&when, data, sizeof when);
    check_written(when, when < first ? first : when > last ? last : when);
    check_written(when % last, when % last < first ? first : when % last);
}

static void check_parse(struct span text, int64_t at)
{
    char written[DATE_LEN];
    int64_t when;
    if (!date_parse(text, at, &when))
        return;
    date_format(written, when);
    /* An IMF-fixdate is the one way to write it, but for the weekday, which is not looked at, and
       the leap second, which is carried. */
    if (text.len == DATE_LEN && text.ptr[3] == ',' && memcmp(text.ptr + 23, "60", 2) != 0 &&
        memcmp(text.ptr + 3, written + 3, DATE_LEN - 3) != 0)
        abort();
    if (text.ptr[3] == ',' || text.ptr[3] == ' ')
        check_written(when, when > 253402300799 ? 253402300799 : when);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_make((const char *)data, size);
    check_parse(text, now);
    if (size >= sizeof(int64_t)) {
        int64_t any;
        memcpy(&any, data, sizeof any);
        check_format(data);
        check_parse(text, any);
    }
    return 0;
}
