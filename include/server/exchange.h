#ifndef SERVER_EXCHANGE_H
#define SERVER_EXCHANGE_H

/*
 * HTTP on a connection: one request and its response after the other.
 *
 *     head ──▶ body, if any ──▶ answer (a value) ──▶ composed ──▶ sent ──▶ logged ──▶ next
 *
 * While the client keeps up, all of this lives in the worker's memory. When it does not, what the
 * rest of the exchange needs is copied to the connection, which is then parked.
 */

#include "http/chunked.h"
#include "http/request.h"
#include "http/target.h"
#include "server/accounts.h"
#include "server/intake.h"
#include "server/producer.h"
#include "server/protocol.h"

struct exchange {
    struct request request;
    char *head_copy; /* owned: where request.head points once the exchange was parked; else NULL */

    struct address client; /* who sent it: the connection's peer, or whom trusted proxies name */

    int64_t begun_us;              /* clock_us() when its head was there */
    char user[ACCOUNT_NAME_LIMIT]; /* who sent it, as far as that was found out */
    uint8_t user_len;

    /* The request body. */
    struct chunked chunked;
    uint64_t body_left;    /* with FRAMING_LENGTH */
    uint64_t body_seen;    /* bytes of it so far */
    bool body_over;        /* all of it was read, or there is none */
    bool continued;        /* 100 (Continue) was sent */
    struct intake *intake; /* owned; where the body goes, NULL: nobody wants it */

    /* The response. */
    enum status status;
    bool head_only;            /* HEAD, 304 and the like: no content follows */
    bool persistent;           /* another request may follow */
    bool linger;               /* close, but let the client read what was sent */
    bool chunk_content;        /* content goes out in chunks */
    bool last_produced;        /* the producer has nothing more */
    uint64_t sent;             /* bytes of content given to the socket */
    struct file_run file;      /* owned fd; what is left of the content in a file */
    struct cache_entry *entry; /* a reference: whose the file is and where it may rest; or NULL */
    struct file_run run;       /* what the producer wants sent before it goes on; fd borrowed */
    struct producer *producer;
};

extern const struct protocol http_protocol;

/*
 * Closes the connection of that name (delivery_claim), if it is one of ours, nobody serves it, and
 * what takes its body says that it was evicted. One that is served notices at its next turn.
 */
void exchange_evict(struct worker *worker, uint64_t holder);

#endif
