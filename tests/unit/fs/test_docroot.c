#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/docroot.h"

#include "unit/fs/tree.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/sysmacros.h>
#include <time.h>

#define NAME_5   "nnnnn"
#define NAME_50  NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5
#define NAME_255 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50 NAME_5
#define NAME_256 NAME_255 "n"

enum { DEEP_LEVELS = 300, CHAIN_LINKS = 40 };

struct fixture {
    struct tree tree;
    struct docroot root;
    char deep[2 * DEEP_LEVELS + 2]; /* "d/d/.../d" */
};

static void make_chain(const struct tree *t)
{
    char name[16];
    char target[16];

    /* chain1 is a link to hello; chainN needs N links to get there. */
    tree_link(t, "chain1", "hello");
    for (int i = 2; i <= CHAIN_LINKS + 1; i++) {
        snprintf(name, sizeof(name), "chain%d", i);
        snprintf(target, sizeof(target), "chain%d", i - 1);
        tree_link(t, name, target);
    }
}

static void make_deep(struct fixture *f)
{
    int at = dup(f->tree.fd);

    for (int i = 0; i < DEEP_LEVELS; i++) {
        int next;

        assert_int_equal(mkdirat(at, "d", 0755), 0);
        next = openat(at, "d", O_RDONLY | O_DIRECTORY);
        assert_int_not_equal(next, -1);
        close(at);
        at = next;
        memcpy(f->deep + 2 * i, "d/", 3);
    }
    f->deep[2 * DEEP_LEVELS - 1] = '\0';
    close(at);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct tree *t = &f->tree;

    tree_make(t);
    tree_file(t, "hello", "hello\n");
    tree_file(t, "empty", "");
    tree_directory(t, "dir");
    tree_directory(t, "dir/sub");
    tree_file(t, "dir/sub/file", "12345");
    tree_file(t, "../outside/secret", "secret");
    tree_file(t, NAME_255, "long");
    tree_link(t, "to-hello", "hello");
    tree_link(t, "to-dir", "dir");
    tree_link(t, "to-dir-slash", "dir/");
    tree_link(t, "to-file-slash", "hello/");
    tree_link(t, "to-root", ".");
    tree_directory(t, ".httpd");
    tree_directory(t, ".httpd/uploads");
    tree_file(t, ".httpd/key", "secret");
    tree_link(t, "to-own", ".httpd");
    tree_link(t, "to-own-file", "dir/../.httpd//key");
    tree_link(t, "to-own-inside", "./.httpd/uploads");
    tree_link(t, "dir/up-own", "../to-own");
    tree_directory(t, ".release");
    tree_file(t, ".release/file", "12345");
    tree_directory(t, "dir/.httpd");
    tree_file(t, "dir/.httpd/file", "12345");
    tree_link(t, "to-release", ".release");
    tree_link(t, "to-other", "dir/.httpd");
    tree_link(t, "dir/up", "..");
    tree_link(t, "dir/up-file", "../hello");
    tree_link(t, "dir/sub/round", "../../to-dir/./sub/../sub/file");
    tree_link(t, "dir/sub/too-far", "../../..");
    tree_link(t, "dir/sub/too-far-and-back", "../../../root/hello");
    tree_link(t, "out", "../outside");
    tree_link(t, "out-file", "../outside/secret");
    tree_link(t, "absolute", "/etc/passwd");
    tree_link(t, "slash", "/");
    tree_link(t, "absolute-inside", t->root);
    tree_link(t, "proc", "/proc/self/root");
    tree_link(t, "dangling", "nothing");
    tree_link(t, "loop", "loop");
    tree_link(t, "ping", "pong");
    tree_link(t, "pong", "ping");
    tree_fifo(t, "fifo");
    tree_link(t, "to-fifo", "fifo");
    tree_socket(t, "socket");
    make_chain(t);
    make_deep(f);
    assert_int_equal(docroot_open(&f->root, t->root), FS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    docroot_close(&f->root);
    tree_remove(&f->tree);
    free(f);
    return 0;
}

/* A directory's expected size is 0, as the contract says. */
static const struct {
    const char *path;
    enum fs_result result;
    bool directory;
    uint64_t size;
    const char *why;
} lookups[] = {
    {"", FS_OK, true, 0, "the root itself"},
    {"hello", FS_OK, false, 6, "a file"},
    {"empty", FS_OK, false, 0, "an empty file"},
    {"dir", FS_OK, true, 0, "a directory"},
    {"dir/sub/file", FS_OK, false, 5, "a file further down"},
    {"nothing", FS_NOT_FOUND, false, 0, "nothing there"},
    {"nothing/nothing", FS_NOT_FOUND, false, 0, "nothing there, in nothing"},
    {"hello/file", FS_NOT_FOUND, false, 0, "through a file"},
    {NAME_255, FS_OK, false, 4, "the longest name"},
    {NAME_256, FS_NAME_TOO_LONG, false, 0, "one byte more"},
    {"dir/" NAME_256, FS_NAME_TOO_LONG, false, 0, "one byte more, further down"},
    {"to-hello", FS_OK, false, 6, "a link to a file"},
    {"to-dir", FS_OK, true, 0, "a link to a directory"},
    {"to-dir-slash", FS_OK, true, 0, "a link with a slash at its end"},
    {"to-dir-slash/sub/file", FS_OK, false, 5, "through it"},
    {"to-file-slash", FS_NOT_FOUND, false, 0, "a slash asks for a directory"},
    {"to-root", FS_OK, true, 0, "a link to the root is inside"},
    {"to-root/hello", FS_OK, false, 6, "and through it"},
    {"to-dir/sub/file", FS_OK, false, 5, "through a link"},
    {"to-own", FS_NOT_FOUND, false, 0, "a link to what is the server's own"},
    {"to-own/key", FS_NOT_FOUND, false, 0, "through it"},
    {"to-own-file", FS_NOT_FOUND, false, 0, "to a file in it"},
    {"to-own-inside", FS_NOT_FOUND, false, 0, "to a directory in it"},
    {"dir/up-own/key", FS_NOT_FOUND, false, 0, "by way of another link"},
    {"to-release/file", FS_OK, false, 5, "other hidden names can be linked to on purpose"},
    {"to-other/file", FS_OK, false, 5, "it is the one at the top that is closed"},
    {"dir/up", FS_OK, true, 0, "up to the root is still inside"},
    {"dir/up/hello", FS_OK, false, 6, "through the root"},
    {"dir/up/dir/up/dir/sub/file", FS_OK, false, 5, "up and down again"},
    {"dir/up-file", FS_OK, false, 6, "a link to a file further up"},
    {"dir/sub/round", FS_OK, false, 5, "dots and links inside a link"},
    {"dir/sub/too-far", FS_NOT_FOUND, false, 0, "above the root"},
    {"dir/sub/too-far/outside/secret", FS_NOT_FOUND, false, 0, "through above the root"},
    {"dir/sub/too-far-and-back", FS_NOT_FOUND, false, 0, "out and in again is out"},
    {"out", FS_NOT_FOUND, false, 0, "a link out"},
    {"out/secret", FS_NOT_FOUND, false, 0, "through a link out"},
    {"out-file", FS_NOT_FOUND, false, 0, "a link to a file outside"},
    {"absolute", FS_NOT_FOUND, false, 0, "an absolute link"},
    {"slash", FS_NOT_FOUND, false, 0, "a link to /"},
    {"slash/etc/passwd", FS_NOT_FOUND, false, 0, "through a link to /"},
    {"absolute-inside", FS_NOT_FOUND, false, 0, "/ is outside, wherever the way leads then"},
    {"proc/etc/passwd", FS_NOT_FOUND, false, 0, "through /proc"},
    {"dangling", FS_NOT_FOUND, false, 0, "a link to nothing"},
    {"loop", FS_NOT_FOUND, false, 0, "a link to itself"},
    {"loop/file", FS_NOT_FOUND, false, 0, "through a link to itself"},
    {"ping", FS_NOT_FOUND, false, 0, "two links to each other"},
    {"chain40", FS_OK, false, 6, "as many links as are allowed"},
    {"chain41", FS_NOT_FOUND, false, 0, "one link more"},
    {"fifo", FS_NOT_SERVED, false, 0, "a FIFO without a writer must not block"},
    {"to-fifo", FS_NOT_SERVED, false, 0, "nor behind a link"},
    {"socket", FS_NOT_SERVED, false, 0, "a socket cannot be opened"},
};

static void check_lookup(const struct docroot *root, const char *path, enum fs_result result,
                         bool directory, uint64_t size, const char *why)
{
    struct file opened;
    struct file described;
    enum fs_result lookup = docroot_lookup(root, path, &opened);
    enum fs_result stat = docroot_stat(root, path, &described);

    if (lookup != result || stat != result)
        fail_msg("%s (%s, walk %d): lookup says %s, stat says %s", path, why, root->walk,
                 fs_result_text(lookup), fs_result_text(stat));
    assert_int_equal(described.fd, -1);
    if (result != FS_OK) {
        assert_int_equal(opened.fd, -1);
        return;
    }
    assert_true(opened.fd >= 0);
    assert_true(fcntl(opened.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(opened.directory, directory);
    assert_int_equal(opened.size, size);
    close(opened.fd);
    assert_int_equal(opened.inode, described.inode);
    assert_int_equal(opened.directory, described.directory);
    assert_int_equal(opened.size, described.size);
    assert_int_equal(opened.mtime_ns, described.mtime_ns);
    assert_int_equal(opened.mode, described.mode);
}

static void finds_what_is_inside(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
        for (int walk = 0; walk < 2; walk++) {
            f->root.walk = walk == 1;
            check_lookup(&f->root, lookups[i].path, lookups[i].result, lookups[i].directory,
                         lookups[i].size, lookups[i].why);
        }
    }
}

static void finds_deep_and_refuses_endless_paths(void **state)
{
    struct fixture *f = *state;
    char endless[PATH_MAX + 1];

    for (size_t i = 0; i < sizeof(endless); i++)
        endless[i] = i % 2 == 0 ? 'd' : '/';
    endless[PATH_MAX] = '\0';
    for (int walk = 0; walk < 2; walk++) {
        f->root.walk = walk == 1;
        check_lookup(&f->root, f->deep, FS_OK, true, 0, "300 levels");
        check_lookup(&f->root, endless, FS_NAME_TOO_LONG, false, 0, "longer than PATH_MAX");
    }
}

static void facts_are_those_of_the_file(void **state)
{
    struct fixture *f = *state;
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 784111777, .tv_nsec = 123456789}};
    struct file file;
    struct stat st;

    assert_int_equal(utimensat(f->tree.fd, "hello", times, 0), 0);
    assert_int_equal(fstatat(f->tree.fd, "hello", &st, 0), 0);
    assert_int_equal(docroot_stat(&f->root, "hello", &file), FS_OK);
    assert_int_equal(file.inode, st.st_ino);
    assert_int_equal(file.mode, st.st_mode);
    assert_int_equal(file.mtime_s, 784111777);
    assert_int_equal(file.mtime_ns, INT64_C(784111777123456789));
}

static void devices_are_not_served(void **state)
{
    struct fixture *f = *state;

    if (mknodat(f->tree.fd, "null", S_IFCHR | 0666, makedev(1, 3)) == -1) {
        print_message("skipped: may not make a device (%d)\n", errno);
        skip();
    }
    for (int walk = 0; walk < 2; walk++) {
        f->root.walk = walk == 1;
        check_lookup(&f->root, "null", FS_NOT_SERVED, false, 0, "a device");
    }
}

static void links_of_proc_do_not_jump(void **state)
{
    static const char *const paths[] = {"exe", "cwd", "root", "root/etc/passwd", "fd/0"};
    struct docroot root;

    (void)state;
    assert_int_equal(docroot_open(&root, "/proc/self"), FS_OK);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (int walk = 0; walk < 2; walk++) {
            root.walk = walk == 1;
            check_lookup(&root, paths[i], FS_NOT_FOUND, false, 0, "a link of /proc");
        }
    }
    docroot_close(&root);
}

static void both_functions_respect_permissions(void **state)
{
    struct fixture *f = *state;
    const uid_t nobody = 65534;

    if (geteuid() != 0) {
        print_message("skipped: only root can become somebody else and back\n");
        skip();
    }
    assert_int_equal(chmod(f->tree.top, 0755), 0);
    assert_int_equal(fchmodat(f->tree.fd, "hello", 0600, 0), 0);
    assert_int_equal(fchmodat(f->tree.fd, "dir", 0700, 0), 0);
    assert_int_equal(seteuid(nobody), 0);
    for (int walk = 0; walk < 2; walk++) {
        f->root.walk = walk == 1;
        check_lookup(&f->root, "hello", FS_DENIED, false, 0, "not readable");
        check_lookup(&f->root, "to-hello", FS_DENIED, false, 0, "not readable, behind a link");
        check_lookup(&f->root, "dir", FS_DENIED, true, 0, "a directory not readable");
        check_lookup(&f->root, "dir/sub/file", FS_DENIED, false, 0, "not to be entered");
    }
    assert_int_equal(seteuid(0), 0);
}

static const struct {
    const char *path;
    enum fs_result result;
    const char *holds; /* a member of the directory that is opened */
    const char *name;
    const char *why;
} parents[] = {
    {"", FS_IS_DIRECTORY, NULL, "", "the root has no parent"},
    {"new", FS_OK, "hello", "new", "in the root"},
    {"dir/sub/new", FS_OK, "file", "new", "further down"},
    {"to-dir/new", FS_OK, "sub", "new", "through a link"},
    {"dir/up/new", FS_OK, "hello", "new", "through a link up"},
    {"out-file", FS_OK, "hello", "out-file", "the last component is not followed"},
    {"nothing/new", FS_NO_PARENT, NULL, "new", "no such directory"},
    {"nothing/more/new", FS_NO_PARENT, NULL, "new", "nor the one above it"},
    {"dangling/new", FS_NO_PARENT, NULL, "new", "what a link leads to is not there"},
    {"hello/new", FS_NOT_DIRECTORY, NULL, "new", "a file is no directory"},
    {"hello/more/new", FS_NOT_DIRECTORY, NULL, "new", "nor further up"},
    {"fifo/new", FS_NOT_DIRECTORY, NULL, "new", "nor is a FIFO"},
    {"out/new", FS_NOT_FOUND, NULL, "new", "a link out"},
    {"to-own/new", FS_NOT_FOUND, NULL, "new", "a link to what is the server's own"},
    {"dir/up-own/uploads/new", FS_NOT_FOUND, NULL, "new", "and further down in it"},
    {"to-release/new", FS_NOT_FOUND, NULL, "new", "what is hidden is read through a link only"},
    {"to-other/new", FS_NOT_FOUND, NULL, "new", "wherever it is"},
    {"dir/up/to-release/new", FS_NOT_FOUND, NULL, "new", "whatever the way"},
    {"slash/new", FS_NOT_FOUND, NULL, "new", "a link to /"},
    {"dir/sub/too-far/new", FS_NOT_FOUND, NULL, "new", "a link above the root"},
    {"loop/new", FS_NOT_FOUND, NULL, "new", "a loop"},
    {NAME_256 "/new", FS_NAME_TOO_LONG, NULL, "new", "a name too long"},
};

static void opens_parents(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < 2 * sizeof(parents) / sizeof(parents[0]); i++) {
        const char *path = parents[i / 2].path;
        const char *name;
        int fd;
        enum fs_result result;

        f->root.walk = i % 2 == 1;
        result = docroot_parent(&f->root, path, &fd, &name);
        if (result != parents[i / 2].result)
            fail_msg("%s (%s): %s", path, parents[i / 2].why, fs_result_text(result));
        assert_string_equal(name, parents[i / 2].name);
        assert_true(name >= path && name <= path + strlen(path));
        assert_int_equal(fd != -1, result == FS_OK);
        if (fd != -1) {
            assert_int_equal(faccessat(fd, parents[i / 2].holds, F_OK, AT_SYMLINK_NOFOLLOW), 0);
            close(fd);
        }
    }
}

static const struct {
    const char *path;
    enum fs_result result;
    unsigned made;
    const char *stands; /* a directory that is there afterwards */
    const char *why;
} made_parents[] = {
    {"", FS_IS_DIRECTORY, 0, NULL, "the root has no parent"},
    {"new", FS_OK, 0, NULL, "nothing to make"},
    {"dir/sub/new", FS_OK, 0, NULL, "nothing to make further down"},
    {"m1/new", FS_OK, 1, "m1", "one directory"},
    {"m1/new", FS_OK, 0, "m1", "already made"},
    {"m1/m2/m3/m4/new", FS_OK, 3, "m1/m2/m3/m4", "three more"},
    {"to-dir/m1/m2/new", FS_OK, 2, "dir/m1/m2", "through a link"},
    {"hello/m1/new", FS_NOT_DIRECTORY, 0, NULL, "a file is in the way"},
    {"u1/u2/.hidden/new", FS_NOT_FOUND, 0, NULL, "names with a dot are not made"},
    {"u1/u2/" NAME_256 "/new", FS_NAME_TOO_LONG, 0, NULL, "what was made is removed again"},
    {"dir/u1/.hidden/new", FS_NOT_FOUND, 0, NULL, "but not what was there before"},
    {".hidden/new", FS_NOT_FOUND, 0, NULL, "names with a dot are not made"},
    {"out/m1/new", FS_NOT_FOUND, 0, NULL, "a link out"},
    {"slash/tmp/m1/new", FS_NOT_FOUND, 0, NULL, "a link to /"},
    {"dir/sub/too-far/m1/new", FS_NOT_FOUND, 0, NULL, "a link above the root"},
    {"dangling/new", FS_NOT_FOUND, 0, NULL, "a dangling link is not made true"},
    {"loop/m1/new", FS_NOT_FOUND, 0, NULL, "a loop"},
    {"m1/" NAME_256 "/new", FS_NAME_TOO_LONG, 0, NULL, "a name too long"},
};

static void makes_parents(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(made_parents) / sizeof(made_parents[0]); i++) {
        const char *path = made_parents[i].path;
        const char *name;
        unsigned made;
        int fd;
        enum fs_result result = docroot_make_parent(&f->root, path, &fd, &name, &made);

        if (result != made_parents[i].result || made != made_parents[i].made)
            fail_msg("%s (%s): %s, made %u", path, made_parents[i].why, fs_result_text(result),
                     made);
        assert_int_equal(fd != -1, result == FS_OK);
        if (made_parents[i].stands != NULL)
            assert_int_equal(faccessat(f->tree.fd, made_parents[i].stands, X_OK, 0), 0);
        if (fd != -1)
            close(fd);
    }
    assert_int_equal(faccessat(f->tree.fd, "../outside/m1", F_OK, 0), -1);
    assert_int_equal(faccessat(f->tree.fd, "u1", F_OK, 0), -1);
    assert_int_equal(faccessat(f->tree.fd, "dir/u1", F_OK, 0), -1);
    assert_int_equal(faccessat(f->tree.fd, "dir", F_OK, 0), 0);
    assert_int_equal(faccessat(f->tree.fd, "nothing", F_OK, 0), -1);
}

static void makes_parents_walking(void **state)
{
    struct fixture *f = *state;

    f->root.walk = true;
    makes_parents(state);
}

static void open_says_why_not(void **state)
{
    struct fixture *f = *state;
    struct docroot root;
    char path[128];

    snprintf(path, sizeof(path), "%s/hello", f->tree.root);
    assert_int_equal(docroot_open(&root, path), FS_NOT_DIRECTORY);
    assert_int_equal(root.fd, -1);
    snprintf(path, sizeof(path), "%s/nothing", f->tree.root);
    assert_int_equal(docroot_open(&root, path), FS_NOT_FOUND);
    assert_int_equal(root.fd, -1);
    docroot_close(&root);
}

/* In the sandbox nothing could be opened in the new one. */
static void stays_with_the_directory_it_is_bound_to(void **state)
{
    struct fixture *f = *state;
    char aside[128], other[128];
    const char *name;
    struct file file;
    int fd;

    docroot_bind(&f->root);
    assert_int_equal(docroot_refresh(&f->root), FS_OK);
    snprintf(aside, sizeof(aside), "%s/aside", f->tree.top);
    snprintf(other, sizeof(other), "%s/other", f->tree.top);
    assert_int_equal(rename(f->tree.root, aside), 0);
    assert_int_equal(docroot_refresh(&f->root), FS_NOT_FOUND);
    check_lookup(&f->root, "hello", FS_NOT_FOUND, false, 0, "nothing stands in its place");

    assert_int_equal(mkdir(f->tree.root, 0755), 0);
    assert_int_equal(docroot_refresh(&f->root), FS_REPLACED);
    assert_int_equal(docroot_refresh(&f->root), FS_REPLACED);
    check_lookup(&f->root, "hello", FS_REPLACED, false, 0, "another directory is not read");
    assert_int_equal(docroot_stat(&f->root, "hello", &file), FS_REPLACED);
    assert_int_equal(docroot_parent(&f->root, "hello", &fd, &name), FS_REPLACED);
    assert_int_equal(fd, -1);

    assert_int_equal(rename(f->tree.root, other), 0);
    assert_int_equal(docroot_refresh(&f->root), FS_NOT_FOUND);
    check_lookup(&f->root, "hello", FS_NOT_FOUND, false, 0, "the other one is gone too");
    assert_int_equal(rename(aside, f->tree.root), 0);
    assert_int_equal(docroot_refresh(&f->root), FS_OK);
    check_lookup(&f->root, "hello", FS_OK, false, 6, "the old one is back");
    assert_int_equal(rmdir(other), 0);
}

/* As when the disk has an error, or there is no memory for the look: nothing was seen to be gone.
 */
static void stays_when_it_cannot_look(void **state)
{
    struct fixture *f = *state;
    const char *path = f->root.path;
    char too_long[300];

    memset(too_long, 'x', sizeof too_long);
    too_long[0] = '/';
    too_long[sizeof too_long - 1] = '\0';
    f->root.path = too_long;
    assert_int_equal(docroot_refresh(&f->root), FS_NAME_TOO_LONG);
    check_lookup(&f->root, "hello", FS_OK, false, 6, "the directory that is open serves on");
    f->root.path = path;
    assert_int_equal(docroot_refresh(&f->root), FS_OK);
}

static void moves_over_to_a_replaced_docroot(void **state)
{
    struct fixture *f = *state;
    char aside[128];
    struct file file;
    int before = f->root.fd;

    assert_int_equal(docroot_refresh(&f->root), FS_OK);
    assert_int_equal(f->root.fd, before);

    snprintf(aside, sizeof(aside), "%s/aside", f->tree.top);
    assert_int_equal(rename(f->tree.root, aside), 0);
    assert_int_equal(docroot_refresh(&f->root), FS_NOT_FOUND);
    check_lookup(&f->root, "hello", FS_NOT_FOUND, false, 0, "nothing stands in its place");

    assert_int_equal(mkdir(f->tree.root, 0755), 0);
    assert_int_equal(docroot_refresh(&f->root), FS_OK);
    check_lookup(&f->root, "hello", FS_NOT_FOUND, false, 0, "the new one is empty");
    assert_int_equal(docroot_stat(&f->root, "", &file), FS_OK);
    assert_int_equal(file.inode, f->root.inode);
}

/* A thread exchanges a directory, and a file, for a link that leads out, all the time. */
struct exchanger {
    int fd;
    atomic_bool stop;
};

static void *exchange(void *argument)
{
    struct exchanger *e = argument;

    while (!atomic_load(&e->stop)) {
        renameat2(e->fd, "dir", e->fd, "trap", RENAME_EXCHANGE);
        renameat2(e->fd, "leaf", e->fd, "leaf-trap", RENAME_EXCHANGE);
    }
    return NULL;
}

static void a_race_does_not_lead_out(void **state)
{
    struct fixture *f = *state;
    struct exchanger e = {.fd = f->tree.fd};
    unsigned found = 0;
    unsigned lost = 0;
    pthread_t thread;

    tree_file(&f->tree, "dir/secret", "public");
    tree_link(&f->tree, "trap", "../outside");
    tree_file(&f->tree, "leaf", "public");
    tree_link(&f->tree, "leaf-trap", "../outside/secret");
    tree_file(&f->tree, "../outside/secret", "not for the public");
    assert_int_equal(pthread_create(&thread, NULL, exchange, &e), 0);
    for (int i = 0; i < 40000; i++) {
        struct file file;

        f->root.walk = i % 2 == 1;
        if (docroot_lookup(&f->root, i % 4 < 2 ? "dir/secret" : "leaf", &file) == FS_OK) {
            assert_int_equal(file.size, strlen("public"));
            close(file.fd);
            found++;
        } else {
            lost++;
        }
    }
    atomic_store(&e.stop, true);
    pthread_join(thread, NULL);
    assert_true(found > 0);
    assert_true(lost > 0);
}

#define AT(s, ns) (INT64_C(s) * 1000000000 + (ns))

static void knows_what_may_change_unseen(void **state)
{
    static const struct {
        int64_t mtime_ns;
        int64_t set_ns; /* ctime less mtime: 0 as a write leaves them */
        int64_t now_ns;
        bool racy;
        const char *why;
    } rows[] = {
        {AT(1000, 5), 0, AT(1000, 5), true, "this very moment"},
        {AT(1000, 5), 0, AT(1000, 9999999), true, "within one tick of 100 Hz"},
        {AT(1000, 5), 0, AT(1000, 50000000), false, "ticks ago"},
        {AT(1000, 0), 0, AT(1001, 500000000), true, "a time in whole seconds may be FAT's, of two"},
        {AT(1000, 0), 0, AT(1002, 0), false, "two seconds are over"},
        {AT(1010, 5), 0, AT(1000, 5), true, "the file server's clock is ahead of ours"},
        {AT(90000, 5), 0, AT(1000, 5), false, "a time set on purpose"},
        {AT(-5, 0), 0, AT(1000, 0), false, "before 1970"},
        {AT(1000, 5), -3, AT(1000, 5), false, "set when the kernel's clock was behind it"},
        {AT(1000, 5), 4000000, AT(1000, 4000005), false, "renamed a tick after the last write"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct file file = {
            .fd = -1,
            .mtime_ns = rows[i].mtime_ns,
            .ctime_ns = rows[i].mtime_ns + rows[i].set_ns,
        };

        if (file_is_racy(&file, rows[i].now_ns) != rows[i].racy)
            fail_msg("%s", rows[i].why);
    }
}

static void knows_what_is_settled(void **state)
{
    static const struct {
        int64_t ctime_ns;
        int64_t now_ns;
        bool settled;
        const char *why;
    } rows[] = {
        {AT(1000, 5), AT(1000, 5), false, "this very moment"},
        {AT(1000, 5), AT(1000, 19999999), false, "within two ticks of 100 Hz"},
        {AT(1000, 5), AT(1000, 20000005), true, "ticks ago"},
        {AT(1000, 0), AT(1001, 999999999), false, "a time in whole seconds may be FAT's, of two"},
        {AT(1000, 0), AT(1002, 0), true, "two seconds are over"},
        {AT(1010, 5), AT(1000, 5), false, "in the future: nothing can be said"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* The mtime can be set to anything, and must not matter. */
        struct file file = {.fd = -1, .mtime_ns = 7, .ctime_ns = rows[i].ctime_ns};

        if (file_is_settled(&file, rows[i].now_ns) != rows[i].settled)
            fail_msg("%s", rows[i].why);
    }
}

/* Waits until a change would bear another time. */
static void rest(void)
{
    const struct timespec two_ticks = {.tv_nsec = 20 * 1000 * 1000};

    assert_int_equal(nanosleep(&two_ticks, NULL), 0);
}

static void notices_every_change(void **state)
{
    struct fixture *f = *state;
    struct file file;
    struct file directory;
    struct file root;
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};

    tree_directory(&f->tree, "w");
    tree_file(&f->tree, "w/a", "one");
    tree_file(&f->tree, "w/b", "one");
    assert_int_equal(docroot_stat(&f->root, "w/a", &file), FS_OK);
    assert_int_equal(docroot_stat(&f->root, "w", &directory), FS_OK);
    assert_int_equal(docroot_stat(&f->root, "", &root), FS_OK);
    assert_true(docroot_still(&f->root, "w/a", &file));
    assert_true(docroot_still(&f->root, "w", &directory));
    assert_true(docroot_still(&f->root, "", &root));
    assert_false(docroot_still(&f->root, "w/b", &file));
    assert_false(docroot_still(&f->root, "w/c", &file));

    rest();
    tree_file(&f->tree, "w/a", "two"); /* in place: the same inode and size */
    assert_int_equal(docroot_stat(&f->root, "w/a", &root), FS_OK);
    assert_int_equal(root.inode, file.inode);
    assert_false(docroot_still(&f->root, "w/a", &file));
    times[1] = (struct timespec){file.mtime_s, file.mtime_ns % 1000000000};
    assert_int_equal(utimensat(f->tree.fd, "w/a", times, 0), 0);
    assert_false(docroot_still(&f->root, "w/a", &file)); /* and with its old mtime */
    assert_true(docroot_still(&f->root, "w", &directory));

    rest();
    tree_file(&f->tree, "w/new", "");
    assert_false(docroot_still(&f->root, "w", &directory));

    assert_int_equal(docroot_stat(&f->root, "w/a", &file), FS_OK);
    rest();
    assert_int_equal(fchmodat(f->tree.fd, "w/a", 0600, 0), 0);
    assert_false(docroot_still(&f->root, "w/a", &file));
    assert_int_equal(docroot_stat(&f->root, "w/a", &file), FS_OK);
    assert_int_equal(unlinkat(f->tree.fd, "w/a", 0), 0);
    assert_false(docroot_still(&f->root, "w/a", &file));
}

static void knows_that_nothing_is_there(void **state)
{
    static const struct {
        const char *path;
        const char *directory; /* NULL: it cannot be told */
    } rows[] = {
        {"none", ""},         {"w/none", "w"},        {"w/e/none", "w/e"},
        {"w/none/deep", "w"}, {"no/w/e/f/g/h", ""},   {"w/through/none", "w/through"},
        {"w/file", NULL},     {"w/file/x", NULL},     {"w", NULL},
        {"w/dangling", NULL}, {"w/dangling/x", NULL}, {"w/out/none", NULL},
    };
    struct fixture *f = *state;

    tree_directory(&f->tree, "w");
    tree_directory(&f->tree, "w/e");
    tree_file(&f->tree, "w/file", "x");
    tree_link(&f->tree, "w/dangling", "nowhere");
    tree_link(&f->tree, "w/through", "e");
    tree_link(&f->tree, "w/out", "../../outside");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct file expected;
        struct file parent = FILE_NONE;
        size_t len = SIZE_MAX;
        bool absent = docroot_absent(&f->root, rows[i].path, &len, &parent);

        if (absent != (rows[i].directory != NULL))
            fail_msg("%s", rows[i].path);
        if (!absent)
            continue;
        assert_int_equal(len, strlen(rows[i].directory));
        assert_int_equal(docroot_stat(&f->root, rows[i].directory, &expected), FS_OK);
        assert_int_equal(parent.inode, expected.inode);
        assert_int_equal(parent.ctime_ns, expected.ctime_ns);
    }
}

static void every_result_has_its_own_words(void **state)
{
    (void)state;
    for (int a = FS_OK; a <= FS_IO; a++) {
        for (int b = FS_OK; b < a; b++)
            assert_string_not_equal(fs_result_text((enum fs_result)a),
                                    fs_result_text((enum fs_result)b));
    }
}

static void every_errno_has_its_word(void **state)
{
    static const struct {
        int error;
        enum fs_result result;
    } rows[] = {
        {ENOENT, FS_NOT_FOUND},
        {ENOTDIR, FS_NOT_FOUND},
        {ELOOP, FS_NOT_FOUND},
        {ENXIO, FS_NOT_SERVED},
        {EACCES, FS_DENIED},
        {EPERM, FS_DENIED},
        {EEXIST, FS_EXISTS},
        {ENOTEMPTY, FS_NOT_EMPTY},
        {EISDIR, FS_IS_DIRECTORY},
        {ENAMETOOLONG, FS_NAME_TOO_LONG},
        {EROFS, FS_READ_ONLY},
        {ENOSPC, FS_NO_SPACE},
        {EDQUOT, FS_NO_SPACE},
        {EFBIG, FS_TOO_LARGE},
        {EXDEV, FS_CROSS_DEVICE},
        {EMFILE, FS_NO_DESCRIPTORS},
        {ENFILE, FS_NO_DESCRIPTORS},
        {ENOMEM, FS_NO_MEMORY},
        {EIO, FS_IO},
        {EINTR, FS_IO},
        {EAGAIN, FS_IO},
        {12345, FS_IO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(fs_result_of_errno(rows[i].error), rows[i].result);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TREE(finds_what_is_inside),
        IN_TREE(finds_deep_and_refuses_endless_paths),
        IN_TREE(facts_are_those_of_the_file),
        IN_TREE(devices_are_not_served),
        cmocka_unit_test(links_of_proc_do_not_jump),
        IN_TREE(both_functions_respect_permissions),
        IN_TREE(opens_parents),
        IN_TREE(makes_parents),
        IN_TREE(makes_parents_walking),
        IN_TREE(open_says_why_not),
        IN_TREE(moves_over_to_a_replaced_docroot),
        IN_TREE(stays_when_it_cannot_look),
        IN_TREE(stays_with_the_directory_it_is_bound_to),
        IN_TREE(a_race_does_not_lead_out),
        cmocka_unit_test(knows_what_may_change_unseen),
        cmocka_unit_test(knows_what_is_settled),
        IN_TREE(notices_every_change),
        IN_TREE(knows_that_nothing_is_there),
        cmocka_unit_test(every_result_has_its_own_words),
        cmocka_unit_test(every_errno_has_its_word),
    };

    alarm(60); /* a lookup that blocks fails the test, it does not hang it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
