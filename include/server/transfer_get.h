#ifndef SERVER_TRANSFER_GET_H
#define SERVER_TRANSFER_GET_H

/*
 * Downloads that go on where they broke off: /.uuid, /<uuid> and GET, HEAD and DELETE of
 * /<uuid>/<path>. Worker threads.
 */

#include "server/answer.h"
#include "server/transfer_address.h"
#include "server/worker.h"

/* A fresh id, as text. */
void client_id_answer(struct worker *worker, const struct request *request, struct answer *answer);

/*
 * GET: the rest of the file from the recorded offset (200, Resume-Offset), or what Range asks for,
 * and the record moves there. HEAD: the same, and nothing moves. DELETE: the transfer is forgotten.
 * Of a client as a whole: its transfers, as JSON.
 */
void transfer_get_answer(struct worker *worker, const struct request *request,
                         const struct transfer_address *address, struct answer *answer);

#endif
