#ifndef HFTP_ANSWER_H
#define HFTP_ANSWER_H

/* The answer to one command of HFTP: decided at once, and then made piece by piece as it is sent,
   in constant memory. Worker threads. */

#include "fs/listing.h"
#include "hftp/command.h"
#include "server/channel.h"

/* What follows the first lines of an answer. */
enum hftp_content {
    HFTP_CONTENT_NONE,
    HFTP_CONTENT_LISTING,
    HFTP_CONTENT_BASE64,
    HFTP_CONTENT_RAW,
};

struct hftp_answer {
    enum hftp_code code;
    enum hftp_content content;
    struct listing listing; /* owned */
    size_t listed;          /* entries that have been dealt with */
    struct file_run slice;  /* what is left of it; fd owned, -1: none */
    size_t line_left;       /* plain bytes until the next CRLF */
    uint64_t sent;          /* bytes behind the code's line */
};

/* An answer that owns nothing. */
#define HFTP_ANSWER_NONE ((struct hftp_answer){.listing = LISTING_EMPTY, .slice = {.fd = -1}})

/* Carries out the command and composes the first lines of the answer in the worker's buffer, which
   has room for HFTP_ANSWER_ROOM. Only a command whose code is HFTP_OK is more than answered. */
void hftp_answer_begin(struct hftp_answer *answer, struct worker *worker,
                       const struct hftp_command *command);

enum { HFTP_ANSWER_ROOM = 512 };

/* Composes or sends the rest. STEP_DONE when all of it is at least in the buffer. */
enum step hftp_answer_send(struct hftp_answer *answer, struct worker *worker, struct connection *c);

/* Gives up what the answer owns. */
void hftp_answer_free(struct hftp_answer *answer);

#endif
