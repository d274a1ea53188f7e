#include "base/bytes_equal.h"

bool bytes_equal(const void *a, const void *b, size_t len)
{
    const unsigned char *x = a, *y = b;
    unsigned char difference = 0;
    for (size_t i = 0; i < len; i++) {
        difference |= x[i] ^ y[i];
        /* The compiler must not learn that the rest no longer matters once a bit is set. */
        __asm__("" : "+r"(difference));
    }
    return difference == 0;
}
