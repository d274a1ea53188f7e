#ifndef SERVER_UPLOAD_CREATION_H
#define SERVER_UPLOAD_CREATION_H

/* The creation of an upload in a directory, as tus and the IETF draft have it. Worker threads. */

#include "server/transfer_address.h"
#include "server/transfer_upload.h"

/*
 * What the client wishes the file to be called, a path below the directory: `filename` of
 * Upload-Metadata, or Content-Disposition's, made safe (http/file_name.h); where neither says
 * anything, a name that nobody can guess. `relativePath`, which the uploaders of folders send, is
 * taken when it ends in the file name; elsewhere it holds other things ("null", a directory).
 * Into `out`; false when there is no randomness for a name.
 */
bool upload_creation_name(const struct request *request, struct buffer *out);

/*
 * Makes an upload of `name` in the directory: the first of "name", "name (2)", … that neither a
 * file nor another upload of this client has. With an id that was minted for it, unless the address
 * has one. As transfer_upload_create otherwise.
 */
enum status upload_creation_make(struct transfer_upload **upload, struct worker *worker,
                                 const struct transfer_address *address, struct span name,
                                 const struct transfer_record *record, struct span note);

#endif
