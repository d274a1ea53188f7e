#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/metrics.h"
#include "server/numbers.h"
#include "server/worker.h"

static void seconds_have_the_digits_they_need(void **state)
{
    static const struct {
        uint64_t us;
        const char *text;
    } rows[] = {
        {0, "0.0"},       {16, "0.000016"},        {100000, "0.1"},      {1000000, "1.0"},
        {1500000, "1.5"}, {67108864, "67.108864"}, {999999, "0.999999"}, {60000001, "60.000001"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char bytes[32];
        struct buffer out = BUFFER_OVER(bytes);
        numbers_put_seconds(&out, rows[i].us);
        assert_true(span_equal(buffer_span(&out), span_of(rows[i].text)));
    }
}

static bool has(const struct buffer *out, const char *line)
{
    struct span rest = buffer_span(out);

    while (rest.len > 0) {
        size_t end = span_find(rest, '\n');
        if (span_equal(span_make(rest.ptr, end), span_of(line)))
            return true;
        rest = span_from(rest, end + 1);
    }
    return false;
}

/* Every number at its largest: the page that a worker writes them on must hold them all. */
static void the_largest_numbers_fit_a_workers_page(void **state)
{
    static struct snapshot s;
    static char bytes[WORKER_INLINE];
    struct buffer out = BUFFER_OVER(bytes);

    (void)state;
    s.started_s = s.uptime_ms = INT64_MAX / 1000;
    s.workers = s.busy = s.waiting = s.waiting_limit = s.open = s.open_limit = UINT32_MAX;
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        s.connections[i] = UINT32_MAX;
    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        s.counters[i] = UINT64_MAX;
    s.requests = UINT64_MAX;
    metrics_put(&out, &s, METRICS_OPENMETRICS);
    assert_false(out.overflowed);
    out.len = 0;
    metrics_put(&out, &s, METRICS_PROMETHEUS);
    assert_false(out.overflowed);
    out.len = 0;
    numbers_put_json(&out, &s);
    assert_false(out.overflowed);
}

/* OpenMetrics 1.0, Counter: the family's name is without "_total", the sample's with it; the last
   line is "# EOF". In the older format both have it, and there is no last line. */
static void the_two_forms_differ_where_they_must(void **state)
{
    static struct snapshot s;
    static char bytes[WORKER_INLINE];
    struct buffer out = BUFFER_OVER(bytes);

    (void)state;
    s.counters[COUNTER_SENT] = 42;
    metrics_put(&out, &s, METRICS_OPENMETRICS);
    assert_true(has(&out, "# TYPE httpd_sent_bytes counter"));
    assert_true(has(&out, "httpd_sent_bytes_total 42"));
    assert_true(span_ends_with(buffer_span(&out), SPAN("\n# EOF\n")));
    out.len = 0;
    metrics_put(&out, &s, METRICS_PROMETHEUS);
    assert_true(has(&out, "# TYPE httpd_sent_bytes_total counter"));
    assert_true(has(&out, "httpd_sent_bytes_total 42"));
    assert_false(has(&out, "# EOF"));
}

/* Buckets of a histogram count all that took no longer (OpenMetrics 1.0, Histogram). */
static void buckets_are_cumulative(void **state)
{
    static struct snapshot s;
    static char bytes[WORKER_INLINE];
    struct buffer out = BUFFER_OVER(bytes);

    (void)state;
    s.counters[COUNTER_DURATION] = 3;
    s.counters[COUNTER_DURATION + 1] = 4;
    s.counters[COUNTER_DURATION + DURATION_BUCKETS - 1] = 1;
    s.counters[COUNTER_DURATION_US] = 70000123;
    metrics_put(&out, &s, METRICS_OPENMETRICS);
    assert_true(has(&out, "httpd_request_duration_seconds_bucket{le=\"0.000016\"} 3"));
    assert_true(has(&out, "httpd_request_duration_seconds_bucket{le=\"0.000032\"} 7"));
    assert_true(has(&out, "httpd_request_duration_seconds_bucket{le=\"67.108864\"} 7"));
    assert_true(has(&out, "httpd_request_duration_seconds_bucket{le=\"+Inf\"} 8"));
    assert_true(has(&out, "httpd_request_duration_seconds_count 8"));
    assert_true(has(&out, "httpd_request_duration_seconds_sum 70.000123"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_have_the_digits_they_need),
        cmocka_unit_test(the_largest_numbers_fit_a_workers_page),
        cmocka_unit_test(the_two_forms_differ_where_they_must),
        cmocka_unit_test(buckets_are_cumulative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
