#ifndef SERVER_RESUMABLE_UPLOAD_H
#define SERVER_RESUMABLE_UPLOAD_H

/*
 * Resumable uploads of the IETF (draft-ietf-httpbis-resumable-upload), interop versions 5 to 8.
 * HEAD and DELETE are those of every upload (server/upload_resource.h). Worker threads.
 *
 * What differs between the versions: 5 has no media type for PATCH; 5 and 6 call max-age expires;
 * the interim 104 is sent only to who names a version that is known. All else is the same here.
 */

#include "server/intake.h"
#include "server/transfer_address.h"
#include "server/transfer_upload.h"

/* Upload-Draft-Interop-Version when it is one of 5 to 8, else 0. */
unsigned resumable_upload_interop(const struct request *request);

/*
 * A request with Upload-Complete. POST, to a directory, and PUT, to a file, create an upload; so
 * does PATCH without Upload-Offset, wherever it goes. With Upload-Offset it appends to the upload
 * that it names. NULL: *answer says all.
 */
struct intake *resumable_upload_begin(struct worker *worker, const struct request *request,
                                      const struct transfer_address *address,
                                      struct answer *answer);

#endif
