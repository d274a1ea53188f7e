#ifndef BASE_HEX_H
#define BASE_HEX_H

/* Bytes as hexadecimal digits (RFC 4648 8, lower case). Pure; any thread. */

#include "base/span.h"

/* Writes 2 * len digits to `out`, no NUL. `out` and `data` do not overlap. */
void hex_encode(char *out, const void *data, size_t len);

/* Exactly 2 * len digits, of either case, into `len` bytes. False when text is anything else; bytes
   of `out` may have been written then. */
bool hex_decode(struct span text, void *out, size_t len);

/* Worth of one digit, -1 when c is none. */
int hex_digit(char c);

#endif
