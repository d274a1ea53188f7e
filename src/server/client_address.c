#include "server/client_address.h"

#include "http/forwarded.h"

enum {
    ELEMENTS = 16,     /* of a list, from its end: proxies in a row */
    LIST_BYTES = 2048, /* of a list that several fields make up */
};

/* The last elements of a list, in a ring: the number i is at hosts[i % ELEMENTS]. */
struct chain {
    struct span hosts[ELEMENTS];
    unsigned count;
};

static void read_list(struct chain *chain, struct span list, struct span (*host_of)(struct span))
{
    chain->count = 0;
    while (list.ptr != NULL)
        chain->hosts[chain->count++ % ELEMENTS] = host_of(span_cut(&list, ','));
}

static bool read_host(struct span host, struct address *address)
{
    char text[ADDRESS_TEXT_LIMIT];

    if (host.len == 0 || host.len >= sizeof text || span_equal(host, SPAN("*")))
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    return address_parse(address, text, 0);
}

/* From the nearest outwards. */
static void walk(const struct trust *trust, const struct chain *chain, struct address *client)
{
    for (unsigned i = 0; i < chain->count && i < ELEMENTS && trust_has(trust, client); i++) {
        struct address next;
        if (!read_host(chain->hosts[(chain->count - 1 - i) % ELEMENTS], &next))
            return;
        *client = next;
    }
}

/* Whom the field names; false when it is not there. */
static bool ask_field(const struct trust *trust, const struct request *r, enum field_name name,
                      struct span (*host_of)(struct span), struct address *client)
{
    char join[LIST_BYTES];
    struct chain chain;

    if (request_field(r, name).ptr == NULL)
        return false;
    struct span list = field_list(&r->fields, r->head, name, join, sizeof join);
    read_list(&chain, list, host_of);
    walk(trust, &chain, client);
    return true;
}

void client_address_find(const struct trust *trust, const struct request *r, struct address *client)
{
    struct address by_new = *client, by_old = *client;

    if (trust_is_empty(trust) || r->version == VERSION_0_9 || !trust_has(trust, client))
        return;
    bool has_new = ask_field(trust, r, FIELD_FORWARDED, forwarded_host, &by_new);
    bool has_old = ask_field(trust, r, FIELD_X_FORWARDED_FOR, forwarded_for_host, &by_old);
    if (has_new && has_old && !address_is_same_host(&by_new, &by_old))
        return;
    if (has_new || has_old)
        *client = has_new ? by_new : by_old;
}
