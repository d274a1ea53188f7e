#ifndef SERVER_ACCOUNTS_H
#define SERVER_ACCOUNTS_H

/*
 * The accounts of a --auth file: who there is, and where each may read and write.
 *
 *     # a comment
 *     ana:pbkdf2-sha256$600000$SALT$HASH              everywhere, reading and writing
 *     bob:pbkdf2-sha256$600000$SALT$HASH:/bob         below /bob only
 *     bob::/shared:r                                  and reading below /shared
 *
 * SALT and HASH are base64. A further line of a user names another prefix; it repeats the hash or
 * leaves it out, for a user has one password. A prefix is written as the files are named, without
 * percent-encoding, and covers whole names: "/bob" is not a prefix of "/bobby". What one line
 * grants no other takes away.
 *
 * Made once from the file's text and const afterwards; any thread.
 */

#include "base/buffer.h"
#include "base/sha256.h"

enum {
    ACCOUNT_NAME_LIMIT = 64,
    ACCOUNT_SALT_LIMIT = 64,
    ACCOUNT_SALT_LEN = 16,              /* of new ones (NIST SP 800-132 5.1) */
    ACCOUNT_ITERATIONS = 600000,        /* of new ones: a fraction of a second, once per login */
    ACCOUNT_ITERATIONS_LEAST = 1000,    /* RFC 8018 4.2 */
    ACCOUNT_ITERATIONS_MOST = 10000000, /* seconds of a worker's time */
    ACCOUNTS_TEXT_LIMIT = 1 << 20,      /* bytes of file */
};

struct account {
    struct span name;
    uint32_t iterations;
    uint8_t salt[ACCOUNT_SALT_LIMIT];
    uint8_t salt_len;
    uint8_t hash[SHA256_LEN];
};

/* One line: below `prefix`, the account of that index may read, and perhaps write. */
struct grant {
    struct span prefix; /* no slash at either end; empty: everywhere */
    unsigned account;
    bool writes;
};

struct accounts {
    char *text; /* owned; names and prefixes point into it */
    struct account *list;
    struct grant *grants;
    unsigned count, grant_count;
    uint32_t most_iterations; /* of any account */
};

struct accounts_fault {
    unsigned line;    /* from 1; 0: it is about no line */
    const char *what; /* the rest of a sentence that begins with "line N" */
};

/*
 * Reads the text of a file, which becomes the accounts' own whatever comes of it (memory from
 * malloc). False: *fault says what is wrong with the first line that is not right, and *accounts
 * holds nothing.
 */
bool accounts_parse(struct accounts *accounts, char *text, size_t len,
                    struct accounts_fault *fault);

/* Frees what it holds; fine on zeroed memory. */
void accounts_free(struct accounts *accounts);

/* NULL when there is no such user. */
const struct account *accounts_find(const struct accounts *accounts, struct span name);

/*
 * Whether `password` is that of the account. Takes the time of the costliest account, also for an
 * account that is NULL (then false), so that it does not tell which users there are.
 */
bool accounts_verify(const struct accounts *accounts, const struct account *account,
                     struct span password);

/* Whether the account may read, or with `writes` change, what is at `path` (struct target). */
bool accounts_permit(const struct accounts *accounts, const struct account *account,
                     struct span path, bool writes);

/* NULL, or why a user cannot have that name: the rest of a sentence. */
const char *account_name_fault(struct span name);

/* "name:pbkdf2-sha256$…", without a newline, for the file. */
void account_put(struct buffer *out, struct span name, struct span password, struct span salt,
                 uint32_t iterations);

#endif
