#ifndef SERVER_UPLOAD_RESOURCE_H
#define SERVER_UPLOAD_RESOURCE_H

/*
 * An upload as a resource of its own, at /<client id>/<path>, which its client asks how far it is:
 * "upload resource" in the IETF draft, "upload URL" in tus. What both have in common; the upload
 * behind it is in server/transfer_upload.h. Worker threads.
 */

#include "server/answer.h"
#include "server/transfer_address.h"
#include "server/transfer_upload.h"
#include "server/worker.h"

/* Upload-Offset, Upload-Length or Upload-Defer-Length, Upload-Complete, Upload-Expires. */
void upload_resource_put_state(struct answer *answer, const struct transfer_upload *upload);

/* Upload-Limit, as a draft of that interop version wants it. */
void upload_resource_put_limit(struct buffer *out, const struct server *server, unsigned interop);

/* Location: /<client id>/<path>. */
void upload_resource_put_location(struct buffer *out, const struct transfer_upload *upload);

/*
 * Answers a HEAD, GET or DELETE, which `method` is, of what may be an upload: HEAD tells how far it
 * is, and so does GET; DELETE forgets it. False when there is nothing to answer: the record is not
 * an upload's, or the upload was complete, and a GET has forgotten it for a download to begin.
 */
bool upload_resource_answer(struct worker *worker, const struct request *request,
                            const struct transfer_address *address, enum method method,
                            struct answer *answer);

#endif
