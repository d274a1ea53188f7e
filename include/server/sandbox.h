#ifndef SERVER_SANDBOX_H
#define SERVER_SANDBOX_H

/*
 * What is left to a thread of the server that somebody has taken over: the files that it serves,
 * the connections that are open, and nothing else. Needs no root.
 *
 *     no_new_privs     nothing that is started gains rights by set-user-id
 *     Landlock         files: each kind of thread what it needs, see rules in sandbox.c
 *     system calls     each kind of thread its list (server/syscall_filter.h)
 *
 * The main thread prepares it when all threads are still to come; each thread enters as the first
 * thing that it does, the main thread when it has started everything. The workers inherit it from
 * the thread that starts them. What a kernel lacks is left out with a warning.
 *
 * Threads share their memory: whoever runs code in one can in the end have another do what that one
 * may. The lists of their own make it harder; what holds is what all of them together may.
 */

#include "base/buffer.h"
#include "server/privilege.h"
#include "server/syscall_filter.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

struct gate;
struct server;

struct sandbox {
    const char *off;            /* why it is not used; NULL: it is */
    bool filtered;              /* system calls are */
    bool files;                 /* Landlock is on */
    unsigned abi;               /* its version */
    int rulesets[THREAD_KINDS]; /* with files */
    enum privilege_left capabilities;
    bool inherited; /* the workers are born within: their starter had entered */
    sem_t entered;  /* posted by each thread that is in, or could not get in */
    atomic_uint failed;
};

/* Prepares it for a server whose docroot, state and logs are open. */
void sandbox_prepare(struct sandbox *sandbox, const struct server *server, const struct gate *gate);

/* "sandbox (...)" with what is on, or "no sandbox (...)" with why. */
void sandbox_describe(const struct sandbox *sandbox, struct buffer *out);

/* The calling thread goes in for good. */
void sandbox_enter(struct sandbox *sandbox, enum thread_kind kind);

/* The calling thread goes into that of the workers, and may still start them. */
void sandbox_enter_starter(struct sandbox *sandbox);

/* Waits until `threads` have entered; gives back what entering needs, but for the main thread's. */
void sandbox_await(struct sandbox *sandbox, unsigned threads);

#endif
