#ifndef SERVER_PUT_BY_ID_H
#define SERVER_PUT_BY_ID_H

/* PUT to /<client id>/<path>, and PATCH with X-Update-Range wherever. Worker threads. */

#include "server/intake.h"
#include "server/transfer_address.h"
#include "server/transfer_upload.h"

/*
 * PUT without Content-Range, or with one of all bytes: an upload from the start, which can go on if
 * it breaks. With another one: appended if it begins at the upload's offset (409 otherwise), and
 * published when its length is reached. NULL: *answer says why not.
 */
struct intake *put_by_id_begin(struct worker *worker, const struct request *request,
                               const struct transfer_address *address, struct answer *answer);

/*
 * PATCH as sabre/dav and dufs have it: `X-Update-Range: append`, or `bytes=N-` where N is the
 * length of what is there (416 otherwise). On an upload by id it goes on with that, to its length
 * or, where that is not known, to the end; on a file, it grows in one step when the body is whole.
 */
struct intake *update_range_begin(struct worker *worker, const struct request *request,
                                  const struct transfer_address *address, struct answer *answer);

#endif
