#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/open_files.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct fixture {
    struct cache cache;
    struct open_files files;
};

static void begin(struct fixture *f, unsigned limit)
{
    assert_int_equal(cache_init(&f->cache, 1 << 20), 0);
    assert_int_equal(open_files_init(&f->files, limit), 0);
}

static void end(struct fixture *f)
{
    open_files_close(&f->files);
    assert_false(open_files_any(&f->files));
    cache_free(&f->cache);
}

/* With one reference, the caller's. */
static struct cache_entry *make(struct fixture *f, const char *name)
{
    struct cache_key key = cache_key_of(&f->cache, span_of(name));
    struct cache_entry *entry = cache_entry_new(&key, 0);

    assert_non_null(entry);
    return entry;
}

static struct cache_entry *reference(struct cache_entry *entry)
{
    atomic_fetch_add(&entry->references, 1);
    return entry;
}

static int open_one(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_not_equal(fd, -1);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1;
}

static void test_one_takes_what_another_gave(void **state)
{
    struct fixture f;
    int fd = open_one();

    (void)state;
    begin(&f, OPEN_FILES_PLACES);
    struct cache_entry *entry = make(&f, "a");
    assert_int_equal(open_files_take(&f.files, entry), -1);
    open_files_give(&f.files, reference(entry), fd);
    assert_true(open_files_any(&f.files));
    assert_int_equal(open_files_take(&f.files, entry), fd);
    assert_true(is_open(fd));
    /* It is one's own then. */
    assert_int_equal(open_files_take(&f.files, entry), -1);
    assert_false(open_files_any(&f.files));
    assert_int_equal(atomic_load(&entry->references), 1);
    close(fd);
    cache_release(entry);
    end(&f);
}

static void test_it_is_of_that_very_entry(void **state)
{
    struct fixture f;
    int old = open_one(), fd = open_one();

    (void)state;
    begin(&f, OPEN_FILES_PLACES);
    /* The same name, found anew: what was opened for the old one may be another file. */
    struct cache_entry *before = make(&f, "a"), *after = make(&f, "a");
    open_files_give(&f.files, reference(before), old);
    assert_int_equal(open_files_take(&f.files, after), -1);
    open_files_give(&f.files, reference(after), fd);
    assert_false(is_open(old));
    assert_int_equal(open_files_take(&f.files, after), fd);
    close(fd);
    cache_release(before);
    cache_release(after);
    end(&f);
}

static void test_what_rests_is_closed(void **state)
{
    struct fixture f;
    int fd = open_one();

    (void)state;
    begin(&f, OPEN_FILES_PLACES);
    struct cache_entry *entry = make(&f, "a");
    open_files_give(&f.files, reference(entry), fd);
    open_files_tend(&f.files);
    assert_int_equal(open_files_take(&f.files, entry), fd);
    open_files_give(&f.files, reference(entry), fd);
    /* It was used in between. */
    open_files_tend(&f.files);
    assert_true(is_open(fd));
    open_files_tend(&f.files);
    assert_false(is_open(fd));
    assert_false(open_files_any(&f.files));
    assert_int_equal(atomic_load(&entry->references), 1);
    cache_release(entry);
    end(&f);
}

static void test_no_more_than_the_limit(void **state)
{
    enum { MANY = 100, LIMIT = 4 };
    struct fixture f;
    int fds[MANY];
    unsigned open_fds = 0;

    (void)state;
    begin(&f, LIMIT);
    for (int i = 0; i < MANY; i++) {
        char name[] = {(char)('!' + i % 10), (char)('!' + i / 10), '\0'};
        fds[i] = open_one();
        open_files_give(&f.files, make(&f, name), fds[i]);
        /* The number may have been free again, and be used for the next: close none twice. */
        for (int j = 0; j < i; j++)
            if (fds[j] == fds[i])
                fds[j] = -1;
    }
    for (int i = 0; i < MANY; i++)
        open_fds += fds[i] != -1 && is_open(fds[i]);
    assert_in_range(open_fds, 1, LIMIT);
    end(&f);
    for (int i = 0; i < MANY; i++)
        assert_false(fds[i] != -1 && is_open(fds[i]));
}

static void test_none_when_there_is_no_room(void **state)
{
    struct fixture f;
    int fd = open_one();

    (void)state;
    begin(&f, 0);
    struct cache_entry *entry = make(&f, "a");
    assert_int_equal(open_files_take(&f.files, entry), -1);
    open_files_give(&f.files, reference(entry), fd);
    assert_false(is_open(fd));
    assert_int_equal(atomic_load(&entry->references), 1);
    cache_release(entry);
    end(&f);
}

static void test_a_share_of_the_descriptors(void **state)
{
    (void)state;
    assert_int_equal(open_files_limit(0), 0);
    assert_int_equal(open_files_limit(64), 4);
    assert_int_equal(open_files_limit(1024), 64);
    assert_int_equal(open_files_limit(UINT64_MAX), 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_takes_what_another_gave),
        cmocka_unit_test(test_it_is_of_that_very_entry),
        cmocka_unit_test(test_what_rests_is_closed),
        cmocka_unit_test(test_no_more_than_the_limit),
        cmocka_unit_test(test_none_when_there_is_no_room),
        cmocka_unit_test(test_a_share_of_the_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
