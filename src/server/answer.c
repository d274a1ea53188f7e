#include "server/answer.h"

#include "server/delivery.h"

#include <unistd.h>

void answer_init(struct answer *answer, struct buffer fields)
{
    memset(answer, 0, sizeof *answer);
    answer->fields = fields;
    answer->last_modified = -1;
    answer->file.fd = -1;
}

void answer_release(struct answer *answer)
{
    struct answer old = *answer;

    if (old.file.fd != -1)
        close(old.file.fd);
    if (old.producer != NULL)
        old.producer->free(old.producer);
    delivery_free(old.delivery);
    answer_init(answer, old.fields);
    answer->close = old.close;
    answer->vary = old.vary;
}
