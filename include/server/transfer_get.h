#ifndef SERVER_TRANSFER_GET_H
#define SERVER_TRANSFER_GET_H

/*
 * Downloads that go on where they broke off: /.uuid, /<uuid> and GET, HEAD and DELETE of
 * /<uuid>/<path>. Worker threads.
 */

#include "http/target.h"
#include "server/answer.h"
#include "server/worker.h"

/* A target of the form /<uuid>[/path] whose id is one of ours. */
struct transfer_target {
    struct uuid client;
    const char *path; /* within target->path; "" for the client itself */
};

/* Whether the target is one. Without a state directory none is. */
bool transfer_target_of(const struct server *server, const struct target *target,
                        struct transfer_target *transfer);

/* A fresh id, as text. */
void client_id_answer(struct worker *worker, const struct request *request, struct answer *answer);

/*
 * GET: the rest of the file from the recorded offset (200, Resume-Offset), or what Range asks for,
 * and the record moves there. HEAD: the same, and nothing moves. DELETE: the transfer is forgotten.
 */
void transfer_get_answer(struct worker *worker, const struct request *request,
                         const struct transfer_target *target, struct answer *answer);

#endif
