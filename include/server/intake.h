#ifndef SERVER_INTAKE_H
#define SERVER_INTAKE_H

/*
 * Where the body of a request goes. Whoever answers a method that has a body makes one; the
 * exchange feeds it, from one worker at a time, and ends it in one of two ways: `finish` when the
 * body is whole or was refused on the way, or `free` alone when the connection broke. It outlives
 * the worker's turn when the client is slow, so it keeps nothing that points into the worker's
 * memory.
 */

#include "server/answer.h"

struct worker;
struct request;

enum intake_result {
    INTAKE_TAKEN,
    INTAKE_REFUSED, /* no more of it: `finish` will say why, and the connection is closed after that
                     */
};

struct intake {
    /* Takes the next bytes of the body, framing removed. */
    enum intake_result (*take)(struct intake *intake, const char *bytes, size_t len);

    /* Makes the answer. `whole` says that the body came to its end. `free` is called after it. */
    void (*finish)(struct intake *intake, struct worker *worker, const struct request *request,
                   bool whole, struct answer *answer);

    /* Frees everything, itself included, and undoes what was not finished. */
    void (*free)(struct intake *intake);

    /*
     * A file that the bytes may be moved to, at its position, without passing through the process;
     * -1 when they have to be looked at. `moved` is told how many were, and the errno, else 0, that
     * ended it: INTAKE_REFUSED then as from take. It may also be told of nothing moved.
     */
    int file_fd;
    enum intake_result (*moved)(struct intake *intake, size_t len, int error);

    /* Whether somebody else has taken what this works on: then the connection is closed without a
       word at its next turn. NULL: nobody can. By whoever owns the connection. */
    bool (*is_evicted)(struct intake *intake);

    /* Adds interim responses (1xx) to worker->out, if there is something to tell meanwhile. NULL:
       there never is. */
    void (*tell)(struct intake *intake, struct worker *worker, const struct request *request);

    /* Takes the next bytes of the trailer section (RFC 9112 7.1.2), its last CRLF included. NULL:
       nobody asks for it. */
    void (*trailer)(struct intake *intake, const char *bytes, size_t len);
};

#endif
