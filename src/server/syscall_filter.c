#include "server/syscall_filter.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A process may call by the conventions of several machines, whose numbers differ: these are taken
 * from no other. 64 bits only: with 32, many calls come in three generations, or through one number
 * for all that has to do with sockets.
 */
#if defined __x86_64__ && !defined __ILP32__
#define MACHINE      0xC000003Eu
#define FOREIGN_FROM 0x40000000u /* x32: the same machine by its name, with other numbers */
#elif defined __aarch64__ && !defined __AARCH64EB__
#define MACHINE 0xC00000B7u
#elif defined __riscv && __riscv_xlen == 64
#define MACHINE 0xC00000F3u
#endif

#ifdef MACHINE

/* --- The table ---------------------------------------------------------------------------------
 */

/* Whose list a call is in. */
enum {
    MAIN = 1 << THREAD_MAIN,
    WORK = 1 << THREAD_WORKER,
    LOGS = 1 << THREAD_LOG_WRITER,
    SWEEP = 1 << THREAD_SWEEPER,
    ALL = MAIN | WORK | LOGS | SWEEP,
    FILES = WORK | SWEEP,
    START = 1 << THREAD_KINDS, /* whoever starts workers: has their list, and these */
};

/* What is asked of a call's arguments, where the call alone says too little. */
enum check {
    ANY,
    NO_EXEC,   /* third argument, protection: memory that is not to be run as code */
    OUTQ_ONLY, /* second argument, request: how many bytes are not acknowledged */
    NO_PATH,   /* second argument, path: none, so it is about the descriptor */
    CHECK_KINDS,
};

struct rule {
    uint32_t number;
    uint8_t kinds;
    uint8_t check;
};

#define CALL(name, kinds)                                                                          \
    {                                                                                              \
        SYS_##name, kinds, ANY                                                                     \
    }

/*
 * The order is that of a request: a kernel before 5.11 looks from the top. Since then it keeps the
 * answers for calls without a check in a bitmap, so nothing that is done per request has one.
 *
 * What is missing is missing on purpose: no socket, connect, bind or listen; no execve, clone or
 * ptrace; no kill; nothing that changes a file by its path but rename and unlink, which Landlock
 * watches; no chmod or chown by path, no mount, no module, no key, no other process's memory.
 */
static const struct rule rules[] = {
    CALL(recvfrom, WORK | MAIN),
    CALL(sendto, WORK | MAIN),
    CALL(epoll_pwait, WORK | MAIN),
#ifdef SYS_epoll_wait
    CALL(epoll_wait, WORK | MAIN),
#endif
    CALL(futex, ALL),
    CALL(epoll_ctl, WORK | MAIN),
    CALL(sendmsg, WORK | MAIN),
#ifdef SYS_openat2
    CALL(openat2, WORK),
#endif
#ifdef SYS_newfstatat
    CALL(newfstatat, ALL),
#endif
    CALL(fstat, ALL),
    CALL(close, ALL),
    CALL(read, ALL),
    CALL(pread64, FILES | MAIN),
    CALL(sendfile, WORK),
    CALL(accept4, WORK | MAIN),
    CALL(write, ALL),
    CALL(shutdown, WORK | MAIN),
    CALL(setsockopt, WORK | MAIN),
    CALL(getsockopt, WORK | MAIN),
    CALL(ppoll, WORK | MAIN),
#ifdef SYS_poll
    CALL(poll, WORK | MAIN),
#endif
    CALL(splice, WORK),
    CALL(recvmsg, WORK),
    CALL(writev, ALL),
    CALL(readv, FILES | MAIN),
    CALL(getsockname, WORK | MAIN),
    CALL(getpeername, WORK | MAIN),
    {SYS_ioctl, WORK | MAIN, OUTQ_ONLY},

    /* Files. Where they may be, Landlock says. */
    CALL(openat, ALL),
    CALL(lseek, FILES | MAIN),
    CALL(fcntl, ALL),
    CALL(flock, FILES),
    CALL(pwrite64, FILES),
    CALL(ftruncate, FILES),
    CALL(fallocate, FILES),
    CALL(copy_file_range, FILES),
    CALL(fsync, FILES),
    CALL(fdatasync, FILES),
    CALL(syncfs, FILES),
    CALL(renameat, FILES),
    CALL(renameat2, FILES),
    CALL(linkat, FILES),
    CALL(mkdirat, FILES),
    CALL(unlinkat, FILES | MAIN),
    CALL(readlinkat, FILES),
    CALL(getdents64, FILES),
    CALL(faccessat, FILES),
    CALL(fchmod, FILES),
    {SYS_utimensat, FILES, NO_PATH},
    CALL(fstatfs, FILES),
    CALL(fadvise64, FILES),
    CALL(statx, ALL),
    CALL(dup3, FILES | MAIN),
    CALL(pipe2, WORK),
#ifdef SYS_faccessat2
    CALL(faccessat2, FILES),
#endif
#ifdef SYS_open /* the calls of older days, which musl still makes on machines that have them */
    CALL(open, ALL),
    CALL(stat, ALL),
    CALL(lstat, ALL),
    CALL(access, FILES),
    CALL(unlink, FILES | MAIN),
    CALL(rmdir, FILES),
    CALL(mkdir, FILES),
    CALL(rename, FILES),
    CALL(readlink, FILES),
    CALL(dup2, FILES | MAIN),
    CALL(pipe, WORK),
    CALL(getdents, FILES),
#endif

    /* Memory, clocks, and what the C library needs to run a thread and to end it. */
    {SYS_mmap, ALL, NO_EXEC},
    {SYS_mprotect, ALL, NO_EXEC},
    CALL(munmap, ALL),
    CALL(mremap, ALL),
    CALL(madvise, ALL),
    CALL(brk, ALL),
    CALL(clock_gettime, ALL),
    CALL(clock_nanosleep, ALL),
    CALL(nanosleep, ALL),
    CALL(getrandom, ALL),
    CALL(sched_yield, ALL),
    CALL(sched_getaffinity, ALL),
    CALL(sysinfo, ALL), /* qsort of glibc asks how much memory there is */
    CALL(getpid, ALL),
    CALL(gettid, ALL),
    CALL(rt_sigprocmask, ALL),
    CALL(rt_sigaction, ALL),
    CALL(rt_sigreturn, ALL),
    CALL(restart_syscall, ALL),
    CALL(wait4, MAIN), /* for the helper that restarts */
    CALL(set_robust_list, ALL),
#ifdef SYS_rseq
    CALL(rseq, ALL),
#endif
    CALL(exit, ALL),
    CALL(exit_group, ALL),

    CALL(clone, START),
#ifdef SYS_clone3
    CALL(clone3, START),
#endif
    CALL(prctl, START),   /* a new thread's name */
    CALL(seccomp, START), /* to give these up */
};

/* --- The filter --------------------------------------------------------------------------------
 *
 * A program for the kernel's classic packet filter, which loads words of struct call, compares and
 * jumps forward. Declared here for the same reason as in landlock.c.
 */

struct call {
    int32_t number;
    uint32_t machine;
    uint64_t instruction;
    uint64_t arguments[6];
};

struct instruction {
    uint16_t code;
    uint8_t if_true; /* how many instructions to skip */
    uint8_t if_false;
    uint32_t operand;
};

struct program {
    uint16_t len;
    const struct instruction *first;
};

enum {
    LOAD = 0x20,     /* a word of struct call */
    RETURN = 0x06,   /* a verdict */
    IF_EQUAL = 0x15, /* to the operand */
    IF_AT_LEAST = 0x35,
    IF_ANY_BIT = 0x45, /* of the operand's */

    MODE_FILTER = 1,      /* of the call seccomp */
    ACTION_AVAILABLE = 2, /* likewise */
    /* Else a kernel before 5.16 would slow down every thread by speculation controls, which keep
       code that was loaded into a process from reading its memory. None is loaded here. */
    LEAVE_SPECULATION_ALONE = 4,

    NEWEST_KNOWN = 463, /* of the numbers that were given out when the table was written */
    INSTRUCTIONS_MOST = 6 * sizeof rules / sizeof *rules + 16,
};

#define ALLOW       0x7fff0000u
#define FAIL(error) (0x00050000u | (error))

struct writer {
    struct instruction to[INSTRUCTIONS_MOST];
    uint16_t len;
};

static void put(struct writer *w, uint16_t code, uint32_t operand, uint8_t if_true,
                uint8_t if_false)
{
    w->to[w->len++] = (struct instruction){code, if_true, if_false, operand};
}

/* The lower half of an argument; all machines above have it first. */
static uint32_t lower_half(unsigned argument)
{
    return (uint32_t)(offsetof(struct call, arguments) + argument * sizeof(uint64_t));
}

/* What stands behind a matching number: the verdict. */
static void put_verdict(struct writer *w, enum check check)
{
    switch (check) {
    case NO_EXEC:
        put(w, LOAD, lower_half(2), 0, 0);
        put(w, IF_ANY_BIT, PROT_EXEC, 0, 1);
        put(w, RETURN, FAIL(EPERM), 0, 0);
        break;
    case OUTQ_ONLY:
        put(w, LOAD, lower_half(1), 0, 0);
        put(w, IF_EQUAL, TIOCOUTQ, 1, 0);
        put(w, RETURN, FAIL(EPERM), 0, 0);
        break;
    case NO_PATH:
        put(w, LOAD, lower_half(1), 0, 0);
        put(w, IF_EQUAL, 0, 0, 2);
        put(w, LOAD, lower_half(1) + (uint32_t)sizeof(uint32_t), 0, 0);
        put(w, IF_EQUAL, 0, 1, 0);
        put(w, RETURN, FAIL(EPERM), 0, 0);
        break;
    case ANY:
    case CHECK_KINDS: break;
    }
    put(w, RETURN, ALLOW, 0, 0);
}

static uint8_t verdict_len(enum check check)
{
    static const uint8_t len[CHECK_KINDS] = {
        [ANY] = 1, [NO_EXEC] = 4, [OUTQ_ONLY] = 4, [NO_PATH] = 6};
    return len[check];
}

/* What is in one of the lists of those kinds may be called. */
static void put_lists(struct writer *w, unsigned kinds)
{
    put(w, LOAD, offsetof(struct call, machine), 0, 0);
    put(w, IF_EQUAL, MACHINE, 1, 0);
    put(w, RETURN, FAIL(EPERM), 0, 0);
    put(w, LOAD, offsetof(struct call, number), 0, 0);
#ifdef FOREIGN_FROM
    put(w, IF_AT_LEAST, FOREIGN_FROM, 0, 1);
    put(w, RETURN, FAIL(EPERM), 0, 0);
#endif
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if ((rules[i].kinds & kinds) == 0)
            continue;
        put(w, IF_EQUAL, rules[i].number, 0, verdict_len(rules[i].check));
        put_verdict(w, rules[i].check);
    }
    put(w, IF_AT_LEAST, NEWEST_KNOWN + 1, 0, 1);
    put(w, RETURN, FAIL(ENOSYS), 0, 0);
    put(w, RETURN, FAIL(EPERM), 0, 0);
}

/* Takes away what only a starter may, from whoever is held to a list already. */
static void put_end_of_starting(struct writer *w)
{
    put(w, LOAD, offsetof(struct call, number), 0, 0);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (rules[i].kinds != START)
            continue;
        put(w, IF_EQUAL, rules[i].number, 0, 1);
        put(w, RETURN, FAIL(EPERM), 0, 0);
    }
    put(w, RETURN, ALLOW, 0, 0);
}

static bool enter(const struct writer *w)
{
    struct program program = {.len = w->len, .first = w->to};

    return syscall(SYS_seccomp, MODE_FILTER, LEAVE_SPECULATION_ALONE, &program) == 0;
}

bool syscall_filter_available(void)
{
    const uint32_t action = FAIL(0);

    return syscall(SYS_seccomp, ACTION_AVAILABLE, 0, &action) == 0;
}

bool syscall_filter_enter(enum thread_kind kind)
{
    struct writer w = {.len = 0};

    put_lists(&w, 1u << kind);
    return enter(&w);
}

bool syscall_filter_enter_starter(void)
{
    struct writer w = {.len = 0};

    put_lists(&w, WORK | START);
    return enter(&w);
}

bool syscall_filter_give_up_starting(void)
{
    struct writer w = {.len = 0};

    put_end_of_starting(&w);
    return enter(&w);
}

#else

bool syscall_filter_available(void)
{
    return false;
}

bool syscall_filter_enter(enum thread_kind kind)
{
    (void)kind;
    errno = ENOSYS;
    return false;
}

bool syscall_filter_enter_starter(void)
{
    errno = ENOSYS;
    return false;
}

bool syscall_filter_give_up_starting(void)
{
    errno = ENOSYS;
    return false;
}

#endif
