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

void answer_release(const struct answer *answer)
{
    if (answer->file.fd != -1)
        close(answer->file.fd);
    if (answer->producer != NULL)
        answer->producer->free(answer->producer);
    delivery_free(answer->delivery);
    cache_release(answer->entry);
}

void answer_retract(struct answer *answer)
{
    bool close = answer->close;
    unsigned vary = answer->vary;

    answer_release(answer);
    answer_init(answer, answer->fields);
    answer->close = close;
    answer->vary = vary;
}
