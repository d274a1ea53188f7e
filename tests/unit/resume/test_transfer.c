#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resume/transfer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct uuid client = {{1, 2, 3, 4, 5, 6, 0x87, 8, 0x89, 10, 11, 12, 13, 14, 15, 16}};
static const struct uuid other = {{9, 2, 3, 4, 5, 6, 0x87, 8, 0x89, 10, 11, 12, 13, 14, 15, 16}};

struct fixture {
    char path[64];
    int store;
};

static int set_up(void **state)
{
    static struct fixture f;

    snprintf(f.path, sizeof f.path, "/tmp/test_transfer.XXXXXX");
    assert_non_null(mkdtemp(f.path));
    f.store = open(f.path, O_RDONLY | O_DIRECTORY);
    assert_int_not_equal(f.store, -1);
    *state = &f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    close(f->store);
    return nftw(f->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct transfer create(struct fixture *f, struct span path, uint64_t offset)
{
    struct transfer t;
    struct transfer_record record = {.kind = TRANSFER_DOWNLOAD, .offset = offset, .size = 1000};

    assert_int_equal(transfer_create(&t, f->store, &client, path, &record, SPAN("a note"), 100),
                     TRANSFER_OK);
    return t;
}

static void what_was_stored_is_found_again(void **state)
{
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a/b.iso"), 17), again;
    char note[TRANSFER_NOTE_MAX];

    transfer_close(&t);
    assert_int_equal(transfer_open(&again, f->store, &client, SPAN("a/b.iso")), TRANSFER_OK);
    assert_int_equal(again.record.kind, TRANSFER_DOWNLOAD);
    assert_int_equal(again.record.offset, 17);
    assert_int_equal(again.record.size, 1000);
    assert_int_equal(again.record.touched_s, 100);
    assert_int_equal(again.record.generation, 1);
    assert_int_equal(transfer_note(&again, note), 6);
    assert_memory_equal(note, "a note", 6);
    transfer_close(&again);
}

static void a_record_belongs_to_one_client_and_one_path(void **state)
{
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a"), 1), none;
    struct transfer_record record = {.kind = TRANSFER_DOWNLOAD};

    assert_int_equal(transfer_open(&none, f->store, &other, SPAN("a")), TRANSFER_NONE);
    assert_int_equal(transfer_open(&none, f->store, &client, SPAN("b")), TRANSFER_NONE);
    assert_int_equal(transfer_create(&none, f->store, &client, SPAN("a"), &record, SPAN_EMPTY, 1),
                     TRANSFER_EXISTS);
    assert_true(transfer_is_held(&t)); /* the attempt changed nothing */
    transfer_close(&t);
}

static void the_newer_holder_wins(void **state)
{
    struct fixture *f = *state;
    struct transfer older = create(f, SPAN("a"), 1), newer;
    uint64_t former;

    older.record.offset = 5;
    older.record.claim.holder = 33;
    assert_int_equal(transfer_store(&older, 101), TRANSFER_OK);
    assert_int_equal(transfer_open(&newer, f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_true(transfer_is_held(&older)); /* looking is not taking */
    assert_int_equal(transfer_take(&newer, &(struct transfer_claim){77, 1, 1000}, &former, 102),
                     TRANSFER_OK);
    assert_int_equal(former, 33);
    assert_int_equal(newer.record.claim.holder, 77);
    assert_int_equal(newer.record.offset, 5);
    assert_false(transfer_is_held(&older));
    older.record.offset = 900;
    assert_int_equal(transfer_store(&older, 103), TRANSFER_EVICTED);
    newer.record.offset = 6;
    assert_int_equal(transfer_store(&newer, 104), TRANSFER_OK);
    transfer_close(&older);
    assert_int_equal(transfer_open(&older, f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_int_equal(older.record.offset, 6);
    transfer_close(&older);
    transfer_close(&newer);
}

static void who_asked_last_wins_whoever_comes_first(void **state)
{
    static const struct {
        struct transfer_claim held, claim;
        enum transfer_result expected;
        const char *why;
    } rows[] = {
        {{33, 1, 2000}, {44, 1, 3000}, TRANSFER_OK, "the younger takes it"},
        {{33, 1, 3000}, {44, 1, 3000}, TRANSFER_OK, "of two alike the later to take it"},
        {{33, 1, 3001}, {44, 1, 3000}, TRANSFER_EVICTED, "the older does not, from the younger"},
        {{0, 1, 3001}, {44, 1, 3000}, TRANSFER_OK, "but it does where nobody holds it any more"},
        {{33, 2, 3001}, {44, 1, 3000}, TRANSFER_OK, "another machine's time says nothing"},
        {{33, 1, 6000000}, {44, 1, 3000}, TRANSFER_OK, "nor does one that is hardly of this clock"},
    };
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a"), 1), other_one;
    uint64_t former;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        /* By one that nobody is older than. */
        const struct transfer_claim youngest = {rows[i].held.holder, 1, INT64_MAX};
        assert_int_equal(transfer_open(&other_one, f->store, &client, SPAN("a")), TRANSFER_OK);
        assert_int_equal(transfer_take(&other_one, &youngest, &former, 100), TRANSFER_OK);
        other_one.record.claim = rows[i].held;
        assert_int_equal(transfer_store(&other_one, 100), TRANSFER_OK);
        enum transfer_result got = transfer_take(&t, &rows[i].claim, &former, 101);
        if (got != rows[i].expected)
            fail_msg("%s", rows[i].why);
        assert_int_equal(transfer_is_held(&other_one), got == TRANSFER_EVICTED);
        transfer_close(&other_one);
    }
    transfer_close(&t);
}

static void what_was_removed_cannot_be_taken(void **state)
{
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a"), 1);
    uint64_t former;

    assert_int_equal(transfer_remove(f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_int_equal(transfer_take(&t, &(struct transfer_claim){1, 1, 1}, &former, 101),
                     TRANSFER_NONE);
    transfer_close(&t);
}

/* What a server that was killed left of making a record is in nobody's way. */
static void half_a_record_is_in_nobodys_way(void **state)
{
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a"), 7), again;
    struct transfer_record record = {.kind = TRANSFER_DOWNLOAD};
    char name[64], left[80];
    struct dirent *entry;

    uuid_format(&client, name);
    name[UUID_TEXT_LEN] = '\0';
    int fd = openat(f->store, name, O_RDONLY | O_DIRECTORY);
    DIR *directory = fdopendir(fd);
    assert_non_null(directory);
    for (left[0] = '\0'; (entry = readdir(directory)) != NULL;)
        if (entry->d_name[0] != '.')
            snprintf(left, sizeof left, "%.40s.new", entry->d_name);
    /* Linked already, and not yet unlinked: the same file under both names. */
    left[strlen(left) - 4] = '\0';
    snprintf(name, sizeof name, "%.40s.new", left);
    assert_int_equal(linkat(fd, left, fd, name, 0), 0);
    closedir(directory);
    assert_int_equal(transfer_create(&again, f->store, &client, SPAN("a"), &record, SPAN_EMPTY, 1),
                     TRANSFER_EXISTS);
    assert_true(transfer_is_held(&t));
    assert_int_equal(transfer_open(&again, f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_int_equal(again.record.offset, 7);
    transfer_close(&again);
    transfer_close(&t);
}

static void what_is_kept_does_not_grow_old(void **state)
{
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a"), 7), seen; /* at 100 */
    uint64_t former;

    assert_true(transfer_keep(&t, 10, 109));
    assert_int_equal(transfer_open(&seen, f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_int_equal(seen.record.touched_s, 100);
    transfer_close(&seen);
    assert_true(transfer_keep(&t, 10, 110));
    assert_int_equal(transfer_open(&seen, f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_int_equal(seen.record.touched_s, 110);
    assert_int_equal(seen.record.offset, 7);
    assert_int_equal(transfer_take(&seen, &(struct transfer_claim){1, 1, 1}, &former, 111),
                     TRANSFER_OK);
    assert_false(transfer_keep(&t, 10, 112));
    assert_false(transfer_keep(&t, 10, 130)); /* and does not touch what is another's */
    transfer_close(&t);
    assert_int_equal(transfer_open(&t, f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_int_equal(t.record.touched_s, 111);
    transfer_close(&seen);
    transfer_close(&t);
}

/* Damages one byte of the file, wherever it is: a record is read as it was before or after the last
   write, or not at all, and never as something else. */
static void a_torn_write_loses_only_itself(void **state)
{
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a"), 1000), seen;
    unsigned intact = 0, former = 0;

    t.record.offset = 2000;
    assert_int_equal(transfer_store(&t, 101), TRANSFER_OK);
    for (off_t at = 0; at < 700; at++) {
        char byte, damaged;
        assert_int_equal(pread(t.fd, &byte, 1, at) >= 0, 1);
        damaged = (char)(byte ^ 0x10);
        if (pread(t.fd, &byte, 1, at) != 1)
            continue;
        assert_int_equal(pwrite(t.fd, &damaged, 1, at), 1);
        assert_int_equal(transfer_open(&seen, f->store, &client, SPAN("a")), TRANSFER_OK);
        assert_true(seen.record.offset == 1000 || seen.record.offset == 2000);
        intact += seen.record.offset == 2000;
        former += seen.record.offset == 1000;
        transfer_close(&seen);
        assert_int_equal(pwrite(t.fd, &byte, 1, at), 1);
    }
    assert_true(former > 50);
    assert_true(intact > 300);
    transfer_close(&t);
}

static void what_is_no_record_is_not_read_as_one(void **state)
{
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a"), 1), seen;

    assert_int_equal(ftruncate(t.fd, 0), 0);
    assert_int_equal(transfer_open(&seen, f->store, &client, SPAN("a")), TRANSFER_FAILED);
    assert_true(transfer_is_held(&t)); /* nobody else is seen to have it */
    assert_int_equal(transfer_store(&t, 1), TRANSFER_FAILED);
    transfer_close(&t);
}

static void count_one(void *context, struct span path, struct transfer *transfer)
{
    (void)path;
    *(uint64_t *)context += transfer->record.offset;
}

static void a_path_or_note_that_is_too_long_is_no_record(void **state)
{
    struct fixture *f = *state;
    static char text[TRANSFER_PATH_MAX + TRANSFER_NOTE_MAX + 1];
    struct transfer_record record = {.kind = TRANSFER_UPLOAD};
    struct transfer t;

    memset(text, 'x', sizeof text);
    assert_int_equal(transfer_create(&t, f->store, &client, span_make(text, TRANSFER_PATH_MAX),
                                     &record, span_make(text, TRANSFER_NOTE_MAX), 1),
                     TRANSFER_OK);
    transfer_close(&t);
    errno = 0;
    assert_int_equal(transfer_create(&t, f->store, &other, span_make(text, TRANSFER_PATH_MAX + 1),
                                     &record, SPAN_EMPTY, 1),
                     TRANSFER_FAILED);
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(transfer_create(&t, f->store, &other, SPAN("a"), &record,
                                     span_make(text, TRANSFER_NOTE_MAX + 1), 1),
                     TRANSFER_FAILED);
    assert_int_equal(t.fd, -1);
}

/* As on a disk that fills up: what fits is written, and then nothing more. */
static void a_full_disk_makes_no_record_and_loses_none(void **state)
{
    struct fixture *f = *state;
    static const rlim_t limits[] = {1024 + 3, 1024 + 8, 100};
    struct transfer kept = create(f, SPAN("kept"), 1), t;
    struct transfer_record record = {.kind = TRANSFER_UPLOAD};
    struct rlimit before, limit;
    uint64_t sum = 0;

    /* Of one that is written after another, the first place is next. */
    assert_int_equal(transfer_store(&kept, 2), TRANSFER_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        limit = (struct rlimit){limits[i], before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        enum transfer_result made =
            transfer_create(&t, f->store, &client, SPAN("a path"), &record, SPAN("a note"), 1);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(made, TRANSFER_NO_SPACE);
        assert_int_equal(transfer_open(&t, f->store, &client, SPAN("a path")), TRANSFER_NONE);
    }
    kept.record.offset = 99;
    limit = (struct rlimit){100, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum transfer_result first = transfer_store(&kept, 3), second = transfer_store(&kept, 3);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(first, TRANSFER_NO_SPACE);
    assert_int_equal(second, TRANSFER_NO_SPACE);
    assert_int_equal(transfer_each(f->store, &client, count_one, &sum), TRANSFER_OK);
    assert_int_equal(sum, 1); /* what was stored before counts */
    transfer_close(&kept);
}

static void what_lies_in_the_store_and_is_no_record_is_in_nobodys_way(void **state)
{
    struct fixture *f = *state;
    struct transfer t = create(f, SPAN("a"), 5), none;
    struct timespec long_ago[2] = {{.tv_sec = 100}, {.tv_sec = 100}};
    struct transfer_record record = {.kind = TRANSFER_UPLOAD};
    char name[UUID_TEXT_LEN + 40];
    unsigned removed = 0;
    uint64_t sum = 0;

    uuid_format(&client, name);
    memcpy(name + UUID_TEXT_LEN, "/00112233445566778899aabbccddeeff", 34);
    int fd = openat(f->store, name, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "junk", 4), 4);
    assert_int_equal(futimens(fd, long_ago), 0);
    close(fd);
    uuid_format(&other, name);
    name[UUID_TEXT_LEN] = '\0';
    fd = openat(f->store, name, O_WRONLY | O_CREAT, 0600); /* a file where a directory belongs */
    close(fd);
    close(openat(f->store, "strange", O_WRONLY | O_CREAT, 0600));

    assert_int_equal(transfer_each(f->store, &client, count_one, &sum), TRANSFER_OK);
    assert_int_equal(sum, 5);
    assert_int_equal(transfer_each(f->store, &other, count_one, &sum), TRANSFER_NONE);
    assert_int_not_equal(
        transfer_create(&none, f->store, &other, SPAN("a"), &record, SPAN_EMPTY, 1), TRANSFER_OK);
    transfer_sweep(f->store, 50, NULL, NULL, NULL, &removed);
    assert_int_equal(removed, 0);
    transfer_sweep(f->store, 1000, NULL, NULL, NULL,
                   &removed); /* what cannot be read only grows old */
    assert_int_equal(removed, 1);
    assert_int_equal(transfer_open(&none, f->store, &client, SPAN("a")), TRANSFER_OK);
    transfer_close(&none);
    transfer_close(&t);
}

static void without_a_store_nothing_is_stored(void **state)
{
    struct fixture *f = *state;
    struct transfer_record record = {.kind = TRANSFER_UPLOAD};
    struct transfer t = create(f, SPAN("a"), 1);
    char gone[80];
    unsigned removed = 0;

    assert_int_equal(transfer_sync(&t), TRANSFER_OK);
    transfer_close(&t);
    assert_int_equal(transfer_sync(&t), TRANSFER_FAILED);
    assert_int_equal(transfer_store(&t, 1), TRANSFER_FAILED);
    assert_int_equal(transfer_take(&t, &(struct transfer_claim){1, 1, 1}, &(uint64_t){0}, 1),
                     TRANSFER_FAILED);

    snprintf(gone, sizeof gone, "%s/gone", f->path);
    assert_int_equal(mkdir(gone, 0700), 0);
    int store = open(gone, O_RDONLY | O_DIRECTORY);
    assert_int_equal(rmdir(gone), 0);
    assert_int_equal(transfer_create(&t, store, &client, SPAN("a"), &record, SPAN_EMPTY, 1),
                     TRANSFER_FAILED);
    assert_int_equal(t.fd, -1);
    transfer_sweep(store, 1000, NULL, NULL, NULL, &removed);
    close(store);
    transfer_sweep(-1, 1000, NULL, NULL, NULL, &removed);
    assert_int_equal(removed, 0);
}

static void a_client_has_many(void **state)
{
    struct fixture *f = *state;
    struct transfer a = create(f, SPAN("a"), 1), b = create(f, SPAN("b"), 20);
    uint64_t sum = 0;

    assert_int_equal(transfer_each(f->store, &client, count_one, &sum), TRANSFER_OK);
    assert_int_equal(sum, 21);
    assert_int_equal(transfer_remove(f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_int_equal(transfer_remove(f->store, &client, SPAN("a")), TRANSFER_NONE);
    assert_int_equal(transfer_remove(f->store, &client, SPAN("b")), TRANSFER_OK);
    assert_int_equal(transfer_each(f->store, &client, count_one, &sum), TRANSFER_NONE);
    transfer_close(&a);
    transfer_close(&b);
}

static void count_removal(void *context, const struct uuid *whose, struct span path,
                          const struct transfer_record *record)
{
    assert_memory_equal(whose, &client, sizeof client);
    assert_true(span_starts_with(path, SPAN("old")));
    assert_int_equal(record->offset, 1);
    ++*(unsigned *)context;
}

static void the_sweep_takes_what_is_old_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct transfer old = create(f, SPAN("old"), 1), young = create(f, SPAN("young"), 2), seen;
    struct timespec long_ago[2] = {{.tv_sec = 100}, {.tv_sec = 100}};
    unsigned removed = 0, told = 0;

    assert_int_equal(futimens(old.fd, long_ago), 0);
    /* Its own state says it is young, whatever the file's time: */
    assert_int_equal(transfer_store(&young, 5000), TRANSFER_OK);
    assert_int_equal(futimens(young.fd, long_ago), 0);
    transfer_close(&old);
    transfer_close(&young);
    transfer_sweep(f->store, 1000, count_removal, NULL, &told, &removed);
    assert_int_equal(removed, 1);
    assert_int_equal(told, 1);
    assert_int_equal(transfer_open(&seen, f->store, &client, SPAN("old")), TRANSFER_NONE);
    assert_int_equal(transfer_open(&seen, f->store, &client, SPAN("young")), TRANSFER_OK);
    transfer_close(&seen);
}

static bool once(void *context)
{
    unsigned *told = context;
    return *told == 0;
}

static void the_sweep_ends_when_it_is_told_to(void **state)
{
    struct fixture *f = *state;
    struct timespec long_ago[2] = {{.tv_sec = 100}, {.tv_sec = 100}};
    unsigned removed = 0, told = 0;
    char path[] = "old 0";

    for (; path[4] < '8'; path[4]++) {
        struct transfer old = create(f, span_of(path), 1);
        assert_int_equal(futimens(old.fd, long_ago), 0);
        transfer_close(&old);
    }
    transfer_sweep(f->store, 1000, count_removal, once, &told, &removed);
    assert_int_equal(removed, 1);
    transfer_sweep(f->store, 1000, count_removal, NULL, &told, &removed);
    assert_int_equal(removed, 8);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    signal(SIGXFSZ, SIG_IGN); /* as the server has it: a write past the limit fails */
    const struct CMUnitTest tests[] = {
        TEST(what_was_stored_is_found_again),
        TEST(a_record_belongs_to_one_client_and_one_path),
        TEST(the_newer_holder_wins),
        TEST(who_asked_last_wins_whoever_comes_first),
        TEST(what_was_removed_cannot_be_taken),
        TEST(half_a_record_is_in_nobodys_way),
        TEST(what_is_kept_does_not_grow_old),
        TEST(a_torn_write_loses_only_itself),
        TEST(what_is_no_record_is_not_read_as_one),
        TEST(a_path_or_note_that_is_too_long_is_no_record),
        TEST(a_full_disk_makes_no_record_and_loses_none),
        TEST(what_lies_in_the_store_and_is_no_record_is_in_nobodys_way),
        TEST(without_a_store_nothing_is_stored),
        TEST(a_client_has_many),
        TEST(the_sweep_takes_what_is_old_and_nothing_else),
        TEST(the_sweep_ends_when_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
