#ifndef SERVER_TALLY_H
#define SERVER_TALLY_H

/*
 * How many connections each client address has. The main thread looks addresses up and counts up;
 * whoever closes a connection counts down. No lock: a place in the table belongs to its address
 * for as long as its count is not zero, and only the main thread gives places out.
 *
 * An IPv6 client is counted by the first 64 bits of its address, since it can choose the others
 * freely; an IPv4 address mapped into IPv6 is counted as what it is.
 */

#include "base/siphash.h"
#include "net/address.h"

#include <stdatomic.h>

struct tally {
    uint8_t key[SIPHASH_KEY_LEN]; /* random: nobody can choose addresses that meet in one place */
    uint32_t places;              /* a power of two */
    struct tally_place {
        uint64_t prefix;
        uint32_t family;
        _Atomic uint32_t count;
    } * place;
};

/* 0, or an errno. `connections` is how many there can be at once. Memory that no connection needed
   is never touched. */
int tally_init(struct tally *tally, unsigned connections);
void tally_free(struct tally *tally);

/* The count of that address, 0 when it is new; valid until it is 0 again. Main thread only. NULL
   when too many others are where it belongs, which with a random key does not happen to anybody. */
_Atomic uint32_t *tally_of(struct tally *tally, const struct address *address);

#endif
