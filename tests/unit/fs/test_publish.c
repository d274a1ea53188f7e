#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/publish.h"

#include "unit/fs/tree.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#define NAME_5   "nnnnn"
#define NAME_50  NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5 NAME_5
#define NAME_255 NAME_50 NAME_50 NAME_50 NAME_50 NAME_50 NAME_5
#define NAME_256 NAME_255 "n"

struct fixture {
    struct tree tree;
    struct docroot root;
    struct state state;
};

static const struct write_terms always = {.condition = WRITE_ALWAYS};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const struct tree *t = &f->tree;

    tree_make(&f->tree);
    assert_int_equal(docroot_open(&f->root, f->tree.root), FS_OK);
    assert_int_equal(state_open(&f->state, &f->root, NULL), FS_OK);
    tree_file(t, "file", "old");
    tree_directory(t, "empty");
    tree_directory(t, "dir");
    tree_directory(t, "dir/sub");
    tree_file(t, "dir/file", "old");
    tree_file(t, "../outside/file", "outside");
    tree_directory(t, ".hidden");
    tree_link(t, "to-file", "file");
    tree_link(t, "to-dir", "dir");
    tree_link(t, "dangling", "nothing");
    tree_link(t, "out", "../outside");
    tree_link(t, "out-file", "../outside/file");
    tree_link(t, "absolute", "/tmp");
    tree_link(t, "loop", "loop");
    tree_fifo(t, "fifo");
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

static bool is_there(const struct fixture *f, const char *path)
{
    return faccessat(f->tree.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void check_content(const struct fixture *f, const char *path, const char *expected)
{
    char buf[64];
    const char *content = tree_read(&f->tree, path, buf, sizeof(buf));

    assert_non_null(content);
    assert_string_equal(content, expected);
}

/* Stages `content` and publishes it; the stage is discarded when that fails. */
static enum fs_result put(const struct docroot *root, const struct state *state, const char *path,
                          const char *content, const struct write_terms *terms,
                          struct published *published)
{
    struct stage stage;
    enum fs_result result = stage_create(&stage, state, strlen(content));

    if (result == FS_OK)
        result = stage_write(&stage, content, strlen(content));
    if (result == FS_OK)
        result = publish_stage(&stage, root, path, terms, published);
    stage_discard(&stage);
    return result;
}

static const struct {
    const char *path;
    enum fs_result result;
    bool created;
    const char *why;
} put_rows[] = {
    {"new", FS_OK, true, "a new file"},
    {"file", FS_OK, false, "a file is replaced"},
    {"dir/new", FS_OK, true, "further down"},
    {"a/b/c/new", FS_OK, true, "directories are made"},
    {"to-dir/new2", FS_OK, true, "through a link"},
    {"to-dir/a/new", FS_OK, true, "directories are made behind a link"},
    {"to-file", FS_OK, false, "a link is replaced, not what it leads to"},
    {NAME_255, FS_OK, true, "the longest name"},
    {"a b\n\xff", FS_OK, true, "any byte but the slash"},
    {"", FS_IS_DIRECTORY, false, "the docroot"},
    {"dir", FS_IS_DIRECTORY, false, "a directory"},
    {"empty", FS_IS_DIRECTORY, false, "an empty directory"},
    {"to-dir", FS_IS_DIRECTORY, false, "a link to a directory"},
    {"file/new", FS_NOT_DIRECTORY, false, "a file is no directory"},
    {"file/more/new", FS_NOT_DIRECTORY, false, "nor further up"},
    {NAME_256, FS_NAME_TOO_LONG, false, "one byte too long"},
    {"m/" NAME_256 "/new", FS_NAME_TOO_LONG, false, "in a directory to be made"},
    {"m/" NAME_256, FS_NAME_TOO_LONG, false, "as the last name"},
    {".new", FS_NOT_FOUND, false, "a name with a dot"},
    {".httpd/key", FS_NOT_FOUND, false, "the server's own"},
    {".hidden/new", FS_NOT_FOUND, false, "in a hidden directory"},
    {"dir/.new", FS_NOT_FOUND, false, "a name with a dot further down"},
    {"m/.made/new", FS_NOT_FOUND, false, "a hidden directory to be made"},
    {"out/new", FS_NOT_FOUND, false, "through a link out"},
    {"out/file", FS_NOT_FOUND, false, "onto a file outside"},
    {"out-file", FS_NOT_FOUND, false, "a link to a file outside"},
    {"out/m/new", FS_NOT_FOUND, false, "directories outside"},
    {"absolute/new", FS_NOT_FOUND, false, "an absolute link"},
    {"dangling", FS_NOT_FOUND, false, "a link to nothing"},
    {"dangling/new", FS_NOT_FOUND, false, "through a link to nothing"},
    {"loop", FS_NOT_FOUND, false, "a loop"},
    {"loop/new", FS_NOT_FOUND, false, "through a loop"},
    {"fifo", FS_NOT_SERVED, false, "a FIFO is left alone"},
    {"fifo/new", FS_NOT_DIRECTORY, false, "nor is it a directory"},
};

static void check_puts(const struct fixture *f, bool sync)
{
    const struct write_terms terms = {.sync = sync};

    for (size_t i = 0; i < sizeof(put_rows) / sizeof(put_rows[0]); i++) {
        const char *path = put_rows[i].path;
        struct published published;
        enum fs_result result = put(&f->root, &f->state, path, "new bytes", &terms, &published);
        struct file file;

        if (result != put_rows[i].result)
            fail_msg("%s (%s): %s", path, put_rows[i].why, fs_result_text(result));
        assert_int_equal(count_uploads(f), 0);
        if (result != FS_OK)
            continue;
        assert_int_equal(published.created, put_rows[i].created);
        check_content(f, path, "new bytes");
        assert_int_equal(docroot_stat(&f->root, path, &file), FS_OK);
        assert_int_equal(published.file.fd, -1);
        assert_int_equal(published.file.inode, file.inode);
        assert_int_equal(published.file.size, 9);
        assert_int_equal(published.file.mtime_ns, file.mtime_ns);
    }
    check_content(f, "../outside/file", "outside");
    assert_false(is_there(f, "../outside/new"));
    assert_false(is_there(f, "../outside/m"));
    assert_false(is_there(f, "nothing"));
    assert_false(is_there(f, "m")); /* made on the way to a failure */
}

static void puts_files_where_they_may_be(void **state)
{
    check_puts(*state, false);
}

static void puts_files_and_syncs(void **state)
{
    check_puts(*state, true);
}

static void puts_files_walking(void **state)
{
    struct fixture *f = *state;

    f->root.walk = true;
    check_puts(f, false);
}

static void a_replaced_link_spares_its_target(void **state)
{
    struct fixture *f = *state;
    struct published published;

    assert_int_equal(put(&f->root, &f->state, "to-file", "new", &always, &published), FS_OK);
    check_content(f, "to-file", "new");
    check_content(f, "file", "old");
}

static void rights_are_kept_when_replacing(void **state)
{
    struct fixture *f = *state;
    struct published published;
    struct stat st;
    mode_t mask = umask(022);

    assert_int_equal(put(&f->root, &f->state, "new", "x", &always, &published), FS_OK);
    assert_int_equal(fstatat(f->tree.fd, "new", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0644);

    assert_int_equal(fchmodat(f->tree.fd, "file", 04640, 0), 0);
    assert_int_equal(put(&f->root, &f->state, "file", "x", &always, &published), FS_OK);
    assert_int_equal(fstatat(f->tree.fd, "file", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0640);
    umask(mask);
}

static void a_failure_leaves_the_stage_to_its_owner(void **state)
{
    struct fixture *f = *state;
    struct published published;
    struct stage stage;

    assert_int_equal(stage_open(&stage, &f->state, SPAN("upload"), true), FS_OK);
    assert_int_equal(stage_write(&stage, "whole", 5), FS_OK);
    assert_int_equal(publish_stage(&stage, &f->root, "dir", &always, &published), FS_IS_DIRECTORY);
    assert_int_not_equal(stage.fd, -1);
    assert_int_equal(published.file.fd, -1);
    stage_keep(&stage);

    assert_int_equal(stage_open(&stage, &f->state, SPAN("upload"), false), FS_OK);
    assert_int_equal(publish_stage(&stage, &f->root, "whole", &always, &published), FS_OK);
    assert_int_equal(stage.fd, -1);
    check_content(f, "whole", "whole");
    assert_int_equal(count_uploads(f), 0);
}

static void a_stage_that_is_gone_publishes_nothing(void **state)
{
    struct fixture *f = *state;
    struct published published;
    struct stage stage;

    assert_int_equal(stage_create(&stage, &f->state, 0), FS_OK);
    assert_int_equal(unlinkat(f->state.uploads_fd, stage.name, 0), 0);
    assert_int_equal(publish_stage(&stage, &f->root, "m/new", &always, &published), FS_IO);
    assert_false(is_there(f, "m"));
    stage_discard(&stage);
}

/* What stands at "p" before each row: nothing, or a file; `same` says whether it is the expected.
 */
static const struct {
    enum write_condition condition;
    bool present;
    bool same;
    enum fs_result result;
} conditions[] = {
    {WRITE_ALWAYS, false, false, FS_OK},          {WRITE_ALWAYS, true, false, FS_OK},
    {WRITE_IF_ABSENT, false, false, FS_OK},       {WRITE_IF_ABSENT, true, false, FS_EXISTS},
    {WRITE_IF_PRESENT, false, false, FS_CHANGED}, {WRITE_IF_PRESENT, true, false, FS_OK},
    {WRITE_IF_SAME, false, false, FS_CHANGED},    {WRITE_IF_SAME, true, false, FS_CHANGED},
    {WRITE_IF_SAME, true, true, FS_OK},
};

static struct write_terms make_condition(const struct fixture *f, size_t row)
{
    struct write_terms terms = {.condition = conditions[row].condition};

    unlinkat(f->tree.fd, "p", 0);
    if (conditions[row].present)
        tree_file(&f->tree, "p", "old");
    if (conditions[row].same)
        assert_int_equal(docroot_stat(&f->root, "p", &terms.expected), FS_OK);
    else
        assert_int_equal(docroot_stat(&f->root, "file", &terms.expected), FS_OK);
    return terms;
}

static void puts_on_conditions(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        struct write_terms terms = make_condition(f, i);
        struct published published;

        assert_int_equal(put(&f->root, &f->state, "p", "new", &terms, &published),
                         conditions[i].result);
        if (conditions[i].result == FS_OK)
            check_content(f, "p", "new");
        else if (conditions[i].present)
            check_content(f, "p", "old");
        else
            assert_false(is_there(f, "p"));
        assert_int_equal(count_uploads(f), 0);
    }
}

static void removes_on_conditions(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        struct write_terms terms = make_condition(f, i);
        bool nothing = conditions[i].result == FS_OK && !conditions[i].present;

        assert_int_equal(publish_removal(&f->state, &f->root, "p", &terms),
                         nothing ? FS_NOT_FOUND : conditions[i].result);
        assert_int_equal(is_there(f, "p"), conditions[i].present && conditions[i].result != FS_OK);
    }
}

static void what_is_expected_makes_no_directories(void **state)
{
    struct fixture *f = *state;
    const struct write_terms terms = {.condition = WRITE_IF_PRESENT};
    struct published published;

    assert_int_equal(put(&f->root, &f->state, "m/n/p", "new", &terms, &published), FS_CHANGED);
    assert_false(is_there(f, "m"));
}

static void expected_means_inode_size_and_time(void **state)
{
    struct fixture *f = *state;
    struct write_terms terms = {.condition = WRITE_IF_SAME};
    struct file now;

    assert_int_equal(docroot_stat(&f->root, "file", &now), FS_OK);
    terms.expected = now;
    terms.expected.inode++;
    assert_int_equal(publish_removal(&f->state, &f->root, "file", &terms), FS_CHANGED);
    terms.expected = now;
    terms.expected.size++;
    assert_int_equal(publish_removal(&f->state, &f->root, "file", &terms), FS_CHANGED);
    terms.expected = now;
    terms.expected.mtime_ns++;
    assert_int_equal(publish_removal(&f->state, &f->root, "file", &terms), FS_CHANGED);
    terms.expected = now;
    assert_int_equal(publish_removal(&f->state, &f->root, "file", &terms), FS_OK);
}

static const struct {
    const char *path;
    enum fs_result result;
    const char *why;
} removals[] = {
    {"", FS_IS_DIRECTORY, "never the docroot"},
    {"dir", FS_NOT_EMPTY, "a directory with members"},
    {"empty", FS_OK, "an empty directory"},
    {"empty", FS_NOT_FOUND, "twice"},
    {"to-dir/sub", FS_OK, "through a link"},
    {"to-dir", FS_OK, "a link to a directory, not the directory"},
    {"to-file", FS_OK, "a link to a file, not the file"},
    {"file", FS_OK, "a file"},
    {"nothing", FS_NOT_FOUND, "nothing"},
    {"nothing/more", FS_NOT_FOUND, "in nothing"},
    {"dir/file/more", FS_NOT_FOUND, "in a file"},
    {".httpd/lock", FS_NOT_FOUND, "the server's own"},
    {".hidden", FS_NOT_FOUND, "a name with a dot"},
    {"out", FS_NOT_FOUND, "a link out"},
    {"out/file", FS_NOT_FOUND, "through a link out"},
    {"out-file", FS_NOT_FOUND, "a link to a file outside"},
    {"dangling", FS_NOT_FOUND, "a link to nothing"},
    {"fifo", FS_NOT_SERVED, "a FIFO"},
};

static void removes_what_may_be_removed(void **state)
{
    struct fixture *f = *state;
    const struct write_terms terms = {.sync = true};

    for (size_t i = 0; i < sizeof(removals) / sizeof(removals[0]); i++) {
        const char *path = removals[i].path;
        bool before = path[0] == '\0' || is_there(f, path);
        enum fs_result result = publish_removal(&f->state, &f->root, path, &terms);

        if (result != removals[i].result)
            fail_msg("%s (%s): %s", path, removals[i].why, fs_result_text(result));
        if (path[0] != '\0')
            assert_int_equal(is_there(f, path), before && result != FS_OK);
        if (strcmp(path, "to-file") == 0)
            check_content(f, "file", "old");
    }
    check_content(f, "dir/file", "old");
    check_content(f, "../outside/file", "outside");
}

static const struct {
    const char *path;
    enum fs_result result;
    const char *why;
} directories[] = {
    {"made", FS_OK, "a new directory"},
    {"made", FS_EXISTS, "twice"},
    {"made/more", FS_OK, "in it"},
    {"to-dir/made", FS_OK, "through a link"},
    {"file", FS_EXISTS, "a file is there"},
    {"dangling", FS_EXISTS, "a link is there"},
    {"nothing/made", FS_NO_PARENT, "parents are not made"},
    {"file/made", FS_NOT_DIRECTORY, "in a file"},
    {"", FS_IS_DIRECTORY, "the docroot"},
    {".made", FS_NOT_FOUND, "a name with a dot"},
    {"out/made", FS_NOT_FOUND, "outside"},
    {"absolute/made", FS_NOT_FOUND, "outside"},
    {NAME_256, FS_NAME_TOO_LONG, "a name too long"},
};

static void makes_directories(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
        const char *path = directories[i].path;
        enum fs_result result = publish_directory(&f->state, &f->root, path, true);

        if (result != directories[i].result)
            fail_msg("%s (%s): %s", path, directories[i].why, fs_result_text(result));
        if (result == FS_OK)
            assert_int_equal(faccessat(f->tree.fd, path, X_OK, 0), 0);
    }
    assert_false(is_there(f, "../outside/made"));
}

static const struct {
    const char *from;
    const char *to;
    bool replace;
    enum fs_result result;
    bool created;
    const char *why;
} moves[] = {
    {"file", "moved", false, FS_OK, true, "a file gets a new name"},
    {"moved", "dir/moved", true, FS_OK, true, "and another directory"},
    {"dir/moved", "dir/file", false, FS_EXISTS, false, "what is there stays"},
    {"dir/moved", "dir/file", true, FS_OK, false, "unless it may be replaced"},
    {"dir/file", "dir/file", true, FS_DENIED, false, "nothing would move"},
    {"dir/file", "dir/file", false, FS_DENIED, false, "nor so"},
    {"to-dir", "to-dir", true, FS_DENIED, false, "nor would a link"},
    {"dir", "dir/sub/dir", true, FS_DENIED, false, "into itself"},
    {"dir", "dir2", false, FS_OK, true, "a directory gets a new name"},
    {"dir2", "empty", true, FS_OK, false, "and replaces an empty one"},
    {"empty/sub", "sub", false, FS_OK, true, "a directory moves up"},
    {"sub", "empty", true, FS_NOT_EMPTY, false, "one with members is not replaced"},
    {"sub", "empty/file", true, FS_NOT_DIRECTORY, false, "a directory onto a file"},
    {"empty/file", "sub", true, FS_IS_DIRECTORY, false, "a file onto a directory"},
    {"nothing", "new", true, FS_NOT_FOUND, false, "nothing to move"},
    {"nothing/more", "new", true, FS_NOT_FOUND, false, "nothing to move in"},
    {"sub", "nothing/sub", true, FS_NO_PARENT, false, "nowhere to move to"},
    {"sub", "empty/file/sub", true, FS_NOT_DIRECTORY, false, "into a file"},
    {"", "new", true, FS_IS_DIRECTORY, false, "the docroot"},
    {"sub", "", true, FS_IS_DIRECTORY, false, "onto the docroot"},
    {"sub", ".sub", true, FS_NOT_FOUND, false, "to a name with a dot"},
    {".hidden", "shown", true, FS_NOT_FOUND, false, "from a name with a dot"},
    {".httpd/lock", "lock", true, FS_NOT_FOUND, false, "the server's own"},
    {"empty/file", "out/file", true, FS_NOT_FOUND, false, "to outside"},
    {"empty/file", "out-file", true, FS_NOT_FOUND, false, "onto a link out"},
    {"out/file", "in", true, FS_NOT_FOUND, false, "from outside"},
    {"out-file", "in", true, FS_NOT_FOUND, false, "a link out"},
    {"fifo", "new", true, FS_NOT_SERVED, false, "a FIFO"},
    {"empty/file", "fifo", true, FS_NOT_SERVED, false, "onto a FIFO"},
};

static void moves_what_may_be_moved(void **state)
{
    struct fixture *f = *state;
    const struct write_terms terms = {.sync = true};

    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        bool created;
        enum fs_result result = publish_move(&f->state, &f->root, moves[i].from, moves[i].to,
                                             moves[i].replace, &terms, &created);

        if (result != moves[i].result)
            fail_msg("%s to %s (%s): %s", moves[i].from, moves[i].to, moves[i].why,
                     fs_result_text(result));
        if (result == FS_OK) {
            assert_int_equal(created, moves[i].created);
            assert_false(is_there(f, moves[i].from));
            assert_true(is_there(f, moves[i].to));
        }
    }
    check_content(f, "empty/file", "old");
    check_content(f, "../outside/file", "outside");
}

static void two_names_of_one_file_are_not_merged(void **state)
{
    struct fixture *f = *state;
    bool created;

    assert_int_equal(linkat(f->tree.fd, "file", f->tree.fd, "twin", 0), 0);
    assert_int_equal(publish_move(&f->state, &f->root, "file", "twin", true, &always, &created),
                     FS_DENIED);
    assert_true(is_there(f, "file"));
}

static void a_move_respects_what_is_expected(void **state)
{
    struct fixture *f = *state;
    struct write_terms terms = {.condition = WRITE_IF_SAME};
    bool created;

    assert_int_equal(docroot_stat(&f->root, "dir/file", &terms.expected), FS_OK);
    assert_int_equal(publish_move(&f->state, &f->root, "file", "moved", true, &terms, &created),
                     FS_CHANGED);
    assert_true(is_there(f, "file"));
    assert_int_equal(publish_move(&f->state, &f->root, "dir/file", "moved", true, &terms, &created),
                     FS_OK);
}

static void versions_within_one_tick_differ(void **state)
{
    struct fixture *f = *state;
    int64_t last_ns = 0;

    for (int i = 0; i < 100; i++) {
        struct published published;
        struct timespec now;

        assert_int_equal(put(&f->root, &f->state, "file", "same", &always, &published), FS_OK);
        assert_int_equal(clock_gettime(CLOCK_REALTIME, &now), 0);
        assert_true(published.file.mtime_ns > last_ns);
        assert_true(published.file.mtime_ns <= now.tv_sec * INT64_C(1000000000) + now.tv_nsec);
        last_ns = published.file.mtime_ns;
    }
}

/*
 * Each writer reads the number in a file and puts the next one, on condition that the file is the
 * one it read. When none is lost, the number is that of the puts that succeeded.
 */
enum { COUNTERS = 4, COUNTS = 150 };

struct counting {
    const char *root_path;
    const struct state *state;
    unsigned wins;
    unsigned losses;
};

static unsigned read_number(int fd)
{
    char buf[16] = "";
    ssize_t len = pread(fd, buf, sizeof(buf) - 1, 0);

    return len > 0 ? (unsigned)strtoul(buf, NULL, 10) : 0;
}

static enum fs_result count_once(const struct docroot *root, const struct state *state)
{
    struct write_terms terms = {.condition = WRITE_IF_SAME};
    struct published published;
    struct file file;
    char next[16];

    if (docroot_lookup(root, "number", &file) != FS_OK)
        return FS_IO;
    terms.expected = file;
    snprintf(next, sizeof(next), "%u", read_number(file.fd) + 1);
    close(file.fd);
    sched_yield();
    return put(root, state, "number", next, &terms, &published);
}

static void *count_up(void *argument)
{
    struct counting *c = argument;
    struct docroot root;

    if (docroot_open(&root, c->root_path) != FS_OK)
        return c;
    while (c->wins < COUNTS) {
        enum fs_result result = count_once(&root, c->state);

        if (result == FS_OK)
            c->wins++;
        else if (result == FS_CHANGED)
            c->losses++;
        else
            break;
    }
    docroot_close(&root);
    return c->wins == COUNTS ? NULL : c;
}

static void of_two_that_expect_the_same_one_wins(void **state)
{
    struct fixture *f = *state;
    struct counting counting[COUNTERS];
    pthread_t threads[COUNTERS];

    tree_file(&f->tree, "number", "0");
    for (size_t i = 0; i < COUNTERS; i++) {
        counting[i] = (struct counting){.root_path = f->tree.root, .state = &f->state};
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &counting[i]), 0);
    }
    for (size_t i = 0; i < COUNTERS; i++) {
        void *failed;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    check_content(f, "number", "600");
}

static void of_two_processes_one_wins(void **state)
{
    struct fixture *f = *state;
    pid_t pids[COUNTERS];

    tree_file(&f->tree, "number", "0");
    for (size_t i = 0; i < COUNTERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct counting c = {.root_path = f->tree.root, .state = &f->state};

            _exit(count_up(&c) == NULL ? 0 : 1);
        }
    }
    for (size_t i = 0; i < COUNTERS; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    check_content(f, "number", "600");
}

static void *create_once(void *argument)
{
    const struct write_terms terms = {.condition = WRITE_IF_ABSENT};
    struct counting *c = argument;
    struct published published;
    struct docroot root;

    if (docroot_open(&root, c->root_path) != FS_OK)
        return c;
    if (put(&root, c->state, "once", "x", &terms, &published) == FS_OK)
        c->wins++;
    docroot_close(&root);
    return NULL;
}

static void of_many_that_create_one_wins(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 50; round++) {
        struct counting counting[COUNTERS];
        pthread_t threads[COUNTERS];
        unsigned wins = 0;

        unlinkat(f->tree.fd, "once", 0);
        for (size_t i = 0; i < COUNTERS; i++) {
            counting[i] = (struct counting){.root_path = f->tree.root, .state = &f->state};
            assert_int_equal(pthread_create(&threads[i], NULL, create_once, &counting[i]), 0);
        }
        for (size_t i = 0; i < COUNTERS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            wins += counting[i].wins;
        }
        assert_int_equal(wins, 1);
    }
}

/* A program that knows nothing of our locks makes a file, if it is not there, all the time. */
struct stranger {
    int fd;
    atomic_uint round;
    atomic_uint made_in; /* the last round in which it was the stranger's file */
    atomic_bool stop;
};

static void *make_files(void *argument)
{
    struct stranger *s = argument;

    while (!atomic_load(&s->stop)) {
        unsigned round = atomic_load(&s->round);
        int fd = openat(s->fd, "once", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

        if (fd != -1) {
            atomic_store(&s->made_in, round);
            close(fd);
        }
    }
    return NULL;
}

static void a_file_of_a_stranger_is_not_replaced(void **state)
{
    const struct write_terms terms = {.condition = WRITE_IF_ABSENT};
    struct fixture *f = *state;
    struct stranger s = {.fd = f->tree.fd};
    struct published published;
    unsigned wins = 0;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, make_files, &s), 0);
    for (unsigned round = 1; round <= 1000; round++) {
        enum fs_result result;

        atomic_store(&s.round, round);
        unlinkat(f->tree.fd, "once", 0);
        result = put(&f->root, &f->state, "once", "x", &terms, &published);
        assert_true(result == FS_OK || result == FS_EXISTS);
        wins += result == FS_OK ? 1 : 0;
        if (result == FS_OK)
            assert_int_not_equal(atomic_load(&s.made_in), round);
    }
    atomic_store(&s.stop, true);
    pthread_join(thread, NULL);
    print_message("%u of 1000 puts came first\n", wins);
}

/* Removes the directory that others are publishing in, whenever it is empty. */
struct remover {
    const struct fixture *fixture;
    atomic_bool stop;
};

static void *remove_always(void *argument)
{
    struct remover *r = argument;

    while (!atomic_load(&r->stop)) {
        publish_removal(&r->fixture->state, &r->fixture->root, "x/y", &always);
        publish_removal(&r->fixture->state, &r->fixture->root, "x", &always);
    }
    return NULL;
}

static void a_parent_removed_meanwhile_is_made_again(void **state)
{
    struct fixture *f = *state;
    struct remover r = {.fixture = f};
    struct published published;
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, remove_always, &r), 0);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(put(&f->root, &f->state, "x/y/z", "x", &always, &published), FS_OK);
        check_content(f, "x/y/z", "x");
        assert_int_equal(publish_removal(&f->state, &f->root, "x/y/z", &always), FS_OK);
    }
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
}

/* A version is as many bytes as its number says, all of them the same letter. */
enum { VERSION_LEN_STEP = 997, VERSION_LEN_MAX = 26 * VERSION_LEN_STEP };

static size_t make_version(unsigned number, char *buf)
{
    size_t len = (number % 26 + 1) * VERSION_LEN_STEP;

    memset(buf, 'a' + (int)(number % 26), len);
    return len;
}

static bool is_whole_version(int fd, size_t size)
{
    char buf[VERSION_LEN_MAX + 1];
    ssize_t len = pread(fd, buf, sizeof(buf), 0);
    char expected[VERSION_LEN_MAX];

    return len > 0 && (size_t)len == size && buf[0] >= 'a' && buf[0] <= 'z' &&
           make_version((unsigned)(buf[0] - 'a'), expected) == size &&
           memcmp(buf, expected, size) == 0;
}

static enum fs_result put_version(const struct fixture *f, const char *path, unsigned number)
{
    char buf[VERSION_LEN_MAX];
    size_t len = make_version(number, buf);
    struct published published;
    struct stage stage;
    enum fs_result result = stage_create(&stage, &f->state, len);

    if (result == FS_OK)
        result = stage_write(&stage, buf, len / 2);
    if (result == FS_OK)
        result = stage_write(&stage, buf + len / 2, len - len / 2);
    if (result == FS_OK)
        result = publish_stage(&stage, &f->root, path, &always, &published);
    stage_discard(&stage);
    return result;
}

static void *write_versions(void *argument)
{
    struct remover *r = argument;

    for (unsigned i = 0; !atomic_load(&r->stop); i++)
        put_version(r->fixture, "versions", i);
    return NULL;
}

static void a_reader_sees_one_version(void **state)
{
    struct fixture *f = *state;
    struct remover r = {.fixture = f};
    pthread_t thread;

    assert_int_equal(put_version(f, "versions", 0), FS_OK);
    assert_int_equal(pthread_create(&thread, NULL, write_versions, &r), 0);
    for (int i = 0; i < 5000; i++) {
        struct file file;

        assert_int_equal(docroot_lookup(&f->root, "versions", &file), FS_OK);
        assert_true(is_whole_version(file.fd, file.size));
        close(file.fd);
    }
    atomic_store(&r.stop, true);
    pthread_join(thread, NULL);
}

static void write_until_killed(const struct fixture *f, int ready_fd)
{
    for (unsigned i = 0;; i++) {
        if (put_version(f, "k/versions", i) != FS_OK)
            _exit(1);
        if (i == 0 && write(ready_fd, "r", 1) != 1)
            _exit(1);
    }
}

static void a_killed_writer_leaves_whole_files(void **state)
{
    struct fixture *f = *state;
    unsigned removed = 0;
    uint64_t freed = 0;

    /* Until somebody was killed while it staged: else this shows nothing. */
    for (int round = 0; round < 40 || (count_uploads(f) == 0 && round < 4000); round++) {
        const struct timespec while_it_runs = {.tv_nsec = 100000 + round % 40 * 37000};
        struct file file;
        int ready[2];
        char byte;
        pid_t pid;

        assert_int_equal(pipe(ready), 0);
        pid = fork();
        if (pid == 0)
            write_until_killed(f, ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        nanosleep(&while_it_runs, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close(ready[0]);
        close(ready[1]);

        assert_int_equal(docroot_lookup(&f->root, "k/versions", &file), FS_OK);
        assert_true(is_whole_version(file.fd, file.size));
        close(file.fd);
        assert_int_equal(put_version(f, "k/versions", 0), FS_OK); /* no lock is left */
    }
    assert_int_equal(state_sweep(&f->state, 0, NULL, NULL, &removed, &freed), FS_OK);
    assert_int_equal(count_uploads(f), 0);
    assert_true(removed > 0);
}

static void another_file_system_inside_is_refused(void **state)
{
    struct fixture *f = *state;
    struct published published;
    struct docroot root;
    struct state own;
    struct file file;
    char path[128];

    snprintf(path, sizeof(path), "%s/empty", f->tree.root);
    if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
        mount("tmpfs", path, "tmpfs", 0, "size=64k") == -1) {
        print_message("skipped: may not mount a file system (%d)\n", errno);
        skip();
    }
    /* Descriptors opened before show the tree without the mount. */
    assert_int_equal(docroot_open(&root, f->tree.root), FS_OK);
    assert_int_equal(state_open(&own, &root, NULL), FS_OK);
    assert_int_equal(put(&root, &own, "empty/new", "x", &always, &published), FS_CROSS_DEVICE);
    assert_int_equal(docroot_stat(&root, "empty/new", &file), FS_NOT_FOUND);
    assert_int_equal(put(&root, &own, "empty/m/new", "x", &always, &published), FS_CROSS_DEVICE);
    assert_int_equal(docroot_stat(&root, "empty/m", &file), FS_NOT_FOUND);
    assert_int_equal(count_uploads(f), 0);
    assert_int_equal(publish_removal(&own, &root, "empty", &always), FS_DENIED);

    assert_int_equal(mount(NULL, path, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    assert_int_equal(put(&root, &own, "empty/m/new", "x", &always, &published), FS_READ_ONLY);
    assert_int_equal(publish_directory(&own, &root, "empty/m", false), FS_READ_ONLY);
    state_close(&own);
    docroot_close(&root);
    assert_int_equal(umount2(path, MNT_DETACH), 0);
}

static void what_may_not_be_written_is_denied(void **state)
{
    struct fixture *f = *state;
    struct published published;
    enum fs_result results[4];
    bool created;

    if (geteuid() != 0) {
        print_message("skipped: only root can become somebody else and back\n");
        skip();
    }
    assert_int_equal(chmod(f->tree.top, 0755), 0);
    assert_int_equal(fchownat(f->tree.fd, ".httpd", 65534, 65534, 0), 0);
    assert_int_equal(fchown(f->state.uploads_fd, 65534, 65534), 0);
    assert_int_equal(unlinkat(f->tree.fd, ".httpd/lock", 0), 0);
    assert_int_equal(seteuid(65534), 0);
    results[0] = put(&f->root, &f->state, "file", "x", &always, &published);
    results[1] = publish_removal(&f->state, &f->root, "file", &always);
    results[2] = publish_directory(&f->state, &f->root, "m", false);
    results[3] = publish_move(&f->state, &f->root, "file", "m", true, &always, &created);
    assert_int_equal(seteuid(0), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(results[i], FS_DENIED);
    check_content(f, "file", "old");
    assert_int_equal(count_uploads(f), 0);
}

static void a_directory_that_cannot_be_read_is_synced_too(void **state)
{
    struct fixture *f = *state;
    const struct write_terms terms = {.sync = true};
    struct published published;
    enum fs_result result;

    if (geteuid() != 0) {
        print_message("skipped: only root can become somebody else and back\n");
        skip();
    }
    assert_int_equal(chmod(f->tree.top, 0755), 0);
    assert_int_equal(fchownat(f->tree.fd, ".httpd", 65534, 65534, 0), 0);
    assert_int_equal(fchown(f->state.uploads_fd, 65534, 65534), 0);
    assert_int_equal(unlinkat(f->tree.fd, ".httpd/lock", 0), 0);
    assert_int_equal(fchmodat(f->tree.fd, "empty", 0733, 0), 0);
    assert_int_equal(seteuid(65534), 0);
    result = put(&f->root, &f->state, "empty/drop", "x", &terms, &published);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(result, FS_OK);
    check_content(f, "empty/drop", "x");
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TREE(puts_files_where_they_may_be),
        IN_TREE(puts_files_and_syncs),
        IN_TREE(puts_files_walking),
        IN_TREE(a_replaced_link_spares_its_target),
        IN_TREE(rights_are_kept_when_replacing),
        IN_TREE(a_failure_leaves_the_stage_to_its_owner),
        IN_TREE(a_stage_that_is_gone_publishes_nothing),
        IN_TREE(puts_on_conditions),
        IN_TREE(removes_on_conditions),
        IN_TREE(what_is_expected_makes_no_directories),
        IN_TREE(expected_means_inode_size_and_time),
        IN_TREE(removes_what_may_be_removed),
        IN_TREE(makes_directories),
        IN_TREE(moves_what_may_be_moved),
        IN_TREE(two_names_of_one_file_are_not_merged),
        IN_TREE(a_move_respects_what_is_expected),
        IN_TREE(versions_within_one_tick_differ),
        IN_TREE(of_two_that_expect_the_same_one_wins),
        IN_TREE(of_two_processes_one_wins),
        IN_TREE(of_many_that_create_one_wins),
        IN_TREE(a_file_of_a_stranger_is_not_replaced),
        IN_TREE(a_parent_removed_meanwhile_is_made_again),
        IN_TREE(a_reader_sees_one_version),
        IN_TREE(a_killed_writer_leaves_whole_files),
        IN_TREE(another_file_system_inside_is_refused),
        IN_TREE(what_may_not_be_written_is_denied),
        IN_TREE(a_directory_that_cannot_be_read_is_synced_too),
    };

    alarm(500); /* the disk may be busy */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
