#include "server/repr_digest.h"

#include "base/sha256.h"
#include "http/digest_field.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* Digests all of the file. False when it is not the file any more that was found. */
static bool digest_file(struct worker *worker, const struct file *file,
                        uint8_t digest[static SHA256_LEN])
{
    struct sha256 hash;
    struct file after;
    struct stat st;
    uint64_t done = 0;

    sha256_init(&hash);
    while (done < file->size) {
        ssize_t n = pread(file->fd, worker->page, sizeof worker->page, (off_t)done);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0 || atomic_load_explicit(&worker->server->dismissing, memory_order_relaxed))
            return false;
        sha256_update(&hash, worker->page, (size_t)n);
        done += (uint64_t)n;
    }
    sha256_final(&hash, digest);
    return fstat(file->fd, &st) == 0 && file_describe(&after, &st) == FS_OK && done == file->size &&
           after.size == file->size && after.mtime_ns == file->mtime_ns;
}

void repr_digest_put(struct worker *worker, const struct request *request, const struct file *file,
                     struct answer *answer)
{
    uint8_t digest[SHA256_LEN];

    if (request->version == VERSION_0_9 || file->size > REPR_DIGEST_LARGEST ||
        digest_field_want_sha256(request_field(request, FIELD_WANT_REPR_DIGEST)) == 0)
        return;
    if (file->size > sizeof worker->page)
        queue_step_aside(&worker->server->queue);
    if (!digest_file(worker, file, digest))
        return;
    buffer_put_text(&answer->fields, "Repr-Digest: ");
    digest_field_put(&answer->fields, digest);
    buffer_put_text(&answer->fields, "\r\n");
}
