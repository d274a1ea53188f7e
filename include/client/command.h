#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

/*
 * What httpclient is asked to do, from its arguments. Two forms:
 *
 *     httpclient -h HOST[:PORT] 'GET /a.iso -o a.iso' 'HEAD /b' 'PUT /c -d @c.txt'
 *     httpclient -h HOST[:PORT] GET /a.iso -o a.iso
 *
 * They are told apart by white space in the first word that is no option: a method has none.
 */

#include "client/failure.h"
#include "client/url.h"

enum {
    COMMAND_FIELDS_LIMIT = 8192, /* bytes of the fields given with -H */
    COMMAND_WORDS_LIMIT = 256,   /* words of one command */
    COMMAND_TIMEOUT_MS = 30000,
    COMMAND_TRIES = 10, /* --tries, unless given */
    COMMAND_TRIES_LIMIT = 1000000,
};

struct command {
    struct span method;
    const char *target;      /* "/path", "*", or "http://host/path" */
    const char *output;      /* file; NULL: standard output */
    const char *data;        /* the body, "@FILE" or "@-"; NULL: none */
    const struct body *body; /* the body instead, set by the program, which keeps its fd */
    bool include;            /* show the head of the answer too */
    bool follow;             /* redirects */
    bool resume;             /* go on after broken connections, in this run and the next */
    bool json;               /* tell the result as a line of JSON, and show no body */
    unsigned tries;          /* with resume: in a row that bring nothing, before it is given up */
    size_t fields_len;
    char fields[COMMAND_FIELDS_LIMIT]; /* lines "Name: value" CRLF */
    char *memory;                      /* the words, when they were cut out of an argument */
};

enum invocation_wish { INVOCATION_RUN, INVOCATION_HELP, INVOCATION_VERSION };

struct invocation {
    enum invocation_wish wish;
    bool has_origin;
    struct origin origin;
    int timeout_ms;
    size_t count;
    struct command *commands; /* in the order to be run */
};

/*
 * From the arguments behind the program's name, which must live as long as the result. On false
 * the failure says in one line what is wrong, and nothing is to be freed.
 */
bool invocation_parse(struct invocation *invocation, int argc, char *const *argv,
                      struct failure *failure);

void invocation_free(struct invocation *invocation);

/* Whether a -H of the command has that name, ignoring case. */
bool command_has_field(const struct command *command, struct span name);

/*
 * Cuts text into words as a shell would: at white space, but for what stands in '...', in "..."
 * (where a backslash saves a quote or a backslash), or behind a backslash. Works in place; the
 * words are NUL-terminated. Their count, or -1 when a quote is not closed or there are more than
 * cap.
 */
int command_split(char *text, char **words, int cap);

/* "1.5" is 1500; more than 0, and a day at most. */
bool command_seconds(const char *text, int *ms);

#endif
