#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/landlock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * <top>/in is allowed, as each row says, <top>/out is not; each holds a file and a directory. A row
 * is tried by a child, which goes in for good and ends with the errno.
 */
enum { OK = 0, NOT_ENTERED = 250 };

struct tree {
    char top[64];
};

static void at(const struct tree *t, const char *name, char path[static 256])
{
    snprintf(path, 256, "%s/%s", t->top, name);
}

static void make(const struct tree *t, const char *name, bool directory)
{
    char path[256];

    at(t, name, path);
    if (directory) {
        assert_int_equal(mkdir(path, 0700), 0);
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_not_equal(fd, -1);
    close(fd);
}

static int open_error(const char *path, int flags)
{
    return open(path, flags, 0600) == -1 ? errno : OK;
}

static int try_reading(const struct tree *t)
{
    char path[256];
    at(t, "in/file", path);
    return open_error(path, O_RDONLY);
}

static int try_listing(const struct tree *t)
{
    char path[256];
    at(t, "in/dir", path);
    return open_error(path, O_RDONLY | O_DIRECTORY);
}

static int try_writing(const struct tree *t)
{
    char path[256];
    at(t, "in/file", path);
    return open_error(path, O_WRONLY | O_APPEND);
}

static int try_making(const struct tree *t)
{
    char path[256];
    at(t, "in/dir/new", path);
    return open_error(path, O_WRONLY | O_CREAT | O_EXCL);
}

static int try_removing(const struct tree *t)
{
    char path[256];
    at(t, "in/gone", path);
    return unlink(path) == -1 ? errno : OK;
}

static int try_moving(const struct tree *t)
{
    char from[256], to[256];
    at(t, "in/moved", from);
    at(t, "in/dir/moved", to);
    return rename(from, to) == -1 ? errno : OK;
}

static int try_reading_outside(const struct tree *t)
{
    char path[256];
    at(t, "out/file", path);
    return open_error(path, O_RDONLY);
}

static int try_making_outside(const struct tree *t)
{
    char path[256];
    at(t, "out/new", path);
    return open_error(path, O_WRONLY | O_CREAT);
}

static int try_moving_out(const struct tree *t)
{
    char from[256], to[256];
    at(t, "in/file", from);
    at(t, "out/moved", to);
    return rename(from, to) == -1 ? errno : OK;
}

static int try_executing(const struct tree *t)
{
    char *const none[] = {NULL};
    (void)t;
    execve("/bin/true", none, none);
    return errno;
}

static int try_connecting(const struct tree *t)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)t;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, (const struct sockaddr *)&to, sizeof to) == -1 ? errno : OK;
}

static int try_binding(const struct tree *t)
{
    struct sockaddr_in here = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)t;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return bind(fd, (const struct sockaddr *)&here, sizeof here) == -1 ? errno : OK;
}

static int try_signalling(const struct tree *t)
{
    (void)t;
    return kill(getppid(), 0) == -1 ? errno : OK;
}

struct row {
    int (*attempt)(const struct tree *);
    unsigned abi; /* which knows it */
    enum landlock_need need;
    int error;
    const char *why;
};

static int try_row(const struct tree *t, const struct row *row)
{
    char path[256];
    int status;
    pid_t child;

    at(t, "in", path);
    child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        unsigned abi = landlock_abi();
        int ruleset = landlock_open(abi);
        if (ruleset == -1 || !landlock_allow_path(ruleset, abi, path, row->need) ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || !landlock_enter(ruleset))
            _exit(NOT_ENTERED);
        _exit(row->attempt(t));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void rules_hold(void **state)
{
    static const struct row rows[] = {
        {try_reading, 1, LANDLOCK_READ, OK, "READ reads"},
        {try_listing, 1, LANDLOCK_READ, OK, "READ lists"},
        {try_writing, 1, LANDLOCK_READ, EACCES, "READ writes nothing"},
        {try_making, 1, LANDLOCK_READ, EACCES, "READ makes nothing"},
        {try_removing, 1, LANDLOCK_READ, EACCES, "READ removes nothing"},
        {try_moving, 2, LANDLOCK_READ, EACCES, "READ moves nothing"},
        {try_reading, 1, LANDLOCK_FILES, OK, "FILES reads"},
        {try_listing, 1, LANDLOCK_FILES, EACCES, "FILES lists nothing"},
        {try_writing, 1, LANDLOCK_APPEND, OK, "APPEND writes"},
        {try_making, 1, LANDLOCK_APPEND, OK, "APPEND makes files"},
        {try_reading, 1, LANDLOCK_APPEND, EACCES, "APPEND reads nothing"},
        {try_removing, 1, LANDLOCK_APPEND, EACCES, "APPEND removes nothing"},
        {try_removing, 1, LANDLOCK_REMOVE, OK, "REMOVE removes"},
        {try_reading, 1, LANDLOCK_REMOVE, EACCES, "REMOVE reads nothing"},
        {try_reading, 1, LANDLOCK_CHANGE, OK, "CHANGE reads"},
        {try_writing, 1, LANDLOCK_CHANGE, OK, "CHANGE writes"},
        {try_moving, 2, LANDLOCK_CHANGE, OK, "CHANGE moves to another directory"},
        {try_reading_outside, 1, LANDLOCK_CHANGE, EACCES, "nothing is read outside"},
        {try_making_outside, 1, LANDLOCK_CHANGE, EACCES, "nor made"},
        {try_moving_out, 2, LANDLOCK_CHANGE, EACCES, "nor moved out"},
        {try_executing, 1, LANDLOCK_CHANGE, EACCES, "nor run"},
        {try_connecting, 4, LANDLOCK_CHANGE, EACCES, "no connection (ABI 4)"},
        {try_binding, 4, LANDLOCK_CHANGE, EACCES, "no port (ABI 4)"},
        {try_signalling, 6, LANDLOCK_CHANGE, EPERM, "no signal (ABI 6)"},
    };
    static const char *const left[] = {
        "in/dir/new", "in/dir/moved", "in/moved", "in/file", "in/gone",
        "in/dir",     "in",           "out/file", "out",     ""};
    struct tree t = {"/tmp/test-landlock.XXXXXX"};

    (void)state;
    if (landlock_abi() < LANDLOCK_ABI_LEAST)
        skip();
    assert_non_null(mkdtemp(t.top));
    make(&t, "in", true);
    make(&t, "in/dir", true);
    make(&t, "in/file", false);
    make(&t, "in/moved", false);
    make(&t, "in/gone", false);
    make(&t, "out", true);
    make(&t, "out/file", false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (landlock_abi() < rows[i].abi)
            continue;
        int got = try_row(&t, &rows[i]);
        if (got != rows[i].error)
            fail_msg("%s: %d, not %d", rows[i].why, got, rows[i].error);
    }
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        char path[256];
        at(&t, left[i], path);
        remove(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
