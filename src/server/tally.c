#include "server/tally.h"

#include "base/random.h"

#include <errno.h>
#include <stdlib.h>

enum {
    WINDOW = 32, /* an address stands in one of so many places behind where its hash points */
};

int tally_init(struct tally *tally, unsigned connections)
{
    uint32_t places = 2 * WINDOW;

    /* At most a quarter full, so that windows never are. */
    while (places < 4 * (uint64_t)connections && places < UINT32_MAX / 2)
        places *= 2;
    tally->places = places;
    tally->place = calloc(places, sizeof *tally->place);
    if (tally->place == NULL)
        return ENOMEM;
    return random_fill(tally->key, sizeof tally->key) ? 0 : errno;
}

void tally_free(struct tally *tally)
{
    free(tally->place);
    tally->place = NULL;
}

/* What is counted together. */
static struct tally_place place_for(const struct address *address)
{
    struct tally_place p = {.family = AF_INET};

    if (address->any.sa_family == AF_INET6) {
        const uint8_t *bytes = address->v6.sin6_addr.s6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr)) {
            memcpy(&p.prefix, bytes + 12, 4);
        } else {
            memcpy(&p.prefix, bytes, 8);
            p.family = AF_INET6;
        }
    } else {
        memcpy(&p.prefix, &address->v4.sin_addr, 4);
    }
    return p;
}

_Atomic uint32_t *tally_of(struct tally *tally, const struct address *address)
{
    const struct tally_place wanted = place_for(address);
    uint64_t hash = siphash24(tally->key, &wanted.prefix, sizeof wanted.prefix) + wanted.family;
    uint32_t mask = tally->places - 1, free_at = UINT32_MAX;

    /* To the end of the window, however early a free place comes: who once stood before it is gone,
       and the address may stand behind. */
    for (uint32_t i = 0; i < WINDOW; i++) {
        uint32_t at = (uint32_t)(hash + i) & mask;
        struct tally_place *p = &tally->place[at];
        uint32_t count = atomic_load_explicit(&p->count, memory_order_acquire);
        if (count > 0 && p->prefix == wanted.prefix && p->family == wanted.family)
            return &p->count;
        if (count == 0 && free_at == UINT32_MAX)
            free_at = at;
    }
    if (free_at == UINT32_MAX)
        return NULL;
    tally->place[free_at].prefix = wanted.prefix;
    tally->place[free_at].family = wanted.family;
    return &tally->place[free_at].count;
}
