#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/cache.h"

#include "unit/fs/tree.h"

#include <stdio.h>

struct fixture {
    struct tree tree;
    struct docroot root;
    struct cache cache;
};

enum { LIMIT = 1 << 20 };

static int setup(void **state)
{
    static struct fixture fixture;

    *state = &fixture;
    tree_make(&fixture.tree);
    assert_int_equal(docroot_open(&fixture.root, fixture.tree.root), FS_OK);
    assert_int_equal(cache_init(&fixture.cache, LIMIT), 0);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    cache_free(&f->cache);
    docroot_close(&f->root);
    tree_remove(&f->tree);
    return 0;
}

/* An entry of that name with `size` bytes of room, in the table. */
static void add(struct fixture *f, const char *name, size_t size)
{
    struct cache_key key = cache_key_of(&f->cache, span_of(name));
    struct cache_entry *entry = cache_entry_new(&key, size);

    assert_non_null(entry);
    memset(cache_entry_take(entry, size), name[0], size);
    cache_add(&f->cache, entry);
    cache_release(entry);
}

static struct cache_entry *find(struct fixture *f, const char *name)
{
    struct cache_key key = cache_key_of(&f->cache, span_of(name));

    return cache_find(&f->cache, &key);
}

static bool has(struct fixture *f, const char *name)
{
    struct cache_entry *entry = find(f, name);

    cache_release(entry);
    return entry != NULL;
}

static void keeps_and_finds(void **state)
{
    struct fixture *f = *state;
    struct cache_entry *first, *second;

    assert_false(has(f, "a"));
    add(f, "a", 100);
    add(f, "ab", 100);
    assert_true(has(f, "a"));
    assert_true(has(f, "ab"));
    assert_false(has(f, ""));
    first = find(f, "a");
    add(f, "a", 200); /* takes the place of the other, which its holder may still use */
    second = find(f, "a");
    assert_ptr_not_equal(first, second);
    assert_int_equal(first->room[first->key.text.len + 99], 'a');
    cache_drop(&f->cache, first); /* not there any more: the newer one stays */
    assert_true(has(f, "a"));
    cache_drop(&f->cache, second);
    assert_false(has(f, "a"));
    assert_true(has(f, "ab"));
}

static size_t bytes_kept(const struct cache *cache)
{
    size_t bytes = 0;

    for (unsigned i = 0; i < CACHE_SHARDS; i++)
        bytes += cache->shards[i].bytes;
    return bytes;
}

static void keeps_its_limit(void **state)
{
    struct fixture *f = *state;
    char name[16];
    unsigned kept = 0;

    for (unsigned i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "%u", i);
        add(f, name, 1000);
        assert_true(bytes_kept(&f->cache) <= LIMIT);
    }
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "%u", i);
        kept += has(f, name) ? 1 : 0;
    }
    /* About a MiB of entries of 1.5 KB; with uneven shards some less. */
    assert_in_range(kept, 400, 1000);
    snprintf(name, sizeof name, "%u", 2999);
    assert_true(has(f, name));
}

static void what_is_used_stays(void **state)
{
    struct fixture *f = *state;
    char name[16];

    add(f, "hot", 1000);
    for (unsigned i = 0; i < 5000; i++) {
        struct cache_entry *hot = find(f, "hot");

        assert_non_null(hot);
        assert_true(cache_entry_holds(hot, &f->root, 0)); /* it has no witness to ask */
        cache_release(hot);
        snprintf(name, sizeof name, "%u", i);
        add(f, name, 1000);
    }
}

static void large_ones_are_not_for_it(void **state)
{
    struct fixture *f = *state;
    struct cache none;

    assert_true(cache_has_room(&f->cache, 10000));
    assert_false(cache_has_room(&f->cache, LIMIT / CACHE_SHARDS));
    assert_int_equal(cache_init(&none, 0), 0);
    assert_false(cache_is_on(&none));
    assert_false(cache_has_room(&none, 1));
    cache_free(&none);
}

static void asks_its_witnesses(void **state)
{
    struct fixture *f = *state;
    const struct timespec two_ticks = {.tv_nsec = 20 * 1000 * 1000};
    struct cache_key key = cache_key_of(&f->cache, SPAN("x"));
    struct cache_entry *entry = cache_entry_new(&key, 0);
    struct witness *w = entry->witnesses;

    tree_file(&f->tree, "x", "one");
    w[0].path = w[1].path = SPAN("x");
    w[1].path = SPAN("");
    assert_int_equal(docroot_stat(&f->root, "x", &w[0].file), FS_OK);
    assert_int_equal(docroot_stat(&f->root, "", &w[1].file), FS_OK);
    entry->witness_count = 2;
    assert_true(cache_entry_holds(entry, &f->root, 5));

    assert_int_equal(nanosleep(&two_ticks, NULL), 0);
    tree_file(&f->tree, "y", "a name more");
    assert_true(cache_entry_holds(entry, &f->root, 5));  /* it was looked at after that fetch */
    assert_true(cache_entry_holds(entry, &f->root, 4));  /* and so after this one */
    assert_false(cache_entry_holds(entry, &f->root, 6)); /* but not after this one, */
    assert_false(cache_entry_holds(entry, &f->root, 0)); /* nor for a request that may be younger */
    entry->witness_count = 1;
    assert_true(cache_entry_holds(entry, &f->root, 6));
    cache_release(entry);
}

static void *churn(void *argument)
{
    struct fixture *f = argument;
    char name[16];

    for (unsigned i = 0; i < 20000; i++) {
        struct cache_entry *entry;

        snprintf(name, sizeof name, "%u", i % 97);
        entry = find(f, name);
        if (entry == NULL)
            add(f, name, 3000);
        else if (i % 5 == 0)
            cache_drop(&f->cache, entry);
        else
            cache_release(entry);
    }
    return NULL;
}

/* For the sanitizers to watch. */
static void many_threads_share_it(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, f), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(bytes_kept(&f->cache) <= LIMIT);
}

#define IN_CACHE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_CACHE(keeps_and_finds),    IN_CACHE(keeps_its_limit),
        IN_CACHE(what_is_used_stays), IN_CACHE(large_ones_are_not_for_it),
        IN_CACHE(asks_its_witnesses), IN_CACHE(many_threads_share_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
