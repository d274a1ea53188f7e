#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/counters.h"

/* Buckets end at 16 us, 32 us, 64 us, …, 2^26 us; the end belongs to the bucket. */
static void a_duration_falls_into_the_first_bucket_that_reaches_it(void **state)
{
    static const struct {
        uint64_t us;
        unsigned bucket;
    } rows[] = {
        {0, 0},    {1, 0},    {16, 0},        {17, 1},        {32, 1},        {33, 2},
        {1024, 6}, {1025, 7}, {33554432, 21}, {67108864, 22}, {67108865, 23}, {UINT64_MAX, 23},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(duration_bucket(rows[i].us), rows[i].bucket);
}

static void every_bucket_holds_what_it_says(void **state)
{
    (void)state;
    assert_int_equal(duration_bucket_most(0), 16);
    for (unsigned i = 0; i < DURATION_BUCKETS - 1; i++) {
        uint64_t most = duration_bucket_most(i);
        assert_int_equal(duration_bucket(most), i);
        assert_int_equal(duration_bucket(most + 1), i + 1);
    }
    assert_true(duration_bucket_most(DURATION_BUCKETS - 1) == UINT64_MAX);
}

/* No two pairs of method and class share a counter, and none is another's. */
static void each_method_and_class_has_a_counter(void **state)
{
    bool taken[COUNTER_COUNT] = {false};

    (void)state;
    for (unsigned method = 0; method < METHOD_COUNT; method++)
        for (unsigned status = 100; status < 600; status += 100) {
            enum counter counter = counter_of_request((enum method)method, status);
            assert_in_range(counter, COUNTER_REQUESTS, COUNTER_COUNT - 1);
            assert_false(taken[counter]);
            taken[counter] = true;
            assert_int_equal(counter_of_request((enum method)method, status + 99), counter);
        }
    /* A status that is none is the server's fault. */
    assert_int_equal(counter_of_request(METHOD_GET, 0), counter_of_request(METHOD_GET, 500));
    assert_int_equal(counter_of_request(METHOD_GET, 999), counter_of_request(METHOD_GET, 500));
}

static void sets_add_up(void **state)
{
    static struct counters sets[3];
    uint64_t total[COUNTER_COUNT] = {0};

    (void)state;
    counters_add(&sets[0], COUNTER_SENT, 5);
    counters_add(&sets[0], COUNTER_SENT, 7);
    counters_add(&sets[1], COUNTER_SENT, 100);
    counters_add_shared(&sets[2], COUNTER_REFUSED, 1);
    counters_add_shared(&sets[2], COUNTER_REFUSED, 2);
    counters_add_duration(&sets[0], 20, 3);
    counters_add_duration(&sets[1], 20, 1);
    for (unsigned i = 0; i < 3; i++)
        counters_sum(&sets[i], total);
    assert_int_equal(total[COUNTER_SENT], 112);
    assert_int_equal(total[COUNTER_REFUSED], 3);
    assert_int_equal(total[COUNTER_DURATION + 1], 4);
    assert_int_equal(total[COUNTER_DURATION_US], 80);
    assert_int_equal(total[COUNTER_RECEIVED], 0);
    /* Sets of two workers never share a cache line. */
    assert_int_equal((uintptr_t)&sets[1] % 128, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_falls_into_the_first_bucket_that_reaches_it),
        cmocka_unit_test(every_bucket_holds_what_it_says),
        cmocka_unit_test(each_method_and_class_has_a_counter),
        cmocka_unit_test(sets_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
