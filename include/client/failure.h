#ifndef CLIENT_FAILURE_H
#define CLIENT_FAILURE_H

/* Why something a client tried did not work: a kind for the program, one line for the person. */

#include <stdbool.h>

enum failure_kind {
    FAILURE_NONE,
    FAILURE_USAGE,     /* what was asked for makes no sense */
    FAILURE_RESOLVE,   /* the host has no address */
    FAILURE_REFUSED,   /* nobody listens there, or it cannot be reached */
    FAILURE_TIMEOUT,   /* a deadline has passed */
    FAILURE_LOST,      /* the server closed or reset the connection too early */
    FAILURE_PROTOCOL,  /* what came is not HTTP, or not what was asked for */
    FAILURE_CHANGED,   /* what was begun is not there any more: another version is */
    FAILURE_LOCAL,     /* this side: files, descriptors, ports, memory */
    FAILURE_CANCELLED, /* the person or the end of the run stopped it */
};

struct failure {
    enum failure_kind kind;
    char text[256]; /* no newline, no control bytes of a server's making */
};

/* Format and arguments as for printf; %m is errno's text. Returns false, to be returned on. */
bool failure_set(struct failure *failure, enum failure_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
