#ifndef BASE_BYTES_EQUAL_H
#define BASE_BYTES_EQUAL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether two runs of `len` bytes are the same, in a time that depends on `len` alone: for secrets
 * and codes, where the time of memcmp would tell how many leading bytes of a guess are right. Pure;
 * any thread.
 */
bool bytes_equal(const void *a, const void *b, size_t len);

#endif
