#include "http/chars.h"

#include <endian.h>

/* Letters for the table: what each byte of ASCII is. */
enum {
    P = CHAR_QUOTABLE,
    T = P | CHAR_TOKEN,
    H = P | CHAR_REGNAME,
    B = T | H,
    N = B | CHAR_HEX | CHAR_DIGIT,
    X = B | CHAR_HEX | CHAR_ALPHA,
    L = B | CHAR_ALPHA,
};

/* clang-format off */
const uint8_t char_classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    P, B, 0, T, B, T, B, B, H, H, B, B, H, B, B, P, /*  !"#$%&'()*+,-./ */
    N, N, N, N, N, N, N, N, N, N, P, H, P, H, P, P, /* 0123456789:;<=>? */
    P, X, X, X, X, X, X, L, L, L, L, L, L, L, L, L, /* @ABCDEFGHIJKLMNO */
    L, L, L, L, L, L, L, L, L, L, L, P, 0, P, T, B, /* PQRSTUVWXYZ[\]^_ */
    T, X, X, X, X, X, X, L, L, L, L, L, L, L, L, L, /* `abcdefghijklmno */
    L, L, L, L, L, L, L, L, L, L, L, P, T, P, B, 0, /* pqrstuvwxyz{|}~  */
};
/* clang-format on */

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/*
 * Marks the top bit of each byte that is below `least` or is DEL. A byte whose own top bit is set
 * is never marked. A borrow may mark a byte above one that is marked rightly, so only the lowest
 * mark is to be trusted, and nothing is marked when nothing should be.
 */
static uint64_t word_marks(uint64_t word, unsigned char least)
{
    uint64_t below = (word - EACH_BYTE(least)) & ~word;
    uint64_t del = word ^ EACH_BYTE(0x7F);
    uint64_t is_del = (del - EACH_BYTE(1)) & ~del;
    return (below | is_del) & EACH_BYTE(0x80);
}

size_t chars_run(const char *ptr, size_t len, unsigned char least)
{
    size_t at = 0;
    uint64_t word;

    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, ptr + at, sizeof word);
        /* As little-endian, the lowest mark is that of the first byte. */
        uint64_t marks = word_marks(le64toh(word), least);
        if (marks != 0)
            return at + (size_t)__builtin_ctzll(marks) / 8;
    }
    while (at < len && (unsigned char)ptr[at] >= least && ptr[at] != 0x7F)
        at++;
    return at;
}
