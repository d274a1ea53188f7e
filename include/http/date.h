#ifndef HTTP_DATE_H
#define HTTP_DATE_H

/* HTTP dates (RFC 9110 5.6.7), and those of all else (RFC 3339). Pure; any thread. */

#include "base/span.h"

enum {
    DATE_LEN = 29,         /* "Sun, 06 Nov 1994 08:49:37 GMT" */
    DATE_RFC3339_LEN = 20, /* "1994-11-06T08:49:37Z" */
};

/* Writes the IMF-fixdate of `when` (seconds since 1970-01-01 UTC) without a NUL. Times outside the
   years 0000 to 9999 are clamped to them. */
void date_format(char text[static DATE_LEN], int64_t when);

/* The same as a date-time in UTC (RFC 3339 5.6). */
void date_format_rfc3339(char text[static DATE_RFC3339_LEN], int64_t when);

/*
 * Reads an IMF-fixdate, an RFC 850 or an asctime date. `now` places the two digits of an RFC 850
 * year: one more than 50 years ahead means the past century. False when it is none of them.
 */
bool date_parse(struct span text, int64_t now, int64_t *when);

#endif
