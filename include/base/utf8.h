#ifndef BASE_UTF8_H
#define BASE_UTF8_H

/* Well-formed UTF-8 (RFC 3629 4; Unicode 15, table 3-7). Pure; any thread. */

#include "base/span.h"

/*
 * Bytes of the sequence that s begins with, 1 to 4; 0 when it begins with none or is empty.
 * Overlong forms, surrogates and what lies past U+10FFFF are none.
 */
size_t utf8_sequence(struct span s);

/* Whether all of s is UTF-8. */
bool utf8_valid(struct span s);

/*
 * The most bytes of s, at most `max`, that end where a sequence ends. In s that is not UTF-8 it may
 * end anywhere, but never more than three bytes before `max`.
 */
size_t utf8_prefix(struct span s, size_t max);

#endif
