#ifndef CLIENT_WAIT_H
#define CLIENT_WAIT_H

/* The one place where a client blocks on a descriptor. Any thread. */

#include <stdint.h>

enum wait_result { WAIT_READY, WAIT_TIMEOUT, WAIT_CANCELLED, WAIT_FAILED };

/*
 * Until fd has one of `events` (as for poll; an error or a hang-up counts), until clock_ms()
 * reaches deadline_ms, or until cancel_fd is readable. cancel_fd may be -1: never cancelled. A
 * signal does not end the wait. *happened, unless NULL, tells which events there are.
 */
enum wait_result wait_for(int fd, short events, int64_t deadline_ms, int cancel_fd,
                          short *happened);

#endif
