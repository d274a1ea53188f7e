#ifndef SERVER_DAEMON_H
#define SERVER_DAEMON_H

/*
 * Going to the background (--daemon), and the file that says who serves (--pid-file). At start-up,
 * in the main thread; what returns an int gives 0, or an exit status after a line that says why.
 */

#include <stdbool.h>

/* Opened early, while there are rights to, and written when there is something to say: until then
   the file names a server that this one may be about to replace. */
int daemon_open_pid_file(const char *path, int *fd);

/* Writes the number of this process; nothing with an `fd` of -1. */
int daemon_write_pid_file(const char *path, int fd);

/* Goes on in a child. The parent leaves once everything that can fail by a user's mistake has
   succeeded, which is now. Before any thread is started. */
int daemon_begin(void);

/* From now on nobody reads what is printed, unless standard error is a file (`keep_errors`). */
void daemon_leave_terminal(bool keep_errors);

#endif
