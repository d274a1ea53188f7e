#ifndef RESUME_CLIENT_ID_H
#define RESUME_CLIENT_ID_H

/*
 * Ids that the server gives to clients and knows again without having kept them: UUIDs of version 8
 * (RFC 9562 5.8), of which a part says that the rest was made with our key.
 *
 *     tttttttt-xxxx-8xxx-vxxx-xxmmmmmmmmmm
 *     t  when it was minted: seconds since 1970, 32 bits of them
 *     x  50 random bits                       (v: two of its bits are the variant's)
 *     m  40 bits of SipHash-2-4 over the eleven bytes before it, its low ones first
 *
 * Minting costs no memory and no disk, however often it is asked for. Why these sizes: two of 10^6
 * ids minted in one second are alike with a chance of 1 in 2,000, and those of two seconds never; a
 * made-up id is taken for ours once in 10^12, which gains nothing, since ids are free; and to meet
 * the id of somebody else takes 90 bits, and the second.
 *
 * Why the time: of a transfer that has expired nothing is kept. Who comes back for the rest of it
 * is not to be given the whole as if this were its begin, and is known by the age of the id.
 *
 * Any thread; a key does not change once it is made.
 */

#include "base/siphash.h"
#include "base/uuid.h"

enum { CLIENT_ID_SECRET_LEN = 32 };

struct client_id_key {
    uint8_t siphash_[SIPHASH_KEY_LEN];
};

/*
 * The key for ids, from the secret that the servers of one docroot share. It is derived
 * (HMAC-SHA256 of "httpd client id"), so that the secret may serve other ends as well.
 */
void client_id_key_derive(struct client_id_key *key,
                          const uint8_t secret[static CLIENT_ID_SECRET_LEN]);

/* A new id. False when there are no random bytes to be had (base/random.h); *id is no id then. */
__attribute__((warn_unused_result)) bool client_id_mint(const struct client_id_key *key,
                                                        int64_t now_s, struct uuid *id);

/* Whether id was minted with this key, in a time that tells nothing about it. */
bool client_id_is_ours(const struct client_id_key *key, const struct uuid *id);

/* How many seconds ago an id of ours was minted, if that was less than 68 years ago; less than 0
   when the clock of its server was ahead. */
int64_t client_id_age_s(const struct uuid *id, int64_t now_s);

#endif
