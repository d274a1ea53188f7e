#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What interrupts a call, or gives less than is there, is tried by tests/faults. */
static void reads_what_was_written_at_a_place(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    char text[16] = "";

    assert_non_null(file);
    int fd = fileno(file);
    assert_true(whole_write(fd, "one two three", 13, 100));
    assert_true(whole_read(fd, text, 5, 108));
    assert_string_equal(text, "three");
    assert_true(whole_read(fd, text, 3, 100));
    assert_memory_equal(text, "one", 3);
    assert_true(whole_read(fd, text, 0, 1000));
    fclose(file);
}

static void a_file_that_ends_before_is_no_success(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    char text[16];

    assert_non_null(file);
    int fd = fileno(file);
    assert_true(whole_write(fd, "12345", 5, 0));
    errno = 0;
    assert_false(whole_read(fd, text, 6, 0));
    assert_int_equal(errno, EBADMSG);
    assert_false(whole_read(fd, text, 1, 5));
    fclose(file);
}

static void a_descriptor_that_cannot_says_why(void **state)
{
    (void)state;
    char text[1];
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    errno = 0;
    assert_false(whole_write(null, "x", 1, 0));
    assert_int_equal(errno, EBADF);
    close(null);
    errno = 0;
    assert_false(whole_read(-1, text, 1, 0));
    assert_int_equal(errno, EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_was_written_at_a_place),
        cmocka_unit_test(a_file_that_ends_before_is_no_success),
        cmocka_unit_test(a_descriptor_that_cannot_says_why),
    };
    return cmocka_run_group_tests_name("whole", tests, NULL, NULL);
}
