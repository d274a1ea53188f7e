#ifndef UNIT_GUARD_H
#define UNIT_GUARD_H

/*
 * Memory in which reading or writing one byte too far ends the test: readable pages between two
 * that are not.
 *
 *     [ no access ][ .......... usable .......... ][ no access ]
 *                  ^ guard_front puts bytes here  ^ guard_flush puts them so that they end here
 *
 * Made once and used for every row, prefix and split of a table:
 *
 *     struct guard guard = guard_open(4096);
 *     const char *input = guard_flush(&guard, row->input, length);
 *     ...
 *     guard_close(&guard);
 *
 * Bytes put there stay until the next call; nothing is NUL-terminated.
 */

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    char *usable;
    size_t usable_len; /* whole pages */
    size_t page;
};

/* Room for inputs of up to `cap` bytes. Ends the program when there is no memory for it. */
static inline struct guard guard_open(size_t cap)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t usable_len = cap == 0 ? page : (cap + page - 1) / page * page;
    char *all = mmap(NULL, usable_len + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED || mprotect(all + page, usable_len, PROT_READ | PROT_WRITE) == -1) {
        perror("guard_open");
        abort();
    }
    return (struct guard){all + page, usable_len, page};
}

static inline void guard_close(struct guard *guard)
{
    munmap(guard->usable - guard->page, guard->usable_len + 2 * guard->page);
    *guard = (struct guard){NULL, 0, 0};
}

/* Space of `len` bytes, the byte after which cannot be touched: for output buffers. */
static inline char *guard_space(struct guard *guard, size_t len)
{
    if (len > guard->usable_len) {
        fprintf(stderr, "guard: %zu bytes do not fit in %zu\n", len, guard->usable_len);
        abort();
    }
    return guard->usable + guard->usable_len - len;
}

/* A copy of the bytes, the byte after which cannot be touched. */
static inline char *guard_flush(struct guard *guard, const char *bytes, size_t len)
{
    char *copy = guard_space(guard, len);
    if (len > 0)
        memmove(copy, bytes, len);
    return copy;
}

/* A copy of the bytes, the byte before which cannot be touched. */
static inline char *guard_front(struct guard *guard, const char *bytes, size_t len)
{
    guard_space(guard, len);
    if (len > 0)
        memmove(guard->usable, bytes, len);
    return guard->usable;
}

#endif
