#ifndef SERVER_TUS_H
#define SERVER_TUS_H

/*
 * tus 1.0.0 (tus.io): core, creation, creation-with-upload, creation-defer-length, expiration,
 * checksum, checksum-trailer, termination, concatenation. Any directory is where uploads are
 * created; HEAD and DELETE are those of every upload (server/upload_resource.h). Worker threads.
 */

#include "server/intake.h"
#include "server/transfer_address.h"
#include "server/transfer_upload.h"

/* Whether a request is of this protocol and of another version: *answer is a 412 then. */
bool tus_refuses_version(struct worker *worker, const struct request *request,
                         struct answer *answer);

/* The method that is meant: X-HTTP-Method-Override counts with POST. */
enum method tus_method(const struct request *request);

/* POST: creation. PATCH: append. NULL: *answer says all. */
struct intake *tus_post_begin(struct worker *worker, const struct request *request,
                              const struct transfer_address *address, struct answer *answer);
struct intake *tus_patch_begin(struct worker *worker, const struct request *request,
                               const struct transfer_address *address, struct answer *answer);

/* For OPTIONS: what is spoken here. */
void tus_put_options(struct buffer *fields, const struct server *server);

/* Upload-Metadata and Upload-Concat, as the client gave them. */
void tus_put_note(struct buffer *fields, const struct transfer_upload *upload);

#endif
