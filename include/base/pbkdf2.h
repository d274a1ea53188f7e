#ifndef BASE_PBKDF2_H
#define BASE_PBKDF2_H

/* PBKDF2 with HMAC-SHA256 (RFC 8018 5.2): a stored form of a password that is slow to guess.
   Pure; any thread. */

#include "base/span.h"

/*
 * Derives `out_len` bytes (at most 2^32 - 1 times 32). `iterations` is at least 1 and sets the
 * price: each costs two SHA-256 blocks, so 600,000 keep a processor busy for a tenth of a second
 * or, without SHA instructions, a few of them. A caller keeps its own worker from doing this often.
 */
void pbkdf2_hmac_sha256(struct span password, struct span salt, uint32_t iterations, uint8_t *out,
                        size_t out_len);

#endif
