#include "server/repr_digest.h"

#include "base/sha256.h"
#include "http/digest_field.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGEST_LINES_LIMIT = 1024 }; /* of a field on several lines; there are six algorithms */

/* Nobody waits for the digest of an answer when the server ends. */
static bool is_over(const struct worker *worker)
{
    return atomic_load_explicit(&worker->server->dismissing, memory_order_relaxed);
}

/* False when there are not so many bytes, or `while_served` and the server ends. */
static bool digest_bytes(struct worker *worker, int fd, uint64_t len, bool while_served,
                         uint8_t digest[static SHA256_LEN])
{
    struct sha256 hash;
    uint64_t done = 0;

    sha256_init(&hash);
    while (done < len) {
        uint64_t left = len - done;
        size_t piece = left < sizeof worker->page ? (size_t)left : sizeof worker->page;
        ssize_t n = pread(fd, worker->page, piece, (off_t)done);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0 || (while_served && is_over(worker)))
            return false;
        sha256_update(&hash, worker->page, (size_t)n);
        done += (uint64_t)n;
    }
    sha256_final(&hash, digest);
    return true;
}

/* Digests all of the file. False when it is not the file any more that was found. */
static bool digest_file(struct worker *worker, const struct file *file,
                        uint8_t digest[static SHA256_LEN])
{
    struct file after;
    struct stat st;

    return digest_bytes(worker, file->fd, file->size, true, digest) && fstat(file->fd, &st) == 0 &&
           file_describe(&after, &st) == FS_OK && after.size == file->size &&
           after.mtime_ns == file->mtime_ns;
}

static bool is_wanted(const struct request *request)
{
    char join[DIGEST_LINES_LIMIT];

    return digest_field_want_sha256(field_list(&request->fields, request->head,
                                               FIELD_WANT_REPR_DIGEST, join, sizeof join)) > 0;
}

void repr_digest_put(struct worker *worker, const struct request *request, const struct file *file,
                     struct answer *answer)
{
    uint8_t digest[SHA256_LEN];

    if (request->version == VERSION_0_9 || file->size > REPR_DIGEST_LARGEST || !is_wanted(request))
        return;
    if (file->size > sizeof worker->page)
        queue_step_aside(&worker->server->queue);
    if (!digest_file(worker, file, digest))
        return;
    buffer_put_text(&answer->fields, "Repr-Digest: ");
    digest_field_put(&answer->fields, digest);
    buffer_put_text(&answer->fields, "\r\n");
}

bool repr_digest_read(const struct request *request, enum field_name name,
                      struct digest_field *digest)
{
    char join[DIGEST_LINES_LIMIT];

    *digest = (struct digest_field){0};
    if (request_field(request, name).ptr == NULL)
        return true;
    struct span value = field_list(&request->fields, request->head, name, join, sizeof join);
    return value.ptr != NULL && digest_field_parse(value, digest);
}

bool repr_digest_holds(struct worker *worker, const struct request *request, int fd, uint64_t len)
{
    uint8_t sum[SHA256_LEN];
    struct digest_field wanted;

    if (!repr_digest_read(request, FIELD_REPR_DIGEST, &wanted))
        return false;
    if (!wanted.has_sha256)
        return true;
    queue_step_aside(&worker->server->queue);
    return digest_bytes(worker, fd, len, false, sum) && memcmp(sum, wanted.sha256, sizeof sum) == 0;
}
