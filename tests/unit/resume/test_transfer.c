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
#include <stdio.h>
#include <stdlib.h>
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
    older.record.holder = 33;
    assert_int_equal(transfer_store(&older, 101), TRANSFER_OK);
    assert_int_equal(transfer_open(&newer, f->store, &client, SPAN("a")), TRANSFER_OK);
    assert_true(transfer_is_held(&older)); /* looking is not taking */
    assert_int_equal(transfer_take(&newer, 77, &former, 102), TRANSFER_OK);
    assert_int_equal(former, 33);
    assert_int_equal(newer.record.holder, 77);
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
    assert_int_equal(transfer_store(&t, 1), TRANSFER_FAILED);
    transfer_close(&t);
}

static void count_one(void *context, struct span path, struct transfer *transfer)
{
    (void)path;
    *(uint64_t *)context += transfer->record.offset;
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
    assert_true(span_equal(path, SPAN("old")));
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
    transfer_sweep(f->store, 1000, count_removal, &told, &removed);
    assert_int_equal(removed, 1);
    assert_int_equal(told, 1);
    assert_int_equal(transfer_open(&seen, f->store, &client, SPAN("old")), TRANSFER_NONE);
    assert_int_equal(transfer_open(&seen, f->store, &client, SPAN("young")), TRANSFER_OK);
    transfer_close(&seen);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_was_stored_is_found_again),
        TEST(a_record_belongs_to_one_client_and_one_path),
        TEST(the_newer_holder_wins),
        TEST(a_torn_write_loses_only_itself),
        TEST(what_is_no_record_is_not_read_as_one),
        TEST(a_client_has_many),
        TEST(the_sweep_takes_what_is_old_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
