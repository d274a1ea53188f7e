/*
 * A table of faults around the calls by which the server asks something of the system. It is linked
 * into the server in place of nothing: the linker's --wrap=CALL sends each CALL of the server's own
 * objects to __wrap_CALL here, and __real_CALL is what it would have been. The server's code knows
 * nothing of it. (`make faults` makes the list of --wrap words from this file.)
 *
 * Which call fails, at which time it is made, and how, stands in a file that tests/faults/faults.py
 * maps as well: the environment's FAULT_TABLE names it. Without it nothing ever fails.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What `error` may be beside an errno: not a failure, but what programs take for granted too. */
enum {
    FAULT_SHORT = -1, /* one byte is moved, however many were asked for */
    FAULT_END = -2,   /* none: the end, which nobody expected here */
};

/* The file. Its reader is Python, hence words of one size. */
struct fault_table {
    char call[32];         /* which is to fail; "" none */
    _Atomic uint64_t nth;  /* at which time, from 1 */
    _Atomic uint64_t seen; /* how often it was made since it was written here */
    _Atomic int64_t error; /* what it then says */
    _Atomic uint64_t by;   /* who made the one that failed: as far behind __executable_start */
    _Atomic uint64_t fired;
    _Atomic uint64_t pid; /* in which process */
};

extern const char __executable_start;

static struct fault_table *table;

__attribute__((constructor)) static void find_table(void)
{
    const char *path = getenv("FAULT_TABLE");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

    if (fd == -1)
        return;
    void *mapped = mmap(NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (mapped != MAP_FAILED)
        table = mapped;
}

/* 0, or what this call is to say in place of being made. */
static int fault_of(const char *call, const void *by)
{
    if (table == NULL || strcmp(table->call, call) != 0 ||
        atomic_fetch_add(&table->seen, 1) + 1 != atomic_load(&table->nth))
        return 0;
    atomic_store(&table->by, (uint64_t)((const char *)by - &__executable_start));
    atomic_store(&table->pid, (uint64_t)getpid());
    atomic_fetch_add(&table->fired, 1);
    return (int)atomic_load(&table->error);
}

static bool fails(const char *call, const void *by)
{
    int error = fault_of(call, by);

    if (error > 0)
        errno = error;
    return error > 0;
}

/* A call that says by `failure` that it failed, and why by errno. */
#define WRAP(type, name, parameters, arguments, failure)                                           \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(#name, __builtin_return_address(0)) ? (failure) : __real_##name arguments;    \
    }

/* One that returns the errno. */
#define WRAP_CODE(name, parameters, arguments)                                                     \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        int error = fault_of(#name, __builtin_return_address(0));                                  \
        return error != 0 ? error : __real_##name arguments;                                       \
    }

/* One that moves `len` bytes, or fewer. */
#define WRAP_MOVE(name, parameters, arguments)                                                     \
    ssize_t __real_##name parameters;                                                              \
    ssize_t __wrap_##name parameters;                                                              \
    ssize_t __wrap_##name parameters                                                               \
    {                                                                                              \
        int error = fault_of(#name, __builtin_return_address(0));                                  \
        if (error > 0) {                                                                           \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        if (error == FAULT_END)                                                                    \
            return 0;                                                                              \
        if (error == FAULT_SHORT && len > 1)                                                       \
            len = 1;                                                                               \
        return __real_##name arguments;                                                            \
    }

/* ---- files --------------------------------------------------------------------------------------
 */

/* The mode is there when a file may be made, and the rest of the time it is not looked at. */
WRAP(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode), -1)
WRAP(int, openat, (int at, const char *path, int flags, mode_t mode), (at, path, flags, mode), -1)
WRAP(int, __openat_2, (int at, const char *path, int flags), (at, path, flags), -1)
WRAP(int, access, (const char *path, int mode), (path, mode), -1)
WRAP(int, faccessat, (int at, const char *path, int mode, int flags), (at, path, mode, flags), -1)
WRAP(int, fstat, (int fd, struct stat *st), (fd, st), -1)
WRAP(int, stat, (const char *path, struct stat *st), (path, st), -1)
WRAP(int, lstat, (const char *path, struct stat *st), (path, st), -1)
WRAP(int, fstatat, (int at, const char *path, struct stat *st, int flags), (at, path, st, flags),
     -1)
WRAP(int, fstatfs, (int fd, struct statfs *st), (fd, st), -1)
WRAP(int, fstatvfs, (int fd, struct statvfs *st), (fd, st), -1)
WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
WRAP(int, chmod, (const char *path, mode_t mode), (path, mode), -1)
WRAP(int, futimens, (int fd, const struct timespec times[2]), (fd, times), -1)
WRAP(int, fsync, (int fd), (fd), -1)
WRAP(int, fdatasync, (int fd), (fd), -1)
WRAP(int, syncfs, (int fd), (fd), -1)
WRAP(int, ftruncate, (int fd, off_t len), (fd, len), -1)
WRAP(off_t, lseek, (int fd, off_t at, int from), (fd, at, from), -1)
WRAP(int, flock, (int fd, int how), (fd, how), -1)
WRAP(int, rename, (const char *from, const char *to), (from, to), -1)
WRAP(int, renameat, (int from_at, const char *from, int to_at, const char *to),
     (from_at, from, to_at, to), -1)
WRAP(int, linkat, (int from_at, const char *from, int to_at, const char *to, int flags),
     (from_at, from, to_at, to, flags), -1)
WRAP(int, unlink, (const char *path), (path), -1)
WRAP(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), -1)
WRAP(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), -1)
WRAP(ssize_t, readlink, (const char *path, char *to, size_t len), (path, to, len), -1)
WRAP(ssize_t, readlinkat, (int at, const char *path, char *to, size_t len), (at, path, to, len), -1)
WRAP(char *, realpath, (const char *path, char *to), (path, to), NULL)
WRAP(DIR *, fdopendir, (int fd), (fd), NULL)
WRAP(struct dirent *, readdir, (DIR * directory), (directory), NULL)
WRAP(int, fcntl, (int fd, int what, void *argument), (fd, what, argument), -1)
WRAP(int, ioctl, (int fd, unsigned long what, void *argument), (fd, what, argument), -1)
WRAP_CODE(posix_fadvise, (int fd, off_t at, off_t len, int advice), (fd, at, len, advice))

WRAP_MOVE(read, (int fd, void *to, size_t len), (fd, to, len))
WRAP_MOVE(pread, (int fd, void *to, size_t len, off_t at), (fd, to, len, at))
WRAP_MOVE(write, (int fd, const void *from, size_t len), (fd, from, len))
WRAP_MOVE(pwrite, (int fd, const void *from, size_t len, off_t at), (fd, from, len, at))
WRAP_MOVE(copy_file_range,
          (int from, off_t *from_at, int to, off_t *to_at, size_t len, unsigned flags),
          (from, from_at, to, to_at, len, flags))
WRAP_MOVE(sendfile, (int to, int from, off_t *at, size_t len), (to, from, at, len))
WRAP_MOVE(splice, (int from, off_t *from_at, int to, off_t *to_at, size_t len, unsigned flags),
          (from, from_at, to, to_at, len, flags))

/* It says that it failed, and has closed the descriptor nevertheless (Linux, close(2)). */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    int result = __real_close(fd);

    return fails("close", __builtin_return_address(0)) ? -1 : result;
}

/* By number: openat2, renameat2, Landlock, seccomp. */
WRAP(long, syscall, (long number, long a, long b, long c, long d, long e, long f),
     (number, a, b, c, d, e, f), -1)

/* ---- sockets and events -------------------------------------------------------------------------
 */

WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol), -1)
WRAP(int, socketpair, (int domain, int type, int protocol, int fds[2]),
     (domain, type, protocol, fds), -1)
WRAP(int, bind, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len), -1)
WRAP(int, connect, (int fd, const struct sockaddr *address, socklen_t len), (fd, address, len), -1)
WRAP(int, listen, (int fd, int backlog), (fd, backlog), -1)
WRAP(int, accept4, (int fd, struct sockaddr *address, socklen_t *len, int flags),
     (fd, address, len, flags), -1)
WRAP(int, getsockname, (int fd, struct sockaddr *address, socklen_t *len), (fd, address, len), -1)
WRAP(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
     (fd, level, name, value, len), -1)
WRAP(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
     (fd, level, name, value, len), -1)
WRAP(int, shutdown, (int fd, int how), (fd, how), -1)
WRAP_MOVE(recv, (int fd, void *to, size_t len, int flags), (fd, to, len, flags))
WRAP_MOVE(send, (int fd, const void *from, size_t len, int flags), (fd, from, len, flags))
WRAP(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), -1)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), -1)
WRAP(int, poll, (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms), -1)
WRAP(int, epoll_create1, (int flags), (flags), -1)
WRAP(int, epoll_ctl, (int epoll, int what, int fd, struct epoll_event *event),
     (epoll, what, fd, event), -1)
WRAP(int, epoll_wait, (int epoll, struct epoll_event *events, int limit, int ms),
     (epoll, events, limit, ms), -1)
WRAP(int, eventfd, (unsigned value, int flags), (value, flags), -1)
WRAP(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags), -1)
WRAP(int, pipe2, (int fds[2], int flags), (fds, flags), -1)
WRAP(int, dup2, (int from, int to), (from, to), -1)
WRAP(int, dup3, (int from, int to, int flags), (from, to, flags), -1)

/* ---- memory, threads, processes -----------------------------------------------------------------
 */

WRAP(void *, malloc, (size_t len), (len), NULL)
WRAP(void *, calloc, (size_t count, size_t len), (count, len), NULL)
WRAP(void *, realloc, (void *old, size_t len), (old, len), NULL)
WRAP(void *, reallocarray, (void *old, size_t count, size_t len), (old, count, len), NULL)
WRAP(void *, aligned_alloc, (size_t alignment, size_t len), (alignment, len), NULL)
WRAP(void *, mmap, (void *at, size_t len, int protection, int flags, int fd, off_t from),
     (at, len, protection, flags, fd, from), MAP_FAILED)
WRAP_CODE(pthread_create,
          (pthread_t * thread, const pthread_attr_t *attributes, void *(*begin)(void *),
           void *argument),
          (thread, attributes, begin, argument))
WRAP_CODE(pthread_attr_init, (pthread_attr_t * attributes), (attributes))
WRAP_CODE(pthread_attr_setstacksize, (pthread_attr_t * attributes, size_t len), (attributes, len))
WRAP_CODE(pthread_mutex_init, (pthread_mutex_t * lock, const pthread_mutexattr_t *attributes),
          (lock, attributes))
WRAP_CODE(pthread_cond_init, (pthread_cond_t * cond, const pthread_condattr_t *attributes),
          (cond, attributes))
WRAP_CODE(pthread_condattr_init, (pthread_condattr_t * attributes), (attributes))
WRAP_CODE(pthread_condattr_setclock, (pthread_condattr_t * attributes, clockid_t clock),
          (attributes, clock))
WRAP(int, sem_init, (sem_t * semaphore, int shared, unsigned value), (semaphore, shared, value), -1)
WRAP(int, sem_wait, (sem_t * semaphore), (semaphore), -1)
WRAP(ssize_t, getrandom, (void *to, size_t len, unsigned flags), (to, len, flags), -1)
WRAP(int, getrlimit, (int what, struct rlimit *limit), (what, limit), -1)
WRAP(int, setrlimit, (int what, const struct rlimit *limit), (what, limit), -1)
WRAP(int, prctl, (int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d),
     (what, a, b, c, d), -1)
WRAP(pid_t, fork, (void), (), -1)
WRAP(int, execv, (const char *path, char *const arguments[]), (path, arguments), -1)
WRAP(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), -1)
WRAP(int, kill, (pid_t pid, int signal), (pid, signal), -1)
