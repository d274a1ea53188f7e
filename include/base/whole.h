#ifndef BASE_WHOLE_H
#define BASE_WHOLE_H

/*
 * Reading and writing at a place of a file, all of it, in as many goes as it takes: a signal may
 * interrupt a call, and a file server may give less than is there. Blocks. Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* False with errno set when it cannot be read; EBADMSG: the file ends before. */
bool whole_read(int fd, void *to, size_t len, off_t at);

/* False with errno set; part of it may have been written. */
bool whole_write(int fd, const void *from, size_t len, off_t at);

#endif
