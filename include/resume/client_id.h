#ifndef RESUME_CLIENT_ID_H
#define RESUME_CLIENT_ID_H

/*
 * Ids that the server gives to clients and knows again without having kept them: UUIDs of version 8
 * (RFC 9562 5.8), of which a part says that the rest was made with our key.
 *
 *     xxxxxxxx-xxxx-8xxx-vxxx-mmmmmmmmmmmm
 *     x  74 random bits                       (v: two of its bits are the variant's)
 *     m  48 bits of SipHash-2-4 over the ten bytes before it, its low ones first
 *
 * Minting costs no memory and no disk, however often it is asked for. Why these sizes: two of 10^9
 * ids are alike with a chance of 3 in 100,000; a made-up id is taken for ours once in 3 * 10^14,
 * which gains nothing, since ids are free; and to meet the id of somebody else takes all 122 bits.
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
                                                        struct uuid *id);

/* Whether id was minted with this key, in a time that tells nothing about it. */
bool client_id_is_ours(const struct client_id_key *key, const struct uuid *id);

#endif
