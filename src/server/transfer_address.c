#include "server/transfer_address.h"

bool transfer_address_of(const struct server *server, const struct target *target,
                         struct transfer_address *address)
{
    size_t len = UUID_TEXT_LEN;
    struct span path = target->path;
    bool more = path.len > len;

    if (!server->resumes || path.len < len)
        return false;
    if ((more && path.ptr[len] != '/') || !uuid_parse(span_make(path.ptr, len), &address->client) ||
        !client_id_is_ours(&server->ids, &address->client))
        return false;
    len += more; /* the slash */
    address->by_id = true;
    address->target = *target;
    address->target.path = span_make(path.ptr + len, path.len - len);
    address->target.directory |= !more;
    return true;
}
