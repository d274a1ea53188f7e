#ifndef CLIENT_OUTCOME_H
#define CLIENT_OUTCOME_H

/* What became of a command, for the one who asked. */

#include "client/command.h"

struct outcome {
    unsigned status; /* of the last answer, 0: none */
    char reason[128];
    uint64_t bytes;        /* of bodies that were meant to move, and did */
    uint64_t resumed_from; /* where this run went on */
    unsigned retries;      /* requests that were made again after a pause */
};

/*
 * Appends it as one line of JSON for a script, with "error" when failure is not NULL. What is not
 * known is null. Pure.
 */
void outcome_put_json(struct buffer *out, const struct outcome *outcome,
                      const struct command *command, const struct origin *home, int64_t elapsed_us,
                      const struct failure *failure);

/* "http://host/path" of a command. Pure. */
void outcome_put_url(struct buffer *out, const struct command *command, const struct origin *home);

#endif
