#ifndef CLIENT_SHOW_H
#define CLIENT_SHOW_H

/*
 * What a person sees of a command: the body on standard output or in a file, the head when it was
 * asked for, a progress bar, and one line on standard error when it went wrong; or, for a script, a
 * line of JSON. One thread.
 */

#include "client/download.h"
#include "client/progress.h"
#include "client/session.h"

struct show {
    struct visitor visitor; /* to be given to session_perform */
    const struct command *command;
    struct download download;
    struct progress progress;
    bool sending, receiving; /* what the bar shows */
    bool drop;               /* the body is not what was asked for: it goes nowhere */
    uint64_t received, sent; /* bytes of bodies */
    unsigned status;
    char reason[128];
};

enum show_result { SHOW_OK, SHOW_HTTP_ERROR, SHOW_USAGE, SHOW_FAILED };

/*
 * Performs a command and shows it. An answer that is an error is never stored in the file that was
 * asked for. Anything but SHOW_OK has been told on standard error, in one line.
 */
enum show_result show_command(struct session *session, const struct command *command,
                              const struct origin *home);

#endif
