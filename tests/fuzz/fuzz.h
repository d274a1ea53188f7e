#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

/*
 * What the fuzz targets share. A target is one function, LLVMFuzzerTestOneInput, that hands the
 * bytes to a parser and checks what must hold whatever they are.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A copy in memory of exactly that size, so that the sanitiser sees a read past its end. */
static inline char *fuzz_copy(const void *bytes, size_t len)
{
    char *copy = calloc(len, 1);
    FUZZ_CHECK(copy != NULL || len == 0);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}

#endif
