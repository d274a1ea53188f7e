#ifndef SERVER_LISTING_NAME_H
#define SERVER_LISTING_NAME_H

/* A file's name as a person can read it. Pure; any thread. */

#include "base/buffer.h"

/*
 * Puts `name` as HTML text. What cannot be seen, or would make the rest look like something else,
 * is shown as its number ("U+000A"), within <b> if `markup`: control characters, and marks that
 * turn the direction of writing. Bytes that are no UTF-8 are shown as U+FFFD. At most
 * LISTING_NAME_MOST bytes for each of the name's.
 */
enum { LISTING_NAME_MOST = 13 };

void listing_name_put(struct buffer *out, struct span name, bool markup);

#endif
