#ifndef SERVER_LISTING_NAME_H
#define SERVER_LISTING_NAME_H

/* A file's name as a person can read it. Pure; any thread. */

#include "base/buffer.h"

/*
 * Puts `name` as HTML text. What cannot be seen, or would make the rest look like something else,
 * is shown as what it is: control characters as their pictures (U+2400 and following), marks that
 * turn the direction of writing as their number, within <b> if `markup`. At most six bytes for each
 * of the name's.
 */
void listing_name_put(struct buffer *out, struct span name, bool markup);

#endif
