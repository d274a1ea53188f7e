#ifndef RESUME_SECRET_H
#define RESUME_SECRET_H

/* The secret that the servers of one docroot share: 32 random bytes in a file that only they read.
 */

#include "resume/client_id.h"

/*
 * Reads the secret from the file `key` in the directory, and makes it when there is none (mode
 * 0600). Of several servers that start at once all get the same. False with errno set; EBADMSG when
 * the file is not 32 bytes long.
 */
bool secret_load(int directory_fd, uint8_t secret[static CLIENT_ID_SECRET_LEN]);

#endif
