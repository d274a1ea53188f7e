#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Fills `out` with bytes from the kernel's generator, fit for keys. Waits for it to be seeded, once
 * per boot. False when the kernel refuses (a sandbox without the call): `out` is then zeroed and
 * must not be used, and the compiler makes the caller look. Any thread.
 */
__attribute__((warn_unused_result)) bool random_fill(void *out, size_t len);

#endif
