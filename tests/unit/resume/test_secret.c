#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resume/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void is_made_once_and_read_ever_after(void **state)
{
    char path[] = "/tmp/test_secret.XXXXXX";
    uint8_t first[CLIENT_ID_SECRET_LEN], again[CLIENT_ID_SECRET_LEN];
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(path));
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(secret_load(fd, first));
    assert_true(secret_load(fd, again));
    assert_memory_equal(first, again, sizeof first);
    assert_int_equal(fstatat(fd, "key", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_size, CLIENT_ID_SECRET_LEN);

    /* Another length is no secret, and is not overwritten. */
    int key = openat(fd, "key", O_WRONLY);
    assert_int_equal(ftruncate(key, 7), 0);
    close(key);
    errno = 0;
    assert_false(secret_load(fd, again));
    assert_int_equal(errno, EBADMSG);
    assert_int_equal(fstatat(fd, "key", &st, 0), 0);
    assert_int_equal(st.st_size, 7);

    assert_int_equal(unlinkat(fd, "key", 0), 0);
    assert_int_equal(rmdir(path), 0); /* nothing else was left behind */

    /* Nor is one made where it could not be kept. */
    assert_false(secret_load(fd, again));
    close(fd);
    assert_false(secret_load(fd, again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_made_once_and_read_ever_after)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
