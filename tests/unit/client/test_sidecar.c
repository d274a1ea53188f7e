/* What is kept beside an unfinished transfer: read back as written, and nothing else is believed.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/sidecar.h"
#include "unit/guard.h"

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

#define ID     "6ba7b810-9dad-81d1-80b4-00c04fd430c8"
#define SHA256 "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
#define WHOLE                                                                                      \
    "httpclient 1\nhost [::1]:8080\npath /a%20b?c\nid " ID "\nversion \"5f-1\"\ndigest " SHA256    \
    "\nend\n"

static const struct {
    const char *text;
    bool good;
    const char *why;
} rows[] = {
    {WHOLE, true, "whole"},
    {WHOLE "nd\n", true, "an older, longer text had stood there when the program was killed"},
    {"httpclient 1\nhost h\npath /\nid \nversion \ndigest \nend\n", true, "nothing known yet"},
    {"", false, "empty"},
    {"httpclient 2\nhost h\npath /\nid \nversion \ndigest \nend\n", false, "another version"},
    {"httpclient 1\nhost h\npath /\nid x\nversion \ndigest \nend\n", false, "no id"},
    {"httpclient 1\nhost h\npath /\nid \nversion \ndigest 9f\nend\n", false, "half a digest"},
    {"httpclient 1\npath /\nhost h\nid \nversion \ndigest \nend\n", false, "another order"},
    {"httpclient 1\nhost h\npath /\nid \nversion \ndigest \n", false, "no end"},
    {"hello\n", false, "somebody's file"},
};

static void reads_what_is_whole(void **state)
{
    (void)state;
    struct guard guard = guard_open(1024);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sidecar sidecar;
        size_t len = strlen(rows[i].text);
        print_message("%s\n", rows[i].why);
        const char *text = guard_flush(&guard, rows[i].text, len);
        assert_int_equal(sidecar_parse(&sidecar, span_make(text, len)), rows[i].good);
    }
    guard_close(&guard);
}

static void no_prefix_is_whole(void **state)
{
    (void)state;
    struct guard guard = guard_open(1024);
    for (size_t len = 0; len < sizeof WHOLE - 1; len++) {
        struct sidecar sidecar;
        assert_false(sidecar_parse(&sidecar, span_make(guard_flush(&guard, WHOLE, len), len)));
    }
    guard_close(&guard);
}

static void is_written_as_it_is_read(void **state)
{
    (void)state;
    struct sidecar sidecar;
    char memory[SIDECAR_LIMIT];
    struct buffer out = BUFFER_OVER(memory);
    assert_true(sidecar_parse(&sidecar, SPAN(WHOLE)));
    assert_string_equal(sidecar.host, "[::1]:8080");
    assert_string_equal(sidecar.path, "/a%20b?c");
    assert_string_equal(sidecar.id, ID);
    assert_string_equal(sidecar.version, "\"5f-1\"");
    assert_string_equal(sidecar.digest, SHA256);
    sidecar_put(&out, &sidecar);
    assert_true(span_equal(buffer_span(&out), SPAN(WHOLE)));
}

/* The longest that can be written fits, and is read back. */
static void has_room_for_the_longest(void **state)
{
    (void)state;
    struct sidecar sidecar = {.id = ID, .digest = SHA256}, again;
    char memory[SIDECAR_LIMIT];
    struct buffer out = BUFFER_OVER(memory);
    memset(sidecar.host, 'h', sizeof sidecar.host - 1);
    memset(sidecar.path, '/', sizeof sidecar.path - 1);
    memset(sidecar.version, 'v', sizeof sidecar.version - 1);
    sidecar_put(&out, &sidecar);
    assert_false(out.overflowed);
    assert_true(sidecar_parse(&again, buffer_span(&out)));
    assert_string_equal(again.path, sidecar.path);
}

static void a_file_is_locked_stored_and_removed(void **state)
{
    (void)state;
    char path[] = "/tmp/httpclient-sidecar-XXXXXX";
    struct sidecar sidecar = {.host = "h", .path = "/longer", .id = ID}, again;
    struct sidecar_file file, second;
    struct failure failure;
    int fd = mkstemp(path);
    assert_true(fd != -1 && close(fd) == 0);
    assert_int_equal(sidecar_open(&file, path, &again), SIDECAR_FRESH);
    assert_int_equal(sidecar_open(&second, path, &again), SIDECAR_BUSY);
    assert_true(sidecar_store(&file, &sidecar, &failure));
    sidecar.path[2] = '\0';
    assert_true(sidecar_store(&file, &sidecar, &failure));
    sidecar_close(&file, true);
    assert_int_equal(sidecar_open(&file, path, &again), SIDECAR_OPENED);
    assert_string_equal(again.path, "/l");
    assert_string_equal(again.id, ID);
    sidecar_close(&file, false);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(sidecar_store(&file, &sidecar, &failure));
    assert_int_equal(access(path, F_OK), -1);
}

static void what_is_not_ours_is_left_alone(void **state)
{
    (void)state;
    char path[] = "/tmp/httpclient-sidecar-XXXXXX", text[8] = "";
    struct sidecar sidecar;
    struct sidecar_file file;
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "theirs", 6), 6);
    assert_int_equal(sidecar_open(&file, path, &sidecar), SIDECAR_FOREIGN);
    assert_int_equal(file.fd, -1);
    sidecar_close(&file, false);
    assert_int_equal(pread(fd, text, sizeof text, 0), 6);
    assert_string_equal(text, "theirs");
    assert_int_equal(sidecar_open(&file, "/nonexistent/file", &sidecar), SIDECAR_FAILED);
    assert_int_equal(sidecar_open(&file, "/tmp", &sidecar), SIDECAR_FAILED);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_whole),
        cmocka_unit_test(no_prefix_is_whole),
        cmocka_unit_test(is_written_as_it_is_read),
        cmocka_unit_test(has_room_for_the_longest),
        cmocka_unit_test(a_file_is_locked_stored_and_removed),
        cmocka_unit_test(what_is_not_ours_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
