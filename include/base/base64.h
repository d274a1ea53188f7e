#ifndef BASE_BASE64_H
#define BASE_BASE64_H

/* Base64 with the standard alphabet and padding (RFC 4648 4). Pure; any thread. */

#include "base/span.h"

/* Characters that `len` bytes become. `len` is at most 3/4 of SIZE_MAX. */
static inline size_t base64_encoded_len(size_t len)
{
    return (len + 2) / 3 * 4;
}

/* The most bytes that `len` characters can hold, padded or not. */
static inline size_t base64_decoded_max(size_t len)
{
    return len / 4 * 3 + (len % 4) * 3 / 4;
}

/*
 * Writes base64_encoded_len(len) characters to `out`, no NUL, and returns how many. A long run may
 * be encoded in pieces: as long as every piece but the last is a multiple of 3, the joined output
 * is the same. `out` and `data` do not overlap.
 */
size_t base64_encode(char *out, const void *data, size_t len);

/*
 * Decodes all of `text` into `out`, which has room for `cap` bytes, and sets *len. Strict, so that
 * every run of bytes has one spelling only: the length is a multiple of 4, '=' stands at the end
 * alone, unused bits are zero (3.5), no line breaks. False, with *len untouched, when text is
 * anything else or does not fit; bytes of `out` may have been written then.
 */
bool base64_decode(struct span text, void *out, size_t cap, size_t *len);

/*
 * The same, but the padding may be missing altogether and unused bits may be set: for fields whose
 * specification asks recipients for it (RFC 9651 4.2.7).
 */
bool base64_decode_loose(struct span text, void *out, size_t cap, size_t *len);

#endif
