#ifndef SERVER_SYSCALL_FILTER_H
#define SERVER_SYSCALL_FILTER_H

/*
 * The system calls that a thread may still make, held to by the kernel (seccomp). Each kind of
 * thread has its own list; all lists stand in one table in syscall_filter.c.
 *
 * A call that is not in the list is not made and fails with EPERM, or, when it is newer than this
 * table, with ENOSYS: then a C library that has learned a newer call goes back to the one that it
 * used before. Nothing is killed. So whatever a client could bring about, the process does not end
 * by it, and a call that was forgotten here is an answer 500 or 403 and not the end of the service.
 */

#include <stdbool.h>

enum thread_kind {
    THREAD_MAIN,
    THREAD_WORKER,
    THREAD_LOG_WRITER,
    THREAD_SWEEPER,
    THREAD_KINDS,
};

/* Whether this machine's calls are known, and the kernel can filter. */
bool syscall_filter_available(void);

/* Holds the calling thread, and those that it starts from now on, to the list for good. Needs
   no_new_privs. False with errno. */
bool syscall_filter_enter(enum thread_kind kind);

/*
 * To compile a list takes the kernel 0.3 ms, for each thread anew. So a thread that does nothing
 * but start workers enters theirs for all of them, with what starting takes on top, and each of
 * them gives that up. False with errno.
 */
bool syscall_filter_enter_starter(void);
bool syscall_filter_give_up_starting(void);

#endif
