#include "net/listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct address loopback(void)
{
    struct address address = {.len = sizeof address.v4};

    address.v4.sin_family = AF_INET;
    address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int option_of(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, option, &value, &len), 0);
    return value;
}

/* What is set once on the listener holds for whom it accepts: no delay, and a bounded heap of bytes
   for a client that reads nothing. */
static void check_accepted(int listener, const struct address *address)
{
    struct address peer;
    int fd = -1, client = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_not_equal(client, -1);
    assert_int_equal(connect(client, &address->any, address->len), 0);
    assert_int_equal(listener_accept(listener, &fd, &peer), ACCEPT_OK);
    assert_int_equal(option_of(fd, TCP_NODELAY), 1);
    assert_in_range(option_of(fd, TCP_NOTSENT_LOWAT), 64 << 10, 1 << 20);
    close(fd);
    close(client);
}

static void test_opened(void **state)
{
    struct address address = loopback();
    int fd = listener_open(&address, false, false);

    (void)state;
    assert_int_not_equal(fd, -1);
    check_accepted(fd, &address);
    close(fd);
}

/* As a service manager or the server before hands it over: nothing has been set. */
static void test_adopted(void **state)
{
    struct address address = loopback(), seen;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_not_equal(fd, -1);
    assert_int_equal(bind(fd, &address.any, address.len), 0);
    errno = 0;
    assert_false(listener_adopt(fd, &seen, false));
    assert_int_equal(errno, EINVAL);
    assert_int_equal(listen(fd, 8), 0);
    assert_true(listener_adopt(fd, &seen, false));
    check_accepted(fd, &seen);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opened),
        cmocka_unit_test(test_adopted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
