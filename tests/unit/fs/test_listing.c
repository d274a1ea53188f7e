#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fs/listing.h"

#include "unit/fs/tree.h"

enum { MANY = 100000 };

struct fixture {
    struct tree tree;
    struct docroot root;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    tree_make(&f->tree);
    assert_int_equal(docroot_open(&f->root, f->tree.root), FS_OK);
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

static enum fs_result list(const struct fixture *f, const char *path, struct listing *listing)
{
    struct file file;
    enum fs_result result;

    assert_int_equal(docroot_lookup(&f->root, path, &file), FS_OK);
    result = listing_read(listing, &f->root, path, file.fd);
    close(file.fd);
    return result;
}

/* The names of a listing, each with a newline behind it and a directory with a slash before that.
 */
static void names_of(const struct listing *listing, char *text, size_t cap)
{
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < listing->count; i++) {
        struct span name = listing_name(listing, i);

        assert_int_equal(name.ptr[name.len], '\0');
        len += (size_t)snprintf(text + len, cap - len, SPAN_FMT "%s\n", SPAN_ARG(name),
                                listing->entries[i].directory ? "/" : "");
    }
}

static void check_names(const struct fixture *f, const char *path, const char *expected)
{
    struct listing listing;
    char text[2048];

    assert_int_equal(list(f, path, &listing), FS_OK);
    names_of(&listing, text, sizeof(text));
    assert_string_equal(text, expected);
    listing_free(&listing);
}

static void an_empty_directory_has_no_members(void **state)
{
    struct fixture *f = *state;
    struct listing listing;

    assert_int_equal(list(f, "", &listing), FS_OK);
    assert_int_equal(listing.count, 0);
    listing_free(&listing);
}

static void leaves_out_what_is_not_served(void **state)
{
    struct fixture *f = *state;
    const struct tree *t = &f->tree;

    tree_directory(t, "d");
    tree_file(t, "d/file", "");
    tree_directory(t, "d/sub");
    tree_file(t, "d/.hidden", "");
    tree_directory(t, "d/.httpd");
    tree_directory(t, "d/.well-known");
    tree_fifo(t, "d/fifo");
    tree_socket(t, "d/socket");
    tree_link(t, "d/to-file", "file");
    tree_link(t, "d/to-sub", "sub");
    tree_link(t, "d/to-root", "..");
    tree_link(t, "d/to-fifo", "fifo");
    tree_link(t, "d/dangling", "nothing");
    tree_link(t, "d/loop", "loop");
    tree_link(t, "d/outside", "../../outside");
    tree_link(t, "d/absolute", "/etc/passwd");
    check_names(f, "d", "sub/\nto-root/\nto-sub/\nfile\nto-file\n");
    f->root.walk = true;
    check_names(f, "d", "sub/\nto-root/\nto-sub/\nfile\nto-file\n");
}

static void links_in_the_root_are_followed_from_there(void **state)
{
    struct fixture *f = *state;

    tree_directory(&f->tree, "d");
    tree_file(&f->tree, "d/file", "");
    tree_link(&f->tree, "inside", "d/file");
    tree_link(&f->tree, "outside", "../outside");
    check_names(f, "", "d/\ninside\n");
}

static void describes_members(void **state)
{
    struct fixture *f = *state;
    const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 784111777}};
    struct listing listing;

    tree_file(&f->tree, "file", "12345");
    tree_link(&f->tree, "link", "file");
    tree_directory(&f->tree, "sub");
    assert_int_equal(utimensat(f->tree.fd, "file", times, 0), 0);
    assert_int_equal(list(f, "", &listing), FS_OK);
    assert_int_equal(listing.count, 3);
    assert_true(listing.entries[0].directory);
    assert_int_equal(listing.entries[0].size, 0);
    for (size_t i = 1; i < 3; i++) {
        assert_false(listing.entries[i].directory);
        assert_int_equal(listing.entries[i].size, 5);
        assert_int_equal(listing.entries[i].mtime_s, 784111777);
    }
    listing_free(&listing);
}

/* Each row is in order; made backwards, so that the order of making does not help. */
static const struct {
    const char *names[8];
    const char *why;
} orders[] = {
    {{"a", "b", "c"}, "letters"},
    {{"A", "Z", "a", "z"}, "bytes, not letters without case"},
    {{"a", "aa", "ab", "b"}, "a prefix comes first"},
    {{"a9", "a10"}, "digits are a number"},
    {{"1", "2", "10", "11", "100"}, "numbers alone"},
    {{"a1b2", "a1b10", "a2b1", "a10b1"}, "more than one number"},
    {{"a1", "a1b", "a2", "ab"}, "a number before letters"},
    {{"a-1", "a1", "a:1"}, "bytes around the digits stay around them"},
    {{"a001", "a01", "a1", "a002", "a02", "a2"}, "leading zeros count last"},
    {{"a0", "a00", "a1"}, "nothing but zeros"},
    {{"v1.9.0", "v1.10.0", "v1.10.1"}, "versions"},
    {{"9", "18446744073709551615", "18446744073709551616", "100000000000000000000000000000"},
     "numbers of any length"},
    {{"z", "\xc3\xa9", "\xff"}, "bytes are unsigned"},
    {{"a\nb", "a b", "ab"}, "any byte may be in a name"},
};

static void sorts_as_people_count(void **state)
{
    struct fixture *f = *state;
    char expected[512];

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        const char *const *names = orders[i].names;
        size_t count = 0;
        size_t len = 0;
        char path[64];

        tree_directory(&f->tree, "o");
        while (count < 8 && names[count] != NULL) {
            len += (size_t)snprintf(expected + len, sizeof(expected) - len, "%s\n", names[count]);
            count++;
        }
        for (size_t k = count; k-- > 0;) {
            snprintf(path, sizeof(path), "o/%s", names[k]);
            tree_file(&f->tree, path, "");
        }
        check_names(f, "o", expected);
        for (size_t k = 0; k < count; k++) {
            snprintf(path, sizeof(path), "o/%s", names[k]);
            unlinkat(f->tree.fd, path, 0);
        }
        assert_int_equal(unlinkat(f->tree.fd, "o", AT_REMOVEDIR), 0);
    }
}

static void directories_come_first(void **state)
{
    struct fixture *f = *state;

    tree_file(&f->tree, "a", "");
    tree_directory(&f->tree, "b");
    tree_file(&f->tree, "c", "");
    tree_directory(&f->tree, "d");
    check_names(f, "", "b/\nd/\na\nc\n");
}

static void leaves_the_descriptor_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct listing listing;
    off_t at;

    tree_file(&f->tree, "a", "");
    for (int i = 0; i < 2; i++) {
        at = lseek(f->tree.fd, 0, SEEK_CUR);
        assert_int_equal(listing_read(&listing, &f->root, "", f->tree.fd), FS_OK);
        assert_int_equal(listing.count, 1);
        assert_int_equal(lseek(f->tree.fd, 0, SEEK_CUR), at);
        listing_free(&listing);
    }
}

static void a_file_has_no_members(void **state)
{
    struct fixture *f = *state;
    struct listing listing;

    tree_file(&f->tree, "a", "");
    assert_int_equal(list(f, "a", &listing), FS_NOT_DIRECTORY);
    assert_null(listing.entries);
    assert_null(listing.names);
    assert_int_equal(listing.count, 0);
}

static void reads_a_hundred_thousand_members(void **state)
{
    struct fixture *f = *state;
    struct listing listing;
    char name[32];

    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "f%u", (i * 7919u) % MANY);
        close(openat(f->tree.fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    }
    assert_int_equal(list(f, "", &listing), FS_OK);
    assert_int_equal(listing.count, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        assert_string_equal(listing_name(&listing, i).ptr, name);
    }
    listing_free(&listing);
}

static void sorts_by_what_is_asked(void **state)
{
    static const struct {
        enum listing_order order;
        bool descending;
        const char *expected, *why;
    } rows[] = {
        {LISTING_BY_NAME, false, "d1/\nd2/\na\nb\nc\nd\n", "as read"},
        {LISTING_BY_NAME, true, "d2/\nd1/\nd\nc\nb\na\n", "the other way round"},
        {LISTING_BY_SIZE, false, "d1/\nd2/\na\nc\nb\nd\n", "equals stand by name"},
        {LISTING_BY_SIZE, true, "d1/\nd2/\nd\nb\na\nc\n", "equals still stand by name"},
        {LISTING_BY_TIME, false, "d2/\nd1/\nd\nc\na\nb\n", "before 1970 too"},
        {LISTING_BY_TIME, true, "d1/\nd2/\nb\na\nc\nd\n", "newest first"},
        {LISTING_BY_NAME, false, "d1/\nd2/\na\nb\nc\nd\n", "and back again"},
    };
    static const struct {
        const char *name;
        time_t mtime;
    } times[] = {{"a", 300}, {"b", 400}, {"c", 200}, {"d", -5}, {"d1", 200}, {"d2", 100}};
    struct fixture *f = *state;
    struct listing listing;
    char text[256];

    tree_directory(&f->tree, "d1");
    tree_directory(&f->tree, "d2");
    tree_file(&f->tree, "a", "1");
    tree_file(&f->tree, "b", "12");
    tree_file(&f->tree, "c", "1");
    tree_file(&f->tree, "d", "123");
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++) {
        const struct timespec both[2] = {{.tv_sec = times[i].mtime}, {.tv_sec = times[i].mtime}};
        assert_int_equal(utimensat(f->tree.fd, times[i].name, both, 0), 0);
    }
    assert_int_equal(list(f, "", &listing), FS_OK);
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        listing_sort(&listing, rows[i].order, rows[i].descending);
        names_of(&listing, text, sizeof(text));
        if (strcmp(text, rows[i].expected) != 0)
            fail_msg("%s: got %s", rows[i].why, text);
    }
    listing_free(&listing);
}

#define IN_TREE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_TREE(an_empty_directory_has_no_members),
        IN_TREE(leaves_out_what_is_not_served),
        IN_TREE(links_in_the_root_are_followed_from_there),
        IN_TREE(describes_members),
        IN_TREE(sorts_as_people_count),
        IN_TREE(directories_come_first),
        IN_TREE(sorts_by_what_is_asked),
        IN_TREE(leaves_the_descriptor_as_it_was),
        IN_TREE(a_file_has_no_members),
        IN_TREE(reads_a_hundred_thousand_members),
    };

    alarm(300);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
