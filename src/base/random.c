#include "base/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

bool random_fill(void *out, size_t len)
{
    char *at = out;
    size_t left = len;

    /* Short reads are ordinary above 256 bytes, and a signal may cut any. */
    while (left > 0) {
        ssize_t n = getrandom(at, left, 0);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0) {
            memset(out, 0, len);
            return false;
        }
        at += n;
        left -= (size_t)n;
    }
    return true;
}
