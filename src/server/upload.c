#include "server/upload.h"

#include "base/sha256.h"
#include "http/response.h"
#include "server/status_page.h"

#include <errno.h>
#include <stdlib.h>

enum failure {
    FAILURE_NONE,
    FAILURE_STORAGE, /* upload->storage says which */
    FAILURE_TOO_LARGE,
    FAILURE_NO_ROOM,
};

struct upload {
    struct intake intake;
    struct stage stage;
    struct write_terms terms;
    enum failure failure;
    enum fs_result storage;
    bool kept;         /* the stage outlives the request */
    uint64_t total;    /* kept: complete at this length */
    uint64_t largest;  /* bytes the stage may grow to */
    uint64_t checked;  /* bytes taken since the free space was looked at */
    uint64_t min_free; /* bytes of the file system that stay free */
    bool hashes;       /* the body is held against `digest` */
    struct digest_field digest;
    struct sha256 hash;
    char path[];
};

enum { FREE_SPACE_INTERVAL = 8 << 20 }; /* bytes between two looks at the free space */

/* Whether so much more leaves the disk its reserve. */
static bool has_room(const struct upload *u, uint64_t more)
{
    uint64_t free_bytes;

    if (u->min_free == 0 || fs_free_bytes(u->stage.fd, &free_bytes) != FS_OK)
        return true;
    return free_bytes >= u->min_free && free_bytes - u->min_free >= more;
}

static enum intake_result fail(struct upload *u, enum failure failure)
{
    u->failure = failure;
    return INTAKE_REFUSED;
}

/* Looks at the limits before `len` more bytes are staged. */
static enum intake_result check_limits(struct upload *u, uint64_t len)
{
    if (u->stage.len + len > u->largest)
        return fail(u, FAILURE_TOO_LARGE);
    u->checked += len;
    if (u->checked >= FREE_SPACE_INTERVAL) {
        u->checked = 0;
        if (!has_room(u, len))
            return fail(u, FAILURE_NO_ROOM);
    }
    return INTAKE_TAKEN;
}

static enum intake_result take(struct intake *intake, const char *bytes, size_t len)
{
    struct upload *u = (struct upload *)intake;

    if (check_limits(u, len) == INTAKE_REFUSED)
        return INTAKE_REFUSED;
    if (u->hashes)
        sha256_update(&u->hash, bytes, len);
    u->storage = stage_write(&u->stage, bytes, len);
    return u->storage == FS_OK ? INTAKE_TAKEN : fail(u, FAILURE_STORAGE);
}

static enum intake_result moved(struct intake *intake, size_t len, int error)
{
    struct upload *u = (struct upload *)intake;

    stage_advance(&u->stage, len);
    if (error != 0) {
        u->storage = fs_result_of_errno(error);
        return fail(u, FAILURE_STORAGE);
    }
    return check_limits(u, 0) == INTAKE_TAKEN && u->stage.len <= u->largest
               ? INTAKE_TAKEN
               : fail(u, FAILURE_TOO_LARGE);
}

void upload_put_location(struct buffer *fields, struct span path)
{
    size_t before = fields->len;

    buffer_put_text(fields, "Location: /");
    buffer_put_url_path(fields, path);
    buffer_put_text(fields, "\r\n");
    if (fields->overflowed) {
        fields->len = before;
        fields->overflowed = false;
    }
}

/* Why the body was not taken to its end. */
static void answer_failure(struct upload *u, struct worker *worker, const struct request *request,
                           struct answer *answer)
{
    switch (u->failure) {
    case FAILURE_TOO_LARGE:
        status_page_answer(worker, request, STATUS_CONTENT_TOO_LARGE, SPAN_EMPTY, answer);
        return;
    case FAILURE_NO_ROOM:
        status_page_answer(worker, request, STATUS_INSUFFICIENT_STORAGE, SPAN_EMPTY, answer);
        return;
    case FAILURE_STORAGE:
        status_page_answer(worker, request, status_of_fs_result(u->storage), SPAN_EMPTY, answer);
        return;
    case FAILURE_NONE:
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("The body ended before its length."), answer);
        return;
    }
}

static bool digest_differs(struct upload *u)
{
    uint8_t sum[SHA256_LEN];

    if (!u->hashes)
        return false;
    sha256_final(&u->hash, sum);
    return memcmp(sum, u->digest.sha256, sizeof sum) != 0;
}

/* All of the file is staged: now it becomes visible, whole. */
static void publish(struct upload *u, struct worker *worker, const struct request *request,
                    struct answer *answer)
{
    struct published published;

    /* The disk may take its time; the others should not wait for it. */
    if (u->terms.sync)
        queue_step_aside(&worker->server->queue);
    enum fs_result result =
        publish_stage(&u->stage, &worker->docroot, u->path, &u->terms, &published);
    if (result != FS_OK) {
        /* A name that appeared, or changed, meanwhile is what the precondition was about. */
        enum status status = result == FS_EXISTS && u->terms.condition == WRITE_IF_ABSENT
                                 ? STATUS_PRECONDITION_FAILED
                                 : status_of_write_result(result);
        status_page_answer(worker, request, status, SPAN_EMPTY, answer);
        return;
    }
    answer->status = published.created ? STATUS_CREATED : STATUS_NO_CONTENT;
    etag_make(&answer->etag, published.file.inode, published.file.size, published.file.mtime_ns,
              false);
    upload_put_location(&answer->fields, span_of(u->path));
}

static void finish(struct intake *intake, struct worker *worker, const struct request *request,
                   bool whole, struct answer *answer)
{
    struct upload *u = (struct upload *)intake;

    if (!whole) {
        answer_failure(u, worker, request, answer);
    } else if (digest_differs(u)) {
        stage_discard(&u->stage);
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("The body is not the one that its digest was made of."), answer);
    } else if (u->kept && u->stage.len < u->total) {
        answer->status = STATUS_ACCEPTED;
        response_field_u64(&answer->fields, SPAN("Upload-Offset"), u->stage.len);
    } else {
        publish(u, worker, request, answer);
    }
}

static void free_upload(struct intake *intake)
{
    struct upload *u = (struct upload *)intake;

    /* Does nothing when it was published. */
    if (u->kept && u->stage.len > 0)
        stage_keep(&u->stage);
    else
        stage_discard(&u->stage);
    free(u);
}

/* Reads the digests that the request offers. False: the answer says what is wrong with them. */
static bool read_digests(struct worker *worker, const struct request *request, struct upload *u,
                         struct answer *answer)
{
    /* The content of a PUT is the representation, so both fields are of the same bytes. */
    static const enum field_name names[] = {FIELD_CONTENT_DIGEST, FIELD_REPR_DIGEST};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct digest_field digest;
        struct span value = request_field(request, names[i]);
        /* Of the representation only a part is here. */
        if (value.ptr == NULL || (u->kept && names[i] == FIELD_REPR_DIGEST))
            continue;
        if (!digest_field_parse(value, &digest)) {
            status_page_answer(worker, request, STATUS_BAD_REQUEST,
                               SPAN("A digest field is malformed (RFC 9530)."), answer);
            return false;
        }
        if (digest.has_sha256 && u->hashes &&
            memcmp(digest.sha256, u->digest.sha256, sizeof digest.sha256) != 0) {
            status_page_answer(worker, request, STATUS_BAD_REQUEST,
                               SPAN("The digests contradict each other."), answer);
            return false;
        }
        if (digest.has_sha256) {
            u->digest = digest;
            u->hashes = true;
        }
    }
    if (u->hashes)
        sha256_init(&u->hash);
    return true;
}

/* Opens the stage where the body goes. False: the answer says why it cannot be. */
static bool open_stage(struct worker *worker, const struct request *request,
                       const struct upload_plan *plan, struct upload *u, struct answer *answer)
{
    const struct state *state = &worker->server->state;
    uint64_t expected = request->framing == FRAMING_LENGTH ? request->content_length : 0;
    enum fs_result result;

    result = u->kept ? stage_open(&u->stage, state, plan->kept_name, plan->offset == 0)
                     : stage_create(&u->stage, state, expected);
    if (result == FS_OK && u->kept && plan->offset == 0)
        result = stage_truncate(&u->stage, 0);
    uint64_t held = result == FS_OK ? u->stage.len : 0;
    if (u->kept && (result == FS_OK || result == FS_NOT_FOUND) && held != plan->offset) {
        status_page_answer(worker, request, STATUS_CONFLICT,
                           SPAN("The upload goes on where Upload-Offset says."), answer);
        response_field_u64(&answer->fields, SPAN("Upload-Offset"), held);
        return false;
    }
    if (result != FS_OK) {
        status_page_answer(worker, request, status_of_write_result(result), SPAN_EMPTY, answer);
        return false;
    }
    if (!has_room(u, expected)) {
        status_page_answer(worker, request, STATUS_INSUFFICIENT_STORAGE, SPAN_EMPTY, answer);
        return false;
    }
    return true;
}

struct intake *upload_begin(struct worker *worker, const struct request *request,
                            const struct upload_plan *plan, struct answer *answer)
{
    const struct options *o = worker->server->options;
    size_t path_len = strlen(plan->path);
    struct upload *u;

    if (request->framing == FRAMING_LENGTH && o->max_body > 0 &&
        plan->offset + request->content_length > o->max_body) {
        status_page_answer(worker, request, STATUS_CONTENT_TOO_LARGE, SPAN_EMPTY, answer);
        return NULL;
    }
    u = calloc(1, sizeof *u + path_len + 1);
    if (u == NULL) {
        status_page_answer(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer);
        return NULL;
    }
    memcpy(u->path, plan->path, path_len);
    u->terms = plan->terms;
    u->terms.sync = o->fsync;
    u->kept = plan->kept_name.ptr != NULL;
    u->total = plan->total;
    u->largest = u->kept ? plan->total : o->max_body > 0 ? o->max_body : UINT64_MAX;
    u->min_free = o->min_free;
    u->stage = STAGE_NONE;
    if (!read_digests(worker, request, u, answer) ||
        !open_stage(worker, request, plan, u, answer)) {
        free_upload(&u->intake);
        return NULL;
    }
    u->intake = (struct intake){
        .take = take,
        .finish = finish,
        .free = free_upload,
        .file_fd = u->hashes ? -1 : u->stage.fd,
        .moved = moved,
    };
    return &u->intake;
}
