/*
 * Linked into the server by `make probe` alone: each thread, as soon as it is in the sandbox, does
 * what somebody would who has taken it over, and says how it went on standard error:
 *
 *     httpd: probe: worker: execve: refused (1)
 *     httpd: probe: worker: write inside: done
 *
 * with the errno in parentheses. The calls are made by their numbers, so that no C library stands
 * between. Where they need a path, the environment gives it: PROBE_INSIDE, a directory that is
 * served; PROBE_STATE, the state's; PROBE_OUTSIDE, one that is neither.
 */

#include "probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct target {
    char path[512];
};

static const char *below(struct target *t, const char *variable, const char *name)
{
    const char *directory = getenv(variable);

    snprintf(t->path, sizeof t->path, "%s/%s", directory != NULL ? directory : "/nowhere", name);
    return t->path;
}

static long open_path(const char *path, int flags)
{
    return syscall(SYS_openat, AT_FDCWD, path, flags, 0600);
}

static long passwd(void)
{
    return open_path("/etc/passwd", O_RDONLY);
}

static long memory_of_process(void)
{
    return open_path("/proc/self/mem", O_RDWR);
}

static long list_root(void)
{
    return open_path("/", O_RDONLY | O_DIRECTORY);
}

static long make_outside(void)
{
    struct target t;
    return open_path(below(&t, "PROBE_OUTSIDE", "made"), O_WRONLY | O_CREAT);
}

static long write_outside(void)
{
    struct target t;
    return open_path(below(&t, "PROBE_OUTSIDE", "there"), O_WRONLY | O_TRUNC);
}

static long remove_outside(void)
{
    struct target t;
    return syscall(SYS_unlinkat, AT_FDCWD, below(&t, "PROBE_OUTSIDE", "there"), 0);
}

static long rename_out(void)
{
    struct target from, to;
    return syscall(SYS_renameat2, AT_FDCWD, below(&from, "PROBE_INSIDE", "there"), AT_FDCWD,
                   below(&to, "PROBE_OUTSIDE", "taken"), 0);
}

static long rename_in(void)
{
    struct target from, to;
    return syscall(SYS_renameat2, AT_FDCWD, below(&from, "PROBE_OUTSIDE", "there"), AT_FDCWD,
                   below(&to, "PROBE_INSIDE", "taken"), 0);
}

static long link_in(void)
{
    struct target from, to;
    return syscall(SYS_linkat, AT_FDCWD, below(&from, "PROBE_OUTSIDE", "there"), AT_FDCWD,
                   below(&to, "PROBE_INSIDE", "linked"), 0);
}

static long symlink_inside(void)
{
    struct target t;
    return syscall(SYS_symlinkat, "/etc", AT_FDCWD, below(&t, "PROBE_INSIDE", "link"));
}

static long device_inside(void)
{
    struct target t;
    return syscall(SYS_mknodat, AT_FDCWD, below(&t, "PROBE_INSIDE", "device"), 020600, 0x103);
}

static long chmod_outside(void)
{
    struct target t;
    return syscall(SYS_fchmodat, AT_FDCWD, below(&t, "PROBE_OUTSIDE", "there"), 0777);
}

static long times_outside(void)
{
    struct target t;
    return syscall(SYS_utimensat, AT_FDCWD, below(&t, "PROBE_OUTSIDE", "there"), NULL, 0);
}

static long run_program(void)
{
    char *const none[] = {NULL};
    return syscall(SYS_execve, "/bin/true", none, none);
}

static long start_process(void)
{
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);

    if (pid == 0)
        _exit(0);
    return pid;
}

static long trace_parent(void)
{
    return syscall(SYS_ptrace, PTRACE_SEIZE, getppid(), NULL, NULL);
}

static long memory_of_parent(void)
{
    return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static long signal_parent(void)
{
    return syscall(SYS_kill, getppid(), 0);
}

static long make_socket(void)
{
    return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

/* With descriptor 0, which is no socket: what has to fail is the call, before that is looked at. */
static long connect_out(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return syscall(SYS_connect, 0, &to, sizeof to);
}

static long bind_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    return syscall(SYS_bind, 0, &at, sizeof at);
}

static long code_in_memory(void)
{
    long at = syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return at;
}

static long memory_to_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return syscall(SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
}

static long type_into_terminal(void)
{
    return syscall(SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x");
}

static long become_root(void)
{
    return syscall(SYS_setuid, 0);
}

static long newer_call(void)
{
    return syscall(1000);
}

/* What the thread is for has to go on. */
static long read_inside(void)
{
    struct target t;
    return open_path(below(&t, "PROBE_INSIDE", "there"), O_RDONLY);
}

static long write_inside(void)
{
    struct target t;
    return open_path(below(&t, "PROBE_INSIDE", "made"), O_WRONLY | O_CREAT);
}

static long write_state(void)
{
    struct target t;
    return open_path(below(&t, "PROBE_STATE", "made"), O_WRONLY | O_CREAT);
}

static const struct {
    const char *name;
    long (*run)(void);
} attempts[] = {
    {"open /etc/passwd", passwd},
    {"open /proc/self/mem", memory_of_process},
    {"list /", list_root},
    {"make outside", make_outside},
    {"write outside", write_outside},
    {"remove outside", remove_outside},
    {"rename out", rename_out},
    {"rename in", rename_in},
    {"link in", link_in},
    {"symlink inside", symlink_inside},
    {"device inside", device_inside},
    {"chmod outside", chmod_outside},
    {"times outside", times_outside},
    {"execve", run_program},
    {"clone", start_process},
    {"ptrace", trace_parent},
    {"process_vm_readv", memory_of_parent},
    {"kill", signal_parent},
    {"socket", make_socket},
    {"connect", connect_out},
    {"bind", bind_port},
    {"mmap exec", code_in_memory},
    {"mprotect exec", memory_to_code},
    {"ioctl TIOCSTI", type_into_terminal},
    {"setuid", become_root},
    {"call 1000", newer_call},
    {"read inside", read_inside},
    {"write inside", write_inside},
    {"write state", write_state},
};

/* One write for each line: several threads speak at once. */
static void say(const char *thread, const char *name, long result, int error)
{
    char line[256];
    int len;

    if (result == -1)
        len = snprintf(line, sizeof line, "httpd: probe: %s: %s: refused (%d)\n", thread, name,
                       error);
    else
        len = snprintf(line, sizeof line, "httpd: probe: %s: %s: done\n", thread, name);
    if (len > 0 && write(STDERR_FILENO, line, (size_t)len) == -1)
        return;
}

/* PROBE_ONLY=|execve|bind| names some; without it all are tried. */
static bool is_wanted(const char *name)
{
    const char *only = getenv("PROBE_ONLY");
    char word[64];

    snprintf(word, sizeof word, "|%s|", name);
    return only == NULL || strstr(only, word) != NULL;
}

void probe_run(const char *thread)
{
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
        if (!is_wanted(attempts[i].name))
            continue;
        long result = attempts[i].run();
        say(thread, attempts[i].name, result, errno);
    }
}
