#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * What the server has to say about itself, one line each on standard error. (What clients asked for
 * goes to the access log.) Any thread; a line is written by one write and is never torn. errno is
 * left as it was.
 */

#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE };

/* Sets the word each line begins with; the pointer is kept. Before threads are started. */
void log_name(const char *program);

/* Leaves out what is less grave than `least` from now on. Before threads are started. */
void log_limit(enum log_level least);

/* Opens a file for log_to, made where there is none. -1 with errno set when it cannot. */
int log_open(const char *path);

/* Standard error becomes that file, opened for appending, and lines have the time before them. `fd`
   stays the caller's. False with errno set when it cannot. One thread at a time. */
bool log_to(int fd);

/* Format and arguments as for printf, without a newline at the end. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_write(LOG_NOTICE, __VA_ARGS__)

#endif
