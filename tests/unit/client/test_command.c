/* httpclient's command line: both forms, quoting, and what is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/command.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void splits_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int count;
        const char *words[4];
    } rows[] = {
        {"", 0, {NULL}},
        {" \t\n ", 0, {NULL}},
        {"a", 1, {"a"}},
        {"GET /a.iso -o", 3, {"GET", "/a.iso", "-o"}},
        {"  a  b  ", 2, {"a", "b"}},
        {"'a b'c d", 2, {"a bc", "d"}},
        {"\"a b\" ''", 2, {"a b", ""}},
        {"a\\ b c\\'", 2, {"a b", "c'"}},
        {"\"a\\\"b\\\\c\\d\"", 1, {"a\"b\\c\\d"}},
        {"'a\\b'", 1, {"a\\b"}},
        {"a\\", 1, {"a\\"}},
        {"'a", -1, {NULL}},
        {"a \"b", -1, {NULL}},
        {"a b c d e", -1, {NULL}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("[%s]\n", rows[i].text);
        char *text = strdup(rows[i].text), *words[4];
        assert_int_equal(command_split(text, words, 4), rows[i].count);
        for (int w = 0; w < rows[i].count; w++)
            assert_string_equal(words[w], rows[i].words[w]);
        free(text);
    }
}

static void reads_seconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int ms; /* 0: refused */
    } rows[] = {
        {"1", 1000},   {"1.5", 1500},
        {"0.001", 1},  {"86400", 86400000},
        {"0", 0},      {"0.000", 0},
        {"", 0},       {"-1", 0},
        {"1.", 0},     {".5", 0},
        {"1.0005", 0}, {"86400.001", 0},
        {"1e3", 0},    {"99999999999999999999", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int ms = 0;
        assert_int_equal(command_seconds(rows[i].text, &ms), rows[i].ms > 0);
        assert_int_equal(ms, rows[i].ms);
    }
}

static bool parse(struct invocation *invocation, const char *const *argv, struct failure *failure)
{
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    /* As main has them, to whom the strings belong; none is written to. */
    return invocation_parse(invocation, argc, (char *const *)argv, failure);
}

#define ARGS(...) ((const char *[]){__VA_ARGS__, NULL})

static void one_command_without_quotes(void **state)
{
    (void)state;
    struct invocation invocation;
    struct failure failure;
    assert_true(parse(&invocation,
                      ARGS("-o", "f", "-h", "localhost:8080", "POST", "/x", "-d", "hello world",
                           "--timeout", "2", "-H", "A:  b ", "-H", "C: d", "-i"),
                      &failure));
    assert_int_equal(invocation.count, 1);
    assert_string_equal(invocation.origin.host, "localhost");
    assert_string_equal(invocation.origin.port, "8080");
    assert_int_equal(invocation.timeout_ms, 2000);
    const struct command *command = &invocation.commands[0];
    assert_true(span_equal(command->method, SPAN("POST")));
    assert_string_equal(command->target, "/x");
    assert_string_equal(command->output, "f");
    assert_string_equal(command->data, "hello world");
    assert_true(command->include);
    assert_false(command->follow);
    assert_true(
        span_equal(span_make(command->fields, command->fields_len), SPAN("A: b\r\nC: d\r\n")));
    assert_true(command_has_field(command, SPAN("c")));
    assert_false(command_has_field(command, SPAN("b")));
    invocation_free(&invocation);
}

static void a_list_of_commands(void **state)
{
    (void)state;
    struct invocation invocation;
    struct failure failure;
    assert_true(parse(&invocation,
                      ARGS("-h", "[::1]:8080", "-L", "-H", "X: y", "GET /a.iso -o a.iso", "HEAD /b",
                           "PUT /c -d '@my file' -H 'A: b'", "FROB /d"),
                      &failure));
    assert_int_equal(invocation.count, 4);
    assert_string_equal(invocation.commands[0].output, "a.iso");
    assert_null(invocation.commands[1].output);
    assert_true(span_equal(invocation.commands[1].method, SPAN("HEAD")));
    assert_string_equal(invocation.commands[2].data, "@my file");
    assert_true(command_has_field(&invocation.commands[2], SPAN("A")));
    assert_true(span_equal(invocation.commands[3].method, SPAN("FROB")));
    for (size_t i = 0; i < 4; i++) {
        assert_true(invocation.commands[i].follow);
        assert_true(command_has_field(&invocation.commands[i], SPAN("x")));
    }
    invocation_free(&invocation);
}

static void a_url_needs_no_host(void **state)
{
    (void)state;
    struct invocation invocation;
    struct failure failure;
    assert_true(parse(&invocation, ARGS("GET", "http://localhost/"), &failure));
    assert_false(invocation.has_origin);
    invocation_free(&invocation);
}

static void help_and_version_need_nothing_else(void **state)
{
    (void)state;
    struct invocation invocation;
    struct failure failure;
    assert_true(parse(&invocation, ARGS("--help"), &failure));
    assert_int_equal(invocation.wish, INVOCATION_HELP);
    invocation_free(&invocation);
    assert_true(parse(&invocation, ARGS("-V"), &failure));
    assert_int_equal(invocation.wish, INVOCATION_VERSION);
    invocation_free(&invocation);
}

static void resumes_files_alone(void **state)
{
    (void)state;
    struct invocation invocation;
    struct failure failure;
    assert_true(parse(
        &invocation, ARGS("-h", "a", "--resume", "--json", "GET /a -o b --tries 3", "PUT /c -d @d"),
        &failure));
    for (size_t i = 0; i < 2; i++) {
        assert_true(invocation.commands[i].resume);
        assert_true(invocation.commands[i].json);
    }
    assert_int_equal(invocation.commands[0].tries, 3);
    assert_int_equal(invocation.commands[1].tries, COMMAND_TRIES);
    invocation_free(&invocation);
    static const char *const refused[] = {
        "GET /",
        "GET / -o -",
        "GET / -o a -d b",
        "GET / -o a -i",
        "PUT /",
        "PUT / -d text",
        "PUT / -d @-",
        "PUT / -d @a -o b",
        "POST / -d @a",
        "DELETE /",
        "GET / -o a -H Range:x",
        "GET / -o a -H if-range:x",
        "HEAD / -o a",
        "GET / -o a --tries 0",
        "PUT / -d @a -H Content-Range:x",
        "GET / -o a --tries -1",
    };
    for (size_t i = 0; i < COUNT(refused); i++) {
        print_message("%s\n", refused[i]);
        assert_false(parse(&invocation, ARGS("-h", "a", "--resume", refused[i]), &failure));
        assert_int_equal(failure.kind, FAILURE_USAGE);
    }
}

static void refuses_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        const char *argv[8];
    } rows[] = {
        {"nothing", {NULL}},
        {"no command", {"-h", "localhost", NULL}},
        {"no host", {"GET", "/", NULL}},
        {"a host that is none", {"-h", "a b", "GET", "/", NULL}},
        {"a method and no target", {"-h", "localhost", "GET", NULL}},
        {"three words", {"-h", "localhost", "GET", "/", "/b", NULL}},
        {"a target that is none", {"-h", "localhost", "GET", "index.html", NULL}},
        {"a method that is no token", {"-h", "localhost", "G(T", "/", NULL}},
        {"an unknown option", {"-h", "localhost", "-z", "GET", "/", NULL}},
        {"an option without its value", {"-h", "localhost", "GET", "/", "-o", NULL}},
        {"a value missing inside quotes", {"-h", "localhost", "GET / -o", NULL}},
        {"an open quote", {"-h", "localhost", "GET '/a", NULL}},
        {"-o outside of quoted commands", {"-h", "localhost", "-o", "f", "GET /", NULL}},
        {"-h inside a command", {"-h", "localhost", "GET / -h other", NULL}},
        {"a second command that is none", {"-h", "localhost", "GET /", "HEAD", NULL}},
        {"a field without colon", {"-h", "localhost", "-H", "nonsense", "GET", "/", NULL}},
        {"a field with a bad name", {"-h", "localhost", "-H", "a b: c", "GET", "/", NULL}},
        {"a field that splits", {"-h", "localhost", "-H", "a: b\r\nc: d", "GET", "/", NULL}},
        {"a length by hand", {"-h", "localhost", "-H", "content-length: 5", "GET", "/", NULL}},
        {"a timeout that is none", {"--timeout", "x", "-h", "localhost", "GET", "/", NULL}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct invocation invocation;
        struct failure failure = {FAILURE_NONE, ""};
        print_message("%s: ", rows[i].why);
        assert_false(parse(&invocation, rows[i].argv, &failure));
        print_message("%s\n", failure.text);
        assert_int_equal(failure.kind, FAILURE_USAGE);
        assert_true(failure.text[0] != '\0');
        assert_null(strpbrk(failure.text, "\r\n"));
    }
}

static void bounds_the_fields(void **state)
{
    (void)state;
    struct invocation invocation;
    struct failure failure;
    static char field[COMMAND_FIELDS_LIMIT];
    memset(field, 'x', sizeof field - 1);
    field[1] = ':';
    assert_false(parse(&invocation, ARGS("-h", "a", "GET", "/", "-H", field), &failure));
    assert_int_equal(failure.kind, FAILURE_USAGE);
    field[COMMAND_FIELDS_LIMIT / 2] = '\0';
    assert_true(parse(&invocation, ARGS("-h", "a", "GET", "/", "-H", field), &failure));
    invocation_free(&invocation);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_words),
        cmocka_unit_test(reads_seconds),
        cmocka_unit_test(one_command_without_quotes),
        cmocka_unit_test(a_list_of_commands),
        cmocka_unit_test(a_url_needs_no_host),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(resumes_files_alone),
        cmocka_unit_test(refuses_with_a_reason),
        cmocka_unit_test(bounds_the_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
