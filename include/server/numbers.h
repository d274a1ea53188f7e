#ifndef SERVER_NUMBERS_H
#define SERVER_NUMBERS_H

/* What the pages with the server's numbers have in common. Pure; any thread. */

#include "base/buffer.h"
#include "server/snapshot.h"

/* Microseconds as seconds, with six decimals and no more zeros than need be: "0.000016", "2.0". */
void numbers_put_seconds(struct buffer *out, uint64_t us);

/* "GET"; "other" for METHOD_UNKNOWN. */
struct span numbers_method_name(enum method method);

/* Whether that pair is shown even while it is 0, so that a chart of it has a beginning. */
bool numbers_is_common(enum method method, unsigned status_class);

/* The numbers as one JSON object, which is what /.status answers to programs, its script too. */
void numbers_put_json(struct buffer *out, const struct snapshot *snapshot);

#endif
