#ifndef SERVER_REPRESENTATION_H
#define SERVER_REPRESENTATION_H

/* What is sent for a target, and what describes it (RFC 9110 3.2): a value. */

#include "fs/docroot.h"
#include "http/etag.h"

struct representation {
    struct file file; /* fd as its holder says */
    struct etag etag;
    bool racy; /* and weak, since the file was changed a moment ago */
    struct span media_type;
    bool utf8;          /* add "; charset=utf-8" to it */
    bool negotiated;    /* Accept-Encoding had a say */
    struct span coding; /* of a compressed sibling, ptr NULL: none */
};

#endif
