#ifndef SERVER_REPR_DIGEST_H
#define SERVER_REPR_DIGEST_H

/*
 * Repr-Digest (RFC 9530 3): of a file that is served, for those who ask for it, and as clients say
 * it of what they send. Worker threads.
 */

#include "fs/docroot.h"
#include "http/digest_field.h"
#include "server/answer.h"
#include "server/worker.h"

enum {
    /* A larger file goes without: its digest takes a worker for seconds, and anybody may ask. */
    REPR_DIGEST_LARGEST = INT32_MAX,
};

/*
 * Adds Repr-Digest when Want-Repr-Digest asks for sha-256. It is computed then and there, so that
 * it is of the bytes that are sent: of all of the file, also when the answer is a part of it.
 * Nothing is added when the file cannot be read, or changes meanwhile. Uses worker->page.
 */
void repr_digest_put(struct worker *worker, const struct request *request, const struct file *file,
                     struct answer *answer);

/* Reads Content-Digest or Repr-Digest, as `name` says, on however many lines it stands. One that is
   absent holds no digest. False when it is malformed. */
bool repr_digest_read(const struct request *request, enum field_name name,
                      struct digest_field *digest);

/*
 * Whether the first `len` bytes of `fd`, an upload whose parts came with several requests, are what
 * Repr-Digest of this request, the last one, says. They are read once more for that, with
 * worker->page. False too when the field is malformed, or the bytes cannot be read.
 */
bool repr_digest_holds(struct worker *worker, const struct request *request, int fd, uint64_t len);

#endif
