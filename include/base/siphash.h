#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed 64-bit code for short input, for tables whose
 * keys a client chooses and for ids that only the holder of the key can make. Pure; any thread.
 */

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY_LEN = 16 };

uint64_t siphash24(const uint8_t key[static SIPHASH_KEY_LEN], const void *data, size_t len);

#endif
