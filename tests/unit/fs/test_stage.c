#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/stage.h"
#include "fs/state.h"

#include "unit/fs/tree.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct fixture {
    struct tree tree;
    struct docroot root;
    struct state state;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    tree_make(&f->tree);
    assert_int_equal(docroot_open(&f->root, f->tree.root), FS_OK);
    assert_int_equal(state_open(&f->state, &f->root, NULL), FS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    state_close(&f->state);
    docroot_close(&f->root);
    tree_remove(&f->tree);
    free(f);
    return 0;
}

static unsigned count_uploads(const struct fixture *f)
{
    int fd = openat(f->tree.fd, ".httpd/uploads", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fdopendir(fd);
    const struct dirent *entry;
    unsigned count = 0;

    assert_non_null(directory);
    while ((entry = readdir(directory)) != NULL)
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(directory);
    return count;
}

static void sweep(const struct fixture *f, int64_t expired_s, unsigned expected_removed)
{
    unsigned removed = 0;
    uint64_t freed = 0;

    assert_int_equal(state_sweep(&f->state, expired_s, NULL, NULL, &removed, &freed), FS_OK);
    assert_int_equal(removed, expected_removed);
}

static uint64_t bytes_on_disk(const struct stage *stage)
{
    struct stat st;

    assert_int_equal(fstatat(stage->state->uploads_fd, stage->name, &st, 0), 0);
    assert_int_equal(st.st_size, stage->len);
    return (uint64_t)st.st_blocks * 512;
}

/* Not every file system can. */
static bool can_take_ahead(const struct stage *stage)
{
    return fallocate(stage->fd, FALLOC_FL_KEEP_SIZE, (off_t)stage->len, 1) == 0;
}

static void room_is_taken_ahead_and_given_back(void **state)
{
    enum { WHOLE = 64 << 20, MOST_AHEAD = 17 << 20, PART = 3 << 20 };
    struct fixture *f = *state;
    struct stage stage, again;
    char *part = calloc(1, PART);

    assert_int_equal(stage_open(&stage, &f->state, SPAN("ahead"), true), FS_OK);
    stage_expect(&stage, WHOLE);
    assert_int_equal(bytes_on_disk(&stage), 0); /* who only says that much will come */
    uint64_t ahead = 0;
    while (stage.len < WHOLE / 2 + PART) {
        assert_int_equal(stage_write(&stage, part, PART), FS_OK);
        uint64_t taken = bytes_on_disk(&stage);
        assert_true(taken <= stage.len + MOST_AHEAD);
        assert_true(taken <= 2 * stage.len + PART / 2);
        if (taken > stage.len + ahead)
            ahead = taken - stage.len;
    }
    if (can_take_ahead(&stage))
        assert_true(ahead > MOST_AHEAD / 2);
    uint64_t len = stage.len;
    again = stage;
    again.fd = -1;
    stage_keep(&stage);
    again.len = len;
    assert_true(bytes_on_disk(&again) < len + PART / 2);
    assert_int_equal(stage_open(&stage, &f->state, SPAN("ahead"), false), FS_OK);
    assert_int_equal(stage.len, len);
    stage_discard(&stage);
    free(part);
}

static void the_state_directory_is_private(void **state)
{
    static const char *const paths[] = {".httpd", ".httpd/uploads", ".httpd/transfers"};
    struct fixture *f = *state;
    struct state again;
    struct stat st;

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        assert_int_equal(fstatat(f->tree.fd, paths[i], &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0700);
    }
    assert_int_equal(fchmodat(f->tree.fd, ".httpd", 0755, 0), 0);
    assert_int_equal(state_open(&again, &f->root, NULL), FS_OK);
    assert_int_equal(fstatat(f->tree.fd, ".httpd", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    state_close(&again);
    state_close(&again);
}

static void the_state_directory_may_be_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct state elsewhere;
    char path[128];

    snprintf(path, sizeof(path), "%s/outside/state", f->tree.top);
    assert_int_equal(state_open(&elsewhere, &f->root, path), FS_OK);
    state_close(&elsewhere);
    assert_int_equal(faccessat(f->tree.fd, "../outside/state/uploads", F_OK, 0), 0);
    snprintf(path, sizeof(path), "%s/nothing/state", f->tree.top);
    assert_int_equal(state_open(&elsewhere, &f->root, path), FS_NOT_FOUND);
}

static void a_planted_link_is_not_taken_for_the_state_directory(void **state)
{
    struct fixture *f = *state;
    struct state other;

    assert_int_equal(renameat(f->tree.fd, ".httpd", f->tree.fd, "aside"), 0);
    tree_link(&f->tree, ".httpd", "../outside");
    assert_int_equal(state_open(&other, &f->root, NULL), FS_NOT_DIRECTORY);
    assert_int_equal(other.fd, -1);
    assert_int_equal(unlinkat(f->tree.fd, ".httpd", 0), 0);
    tree_file(&f->tree, ".httpd", "");
    assert_int_equal(state_open(&other, &f->root, NULL), FS_NOT_DIRECTORY);
    assert_int_equal(other.fd, -1);
}

static void another_file_system_is_refused(void **state)
{
    struct fixture *f = *state;
    struct state other;
    struct stat here;
    struct stat there;

    if (stat("/dev/shm", &there) == -1 || fstat(f->tree.fd, &here) == -1 ||
        here.st_dev == there.st_dev || access("/dev/shm", W_OK) == -1) {
        print_message("skipped: no second file system at /dev/shm\n");
        skip();
    }
    assert_int_equal(state_open(&other, &f->root, "/dev/shm/fs-test-state"), FS_CROSS_DEVICE);
    assert_int_equal(other.fd, -1);
    unlink("/dev/shm/fs-test-state/lock");
    rmdir("/dev/shm/fs-test-state/uploads");
    rmdir("/dev/shm/fs-test-state/transfers");
    assert_int_equal(rmdir("/dev/shm/fs-test-state"), 0);
}

static void what_may_not_be_written_is_reported(void **state)
{
    struct fixture *f = *state;
    struct state other;
    enum fs_result result;

    if (geteuid() != 0) {
        print_message("skipped: only root can become somebody else and back\n");
        skip();
    }
    assert_int_equal(chmod(f->tree.top, 0755), 0);
    assert_int_equal(seteuid(65534), 0);
    result = state_open(&other, &f->root, NULL);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(result, FS_DENIED);
}

static void bytes_are_staged_unseen(void **state)
{
    struct fixture *f = *state;
    struct stage stage;
    char buf[32];
    char path[256];

    assert_int_equal(stage_create(&stage, &f->state, 11), FS_OK);
    assert_int_equal(stage_write(&stage, "hello ", 6), FS_OK);
    assert_int_equal(stage_write(&stage, "", 0), FS_OK);
    assert_int_equal(stage_write(&stage, "world", 5), FS_OK);
    assert_int_equal(stage.len, 11);
    assert_int_equal(stage_sync(&stage), FS_OK);
    assert_true(fcntl(stage.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(count_uploads(f), 1);
    snprintf(path, sizeof(path), ".httpd/uploads/%s", stage.name);
    assert_string_equal(tree_read(&f->tree, path, buf, sizeof(buf)), "hello world");

    stage_discard(&stage);
    assert_int_equal(stage.fd, -1);
    assert_int_equal(count_uploads(f), 0);
    stage_discard(&stage);
    stage_keep(&stage);
}

static void bytes_may_be_moved_in_by_others(void **state)
{
    struct fixture *f = *state;
    struct stage stage;
    char buf[32];
    int pipe_fds[2];

    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(write(pipe_fds[1], "spliced", 7), 7);
    assert_int_equal(stage_open(&stage, &f->state, SPAN("up"), true), FS_OK);
    assert_int_equal(stage_write(&stage, "a", 1), FS_OK);
    assert_int_equal(splice(pipe_fds[0], NULL, stage.fd, NULL, 7, 0), 7);
    stage_advance(&stage, 7);
    assert_int_equal(stage_write(&stage, "b", 1), FS_OK);
    assert_int_equal(stage.len, 9);
    assert_string_equal(tree_read(&f->tree, ".httpd/uploads/up", buf, sizeof(buf)), "asplicedb");
    stage_discard(&stage);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void a_kept_stage_is_continued(void **state)
{
    struct fixture *f = *state;
    struct stage stage;
    char buf[32];

    assert_int_equal(stage_open(&stage, &f->state, SPAN("0190-abc_D"), false), FS_NOT_FOUND);
    assert_int_equal(stage_open(&stage, &f->state, SPAN("0190-abc_D"), true), FS_OK);
    assert_int_equal(stage.len, 0);
    assert_int_equal(stage_write(&stage, "first,wrong", 11), FS_OK);
    stage_keep(&stage);

    assert_int_equal(stage_open(&stage, &f->state, SPAN("0190-abc_D"), false), FS_OK);
    assert_int_equal(stage.len, 11);
    assert_int_equal(stage_truncate(&stage, 6), FS_OK);
    assert_int_equal(stage.len, 6);
    assert_int_equal(stage_write(&stage, "second", 6), FS_OK);
    stage_keep(&stage);
    assert_string_equal(tree_read(&f->tree, ".httpd/uploads/0190-abc_D", buf, sizeof(buf)),
                        "first,second");

    assert_int_equal(stage_remove(&f->state, SPAN("0190-abc_D")), FS_OK);
    assert_int_equal(stage_remove(&f->state, SPAN("0190-abc_D")), FS_NOT_FOUND);
    assert_int_equal(count_uploads(f), 0);
}

static void a_stage_has_one_writer(void **state)
{
    struct fixture *f = *state;
    struct stage first;
    struct stage second;

    assert_int_equal(stage_open(&first, &f->state, SPAN("one"), true), FS_OK);
    assert_int_equal(stage_open(&second, &f->state, SPAN("one"), true), FS_BUSY);
    assert_int_equal(second.fd, -1);
    assert_int_equal(stage_remove(&f->state, SPAN("one")), FS_BUSY);
    stage_keep(&first);
    assert_int_equal(stage_open(&second, &f->state, SPAN("one"), false), FS_OK);
    stage_discard(&second);
}

static void names_cannot_lead_elsewhere(void **state)
{
    static const char *const names[] = {
        "",     ".",     "..",          "../x", "a/b", "/etc/x",   ".a",
        "put-", "put-1", "put-abcdef0", "a b",  "a%",  "\xc3\xa9",
    };
    struct fixture *f = *state;
    struct stage stage;
    char long_name[STAGE_NAME_MAX + 1];

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(stage_open(&stage, &f->state, span_of(names[i]), true), FS_NOT_FOUND);
        assert_int_equal(stage.fd, -1);
    }
    memset(long_name, 'a', sizeof(long_name));
    assert_int_equal(stage_open(&stage, &f->state, span_make(long_name, sizeof(long_name)), true),
                     FS_NOT_FOUND);
    assert_int_equal(count_uploads(f), 0);
    assert_int_equal(
        stage_open(&stage, &f->state, span_make(long_name, sizeof(long_name) - 1), true), FS_OK);
    stage_discard(&stage);
}

static void set_age(const struct fixture *f, const char *path, int64_t mtime_s)
{
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = mtime_s}};

    assert_int_equal(utimensat(f->tree.fd, path, times, 0), 0);
}

static void the_sweep_takes_what_nobody_needs(void **state)
{
    struct fixture *f = *state;
    struct stage live;
    struct stage kept;
    char buf[8];

    tree_file(&f->tree, ".httpd/uploads/put-00000000000000000000000000000000", "left by a crash");
    tree_file(&f->tree, ".httpd/uploads/fresh", "to be resumed");
    tree_file(&f->tree, ".httpd/uploads/stale", "12345");
    set_age(f, ".httpd/uploads/stale", 1000);
    tree_file(&f->tree, ".httpd/uploads/stale-and-open", "");
    set_age(f, ".httpd/uploads/stale-and-open", 1000);
    tree_directory(&f->tree, ".httpd/uploads/directory");
    assert_int_equal(stage_create(&live, &f->state, 0), FS_OK);
    assert_int_equal(stage_open(&kept, &f->state, SPAN("stale-and-open"), false), FS_OK);

    sweep(f, 1000, 1); /* what was written at 1000 is not older than that */
    assert_null(tree_read(&f->tree, ".httpd/uploads/put-00000000000000000000000000000000", buf,
                          sizeof(buf)));
    sweep(f, 1001, 1);
    assert_null(tree_read(&f->tree, ".httpd/uploads/stale", buf, sizeof(buf)));
    assert_int_equal(count_uploads(f), 4);

    stage_discard(&live);
    stage_keep(&kept);
    sweep(f, 1001, 1);
    assert_int_equal(count_uploads(f), 2);
}

/* A process that is killed while it stages. */
static void leave_a_stage(const struct fixture *f)
{
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        struct stage stage;

        if (stage_create(&stage, &f->state, 0) != FS_OK || write(ready[1], "r", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    sweep(f, 0, 0); /* another process holds it */
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(ready[0]);
    close(ready[1]);
}

static void what_a_killed_process_left_is_swept(void **state)
{
    struct fixture *f = *state;

    leave_a_stage(f);
    assert_int_equal(count_uploads(f), 1);
    sweep(f, 0, 1);
    assert_int_equal(count_uploads(f), 0);
}

/* Processes on one directory, each as far as it has looked, and what the lock tells it. */
static void one_of_several_sweeps_in_each_interval(void **state)
{
    enum { A, B, C, PROCESSES };

    static const struct {
        unsigned who;
        enum fs_result expected;
        const char *why;
    } rows[] = {
        {A, FS_OK, "the first after all were started"},
        {B, FS_BUSY, "A has done it meanwhile"},
        {C, FS_BUSY, "for C as well"},
        {A, FS_OK, "an interval later nobody else has"},
        {B, FS_BUSY, "A has again"},
        {C, FS_BUSY, "and again"},
        {B, FS_OK, "A is gone: the next one does it"},
        {C, FS_BUSY, "once"},
        {C, FS_OK, "C came twice and nobody between"},
        {B, FS_BUSY, "so B need not"},
    };
    struct fixture *f = *state;
    uint64_t finished[PROCESSES];
    int lock_fd;

    for (unsigned i = 0; i < PROCESSES; i++)
        finished[i] = state_sweeps(&f->state);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t *mine = &finished[rows[i].who];
        if (state_sweep_begin(&f->state, mine, &lock_fd) != rows[i].expected)
            fail_msg("%s", rows[i].why);
        if (rows[i].expected == FS_OK)
            state_sweep_end(lock_fd, mine);
    }
    assert_int_equal(state_sweeps(&f->state), 4);
}

static void a_sweep_excludes_others_and_counts_when_it_is_finished(void **state)
{
    struct fixture *f = *state;
    uint64_t a = 0, b = 0;
    int lock_fd, other_fd;

    assert_int_equal(state_sweep_begin(&f->state, &a, &lock_fd), FS_OK);
    assert_int_equal(state_sweep_begin(&f->state, &b, &other_fd), FS_BUSY);
    assert_int_equal(other_fd, -1);
    close(lock_fd); /* as when it is killed */
    assert_int_equal(state_sweeps(&f->state), 0);
    assert_int_equal(state_sweep_begin(&f->state, &b, &lock_fd), FS_OK);
    state_sweep_end(lock_fd, &b);
    assert_int_equal(state_sweeps(&f->state), 1);
    /* Cut short, as by a full disk: nothing is known, and sweeping once more does no harm. */
    tree_file(&f->tree, ".httpd/sweep", "\1\2\3");
    assert_int_equal(state_sweeps(&f->state), 0);
    a = 0;
    assert_int_equal(state_sweep_begin(&f->state, &a, &lock_fd), FS_OK);
    state_sweep_end(lock_fd, &a);
    assert_int_equal(state_sweeps(&f->state), 1);
}

/* One thread sweeps all the time; whoever has a stage must keep it. */
struct sweeper {
    const struct state *state;
    atomic_bool stop;
};

static void *sweep_always(void *argument)
{
    struct sweeper *s = argument;
    unsigned removed = 0;
    uint64_t freed = 0;

    while (!atomic_load(&s->stop))
        state_sweep(s->state, 0, NULL, NULL, &removed, &freed);
    return NULL;
}

static void a_sweep_does_not_take_a_stage_being_made(void **state)
{
    struct fixture *f = *state;
    struct sweeper s = {.state = &f->state};
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, sweep_always, &s), 0);
    for (int i = 0; i < 3000; i++) {
        struct stage stage;

        assert_int_equal(stage_create(&stage, &f->state, 0), FS_OK);
        assert_int_equal(faccessat(f->state.uploads_fd, stage.name, F_OK, 0), 0);
        stage_discard(&stage);
    }
    atomic_store(&s.stop, true);
    pthread_join(thread, NULL);
}

struct counter {
    const struct state *state;
    atomic_uint value; /* never added to at once: the lock alone keeps it right */
};

static void *count_up(void *argument)
{
    struct counter *c = argument;

    for (int i = 0; i < 2000; i++) {
        int lock_fd;
        unsigned seen;

        if (state_lock(c->state, STATE_KEY_MAX, &lock_fd) != FS_OK)
            return c;
        seen = atomic_load_explicit(&c->value, memory_order_relaxed);
        sched_yield();
        atomic_store_explicit(&c->value, seen + 1, memory_order_relaxed);
        close(lock_fd);
    }
    return NULL;
}

static void a_lock_excludes_threads(void **state)
{
    struct fixture *f = *state;
    struct counter c = {.state = &f->state};
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &c), 0);
    for (size_t i = 0; i < 4; i++) {
        void *failed;

        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(atomic_load(&c.value), 8000);
}

static void locks_of_different_keys_are_apart(void **state)
{
    struct fixture *f = *state;
    int a;
    int b;

    assert_int_equal(state_lock(&f->state, 1, &a), FS_OK);
    assert_int_equal(state_lock(&f->state, 2, &b), FS_OK);
    close(a);
    close(b);
}

static void too_much_is_refused_before_it_comes(void **state)
{
    struct fixture *f = *state;
    struct stage stage;
    uint64_t free_bytes, all;

    assert_int_equal(fs_free_bytes(f->state.uploads_fd, &free_bytes, &all), FS_OK);
    assert_true(free_bytes > 0);
    assert_int_equal(stage_create(&stage, &f->state, UINT64_MAX), FS_NO_SPACE);
    assert_int_equal(stage.fd, -1);
    assert_int_equal(count_uploads(f), 0);
    assert_int_equal(fs_free_bytes(-1, &free_bytes, &all), FS_IO);
    assert_int_equal(free_bytes, 0);
}

static void a_full_disk_is_reported(void **state)
{
    struct fixture *f = *state;
    struct docroot root;
    struct state small;
    struct stage stage;
    enum fs_result result = FS_OK;
    char block[4096];

    if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
        mount("tmpfs", f->tree.root, "tmpfs", 0, "size=64k") == -1) {
        print_message("skipped: may not mount a small file system (%d)\n", errno);
        skip();
    }
    memset(block, 'x', sizeof(block));
    assert_int_equal(docroot_open(&root, f->tree.root), FS_OK);
    assert_int_equal(state_open(&small, &root, NULL), FS_OK);
    assert_int_equal(stage_create(&stage, &small, 65 * 1024), FS_NO_SPACE);
    assert_int_equal(stage_create(&stage, &small, 0), FS_OK);
    while (result == FS_OK && stage.len < 1024 * 1024)
        result = stage_write(&stage, block, sizeof(block));
    assert_int_equal(result, FS_NO_SPACE);
    assert_true(stage.len > 0 && stage.len <= 64 * 1024);

    stage_discard(&stage);
    assert_int_equal(stage_create(&stage, &small, 8192), FS_OK);
    assert_int_equal(stage_write(&stage, block, sizeof(block)), FS_OK);
    stage_discard(&stage);
    state_close(&small);
    docroot_close(&root);
    assert_int_equal(umount2(f->tree.root, MNT_DETACH), 0);
}

static void a_file_too_large_is_reported(void **state)
{
    struct fixture *f = *state;
    struct rlimit before;
    struct rlimit limit;
    struct stage stage;
    char block[4096] = {0};
    enum fs_result results[2];

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 6000;
    assert_int_equal(stage_create(&stage, &f->state, 0), FS_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    results[0] = stage_write(&stage, block, sizeof(block));
    results[1] = stage_write(&stage, block, sizeof(block));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(results[0], FS_OK);
    assert_int_equal(results[1], FS_TOO_LARGE);
    assert_int_equal(stage.len, 6000);
    stage_discard(&stage);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TREE(the_state_directory_is_private),
        IN_TREE(room_is_taken_ahead_and_given_back),
        IN_TREE(the_state_directory_may_be_elsewhere),
        IN_TREE(a_planted_link_is_not_taken_for_the_state_directory),
        IN_TREE(another_file_system_is_refused),
        IN_TREE(what_may_not_be_written_is_reported),
        IN_TREE(bytes_are_staged_unseen),
        IN_TREE(bytes_may_be_moved_in_by_others),
        IN_TREE(a_kept_stage_is_continued),
        IN_TREE(a_stage_has_one_writer),
        IN_TREE(names_cannot_lead_elsewhere),
        IN_TREE(the_sweep_takes_what_nobody_needs),
        IN_TREE(what_a_killed_process_left_is_swept),
        IN_TREE(one_of_several_sweeps_in_each_interval),
        IN_TREE(a_sweep_excludes_others_and_counts_when_it_is_finished),
        IN_TREE(a_sweep_does_not_take_a_stage_being_made),
        IN_TREE(a_lock_excludes_threads),
        IN_TREE(locks_of_different_keys_are_apart),
        IN_TREE(too_much_is_refused_before_it_comes),
        IN_TREE(a_full_disk_is_reported),
        IN_TREE(a_file_too_large_is_reported),
    };

    alarm(60);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
