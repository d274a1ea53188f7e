#ifndef BASE_HMAC_H
#define BASE_HMAC_H

/* HMAC-SHA256 (RFC 2104, FIPS 198-1). Used like base/sha256.h; a state may be copied. */

#include "base/sha256.h"

enum { HMAC_SHA256_LEN = SHA256_LEN };

struct hmac_sha256 {
    struct sha256 inner_, outer_;
};

/* Any key length. The key is not kept, only what follows from it. */
void hmac_sha256_init(struct hmac_sha256 *h, const void *key, size_t key_len);
void hmac_sha256_update(struct hmac_sha256 *h, const void *data, size_t len);

/* The code of all bytes given. The state is spent; a copy made after init can begin again. */
void hmac_sha256_final(struct hmac_sha256 *h, uint8_t code[static HMAC_SHA256_LEN]);

/* All in one. */
void hmac_sha256_of(const void *key, size_t key_len, const void *data, size_t len,
                    uint8_t code[static HMAC_SHA256_LEN]);

#endif
