#include "resume/client_id.h"

#include "base/bytes_equal.h"
#include "base/hmac.h"
#include "base/random.h"

enum { TIME_LEN = 4, BODY_LEN = 11, CODE_LEN = UUID_LEN - BODY_LEN, VERSION = 8 };

static void make_code(const struct client_id_key *key, const struct uuid *id,
                      uint8_t code[static CODE_LEN])
{
    uint64_t sum = siphash24(key->siphash_, id->bytes, BODY_LEN);
    for (size_t i = 0; i < CODE_LEN; i++)
        code[i] = (uint8_t)(sum >> 8 * i);
}

void client_id_key_derive(struct client_id_key *key,
                          const uint8_t secret[static CLIENT_ID_SECRET_LEN])
{
    uint8_t derived[HMAC_SHA256_LEN];
    static const struct span label = SPAN("httpd client id");
    hmac_sha256_of(secret, CLIENT_ID_SECRET_LEN, label.ptr, label.len, derived);
    memcpy(key->siphash_, derived, sizeof key->siphash_);
    explicit_bzero(derived, sizeof derived);
}

bool client_id_mint(const struct client_id_key *key, int64_t now_s, struct uuid *id)
{
    if (!random_fill(id->bytes, BODY_LEN))
        return false;
    for (size_t i = 0; i < TIME_LEN; i++)
        id->bytes[i] = (uint8_t)(now_s >> 8 * (TIME_LEN - 1 - i));
    uuid_set_version(id, VERSION);
    make_code(key, id, id->bytes + BODY_LEN);
    return true;
}

bool client_id_is_ours(const struct client_id_key *key, const struct uuid *id)
{
    uint8_t code[CODE_LEN];
    make_code(key, id, code);
    return uuid_version(id) == VERSION && bytes_equal(code, id->bytes + BODY_LEN, CODE_LEN);
}

int64_t client_id_age_s(const struct uuid *id, int64_t now_s)
{
    uint32_t minted = 0;

    for (size_t i = 0; i < TIME_LEN; i++)
        minted = minted << 8 | id->bytes[i];
    return (int32_t)((uint32_t)now_s - minted);
}
