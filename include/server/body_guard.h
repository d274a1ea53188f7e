#ifndef SERVER_BODY_GUARD_H
#define SERVER_BODY_GUARD_H

/*
 * What every body that is stored is held to, whatever becomes of it: --max-body, --min-free, and
 * the digests that the request offers (RFC 9530). An intake counts all of a body's bytes here and
 * asks at the end. Worker threads.
 */

#include "base/sha256.h"
#include "fs/result.h"
#include "http/digest_field.h"
#include "server/intake.h"
#include "server/worker.h"

enum body_failure {
    BODY_FAILURE_NONE,
    BODY_FAILURE_STORAGE, /* guard->storage says which */
    BODY_FAILURE_TOO_LARGE,
    BODY_FAILURE_NO_ROOM,
    BODY_FAILURE_DIGEST, /* it is not the body that was meant */
};

struct body_guard {
    enum body_failure failure;
    enum fs_result storage;
    uint64_t taken;   /* bytes so far, with those of requests before this one */
    uint64_t largest; /* bytes it may grow to */
    uint64_t checked; /* bytes since the free space was looked at */
    struct server *server;
    bool hashes; /* the bytes are to be looked at: body_guard_look */
    struct digest_field digest;
    struct sha256 hash;
};

/* What a request says that is part of something larger. */
struct body_part {
    bool partial;    /* Repr-Digest is then of more than this body: see repr_digest_holds */
    uint64_t before; /* bytes that earlier requests brought */
    uint64_t total;  /* bytes it will be in the end */
};

/* Whether so much more leaves the disk its reserve (--min-free). */
bool body_guard_keeps_reserve(const struct server *server, uint64_t more);

/* Holds the head of the request against the limits. `part` may be NULL: the body is all there is.
   False: *answer says why the body cannot be taken. */
bool body_guard_begin(struct body_guard *guard, struct worker *worker,
                      const struct request *request, const struct body_part *part,
                      struct answer *answer);

/* Counts `len` bytes that are about to be stored, or were just moved. */
enum intake_result body_guard_count(struct body_guard *guard, size_t len);

/* Makes the bytes part of the digest, if there is one. */
void body_guard_look(struct body_guard *guard, const char *bytes, size_t len);

/* Says that storing went wrong, if `result` is not FS_OK. */
enum intake_result body_guard_store(struct body_guard *guard, enum fs_result result);

/* Whether the body, which has ended, is whole and what its digest says. False: *answer says what is
   wrong. `whole` is what intake.finish was told. Once. */
bool body_guard_end(struct body_guard *guard, struct worker *worker, const struct request *request,
                    bool whole, struct answer *answer);

#endif
