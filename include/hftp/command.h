#ifndef HFTP_COMMAND_H
#define HFTP_COMMAND_H

/*
 * A command line of HFTP: words of ASCII with one space between them, ended by CRLF. Pure; a
 * command is used by one thread at a time.
 *
 * The line is judged byte by byte as it comes and is not kept: a file name of five megabytes costs
 * no memory and is looked at once. What is remembered is its beginning, which holds every name that
 * a file can have, and is enough for the log.
 */

#include "hftp/code.h"

enum {
    HFTP_LINE_LIMIT = 8 << 20, /* bytes before CRLF; names of 5 MiB must get through */
    HFTP_NAME_MAX = 255,       /* a longer name is well-formed, but no file has it */
    HFTP_LINE_KEPT = 512,      /* the longest verb and name fit, and two numbers */
};

enum hftp_verb {
    HFTP_VERB_NONE,
    HFTP_GET_FILE_LISTING,
    HFTP_GET_METADATA,
    HFTP_GET_SLICE,
    HFTP_HELP,
    HFTP_QUIT,
};

struct hftp_command {
    enum hftp_code code; /* once it is whole: HFTP_OK, or what is wrong with it */
    enum hftp_verb verb;
    uint32_t name_at, name_len; /* in line, unless name_len exceeds HFTP_NAME_MAX */
    uint64_t offset, size;      /* UINT64_MAX: that much or more */
    bool raw;

    uint32_t len;              /* bytes of the line so far */
    char line[HFTP_LINE_KEPT]; /* the first of them */

    /* The word that is being read. */
    unsigned word_;     /* which: 0 is the verb */
    uint32_t word_len_; /* bytes of it so far */
    bool invalid_;      /* an argument is not what it has to be */
    bool cr_;           /* the last byte was CR, and the next decides whether it ends the line */
};

/* Begins a new command. */
void hftp_command_begin(struct hftp_command *command);

/*
 * Takes bytes off the front of *input until the line is whole, or it is known that it can be none.
 * True: command->code tells which, and what is left of *input stands behind it (after a fatal code
 * it means nothing). False: *input is empty and more is needed.
 */
bool hftp_command_take(struct hftp_command *command, struct span *input);

/* The name that the command is about; only when name_len is at most HFTP_NAME_MAX. */
static inline struct span hftp_command_name(const struct hftp_command *command)
{
    return span_make(command->line + command->name_at, command->name_len);
}

/* Whether c may be part of a file name. */
bool hftp_is_name_char(char c);

/* The verbs in the order of `help`; SPAN_EMPTY, ptr NULL, past the last. */
struct span hftp_verb_at(size_t index);

#endif
