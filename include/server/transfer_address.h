#ifndef SERVER_TRANSFER_ADDRESS_H
#define SERVER_TRANSFER_ADDRESS_H

/* /<client id>/<path>: the transfer of a path by a client, in either direction. Any thread. */

#include "base/uuid.h"
#include "http/target.h"
#include "server/server.h"

/* What a request to read or write a file is addressed to, by id or not. */
struct transfer_address {
    struct target target; /* the path itself, without the id; empty for the client as a whole */
    struct uuid client;   /* with by_id */
    bool by_id;
};

/*
 * Whether the target begins with an id of ours: then *address is set, and points to where the
 * target does. Else no more than address->client has changed. Without a state directory no id is
 * ours.
 */
bool transfer_address_of(const struct server *server, const struct target *target,
                         struct transfer_address *address);

#endif
