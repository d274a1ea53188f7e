#include "http/chars.h"

#include <endian.h>

/* Letters for the table: what each byte of ASCII is. */
enum {
    C = CHAR_NO_SEGMENT,
    P = CHAR_QUOTABLE,
    Q = P | CHAR_NO_SEGMENT,
    T = P | CHAR_TOKEN,
    S = T | CHAR_NO_SEGMENT,
    H = P | CHAR_REGNAME,
    B = T | H,
    N = B | CHAR_HEX | CHAR_DIGIT,
    X = B | CHAR_HEX | CHAR_ALPHA,
    L = B | CHAR_ALPHA,
};

/* clang-format off */
const uint8_t char_classes[256] = {
    C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C,
    C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C,
    Q, B, 0, S, B, S, B, B, H, H, B, B, H, B, B, Q, /*  !"#$%&'()*+,-./ */
    N, N, N, N, N, N, N, N, N, N, P, H, P, H, P, Q, /* 0123456789:;<=>? */
    P, X, X, X, X, X, X, L, L, L, L, L, L, L, L, L, /* @ABCDEFGHIJKLMNO */
    L, L, L, L, L, L, L, L, L, L, L, P, 0, P, T, B, /* PQRSTUVWXYZ[\]^_ */
    T, X, X, X, X, X, X, L, L, L, L, L, L, L, L, L, /* `abcdefghijklmno */
    L, L, L, L, L, L, L, L, L, L, L, P, T, P, B, C, /* pqrstuvwxyz{|}~  */
};
/* clang-format on */

#define EACH_BYTE(value) (UINT64_C(0x0101010101010101) * (value))

/*
 * These mark the top bit of each byte that is below `least`, or is c. A byte whose own top bit is
 * set is never marked. A borrow may mark a byte above one that is marked rightly, so only the
 * lowest mark is to be trusted, and nothing is marked when nothing should be.
 */
static uint64_t marks_below(uint64_t word, unsigned char least)
{
    return (word - EACH_BYTE(least)) & ~word & EACH_BYTE(0x80);
}

static uint64_t marks_equal(uint64_t word, unsigned char c)
{
    return marks_below(word ^ EACH_BYTE(c), 1);
}

/* Which byte the lowest mark is of. As little-endian, that is the first one. */
static size_t first_marked(uint64_t marks)
{
    return (size_t)__builtin_ctzll(marks) / 8;
}

size_t chars_run(const char *ptr, size_t len, unsigned char least)
{
    size_t at = 0;
    uint64_t word;

    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, ptr + at, sizeof word);
        word = le64toh(word);
        uint64_t marks = marks_below(word, least) | marks_equal(word, 0x7F);
        if (marks != 0)
            return at + first_marked(marks);
    }
    while (at < len && (unsigned char)ptr[at] >= least && ptr[at] != 0x7F)
        at++;
    return at;
}

size_t chars_quotable_run(const char *ptr, size_t len)
{
    size_t at = 0;
    uint64_t word;

    for (; len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, ptr + at, sizeof word);
        word = le64toh(word);
        uint64_t marks = marks_below(word, ' ') | marks_equal(word, '"') | marks_equal(word, '\\') |
                         marks_equal(word, 0x7F) | (word & EACH_BYTE(0x80));
        if (marks != 0)
            return at + first_marked(marks);
    }
    while (at < len && char_is(ptr[at], CHAR_QUOTABLE))
        at++;
    return at;
}
