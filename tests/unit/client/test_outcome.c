/* The line of JSON that a script gets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/outcome.h"

static void is_one_line_of_json(void **state)
{
    (void)state;
    static const struct origin home = {"::1", "8080"};
    const struct command get = {
        .method = SPAN("GET"), .target = "/a \"b\"", .output = "c \"d\".iso"};
    const struct command put = {.method = SPAN("PUT"), .target = "http://h/x"};
    const struct failure failure = {FAILURE_LOST, "it \"broke\""};
    const struct outcome outcome = {
        .status = 206, .bytes = 5, .resumed_from = 7, .retries = 2, .reason = "unused"};
    char memory[1024];
    struct buffer out = BUFFER_OVER(memory);
    outcome_put_json(&out, &outcome, &get, &home, 1234567, NULL);
    assert_true(span_equal(
        buffer_span(&out),
        SPAN("{\"method\":\"GET\",\"url\":\"http://[::1]:8080/a%20\\\"b\\\"\",\"status\":206,"
             "\"bytes\":5,\"resumed_from\":7,\"retries\":2,\"seconds\":1.235,"
             "\"file\":\"c \\\"d\\\".iso\"}\n")));
    out.len = 0;
    outcome_put_json(&out, &(struct outcome){0}, &put, &home, 0, &failure);
    assert_true(
        span_equal(buffer_span(&out),
                   SPAN("{\"method\":\"PUT\",\"url\":\"http://h/x\",\"status\":null,\"bytes\":0,"
                        "\"resumed_from\":0,\"retries\":0,\"seconds\":0.000,\"file\":null,"
                        "\"error\":\"it \\\"broke\\\"\"}\n")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_one_line_of_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
