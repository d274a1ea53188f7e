#ifndef SERVER_TRANSFER_APPEND_H
#define SERVER_TRANSFER_APPEND_H

/*
 * The intake that appends a body to an upload that can be resumed. What has come stays when the
 * connection breaks, unless a checksum would have had to be looked at first. Worker threads.
 */

#include "http/tus_metadata.h"
#include "server/intake.h"
#include "server/transfer_upload.h"

enum append_end {
    APPEND_MORE,     /* stored; the upload is not complete */
    APPEND_COMPLETE, /* it is complete, and published if it is to be */
    APPEND_FAILED,   /* *answer says why already */
};

struct append_plan {
    bool to_the_end;          /* the upload is complete with this body, whatever its length */
    enum status too_much;     /* what a body beyond the length is answered with, and ... */
    bool invalidates;         /* ... whether the upload is then of no use any more */
    bool checked;             /* `checksum` is to be that of the body */
    bool checksum_in_trailer; /* it comes behind the body */
    struct tus_checksum checksum;
    struct write_terms terms; /* what this request wants to hold when it is published */

    /* Tells the client how far it is on the disk, as interim responses. NULL: it is not told. */
    void (*tell)(const struct transfer_upload *upload, struct worker *worker,
                 const struct request *request);

    /* Makes the answer; when APPEND_FAILED, adds to it. `upload` may be NULL then: it is gone. */
    void (*answer)(struct transfer_upload *upload, struct worker *worker,
                   const struct request *request, enum append_end end,
                   const struct published *published, struct answer *answer);
};

/* Takes the upload over, which is held. NULL: *answer says why. */
struct intake *transfer_append_begin(struct worker *worker, const struct request *request,
                                     struct transfer_upload *upload, const struct append_plan *plan,
                                     struct answer *answer);

/* For a request without a body: what transfer_append_begin would have come to. */
void transfer_append_nothing(struct worker *worker, const struct request *request,
                             struct transfer_upload *upload, const struct append_plan *plan,
                             struct answer *answer);

/* A status page. NULL, for the caller to return. */
struct intake *transfer_refuse(struct worker *worker, const struct request *request,
                               enum status status, struct span sentence, struct answer *answer);

#endif
