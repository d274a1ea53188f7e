#include "server/throttle.h"

#include "base/random.h"

bool throttle_init(struct throttle *throttle)
{
    memset(throttle, 0, sizeof *throttle);
    return random_fill(throttle->key, sizeof throttle->key);
}

static uint64_t code_of(const struct throttle *throttle, const struct address *who)
{
    enum { NETWORK_LEN = 8 }; /* bytes of an IPv6 address that one owner has */
    const struct in6_addr *in6 = &who->v6.sin6_addr;

    if (who->any.sa_family == AF_INET)
        return siphash24(throttle->key, &who->v4.sin_addr, sizeof who->v4.sin_addr);
    if (IN6_IS_ADDR_V4MAPPED(in6))
        return siphash24(throttle->key, &in6->s6_addr[12], 4);
    return siphash24(throttle->key, in6->s6_addr, NETWORK_LEN);
}

static bool is_over(const struct throttle_entry *entry, int64_t now_ms)
{
    return entry->failures == 0 || now_ms - entry->since_ms >= THROTTLE_WINDOW_MS;
}

unsigned throttle_wait_s(const struct throttle *throttle, const struct address *who, int64_t now_ms)
{
    uint64_t code = code_of(throttle, who);
    const struct throttle_entry *set = throttle->entries[code % THROTTLE_SETS];

    for (unsigned i = 0; i < THROTTLE_WAYS; i++) {
        if (set[i].who != code || is_over(&set[i], now_ms) || set[i].failures < THROTTLE_FAILURES)
            continue;
        return (unsigned)((set[i].since_ms + THROTTLE_WINDOW_MS - now_ms + 999) / 1000);
    }
    return 0;
}

unsigned throttle_failed(struct throttle *throttle, const struct address *who, int64_t now_ms)
{
    uint64_t code = code_of(throttle, who);
    struct throttle_entry *set = throttle->entries[code % THROTTLE_SETS], *place = set;

    for (unsigned i = 0; i < THROTTLE_WAYS; i++) {
        if (set[i].who == code && !is_over(&set[i], now_ms))
            return ++set[i].failures;
        if (is_over(&set[i], now_ms) ? !is_over(place, now_ms)
                                     : !is_over(place, now_ms) && set[i].since_ms < place->since_ms)
            place = &set[i];
    }
    *place = (struct throttle_entry){code, now_ms, 1};
    return 1;
}
