#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/sha256.h"
#include "client/progress.h"
#include "client/resumable.h"
#include "http/sfv.h"
#include "http/status.h"

enum { MARK_LEN = 4 }; /* bytes of a hash that tell the places apart to which one file is sent */

/*
 * An upload as the server has it. Its offset is asked for with HEAD, and only where the answer has
 * one is anything but the whole file sent: a server that does not know of partial PUT might take
 * the rest for all of it (RFC 9110 14.5).
 */
struct put {
    struct visitor visitor;
    struct resumable r;
    struct progress progress;
    const char *path; /* of the file */
    struct stat version;
    int fd;
    bool id_given;     /* in the target, by the person; then r.by_id is false */
    bool begun;        /* what the server may have under this id and path is of this file */
    bool has_offset;   /* the last answer said how far the server is: */
    bool complete;     /* with all of it, */
    uint64_t offset;   /* or so far */
    uint64_t furthest; /* that it ever was */
    uint64_t sent;     /* by the PUT under way */
};

/* --- What is to be sent, and what is known of it -------------------------------------------------
 */

static bool open_file(struct put *put, struct failure *failure)
{
    put->path = put->r.command->data + 1;
    put->fd = open(put->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (put->fd == -1 || fstat(put->fd, &put->version) == -1)
        return failure_set(failure, FAILURE_LOCAL, "%s: %m", put->path);
    return S_ISREG(put->version.st_mode) ||
           failure_set(failure, FAILURE_USAGE, "%s: is no file that could be resumed", put->path);
}

static bool begins_with_id(struct span path)
{
    struct uuid id;
    struct span after = span_from(path, 1 + UUID_TEXT_LEN);
    return after.len > 1 && after.ptr[0] == '/' &&
           uuid_parse(span_make(path.ptr + 1, UUID_TEXT_LEN), &id);
}

/* FILE.upload-1a2b3c4d, with a hash of where it goes. NULL: no memory. */
static char *sidecar_path(const struct put *put)
{
    const struct sidecar *sidecar = &put->r.sidecar;
    uint8_t digest[SHA256_LEN];
    struct sha256 h;
    char mark[2 * MARK_LEN], *path;
    sha256_init(&h);
    sha256_update(&h, sidecar->host, strlen(sidecar->host));
    sha256_update(&h, sidecar->path, strlen(sidecar->path));
    sha256_final(&h, digest);
    hex_encode(mark, digest, MARK_LEN);
    return asprintf(&path, "%s.upload-%.*s", put->path, 2 * MARK_LEN, mark) == -1 ? NULL : path;
}

/* Compares the file with the one that an earlier run was about. */
static void compare_version(struct put *put)
{
    struct sidecar *sidecar = &put->r.sidecar;
    char memory[SIDECAR_VERSION_LIMIT];
    struct buffer version = BUFFER_OVER(memory);
    buffer_put_format(&version, "%lld-%lld.%09ld-%llu", (long long)put->version.st_size,
                      (long long)put->version.st_mtim.tv_sec, put->version.st_mtim.tv_nsec,
                      (unsigned long long)put->version.st_ino);
    buffer_put_char(&version, '\0');
    bool same = strcmp(sidecar->version, memory) == 0;
    put->begun = same && (put->id_given || sidecar->id[0] != '\0');
    if (put->r.is_same && !same)
        resumable_tell("%s: has changed since a part of it was sent: from the beginning",
                       put->path);
    if (!same)
        sidecar->id[0] = '\0';
    memcpy(sidecar->version, memory, version.len);
}

static bool open_put(struct put *put, struct session *session, const struct command *command,
                     const struct origin *home, struct outcome *outcome, struct failure *failure)
{
    if (!resumable_begin(&put->r, session, command, home, outcome, failure) ||
        !open_file(put, failure))
        return false;
    char *beside = sidecar_path(put);
    if (beside == NULL)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    bool good = resumable_open_sidecar(&put->r, beside, true, failure);
    free(beside);
    if (!good)
        return false;
    put->id_given = begins_with_id(span_of(put->r.sidecar.path));
    put->r.by_id = !put->id_given;
    compare_version(put);
    return true;
}

/* --- Requests ------------------------------------------------------------------------------------
 */

static bool begin(struct visitor *visitor, const struct roundtrip *trip, struct failure *failure)
{
    struct put *put = (struct put *)visitor;
    const struct response_head *head = &trip->head;
    (void)failure;
    progress_end(&put->progress);
    resumable_note_head(&put->r, head);
    put->has_offset = span_to_u64(response_field_value(head, FIELD_UPLOAD_OFFSET), &put->offset) &&
                      put->offset <= (uint64_t)put->version.st_size;
    if (!sfv_boolean_parse(response_field_value(head, FIELD_UPLOAD_COMPLETE), &put->complete))
        put->complete = false;
    return true;
}

static bool take(struct sink *sink, struct span bytes, struct failure *failure)
{
    (void)sink;
    (void)bytes;
    (void)failure;
    return true;
}

static void sent(struct sink *sink, uint64_t bytes, uint64_t total)
{
    struct put *put = (struct put *)sink;
    (void)total;
    put->r.outcome->bytes += bytes - put->sent;
    put->sent = bytes;
    progress_update(&put->progress, put->progress.from + bytes);
}

/* An answer that says that it would be another one in a while. */
static bool is_final(const struct put *put, struct failure *failure)
{
    const struct outcome *outcome = put->r.outcome;
    return !resumable_is_passing_status(outcome->status) ||
           failure_set(failure, FAILURE_LOST, "%u %s", outcome->status, outcome->reason);
}

static void note_start(struct put *put)
{
    if (!put->r.started)
        put->r.outcome->resumed_from = put->offset;
    put->r.started = true;
}

/* How far the server is. *over: it has all, or it has said why it does not tell. */
static bool ask_offset(struct put *put, bool *over, struct failure *failure)
{
    const struct outcome *outcome = put->r.outcome;
    if (!resumable_perform(&put->r, SPAN("HEAD"), SPAN_EMPTY, NULL, &put->visitor, failure) ||
        !is_final(put, failure))
        return false;
    bool good = outcome->status >= 200 && outcome->status <= 299;
    *over = !good && outcome->status != STATUS_NOT_FOUND && outcome->status != STATUS_GONE;
    if (*over)
        return true;
    bool all = put->offset == (uint64_t)put->version.st_size;
    put->begun = good && put->has_offset && put->complete == all;
    *over = put->begun && all;
    /* The id may not be this server's any more: what is put below it might be a path like others.
     */
    if (!put->begun)
        put->r.sidecar.id[0] = '\0';
    if (put->begun && put->offset > put->furthest) {
        put->furthest = put->offset;
        put->r.tries = 0;
    }
    if (put->begun)
        note_start(put);
    return true;
}

/* The id and what it is for are kept before a byte is sent under it. */
static bool prepare(struct put *put, struct failure *failure)
{
    if (!put->begun) {
        put->offset = 0;
        if (!resumable_identify(&put->r, failure))
            return false;
        put->begun = put->r.by_id || put->id_given;
    }
    note_start(put);
    return sidecar_store(&put->r.file, &put->r.sidecar, failure);
}

/* What the server does not have yet. *over: it has all now, or it has refused. */
static bool send_rest(struct put *put, bool *over, struct failure *failure)
{
    char memory[128];
    struct buffer fields = BUFFER_OVER(memory);
    uint64_t size = (uint64_t)put->version.st_size;
    const char *slash = strrchr(put->path, '/');
    struct body body = {.kind = BODY_FILE,
                        .fd = put->fd,
                        .from = put->offset,
                        .len = size - put->offset,
                        .version = &put->version};
    if (put->offset > 0)
        buffer_put_format(&fields, "Content-Range: bytes %llu-%llu/%llu\r\n",
                          (unsigned long long)put->offset, (unsigned long long)(size - 1),
                          (unsigned long long)size);
    progress_begin(&put->progress, STDERR_FILENO, span_of(slash != NULL ? slash + 1 : put->path),
                   size);
    put->progress.from = put->offset;
    put->sent = 0;
    bool good = resumable_perform(&put->r, SPAN("PUT"), buffer_span(&fields), &body, &put->visitor,
                                  failure);
    progress_end(&put->progress);
    if (!good || !is_final(put, failure))
        return false;
    /* Where the server is elsewhere than it was, the next HEAD tells; that is to happen rarely. */
    *over = put->r.outcome->status != STATUS_CONFLICT || !put->has_offset;
    return *over || failure_set(failure, FAILURE_LOST, "the server has another offset than before");
}

static bool upload(struct put *put, struct failure *failure)
{
    bool over = false;
    while (!over) {
        bool good = body_is_version(put->fd, &put->version) ||
                    failure_set(failure, FAILURE_CHANGED, "the file changed while it was sent");
        if (good && put->begun)
            good = ask_offset(put, &over, failure);
        if (good && !over)
            good = prepare(put, failure) && send_rest(put, &over, failure);
        if (!good && !resumable_again(&put->r, false, failure))
            return false;
    }
    return true;
}

bool resume_put(struct session *session, const struct command *command, const struct origin *home,
                struct outcome *outcome, struct failure *failure)
{
    struct put put = {.visitor = {.sink = {.take = take, .sent = sent}, .begin = begin},
                      .progress = {.fd = -1},
                      .fd = -1};
    bool good = open_put(&put, session, command, home, outcome, failure) && upload(&put, failure);
    progress_end(&put.progress);
    /* A later run can go on with what broke off, or was refused in the middle. */
    bool stored = good && outcome->status >= 200 && outcome->status <= 299;
    bool broke_off = !good && failure->kind != FAILURE_CHANGED;
    resumable_end(&put.r, put.begun && !stored && (broke_off || put.furthest > 0));
    if (put.fd != -1)
        close(put.fd);
    return good;
}
