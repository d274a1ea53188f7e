#ifndef HTTP_PRECONDITION_H
#define HTTP_PRECONDITION_H

/* Conditional requests, in the order of RFC 9110 13.2.2. Pure; any thread. */

#include "http/request.h"

/* What the request is held against: the selected representation, or that there is none. */
struct validators {
    bool exists;
    struct span etag;      /* as it would be sent */
    bool etag_weak;        /* the tag does not pin the bytes */
    int64_t last_modified; /* seconds; with exists */
    bool date_weak;        /* last_modified lies so near that another change may share it
                              (RFC 9110 8.8.2.2): never a match for If-Range */
};

enum precondition {
    PRECONDITION_PASS,
    PRECONDITION_NOT_MODIFIED, /* 304, only for GET and HEAD */
    PRECONDITION_FAILED,       /* 412 */
    PRECONDITION_MALFORMED,    /* 400: an entity-tag list that is none */
};

/* If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, as the method wants. `now`
   places two-digit years. Dates that are no dates are ignored, as RFC 9110 13.1.3 and 13.1.4 say.
 */
enum precondition precondition_check(const struct request *request,
                                     const struct validators *validators, int64_t now);

/* Whether a Range field may be honoured: no If-Range, or one that matches strongly (13.1.5). */
bool precondition_range_applies(const struct request *request, const struct validators *validators,
                                int64_t now);

#endif
