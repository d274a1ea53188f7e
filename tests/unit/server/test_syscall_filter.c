#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Each row is tried by a child that goes in for good. It calls by number and ends with the errno as
 * its status, so that nothing of a sanitizer or of cmocka runs inside.
 */
enum { OK = 0, NOT_ENTERED = 250 };

struct row {
    enum thread_kind kind;
    long number;
    unsigned long a, b, c, d;
    int error;
    const char *why;
};

static bool go_in(const struct row *row)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall_filter_enter(row->kind);
}

/* What starts workers, and what it has started. */
static bool go_in_as_starter(const struct row *row)
{
    (void)row;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall_filter_enter_starter();
}

static bool go_in_by_starter(const struct row *row)
{
    return go_in_as_starter(row) && syscall_filter_give_up_starting();
}

static int try_row(const struct row *row, bool (*enter)(const struct row *row))
{
    int status;
    pid_t child = fork();

    assert_int_not_equal(child, -1);
    if (child == 0) {
        if (!enter(row))
            _exit(NOT_ENTERED);
        long result = syscall(row->number, row->a, row->b, row->c, row->d, -1L, 0L);
        syscall(SYS_exit_group, result == -1 ? errno : OK); /* a sanitizer looks into _exit */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect(const struct row *rows, size_t count, bool (*enter)(const struct row *row))
{
    for (size_t i = 0; i < count; i++) {
        int got = try_row(&rows[i], enter);
        if (got != rows[i].error)
            fail_msg("%s: %d, not %d", rows[i].why, got, rows[i].error);
    }
}

static void lists_hold(void **state)
{
    static const unsigned long anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
    static const char here[] = ".";
    const struct row rows[] = {
        {THREAD_WORKER, SYS_getpid, 0, 0, 0, 0, OK, "in the list"},
        {THREAD_WORKER, SYS_recvfrom, 999, 0, 0, 0, EBADF, "in the list: the call itself answers"},
        {THREAD_LOG_WRITER, SYS_recvfrom, 999, 0, 0, 0, EPERM, "but not in that of every thread"},
        {THREAD_WORKER, SYS_execve, 0, 0, 0, 0, EPERM, "not in a list"},
        {THREAD_MAIN, SYS_socket, AF_INET, SOCK_STREAM, 0, 0, EPERM, "the main thread neither"},
        {THREAD_WORKER, 462, 0, 0, 0, 0, EPERM, "a number that was given out"},
        {THREAD_WORKER, 464, 0, 0, 0, 0, ENOSYS, "the first that was not"},
        {THREAD_WORKER, 100000, 0, 0, 0, 0, ENOSYS, "far beyond"},
        {THREAD_WORKER, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, anonymous, OK, "memory"},
        {THREAD_WORKER, SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, anonymous, EPERM, "for code"},
        {THREAD_WORKER, SYS_mprotect, 0, 4096, PROT_EXEC, 0, EPERM, "likewise"},
        {THREAD_WORKER, SYS_ioctl, 999, TIOCOUTQ, 0, 0, EBADF, "the only request there is"},
        {THREAD_WORKER, SYS_ioctl, 999, TIOCSTI, 0, 0, EPERM, "typing into the terminal"},
        {THREAD_WORKER, SYS_utimensat, 999, 0, 0, 0, EBADF, "times of a descriptor"},
        {THREAD_WORKER, SYS_utimensat, (unsigned long)AT_FDCWD, (unsigned long)here, 0, 0, EPERM,
         "times by path"},
        {THREAD_WORKER, SYS_utimensat, 999, 1UL << 32, 0, 0, EPERM,
         "a path with a lower half of 0"},
#ifdef __x86_64__
        {THREAD_WORKER, 0x40000000L + SYS_getpid, 0, 0, 0, 0, EPERM, "the numbers of x32"},
#endif
    };

    (void)state;
    if (!syscall_filter_available())
        skip();
    expect(rows, sizeof rows / sizeof *rows, go_in);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].kind == THREAD_WORKER)
            expect(&rows[i], 1, go_in_by_starter);
}

static void starters_list_is_given_up(void **state)
{
    enum { NOTHING = 999 }; /* none of these calls does anything with it */
    const struct row starter[] = {
        {THREAD_WORKER, SYS_prctl, NOTHING, 0, 0, 0, EINVAL, "a starter may name threads"},
        {THREAD_WORKER, SYS_seccomp, NOTHING, 0, 0, 0, EINVAL, "and give up what it may"},
        {THREAD_WORKER, SYS_clone, CLONE_THREAD, 0, 0, 0, EINVAL, "and start threads"},
        {THREAD_WORKER, SYS_clone3, 0, 0, 0, 0, EINVAL, "likewise"},
        {THREAD_WORKER, SYS_execve, 0, 0, 0, 0, EPERM, "but no program"},
    };
    const struct row started[] = {
        {THREAD_WORKER, SYS_prctl, NOTHING, 0, 0, 0, EPERM, "afterwards not"},
        {THREAD_WORKER, SYS_seccomp, NOTHING, 0, 0, 0, EPERM, "afterwards not"},
        {THREAD_WORKER, SYS_clone, CLONE_THREAD, 0, 0, 0, EPERM, "afterwards not"},
        {THREAD_WORKER, SYS_clone3, 0, 0, 0, 0, EPERM, "afterwards not"},
    };

    (void)state;
    if (!syscall_filter_available())
        skip();
    expect(starter, sizeof starter / sizeof *starter, go_in_as_starter);
    expect(started, sizeof started / sizeof *started, go_in_by_starter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lists_hold),
                                       cmocka_unit_test(starters_list_is_given_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
