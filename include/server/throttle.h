#ifndef SERVER_THROTTLE_H
#define SERVER_THROTTLE_H

/*
 * Who failed to log in lately, by address, in a table of fixed size. After THROTTLE_FAILURES within
 * a minute an address may not try again until that minute is over. A network of IPv6 counts as one
 * address: its owner has 2^64 of them.
 *
 * Not locked: whoever shares one guards it. Times are clock_ms().
 */

#include "net/address.h"

#include "base/siphash.h"

enum {
    THROTTLE_FAILURES = 10,
    THROTTLE_WINDOW_MS = 60000,
    THROTTLE_SETS = 256,
    THROTTLE_WAYS = 4, /* addresses that share a set; the one that failed longest ago gives way */
};

struct throttle {
    uint8_t key[SIPHASH_KEY_LEN]; /* random, so that nobody can aim at a set */
    struct throttle_entry {
        uint64_t who; /* a code of the address */
        int64_t since_ms;
        unsigned failures; /* 0: the place is free */
    } entries[THROTTLE_SETS][THROTTLE_WAYS];
};

/* Nobody has failed. False when there are no random bytes to be had. */
__attribute__((warn_unused_result)) bool throttle_init(struct throttle *throttle);

/* 0: it may try. Else the seconds until it may. */
unsigned throttle_wait_s(const struct throttle *throttle, const struct address *who,
                         int64_t now_ms);

/* It failed. Returns how often it has within this minute, this time included. */
unsigned throttle_failed(struct throttle *throttle, const struct address *who, int64_t now_ms);

#endif
