/* The line of the progress bar: its numbers, and that it never grows wider than the terminal. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/progress.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void writes_sizes(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {
        {0, "0 B"},          {999, "999 B"},          {1000, "1.00 kB"},       {9994, "9.99 kB"},
        {9995, "10.0 kB"},   {99949, "99.9 kB"},      {99950, "100 kB"},       {999499, "999 kB"},
        {999500, "1.00 MB"}, {1234567890, "1.23 GB"}, {UINT64_MAX, "18.4 EB"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char memory[32];
        struct buffer out = BUFFER_OVER(memory);
        progress_put_bytes(&out, rows[i].bytes);
        print_message("%.*s\n", (int)out.len, memory);
        assert_true(span_equal(buffer_span(&out), span_of(rows[i].text)));
    }
}

static void draws_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint64_t total, from, done;
        int64_t elapsed_ms;
        unsigned columns;
        const char *line;
    } rows[] = {
        {"nothing yet", 1000, 0, 0, 0, 60, "f   0% [>            ]      0 B      0 B/s"},
        {"half", 1000, 0, 500, 1000, 60, "f  50% [======>      ]    500 B    500 B/s  0:01 left"},
        {"all", 1000, 0, 1000, 2000, 60, "f 100% [=============]  1.00 kB    500 B/s"},
        {"more than was promised", 10, 0, 20, 1000, 60,
         "f 100% [=============]     20 B     20 B/s"},
        {"went on from half: the rate is of this run", 1000, 500, 750, 1000, 60,
         "f  75% [=========>   ]    750 B    250 B/s  0:01 left"},
        {"no length", 0, 0, 500, 1000, 60, "f    500 B    500 B/s"},
        {"no room for a bar", 1000, 0, 500, 1000, 30, "f  50%    500 B    500 B/s  0:01 left"},
        {"hours", 72000, 0, 1, 1000, 30, "f   0%      1 B      1 B/s  19:59:59 left"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char memory[PROGRESS_LINE_LIMIT];
        struct buffer out = BUFFER_OVER(memory);
        struct progress progress = {
            .fd = -1, .name = SPAN("f"), .total = rows[i].total, .from = rows[i].from};
        progress_line(&out, &progress, rows[i].done, rows[i].elapsed_ms, rows[i].columns);
        print_message("%s: %.*s|\n", rows[i].why, (int)out.len, memory);
        assert_true(span_equal(buffer_span(&out), span_of(rows[i].line)));
    }
}

/* Wherever there is room for a bar at all, and whatever the numbers. */
static void stays_within_the_terminal(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 999, 99999, 123456789, 999999999999, INT64_MAX};
    for (unsigned columns = 80; columns <= 200; columns += 7) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            char memory[PROGRESS_LINE_LIMIT];
            struct buffer out = BUFFER_OVER(memory);
            struct progress progress = {.fd = -1,
                                        .name = SPAN("a-name-that-is-longer-than-there-is-room"),
                                        .total = sizes[i]};
            progress_line(&out, &progress, sizes[i] / 3, 1000, columns);
            assert_false(out.overflowed);
            assert_true(out.len <= columns);
        }
    }
}

static void is_quiet_without_a_terminal(void **state)
{
    (void)state;
    struct progress progress;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    progress_begin(&progress, ends[1], SPAN("f"), 10);
    assert_int_equal(progress.fd, -1);
    progress_update(&progress, 5);
    progress_end(&progress);
    close(ends[1]);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_sizes),
        cmocka_unit_test(draws_the_line),
        cmocka_unit_test(stays_within_the_terminal),
        cmocka_unit_test(is_quiet_without_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
