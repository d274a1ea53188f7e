#include "resume/secret.h"

#include "base/hex.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* False with ENOENT when there is no such file. */
static bool read_secret(int directory_fd, uint8_t secret[static CLIENT_ID_SECRET_LEN])
{
    uint8_t bytes[CLIENT_ID_SECRET_LEN + 1];
    int fd = openat(directory_fd, "key", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd == -1)
        return false;
    ssize_t n = read(fd, bytes, sizeof bytes);
    close(fd);
    if (n != CLIENT_ID_SECRET_LEN) {
        errno = EBADMSG;
        return false;
    }
    memcpy(secret, bytes, CLIENT_ID_SECRET_LEN);
    return true;
}

/* Makes the file whole and under another name first, so that nobody reads half of it; the first who
   gives it its name wins. */
static bool make_secret(int directory_fd)
{
    uint8_t secret[CLIENT_ID_SECRET_LEN], tag[8];
    char name[32] = "key.";

    if (!random_fill(secret, sizeof secret) || !random_fill(tag, sizeof tag))
        return false;
    hex_encode(name + 4, tag, sizeof tag);
    name[4 + 2 * sizeof tag] = '\0';
    int fd = openat(directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1)
        return false;
    bool made = write(fd, secret, sizeof secret) == sizeof secret && fsync(fd) == 0 &&
                (linkat(directory_fd, name, directory_fd, "key", 0) == 0 || errno == EEXIST);
    int error = errno;
    close(fd);
    unlinkat(directory_fd, name, 0);
    fsync(directory_fd);
    errno = error;
    return made;
}

bool secret_load(int directory_fd, uint8_t secret[static CLIENT_ID_SECRET_LEN])
{
    if (read_secret(directory_fd, secret))
        return true;
    return errno == ENOENT && make_secret(directory_fd) && read_secret(directory_fd, secret);
}
