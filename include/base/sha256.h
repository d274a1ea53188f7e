#ifndef BASE_SHA256_H
#define BASE_SHA256_H

/*
 * SHA-256 (FIPS 180-4 6.2), taken in pieces. A state is plain memory of the caller: copying it
 * copies the digest so far. Any thread, one thread per state at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_LEN = 32, SHA256_BLOCK = 64 };

struct sha256 {
    uint32_t state_[8];
    uint64_t len_; /* bytes so far; the last len_ % 64 of them wait in block_ */
    uint8_t block_[SHA256_BLOCK];
    bool instructions_; /* the processor's SHA extensions do the work */
};

void sha256_init(struct sha256 *h);

/* The next `len` bytes; at most 2^61 in all. */
void sha256_update(struct sha256 *h, const void *data, size_t len);

/* The digest of all bytes given. The state is spent: init it before using it again. */
void sha256_final(struct sha256 *h, uint8_t digest[static SHA256_LEN]);

/* All in one. */
void sha256_of(const void *data, size_t len, uint8_t digest[static SHA256_LEN]);

#endif
