#include "base/hmac.h"

#include <string.h>

void hmac_sha256_init(struct hmac_sha256 *h, const void *key, size_t key_len)
{
    uint8_t pad[SHA256_BLOCK] = {0};

    /* RFC 2104 2: a key longer than a block is replaced by its digest. */
    if (key_len > sizeof pad)
        sha256_of(key, key_len, pad);
    else if (key_len > 0)
        memcpy(pad, key, key_len);

    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36;
    sha256_init(&h->inner_);
    h->outer_ = h->inner_;
    sha256_update(&h->inner_, pad, sizeof pad);
    for (size_t i = 0; i < sizeof pad; i++)
        pad[i] ^= 0x36 ^ 0x5c;
    sha256_update(&h->outer_, pad, sizeof pad);
    explicit_bzero(pad, sizeof pad);
}

void hmac_sha256_update(struct hmac_sha256 *h, const void *data, size_t len)
{
    sha256_update(&h->inner_, data, len);
}

void hmac_sha256_final(struct hmac_sha256 *h, uint8_t code[static HMAC_SHA256_LEN])
{
    uint8_t digest[SHA256_LEN];
    sha256_final(&h->inner_, digest);
    sha256_update(&h->outer_, digest, sizeof digest);
    sha256_final(&h->outer_, code);
}

void hmac_sha256_of(const void *key, size_t key_len, const void *data, size_t len,
                    uint8_t code[static HMAC_SHA256_LEN])
{
    struct hmac_sha256 h;
    hmac_sha256_init(&h, key, key_len);
    hmac_sha256_update(&h, data, len);
    hmac_sha256_final(&h, code);
    explicit_bzero(&h, sizeof h);
}
