#include "base/pbkdf2.h"

#include "base/hmac.h"

/* F of RFC 8018 5.2: the exclusive or of `iterations` codes, each over the one before it. */
static void derive_block(const struct hmac_sha256 *keyed, struct span salt, uint32_t iterations,
                         uint32_t index, uint8_t sum[static HMAC_SHA256_LEN])
{
    uint8_t number[4] = {(uint8_t)(index >> 24), (uint8_t)(index >> 16), (uint8_t)(index >> 8),
                         (uint8_t)index};
    uint8_t code[HMAC_SHA256_LEN];
    struct hmac_sha256 h = *keyed;

    hmac_sha256_update(&h, salt.ptr, salt.len);
    hmac_sha256_update(&h, number, sizeof number);
    hmac_sha256_final(&h, code);
    memcpy(sum, code, sizeof code);
    for (uint32_t i = 1; i < iterations; i++) {
        h = *keyed;
        hmac_sha256_update(&h, code, sizeof code);
        hmac_sha256_final(&h, code);
        for (size_t j = 0; j < sizeof code; j++)
            sum[j] ^= code[j];
    }
    explicit_bzero(&h, sizeof h);
    explicit_bzero(code, sizeof code);
}

void pbkdf2_hmac_sha256(struct span password, struct span salt, uint32_t iterations, uint8_t *out,
                        size_t out_len)
{
    struct hmac_sha256 keyed;
    uint8_t block[HMAC_SHA256_LEN];

    hmac_sha256_init(&keyed, password.ptr, password.len);
    for (uint32_t index = 1; out_len > 0; index++) {
        size_t take = out_len < sizeof block ? out_len : sizeof block;
        derive_block(&keyed, salt, iterations, index, block);
        memcpy(out, block, take);
        out += take;
        out_len -= take;
    }
    explicit_bzero(&keyed, sizeof keyed);
    explicit_bzero(block, sizeof block);
}
