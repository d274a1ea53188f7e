#include "client/sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct span first_line = {"httpclient 1\n", 13}, last_line = {"end\n", 4};

/* The rest of a line that begins with `name`, into text[0..cap) with a NUL. */
static bool take_line(struct span *rest, struct span name, char *text, size_t cap)
{
    struct span line = span_make(rest->ptr, span_find(*rest, '\n'));
    if (line.len == rest->len || !span_starts_with(line, name))
        return false;
    *rest = span_from(*rest, line.len + 1);
    struct span value = span_from(line, name.len);
    if (value.len >= cap || span_find(value, '\0') < value.len)
        return false;
    if (value.len > 0)
        memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    return true;
}

static bool is_digest(const char *text)
{
    size_t len = strlen(text);
    return len == 0 || (len == 2 * SHA256_LEN && strspn(text, "0123456789abcdef") == len);
}

bool sidecar_parse(struct sidecar *sidecar, struct span text)
{
    struct uuid id;
    if (!span_starts_with(text, first_line))
        return false;
    text = span_from(text, first_line.len);
    return take_line(&text, SPAN("host "), sidecar->host, sizeof sidecar->host) &&
           take_line(&text, SPAN("path "), sidecar->path, sizeof sidecar->path) &&
           take_line(&text, SPAN("id "), sidecar->id, sizeof sidecar->id) &&
           take_line(&text, SPAN("version "), sidecar->version, sizeof sidecar->version) &&
           take_line(&text, SPAN("digest "), sidecar->digest, sizeof sidecar->digest) &&
           span_starts_with(text, last_line) && is_digest(sidecar->digest) &&
           (sidecar->id[0] == '\0' || uuid_parse(span_of(sidecar->id), &id));
}

void sidecar_put(struct buffer *out, const struct sidecar *sidecar)
{
    const struct {
        struct span name;
        const char *value;
    } lines[] = {{SPAN("host "), sidecar->host},
                 {SPAN("path "), sidecar->path},
                 {SPAN("id "), sidecar->id},
                 {SPAN("version "), sidecar->version},
                 {SPAN("digest "), sidecar->digest}};
    buffer_put_span(out, first_line);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        buffer_put_span(out, lines[i].name);
        buffer_put_span(out, span_of(lines[i].value));
        buffer_put_char(out, '\n');
    }
    buffer_put_span(out, last_line);
}

/*
 * Locks what has that name. Who opened the file just before its owner removed it has hold of one
 * that nobody else will ever see.
 */
static enum sidecar_found lock(int fd, const char *path)
{
    struct stat mine, there;
    if (flock(fd, LOCK_EX | LOCK_NB) == -1)
        return errno == EWOULDBLOCK ? SIDECAR_BUSY : SIDECAR_FAILED;
    if (fstat(fd, &mine) == -1)
        return SIDECAR_FAILED;
    if (!S_ISREG(mine.st_mode))
        return SIDECAR_FOREIGN;
    bool same =
        stat(path, &there) == 0 && mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
    return same ? SIDECAR_OPENED : SIDECAR_BUSY;
}

static enum sidecar_found load(int fd, struct sidecar *sidecar)
{
    char memory[SIDECAR_LIMIT];
    ssize_t n = pread(fd, memory, sizeof memory, 0);
    if (n == -1)
        return SIDECAR_FAILED;
    if (n == 0)
        return SIDECAR_FRESH;
    return sidecar_parse(sidecar, span_make(memory, (size_t)n)) ? SIDECAR_OPENED : SIDECAR_FOREIGN;
}

enum sidecar_found sidecar_open(struct sidecar_file *file, const char *path,
                                struct sidecar *sidecar)
{
    *file = SIDECAR_FILE_NONE;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd == -1)
        return SIDECAR_FAILED;
    enum sidecar_found found = lock(fd, path);
    if (found == SIDECAR_OPENED)
        found = load(fd, sidecar);
    if (found == SIDECAR_OPENED || found == SIDECAR_FRESH) {
        file->path = strdup(path);
        if (file->path == NULL)
            found = SIDECAR_FAILED;
    }
    if (file->path != NULL) {
        file->fd = fd;
    } else {
        int saved = errno;
        close(fd);
        errno = saved;
    }
    return found;
}

bool sidecar_store(const struct sidecar_file *file, const struct sidecar *sidecar,
                   struct failure *failure)
{
    char memory[SIDECAR_LIMIT];
    struct buffer text = BUFFER_OVER(memory);
    if (file->fd == -1)
        return true;
    sidecar_put(&text, sidecar);
    ssize_t n = pwrite(file->fd, memory, text.len, 0);
    if (n >= 0 && (size_t)n < text.len)
        errno = ENOSPC;
    return (n == (ssize_t)text.len && ftruncate(file->fd, n) == 0) ||
           failure_set(failure, FAILURE_LOCAL, "%s: %m", file->path);
}

void sidecar_close(struct sidecar_file *file, bool keep)
{
    if (file->fd == -1)
        return;
    /* While it is locked: after that it may be somebody else's. */
    if (!keep)
        unlink(file->path);
    close(file->fd);
    free(file->path);
    *file = SIDECAR_FILE_NONE;
}
