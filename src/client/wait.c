#include "client/wait.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>

#include "base/clock.h"

enum wait_result wait_for(int fd, short events, int64_t deadline_ms, int cancel_fd, short *happened)
{
    struct pollfd set[] = {{.fd = fd, .events = events}, {.fd = cancel_fd, .events = POLLIN}};
    for (;;) {
        int64_t left = deadline_ms - clock_ms();
        if (left < 0)
            left = 0;
        int n = poll(set, 2, left > INT_MAX ? INT_MAX : (int)left);
        if (n == -1 && errno != EINTR)
            return WAIT_FAILED;
        if (n > 0 && set[1].revents != 0)
            return WAIT_CANCELLED;
        if (n > 0) {
            if (happened != NULL)
                *happened = set[0].revents;
            return WAIT_READY;
        }
        if (n == 0 && clock_ms() >= deadline_ms)
            return WAIT_TIMEOUT;
    }
}
