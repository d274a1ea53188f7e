#include "base/siphash.h"

#include <endian.h>
#include <string.h>

static inline uint64_t rotate_left(uint64_t x, unsigned by)
{
    return x << by | x >> (64 - by);
}

/* Up to eight bytes, the first the lowest. */
static inline uint64_t load_little(const uint8_t *p, size_t len)
{
    uint64_t x = 0;

    memcpy(&x, p, len);
    return le64toh(x);
}

struct state {
    uint64_t a, b, c, d;
};

static inline void mix(struct state *s)
{
    s->a += s->b;
    s->b = rotate_left(s->b, 13) ^ s->a;
    s->a = rotate_left(s->a, 32);
    s->c += s->d;
    s->d = rotate_left(s->d, 16) ^ s->c;
    s->a += s->d;
    s->d = rotate_left(s->d, 21) ^ s->a;
    s->c += s->b;
    s->b = rotate_left(s->b, 17) ^ s->c;
    s->c = rotate_left(s->c, 32);
}

static inline void take(struct state *s, uint64_t word)
{
    s->d ^= word;
    mix(s);
    mix(s);
    s->a ^= word;
}

uint64_t siphash24(const uint8_t key[static SIPHASH_KEY_LEN], const void *data, size_t len)
{
    const uint8_t *in = data;
    uint64_t low = load_little(key, 8), high = load_little(key + 8, 8);
    struct state s = {low ^ 0x736f6d6570736575, high ^ 0x646f72616e646f6d, low ^ 0x6c7967656e657261,
                      high ^ 0x7465646279746573};
    uint64_t last = (uint64_t)len << 56;

    for (; len >= 8; len -= 8, in += 8)
        take(&s, load_little(in, 8));
    take(&s, last | load_little(in, len));
    s.c ^= 0xff;
    for (int i = 0; i < 4; i++)
        mix(&s);
    return s.a ^ s.b ^ s.c ^ s.d;
}
