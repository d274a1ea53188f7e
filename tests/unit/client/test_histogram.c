/* Buckets, quantiles, and the correction for coordinated omission. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/histogram.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Buckets follow each other without gaps, and none is wider than 1/128 of its values. */
static void buckets_cover_all_values(void **state)
{
    (void)state;
    assert_int_equal(histogram_low(0), 0);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t low = histogram_low(i), next = histogram_low(i + 1);
        assert_true(next > low);
        assert_true(next - low == 1 || (next - low) * 128 <= low);
        const uint64_t values[] = {low, next - 1};
        for (size_t v = 0; v < 2; v++) {
            static struct histogram histogram;
            histogram = (struct histogram){0};
            histogram_record(&histogram, values[v]);
            assert_int_equal(histogram.buckets[i], 1);
        }
    }
    assert_int_equal(histogram_low(HISTOGRAM_BUCKETS), UINT64_C(1) << HISTOGRAM_BITS);
}

static void too_large_is_the_largest(void **state)
{
    (void)state;
    static struct histogram histogram;
    histogram_record(&histogram, UINT64_MAX);
    assert_int_equal(histogram.count, 1);
    assert_int_equal(histogram.max, (UINT64_C(1) << HISTOGRAM_BITS) - 1);
    assert_int_equal(histogram.buckets[HISTOGRAM_BUCKETS - 1], 1);
}

static void quantiles(void **state)
{
    (void)state;
    static struct histogram histogram;
    assert_int_equal(histogram_quantile(&histogram, 0.5), 0);
    for (uint64_t value = 1; value <= 200; value++)
        histogram_record(&histogram, value);
    static const struct {
        double share;
        uint64_t value;
    } rows[] = {{0, 1}, {0.005, 1}, {0.01, 2}, {0.5, 100}, {0.9, 180}, {0.99, 198}, {1, 200}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(histogram_quantile(&histogram, rows[i].share), rows[i].value);
    /* Of a wide bucket the upper end, but never more than what there was. */
    histogram_record(&histogram, 1000000);
    assert_int_equal(histogram_quantile(&histogram, 1), 1000000);
}

static void counts_between(void **state)
{
    (void)state;
    static struct histogram histogram;
    for (uint64_t value = 0; value < 100; value++)
        histogram_record(&histogram, value);
    assert_int_equal(histogram_between(&histogram, 0, 100), 100);
    assert_int_equal(histogram_between(&histogram, 10, 20), 10);
    assert_int_equal(histogram_between(&histogram, 99, UINT64_MAX), 1);
    assert_int_equal(histogram_between(&histogram, 20, 20), 0);
}

static void adds(void **state)
{
    (void)state;
    static struct histogram a, b;
    histogram_record(&a, 5);
    histogram_record(&b, 5);
    histogram_record(&b, 70);
    histogram_add(&a, &b);
    assert_int_equal(a.count, 3);
    assert_int_equal(a.max, 70);
    assert_int_equal(a.buckets[5], 2);
}

/* One answer of 100 among some of 10, to a client that would have asked every 10: those that it did
   not ask would have waited 90, 80, ... 10. */
static void correction_by_hand(void **state)
{
    (void)state;
    static struct histogram measured, corrected;
    for (int i = 0; i < 5; i++)
        histogram_record(&measured, 10);
    histogram_record(&measured, 100);
    histogram_correct(&corrected, &measured, 10);
    assert_int_equal(corrected.count, 6 + 9);
    assert_int_equal(corrected.buckets[10], 5 + 1);
    for (size_t value = 20; value <= 100; value += 10)
        assert_int_equal(corrected.buckets[value], 1);
    assert_int_equal(corrected.max, 100);
}

/* Against the definition, step by step, with buckets of all widths and awkward intervals. */
static void correction_by_definition(void **state)
{
    (void)state;
    static const uint64_t values[] = {1, 7, 255, 256, 300, 5000, 123456, 9999999};
    static const uint64_t intervals[] = {1, 2, 3, 7, 100, 255, 256, 257, 5000, 20000000};
    for (size_t v = 0; v < COUNT(values); v++) {
        for (size_t n = 0; n < COUNT(intervals); n++) {
            static struct histogram measured, corrected, expected;
            uint64_t interval = intervals[n];
            measured = expected = (struct histogram){0};
            histogram_record(&measured, values[v]);
            histogram_record(&expected, values[v]);
            for (uint64_t at = values[v]; at >= 2 * interval; at -= interval)
                histogram_record(&expected, at - interval);
            histogram_correct(&corrected, &measured, interval);
            assert_int_equal(corrected.count, expected.count);
            assert_memory_equal(&corrected, &expected, sizeof corrected);
        }
    }
}

static void no_interval_no_correction(void **state)
{
    (void)state;
    static struct histogram measured, corrected;
    histogram_record(&measured, 1000);
    histogram_correct(&corrected, &measured, 0);
    assert_memory_equal(&corrected, &measured, sizeof corrected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_cover_all_values),
        cmocka_unit_test(too_large_is_the_largest),
        cmocka_unit_test(quantiles),
        cmocka_unit_test(counts_between),
        cmocka_unit_test(adds),
        cmocka_unit_test(correction_by_hand),
        cmocka_unit_test(correction_by_definition),
        cmocka_unit_test(no_interval_no_correction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
