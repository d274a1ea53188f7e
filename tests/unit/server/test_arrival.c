#include "server/arrival.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Content of 1,000,000 bytes behind a head of 100; the client began with a window of 1000. */
enum { BASE = 100, LENGTH = 1000000, LIMIT = 100000 };

struct row {
    const char *why;
    struct arrival_look looks[3]; /* sent 0: no look */
    uint64_t least;
    bool exact;
    uint64_t acknowledged;
};

static const struct row rows[] = {
    {"nothing was acknowledged", {{500, 0, 1000, LIMIT, false, false}}, 0, false, 0},
    {"the head is no content", {{500, 100, 1000, LIMIT, false, false}}, 0, false, 0},
    {"twice the window, and what went unseen, may be unread",
     {{50100, 50100, 1000, LIMIT, false, false}},
     0,
     false,
     50000},
    {"a largest window that is small bounds it too",
     {{50100, 50100, 1000, 7000, false, false}},
     43000,
     false,
     50000},
    {"looks that follow closely: 50,000 less 2 * 1000 and 25,000",
     {{25100, 25100, 1000, LIMIT, false, false}, {50100, 50100, 1000, LIMIT, false, false}},
     50000 - 2000 - 25100,
     false,
     50000},
    {"a window that was larger counts, though it shrank",
     {{25100, 25100, 9000, LIMIT, false, false}, {50100, 50100, 0, LIMIT, false, false}},
     50000 - 18000 - 25100,
     false,
     50000},
    {"a FIN, and bytes on their way that nobody has reset: it may read them yet",
     {{50100, 40100, 1000, LIMIT, true, false}},
     0,
     false,
     40000},
    {"closed, with an empty buffer, and nothing on its way: all of it was read",
     {{40100, 40100, 1000, LIMIT, true, false}},
     0,
     true,
     40000},
    {"closed, and reset what still came",
     {{50100, 40100, 1000, LIMIT, true, false}, {60100, 40100, 1000, LIMIT, true, true}},
     0,
     true,
     40000},
    {"seen at once", {{50100, 40100, 1000, LIMIT, true, true}}, 0, true, 40000},
    {"reset alone: unread bytes", {{50100, 40100, 1000, LIMIT, false, true}}, 0, false, 40000},
    {"a FIN, and it went on receiving: it had closed its side alone",
     {{50100, 40100, 1000, LIMIT, true, false}, {60100, 50100, 1000, LIMIT, true, false}},
     50000 - 2000 - 40100,
     false,
     50000},
    {"a FIN with a full buffer, and a reset: both sides shut, then closed with unread bytes",
     {{50100, 40100, 10, LIMIT, true, false}, {50100, 40100, 10, LIMIT, true, true}},
     0,
     false,
     40000},
    {"a FIN when nothing was on its way, and a reset all the same: unread bytes",
     {{40100, 40100, 1000, LIMIT, true, false}, {40100, 40100, 1000, LIMIT, true, true}},
     0,
     false,
     40000},
    {"no more than there is",
     {{BASE + LENGTH + 500, BASE + LENGTH + 500, 1000, LIMIT, true, false}},
     LENGTH - LIMIT + 500,
     true,
     LENGTH},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct arrival_look begin = {.window = 1000, .window_limit = LIMIT};
        struct arrival a;

        arrival_begin(&a, BASE, LENGTH, &begin);
        for (size_t j = 0; j < 3 && rows[i].looks[j].sent > 0; j++)
            arrival_see(&a, &rows[i].looks[j]);
        if (arrival_least(&a) != rows[i].least || arrival_is_exact(&a) != rows[i].exact ||
            arrival_acknowledged(&a) != rows[i].acknowledged)
            fail_msg("%s: least %llu, exact %d, acknowledged %llu", rows[i].why,
                     (unsigned long long)arrival_least(&a), arrival_is_exact(&a),
                     (unsigned long long)arrival_acknowledged(&a));
    }
}

/* "GET ... FIN" in one: the client never says again that it goes. */
static void test_half_closed_before_the_content(void **state)
{
    const struct arrival_look begin = {.window = 1000, .window_limit = LIMIT, .finished = true};
    const struct arrival_look end = {BASE + LENGTH, BASE + LENGTH, 1000, LIMIT, true, false};
    struct arrival a;

    (void)state;
    arrival_begin(&a, BASE, LENGTH, &begin);
    arrival_see(&a, &end);
    assert_false(arrival_is_exact(&a));
    assert_int_equal(arrival_least(&a), LENGTH - LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_half_closed_before_the_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
