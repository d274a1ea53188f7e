#ifndef CLIENT_RESUMABLE_H
#define CLIENT_RESUMABLE_H

/*
 * A transfer that survives broken connections, restarts of the server, and its own end. The server
 * gives an id (GET /.uuid), the transfer is /<id>/<path>, and the id is kept in a sidecar. From a
 * server that gives none, a download goes on by ordinary ranges, and an upload is sent anew as a
 * whole. One thread at a time.
 */

#include "client/outcome.h"
#include "client/session.h"
#include "client/sidecar.h"

enum {
    RESUMABLE_FIRST_WAIT_MS = 250, /* doubled with each try in a row that brings nothing, */
    RESUMABLE_MAX_WAIT_MS = 30000, /* up to this; Retry-After counts up to this as well */
};

/* What GET and PUT have in common. */
struct resumable {
    struct session *session;
    const struct command *command;
    struct outcome *outcome;
    struct origin origin;
    struct sidecar_file file;
    struct sidecar sidecar;
    bool found_sidecar;     /* an earlier run has left one, */
    bool is_same;           /* about the same host and path */
    bool by_id;             /* false: the server gives none, or does not want this path by id */
    bool minted;            /* the id is of this run: if it is refused, another is of no use */
    bool started;           /* outcome->resumed_from is settled */
    unsigned tries;         /* in a row that brought nothing */
    uint64_t retry_after;   /* seconds, as the last answer wished */
    struct command request; /* the one under way */
};

/*
 * A GET into command->output, or a PUT of the file that command->data names. True when there is a
 * final answer: outcome->status.
 */
bool resume_get(struct session *session, const struct command *command, const struct origin *home,
                struct outcome *outcome, struct failure *failure);
bool resume_put(struct session *session, const struct command *command, const struct origin *home,
                struct outcome *outcome, struct failure *failure);

/*
 * Where the command goes, and what a former run has left in the file of that name. `may_forget`: a
 * sidecar that cannot be made is no failure, then nothing is kept. The resumable is ended in any
 * case.
 */
bool resumable_begin(struct resumable *r, struct session *session, const struct command *command,
                     const struct origin *home, struct outcome *outcome, struct failure *failure);
bool resumable_open_sidecar(struct resumable *r, const char *path, bool may_forget,
                            struct failure *failure);
void resumable_end(struct resumable *r, bool keep);

/* Has an id, or knows that the server gives none, and keeps what is in the sidecar. */
bool resumable_identify(struct resumable *r, struct failure *failure);

/* One request for the path; `fields` are lines with CRLF. */
bool resumable_perform(struct resumable *r, struct span method, struct span fields,
                       const struct body *body, struct visitor *visitor, struct failure *failure);

/* Notes status and reason, and Retry-After. */
void resumable_note_head(struct resumable *r, const struct response_head *head);

/*
 * After a try that failed: true when it is worth another, after a pause that has then passed. False
 * with *failure as it was, or what ended the pause.
 */
bool resumable_again(struct resumable *r, bool progressed, struct failure *failure);

/* Whether trying again may help. Pure. */
bool resumable_is_passing(const struct failure *failure);
bool resumable_is_passing_status(unsigned status);

/*
 * The pause after so many tries (1 or more) that brought nothing, in ms. `chance`, any number,
 * spreads the clients of one server that came back. Pure.
 */
int64_t resumable_pause_ms(unsigned tries, uint64_t retry_after_s, uint32_t chance);

/* One line for a person who watches; nothing when nobody does. */
void resumable_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
