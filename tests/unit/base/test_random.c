#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"

/* Every byte is written and no byte past the end: of eight tries, none leaves a place at zero. */
static void fills_all_and_no_more(void **state)
{
    static const size_t lens[] = {0, 1, 16, 255, 257, 4096};
    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        uint8_t seen[4097] = {0}, out[4097];
        size_t len = lens[i];
        for (int try = 0; try < 8; try++) {
            out[len] = 0xA5;
            assert_true(random_fill(out, len));
            assert_int_equal(out[len], 0xA5);
            for (size_t j = 0; j < len; j++)
                seen[j] |= out[j];
        }
        for (size_t j = 0; j < len; j++)
            assert_int_not_equal(seen[j], 0); /* by chance once in 2^64 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(fills_all_and_no_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
