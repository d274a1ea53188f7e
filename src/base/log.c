#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *name = "httpd";

void log_name(const char *program)
{
    name = program;
}

void log_write(enum log_level level, const char *format, ...)
{
    static const char *const words[] = {"error: ", "warning: ", ""};
    char line[1024];
    int saved = errno;

    int head = snprintf(line, sizeof line, "%s: %s", name, words[level]);
    size_t len = head > 0 ? (size_t)head : 0;
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
