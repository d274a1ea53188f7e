/* When a transfer is tried again, and after what pause. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/resumable.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void pauses_double_up_to_a_limit(void **state)
{
    (void)state;
    static const struct {
        unsigned tries;
        uint64_t retry_after_s;
        int64_t least, most; /* over all chances: clients that came at once do not come back so */
    } rows[] = {
        {1, 0, 126, 250},
        {2, 0, 251, 500},
        {3, 0, 501, 1000},
        {7, 0, 8001, 16000},
        {8, 0, 15001, 30000},
        {9, 0, 15001, 30000},
        {1000000, 0, 15001, 30000},
        {1, 1, 1000, 1000},
        {8, 1, 15001, 30000},
        {1, 30, 30000, 30000},
        {1, UINT64_MAX, 30000, 30000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t least = INT64_MAX, most = 0;
        for (uint32_t chance = 0; chance < 60000; chance++) {
            int64_t pause = resumable_pause_ms(rows[i].tries, rows[i].retry_after_s, chance);
            least = pause < least ? pause : least;
            most = pause > most ? pause : most;
        }
        assert_int_equal(least, rows[i].least);
        assert_int_equal(most, rows[i].most);
    }
}

static void what_may_pass_is_tried_again(void **state)
{
    (void)state;
    static const enum failure_kind passing[] = {FAILURE_RESOLVE, FAILURE_REFUSED, FAILURE_TIMEOUT,
                                                FAILURE_LOST};
    static const enum failure_kind lasting[] = {FAILURE_USAGE, FAILURE_PROTOCOL, FAILURE_CHANGED,
                                                FAILURE_LOCAL, FAILURE_CANCELLED};
    static const unsigned passing_status[] = {408, 429, 500, 502, 503, 504};
    static const unsigned lasting_status[] = {200, 206, 304, 401, 403, 404, 405,
                                              409, 412, 413, 416, 501, 507};
    for (size_t i = 0; i < COUNT(passing); i++)
        assert_true(resumable_is_passing(&(struct failure){.kind = passing[i]}));
    for (size_t i = 0; i < COUNT(lasting); i++)
        assert_false(resumable_is_passing(&(struct failure){.kind = lasting[i]}));
    for (size_t i = 0; i < COUNT(passing_status); i++)
        assert_true(resumable_is_passing_status(passing_status[i]));
    for (size_t i = 0; i < COUNT(lasting_status); i++)
        assert_false(resumable_is_passing_status(lasting_status[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pauses_double_up_to_a_limit),
        cmocka_unit_test(what_may_pass_is_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
