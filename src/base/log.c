#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *name = "httpd";
static enum log_level limit = LOG_NOTICE;
static atomic_bool timed; /* lines go to a file, and begin with the time */

void log_name(const char *program)
{
    name = program;
}

void log_limit(enum log_level least)
{
    limit = least;
}

int log_open(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
}

bool log_to(int fd)
{
    /* Whoever writes to standard error meanwhile hits the old file or the new one. */
    if (dup2(fd, STDERR_FILENO) == -1)
        return false;
    atomic_store_explicit(&timed, true, memory_order_relaxed);
    return true;
}

/* "2026-11-21T07:30:00Z ", in UTC as the lines of several machines are read together. */
static size_t put_time(char *line, size_t cap)
{
    struct tm tm;
    time_t now = time(NULL);

    if (!atomic_load_explicit(&timed, memory_order_relaxed) || gmtime_r(&now, &tm) == NULL)
        return 0;
    return strftime(line, cap, "%Y-%m-%dT%H:%M:%SZ ", &tm);
}

void log_write(enum log_level level, const char *format, ...)
{
    static const char *const words[] = {"error: ", "warning: ", ""};
    char line[1024];
    int saved = errno;

    if (level > limit)
        return;
    size_t len = put_time(line, sizeof line);
    int head = snprintf(line + len, sizeof line - len, "%s: %s", name, words[level]);
    len += head > 0 ? (size_t)head : 0;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line + len, sizeof line - len, format, args);
    va_end(args);
    if (n > 0)
        len += (size_t)n;
    if (len > sizeof line - 1)
        len = sizeof line - 1;
    line[len++] = '\n';
    /* Nobody is left to tell when standard error itself fails. */
    if (write(STDERR_FILENO, line, len) == -1)
        errno = saved;
    errno = saved;
}
