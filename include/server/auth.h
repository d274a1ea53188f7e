#ifndef SERVER_AUTH_H
#define SERVER_AUTH_H

/*
 * Who a client is, and whether that one may. Knows passwords, not methods: what needs an account is
 * decided in access.c.
 *
 * A password is checked once, which takes a noticeable part of a second on purpose; after that a
 * keyed hash of the credentials is remembered until the file is read again, so that the requests
 * that follow cost a microsecond. At most half of the workers check at the same time, and requests
 * with the same credentials wait for one check. Failures are counted by address (throttle.h).
 *
 * Any thread, but for open, reload and close: the main thread.
 */

#include "base/span.h"
#include "net/address.h"
#include "server/accounts.h"

struct auth;

enum auth_result {
    AUTH_ALLOWED,
    AUTH_UNKNOWN,   /* no credentials, or wrong ones: 401 */
    AUTH_FORBIDDEN, /* a known user, who may not do this here: 403 */
    AUTH_MALFORMED, /* 400 */
    AUTH_SLOWED,    /* too many failures from this address: 429 */
    AUTH_BUSY,      /* too many checks at the moment: 503 */
};

struct auth_question {
    struct span authorization; /* value of the field; ptr NULL: none */
    struct span path;          /* as in struct target */
    bool anywhere;             /* any account will do, whatever its paths */
    bool writes;
    const struct address *peer;
    int64_t now_ms;
};

struct auth_verdict {
    char user[ACCOUNT_NAME_LIMIT]; /* who it is, as soon as that is known */
    size_t user_len;
    unsigned retry_s; /* with AUTH_SLOWED */
};

/* Reads the file, whose path is kept. NULL after a line on standard error that says what is wrong.
   `threads` is how many may ask at once. */
struct auth *auth_open(const char *path, unsigned threads);

/* The file has another path from now on, as after chroot. Before threads are started. */
void auth_set_path(struct auth *auth, const char *path);

/* Reads the file again. One that cannot be used leaves the accounts as they are, and a line says
   so. */
void auth_reload(struct auth *auth);

void auth_close(struct auth *auth); /* NULL: nothing */

/* Decides. May take as long as a check of a password. */
enum auth_result auth_decide(struct auth *auth, const struct auth_question *question,
                             struct auth_verdict *verdict);

/* Who it is, if that was found out before; verdict->user_len 0 otherwise. Never takes long. */
void auth_recall(struct auth *auth, struct span authorization, struct auth_verdict *verdict);

#endif
