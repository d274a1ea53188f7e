#include "base/sha1.h"

#include <string.h>

static inline uint32_t rotate_left(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static inline uint32_t load_big(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void store_big(uint8_t *p, uint32_t x)
{
    p[0] = (uint8_t)(x >> 24);
    p[1] = (uint8_t)(x >> 16);
    p[2] = (uint8_t)(x >> 8);
    p[3] = (uint8_t)x;
}

/* FIPS 180-4 4.1.1 and 4.2.1: the function and the constant of each twenty rounds. */
static inline uint32_t choose(uint32_t b, uint32_t c, uint32_t d)
{
    return (d ^ (b & (c ^ d))) + 0x5a827999;
}

static inline uint32_t parity_early(uint32_t b, uint32_t c, uint32_t d)
{
    return (b ^ c ^ d) + 0x6ed9eba1;
}

static inline uint32_t majority(uint32_t b, uint32_t c, uint32_t d)
{
    return ((b & c) | (d & (b | c))) + 0x8f1bbcdc;
}

static inline uint32_t parity_late(uint32_t b, uint32_t c, uint32_t d)
{
    return (b ^ c ^ d) + 0xca62c1d6;
}

/*
 * Word i of the message schedule (6.1.2 step 1), made when it is needed, in the place of word
 * i - 16, which is not needed any more. A loop over all eighty beforehand is half as fast here.
 */
static inline uint32_t schedule(uint32_t w[16], unsigned i)
{
    if (i >= 16)
        w[i & 15] =
            rotate_left(w[(i - 3) & 15] ^ w[(i - 8) & 15] ^ w[(i - 14) & 15] ^ w[i & 15], 1);
    return w[i & 15];
}

/*
 * Twenty rounds, five at a time: after five the variables are back in their places. Inlined by
 * force, since a call through f in every round would cost more than the round.
 */
__attribute__((always_inline)) static inline void
twenty(uint32_t v[5], uint32_t w[16], unsigned first, uint32_t (*f)(uint32_t, uint32_t, uint32_t))
{
    uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4];
    for (unsigned i = first; i < first + 20; i += 5) {
        e += rotate_left(a, 5) + f(b, c, d) + schedule(w, i);
        b = rotate_left(b, 30);
        d += rotate_left(e, 5) + f(a, b, c) + schedule(w, i + 1);
        a = rotate_left(a, 30);
        c += rotate_left(d, 5) + f(e, a, b) + schedule(w, i + 2);
        e = rotate_left(e, 30);
        b += rotate_left(c, 5) + f(d, e, a) + schedule(w, i + 3);
        d = rotate_left(d, 30);
        a += rotate_left(b, 5) + f(c, d, e) + schedule(w, i + 4);
        c = rotate_left(c, 30);
    }
    v[0] = a;
    v[1] = b;
    v[2] = c;
    v[3] = d;
    v[4] = e;
}

static void blocks(uint32_t state[5], const uint8_t *data, size_t count)
{
    for (; count > 0; count--, data += SHA1_BLOCK) {
        uint32_t w[16], v[5];

        for (size_t i = 0; i < 16; i++)
            w[i] = load_big(data + 4 * i);
        memcpy(v, state, sizeof v);
        twenty(v, w, 0, choose);
        twenty(v, w, 20, parity_early);
        twenty(v, w, 40, majority);
        twenty(v, w, 60, parity_late);
        for (size_t i = 0; i < 5; i++)
            state[i] += v[i];
    }
}

void sha1_init(struct sha1 *h)
{
    /* FIPS 180-4 5.3.1 */
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    memcpy(h->state_, start, sizeof start);
    h->len_ = 0;
}

void sha1_update(struct sha1 *h, const void *data, size_t len)
{
    const uint8_t *in = data;
    size_t held = h->len_ % SHA1_BLOCK;

    if (len == 0)
        return;
    h->len_ += len;
    if (held > 0) {
        size_t take = SHA1_BLOCK - held < len ? SHA1_BLOCK - held : len;
        memcpy(h->block_ + held, in, take);
        if (held + take < SHA1_BLOCK)
            return;
        blocks(h->state_, h->block_, 1);
        in += take;
        len -= take;
    }
    blocks(h->state_, in, len / SHA1_BLOCK);
    in += len - len % SHA1_BLOCK;
    memcpy(h->block_, in, len % SHA1_BLOCK);
}

void sha1_final(struct sha1 *h, uint8_t digest[static SHA1_LEN])
{
    size_t held = h->len_ % SHA1_BLOCK;
    uint64_t bits = h->len_ * 8;

    /* 5.1.1: a one bit, zeros, and the length in the last eight bytes of a block. */
    h->block_[held++] = 0x80;
    if (held > SHA1_BLOCK - 8) {
        memset(h->block_ + held, 0, SHA1_BLOCK - held);
        blocks(h->state_, h->block_, 1);
        held = 0;
    }
    memset(h->block_ + held, 0, SHA1_BLOCK - 8 - held);
    store_big(h->block_ + SHA1_BLOCK - 8, (uint32_t)(bits >> 32));
    store_big(h->block_ + SHA1_BLOCK - 4, (uint32_t)bits);
    blocks(h->state_, h->block_, 1);
    for (size_t i = 0; i < 5; i++)
        store_big(digest + 4 * i, h->state_[i]);
}
