#include "server/daemon.h"

#include "base/buffer.h"
#include "base/log.h"
#include "server/server.h"

#include <fcntl.h>
#include <unistd.h>

int daemon_open_pid_file(const char *path, int *fd)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (*fd != -1)
        return 0;
    log_error("cannot write the pid file '%s': %m", path);
    return EXIT_FAILED;
}

int daemon_write_pid_file(const char *path, int fd)
{
    char bytes[32];
    struct buffer text = BUFFER_OVER(bytes);

    if (fd == -1)
        return 0;
    buffer_put_u64(&text, (uint64_t)getpid());
    buffer_put_char(&text, '\n');
    if (ftruncate(fd, 0) != -1 && write(fd, bytes, text.len) == (ssize_t)text.len)
        return 0;
    log_error("cannot write the pid file '%s': %m", path);
    return EXIT_FAILED;
}

int daemon_begin(void)
{
    pid_t child = fork();

    if (child == -1) {
        log_error("cannot go to the background: %m");
        return EXIT_FAILED;
    }
    if (child > 0)
        _exit(0);
    setsid();
    return 0;
}

void daemon_leave_terminal(bool keep_errors)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null == -1)
        return;
    for (int fd = 0; fd <= (keep_errors ? 1 : 2); fd++)
        dup2(null, fd);
    close(null);
}
