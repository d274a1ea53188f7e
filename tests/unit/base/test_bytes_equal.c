#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes_equal.h"

/* One different bit anywhere is seen, and bytes past the length are not looked at. */
static void every_bit_counts(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 40; len++) {
        uint8_t a[41] = {0}, b[41] = {0};
        a[len] = 1;
        assert_true(bytes_equal(a, b, len));
        for (size_t bit = 0; bit < 8 * len; bit++) {
            b[bit / 8] = (uint8_t)(1U << bit % 8);
            assert_false(bytes_equal(a, b, len));
            assert_false(bytes_equal(b, a, len));
            b[bit / 8] = 0;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_bit_counts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
