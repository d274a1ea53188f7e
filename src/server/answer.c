#include "server/answer.h"

#include "server/cache.h"
#include "server/delivery.h"

#include <unistd.h>

void answer_init(struct answer *answer, struct buffer fields)
{
    memset(answer, 0, sizeof *answer);
    answer->fields = fields;
    answer->last_modified = -1;
    answer->file.fd = -1;
}

void answer_describe(struct answer *answer, const struct representation *representation)
{
    answer->status = STATUS_OK;
    answer->length = representation->file.size;
    answer->last_modified = representation->file.mtime_s;
    answer->cache = SPAN("no-cache");
    answer->ranges = true;
    answer->media_type = representation->media_type;
    answer->utf8 = representation->utf8;
    answer->coding = representation->coding;
    answer->vary |= representation->negotiated ? VARY_ACCEPT_ENCODING : 0;
    answer->etag = representation->etag;
}

void answer_release(struct answer *answer)
{
    struct answer old = *answer;

    if (old.file.fd != -1)
        close(old.file.fd);
    if (old.producer != NULL)
        old.producer->free(old.producer);
    delivery_free(old.delivery);
    cache_release(old.entry);
    answer_init(answer, old.fields);
    answer->close = old.close;
    answer->vary = old.vary;
}
