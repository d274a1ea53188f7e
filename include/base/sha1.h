#ifndef BASE_SHA1_H
#define BASE_SHA1_H

/*
 * SHA-1 (FIPS 180-4 6.1), taken in pieces: tus 1.0 makes every server with checksums offer it. It
 * finds damage, it no longer keeps anyone out; nothing here may use it for security. Used like
 * base/sha256.h.
 */

#include <stddef.h>
#include <stdint.h>

enum { SHA1_LEN = 20, SHA1_BLOCK = 64 };

struct sha1 {
    uint32_t state_[5];
    uint64_t len_; /* bytes so far; the last len_ % 64 of them wait in block_ */
    uint8_t block_[SHA1_BLOCK];
};

void sha1_init(struct sha1 *h);

/* The next `len` bytes; at most 2^61 in all. */
void sha1_update(struct sha1 *h, const void *data, size_t len);

/* The digest of all bytes given. The state is spent: init it before using it again. */
void sha1_final(struct sha1 *h, uint8_t digest[static SHA1_LEN]);

#endif
