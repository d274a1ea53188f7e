#include "base/sha256.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/* FIPS 180-4 4.2.2: cube roots of the first 64 primes. */
static const uint32_t round_constant[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, unsigned by)
{
    return x >> by | x << (32 - by);
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

/*
 * One round (6.2.2 step 3). Instead of moving eight variables down by one, the caller names them
 * shifted by one, so only the two that change are written.
 */
static inline void mix(uint32_t a, uint32_t b, uint32_t c, uint32_t *d, uint32_t e, uint32_t f,
                       uint32_t g, uint32_t *h, uint32_t word)
{
    uint32_t t = *h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))) + word;
    *d += t;
    *h = t + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));
}

static void extend(uint32_t w[64], const uint8_t *block)
{
    for (unsigned i = 0; i < 16; i++)
        w[i] = load_big(block + 4 * (size_t)i);
    for (unsigned i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];
        uint32_t s0 = rotate(x, 7) ^ rotate(x, 18) ^ x >> 3;
        uint32_t s1 = rotate(y, 17) ^ rotate(y, 19) ^ y >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
}

static void blocks_portable(uint32_t state[8], const uint8_t *data, size_t count)
{
    for (; count > 0; count--, data += SHA256_BLOCK) {
        uint32_t w[64];
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

        extend(w, data);
        for (unsigned i = 0; i < 64; i += 8) {
            const uint32_t *k = round_constant + i, *word = w + i;
            mix(a, b, c, &d, e, f, g, &h, word[0] + k[0]);
            mix(h, a, b, &c, d, e, f, &g, word[1] + k[1]);
            mix(g, h, a, &b, c, d, e, &f, word[2] + k[2]);
            mix(f, g, h, &a, b, c, d, &e, word[3] + k[3]);
            mix(e, f, g, &h, a, b, c, &d, word[4] + k[4]);
            mix(d, e, f, &g, h, a, b, &c, word[5] + k[5]);
            mix(c, d, e, &f, g, h, a, &b, word[6] + k[6]);
            mix(b, c, d, &e, f, g, h, &a, word[7] + k[7]);
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
}

#if defined(__x86_64__)

#define SHA_TARGET __attribute__((target("sha,sse4.1")))

/*
 * cpuid traps to the hypervisor of a virtual machine (6 us here, each), so it is better asked by
 * the compiler's library, once before main. Compilers that do not know the name "sha" yet make us
 * ask for leaf 7, EBX bit 29, at every new digest: still less than hashing 3 KB without
 * instructions.
 */
static bool has_instructions(void)
{
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
    return __builtin_cpu_supports("sha") && __builtin_cpu_supports("sse4.1");
#else
    unsigned eax, ebx, ecx, edx;
    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) &&
           (ebx & 1U << 29) != 0;
#endif
}

/* The state as the instructions want it: lanes A B E F and C D G H, highest first. */
struct lanes {
    __m128i abef, cdgh;
};

/* Four rounds with message words m. */
SHA_TARGET static inline void mix_four(struct lanes *s, __m128i m, unsigned round)
{
    __m128i k = _mm_loadu_si128((const __m128i *)(const void *)(round_constant + round));
    __m128i sum = _mm_add_epi32(m, k);
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, sum);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

/* Words i+16..i+19 from the sixteen before them, w0 the oldest four. */
SHA_TARGET static inline __m128i extend_four(__m128i w0, __m128i w1, __m128i w2, __m128i w3)
{
    __m128i seven_back = _mm_alignr_epi8(w3, w2, 4);
    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), seven_back), w3);
}

SHA_TARGET static struct lanes lanes_load(const uint32_t state[8])
{
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xB1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1B);
    return (struct lanes){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

SHA_TARGET static void lanes_store(uint32_t state[8], struct lanes s)
{
    __m128i feba = _mm_shuffle_epi32(s.abef, 0x1B);
    __m128i dchg = _mm_shuffle_epi32(s.cdgh, 0xB1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

SHA_TARGET static void blocks_instructions(uint32_t state[8], const uint8_t *data, size_t count)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    struct lanes s = lanes_load(state);

    for (; count > 0; count--, data += SHA256_BLOCK) {
        const __m128i *in = (const __m128i *)(const void *)data;
        __m128i w0 = _mm_shuffle_epi8(_mm_loadu_si128(in), big_endian);
        __m128i w1 = _mm_shuffle_epi8(_mm_loadu_si128(in + 1), big_endian);
        __m128i w2 = _mm_shuffle_epi8(_mm_loadu_si128(in + 2), big_endian);
        __m128i w3 = _mm_shuffle_epi8(_mm_loadu_si128(in + 3), big_endian);
        struct lanes before = s;

        for (unsigned round = 0;; round += 16) {
            mix_four(&s, w0, round);
            mix_four(&s, w1, round + 4);
            mix_four(&s, w2, round + 8);
            mix_four(&s, w3, round + 12);
            if (round == 48)
                break;
            w0 = extend_four(w0, w1, w2, w3);
            w1 = extend_four(w1, w2, w3, w0);
            w2 = extend_four(w2, w3, w0, w1);
            w3 = extend_four(w3, w0, w1, w2);
        }
        s.abef = _mm_add_epi32(s.abef, before.abef);
        s.cdgh = _mm_add_epi32(s.cdgh, before.cdgh);
    }
    lanes_store(state, s);
}

#else

static bool has_instructions(void)
{
    return false;
}

#define blocks_instructions blocks_portable

#endif

static void blocks(struct sha256 *h, const uint8_t *data, size_t count)
{
    if (h->instructions_)
        blocks_instructions(h->state_, data, count);
    else
        blocks_portable(h->state_, data, count);
}

void sha256_init(struct sha256 *h)
{
    /* FIPS 180-4 5.3.3 */
    static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    memcpy(h->state_, start, sizeof start);
    h->len_ = 0;
    h->instructions_ = has_instructions();
}

void sha256_update(struct sha256 *h, const void *data, size_t len)
{
    const uint8_t *in = data;
    size_t held = h->len_ % SHA256_BLOCK;

    if (len == 0)
        return;
    h->len_ += len;
    if (held > 0) {
        size_t take = SHA256_BLOCK - held < len ? SHA256_BLOCK - held : len;
        memcpy(h->block_ + held, in, take);
        if (held + take < SHA256_BLOCK)
            return;
        blocks(h, h->block_, 1);
        in += take;
        len -= take;
    }
    blocks(h, in, len / SHA256_BLOCK);
    in += len - len % SHA256_BLOCK;
    memcpy(h->block_, in, len % SHA256_BLOCK);
}

void sha256_final(struct sha256 *h, uint8_t digest[static SHA256_LEN])
{
    size_t held = h->len_ % SHA256_BLOCK;
    uint64_t bits = h->len_ * 8;

    /* 5.1.1: a one bit, zeros, and the length in the last eight bytes of a block. */
    h->block_[held++] = 0x80;
    if (held > SHA256_BLOCK - 8) {
        memset(h->block_ + held, 0, SHA256_BLOCK - held);
        blocks(h, h->block_, 1);
        held = 0;
    }
    memset(h->block_ + held, 0, SHA256_BLOCK - 8 - held);
    store_big(h->block_ + SHA256_BLOCK - 8, (uint32_t)(bits >> 32));
    store_big(h->block_ + SHA256_BLOCK - 4, (uint32_t)bits);
    blocks(h, h->block_, 1);
    for (size_t i = 0; i < 8; i++)
        store_big(digest + 4 * i, h->state_[i]);
}

void sha256_of(const void *data, size_t len, uint8_t digest[static SHA256_LEN])
{
    struct sha256 h;
    sha256_init(&h);
    sha256_update(&h, data, len);
    sha256_final(&h, digest);
}
