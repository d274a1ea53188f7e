#include "server/upload.h"

#include "base/hex.h"
#include "base/sha256.h"
#include "http/response.h"
#include "server/body_guard.h"
#include "server/created_page.h"
#include "server/member.h"
#include "server/repr_digest.h"
#include "server/status_page.h"

#include <stdlib.h>

enum { PART_NAME_LEN = 5 + 2 * SHA256_LEN };

struct upload {
    struct intake intake;
    struct body_guard guard;
    struct stage stage;
    struct write_terms terms;
    bool kept;       /* the stage outlives the request, */
    bool checked;    /* and what this one brought is what was meant */
    bool new_member; /* the path is a wish */
    uint64_t start;  /* kept: how much there was before */
    uint64_t total;  /* kept: complete at this length */
    char path[];     /* with MEMBER_ROOM behind it */
};

static enum intake_result take(struct intake *intake, const char *bytes, size_t len)
{
    struct upload *u = (struct upload *)intake;

    if (body_guard_count(&u->guard, len) == INTAKE_REFUSED)
        return INTAKE_REFUSED;
    body_guard_look(&u->guard, bytes, len);
    return body_guard_store(&u->guard, stage_write(&u->stage, bytes, len));
}

static enum intake_result moved(struct intake *intake, size_t len, int error)
{
    struct upload *u = (struct upload *)intake;

    stage_advance(&u->stage, len);
    if (error != 0)
        return body_guard_store(&u->guard, fs_result_of_errno(error));
    return body_guard_count(&u->guard, len);
}

/*
 * Under which name the parts of a file of that path and length are gathered: nobody can make two
 * share it, and parts of versions that differ in length never meet.
 */
static struct span part_name(char name[static PART_NAME_LEN], const char *path, uint64_t total)
{
    uint8_t sum[SHA256_LEN];
    struct sha256 hash;

    sha256_init(&hash);
    sha256_update(&hash, &total, sizeof total);
    sha256_update(&hash, path, strlen(path));
    sha256_final(&hash, sum);
    memcpy(name, "part-", 5);
    hex_encode(name + 5, sum, sizeof sum);
    return span_make(name, PART_NAME_LEN);
}

/* Who puts a file whole does not want the parts of one as long that came before. */
static void forget_parts(const struct upload *u, const struct worker *worker, uint64_t len)
{
    char name[PART_NAME_LEN];

    if (!u->kept && !u->new_member)
        stage_remove(&worker->server->state, part_name(name, u->path, len));
}

/* All of the file is staged: now it becomes visible, whole. */
static enum fs_result publish(struct upload *u, struct worker *worker, struct published *published)
{
    /* The disk may take its time; the others should not wait for it. */
    if (u->terms.sync)
        queue_step_aside(&worker->server->queue);
    if (u->new_member)
        return member_publish(&u->stage, &worker->docroot, u->path, u->terms.sync, published);
    enum fs_result result =
        publish_stage(&u->stage, &worker->docroot, u->path, &u->terms, published);
    if (result == FS_OK)
        forget_parts(u, worker, published->file.size);
    open_files_close(&worker->server->open_files); /* what was replaced gives its room back */
    return result;
}

void upload_answer_published(struct answer *answer, const struct published *published,
                             const char *path)
{
    answer->status = published->created ? STATUS_CREATED : STATUS_NO_CONTENT;
    etag_make(&answer->etag, published->file.inode, published->file.size, published->file.mtime_ns,
              false);
    response_location(&answer->fields, span_of(path), false);
}

static void answer_published(struct upload *u, struct worker *worker, const struct request *request,
                             const struct published *published, struct answer *answer)
{
    struct member *member = u->new_member ? member_make(SPAN_EMPTY, span_of(u->path)) : NULL;

    if (member != NULL) {
        member->file = published->file;
        created_page_answer(worker, request, member, answer);
        return;
    }
    upload_answer_published(answer, published, u->path);
}

static void finish(struct intake *intake, struct worker *worker, const struct request *request,
                   bool whole, struct answer *answer)
{
    struct upload *u = (struct upload *)intake;
    struct published published;

    if (!body_guard_end(&u->guard, worker, request, whole, answer))
        return;
    u->checked = true;
    if (u->kept && u->stage.len < u->total) {
        answer->status = STATUS_ACCEPTED;
        response_field_u64(&answer->fields, SPAN("Upload-Offset"), u->stage.len);
        return;
    }
    if (u->kept && !repr_digest_holds(worker, request, u->stage.fd, u->stage.len)) {
        stage_discard(&u->stage);
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("The upload is not the one that its digest was made of. It is "
                                "forgotten."),
                           answer);
        return;
    }
    enum fs_result result = publish(u, worker, &published);
    if (result == FS_OK) {
        answer_published(u, worker, request, &published, answer);
        return;
    }
    /* So that the client can send the last part again when it has mended what was in the way. */
    if (u->kept && u->stage.fd != -1)
        stage_truncate(&u->stage, u->start);
    /* A name that appeared, or changed, meanwhile is what the precondition was about. */
    if (result == FS_EXISTS && u->terms.condition == WRITE_IF_ABSENT)
        status_page_answer(worker, request, STATUS_PRECONDITION_FAILED, SPAN_EMPTY, answer);
    else
        status_page_answer_write(worker, request, result, answer);
}

static void free_upload(struct intake *intake)
{
    struct upload *u = (struct upload *)intake;

    /* Nothing good can be made out of wrong bytes by adding more, nor out of unsure ones. */
    if (u->kept && u->guard.hashes && !u->checked && u->stage.fd != -1)
        stage_truncate(&u->stage, u->start);
    /* Does nothing when it was published. */
    if (u->kept && u->stage.len > 0)
        stage_keep(&u->stage);
    else
        stage_discard(&u->stage);
    free(u);
}

/* Opens the stage where the body goes. False: the answer says why it cannot be. */
static bool open_stage(struct worker *worker, const struct request *request,
                       const struct upload_plan *plan, struct upload *u, struct answer *answer)
{
    const struct state *state = &worker->server->state;
    uint64_t expected = request->framing == FRAMING_LENGTH ? request->content_length : 0;
    char name[PART_NAME_LEN];
    enum fs_result result;

    if (u->kept)
        result = stage_open(&u->stage, state, part_name(name, plan->path, plan->total),
                            plan->offset == 0);
    else
        result = stage_create(&u->stage, state, expected);
    uint64_t held = result == FS_OK ? u->stage.len : 0;
    if (u->kept && (result == FS_OK || result == FS_NOT_FOUND) && held != plan->offset) {
        status_page_answer(worker, request, STATUS_CONFLICT,
                           SPAN("The upload goes on where Upload-Offset says."), answer);
        response_field_u64(&answer->fields, SPAN("Upload-Offset"), held);
        return false;
    }
    if (result != FS_OK) {
        status_page_answer_write(worker, request, result, answer);
        return false;
    }
    if (expected > 0)
        stage_expect(&u->stage, held + expected);
    return true;
}

/* Puts what is there already in front of the body. False: the answer says why it cannot be. */
static bool copy_base(struct worker *worker, const struct request *request, const struct file *base,
                      struct upload *u, struct answer *answer)
{
    const struct stage from = {.fd = base->fd, .len = base->size};

    queue_step_aside(&worker->server->queue);
    enum fs_result result = stage_append_stage(&u->stage, &from);
    if (result != FS_OK)
        status_page_answer_write(worker, request, result, answer);
    return result == FS_OK;
}

struct intake *upload_begin(struct worker *worker, const struct request *request,
                            const struct upload_plan *plan, struct answer *answer)
{
    const struct body_part part = {
        .partial = plan->partial,
        .before = plan->base != NULL ? plan->base->size : plan->offset,
        .total = plan->total,
    };
    size_t path_len = strlen(plan->path);
    struct upload *u = calloc(1, sizeof *u + path_len + MEMBER_ROOM + 1);

    if (u == NULL) {
        status_page_answer(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer);
        return NULL;
    }
    memcpy(u->path, plan->path, path_len);
    u->terms = plan->terms;
    u->terms.sync = worker->server->options->fsync;
    u->kept = part.partial;
    u->start = plan->offset;
    u->total = plan->total;
    u->new_member = plan->new_member;
    u->stage = STAGE_NONE;
    if (!body_guard_begin(&u->guard, worker, request, &part, answer) ||
        !open_stage(worker, request, plan, u, answer)) {
        free_upload(&u->intake);
        return NULL;
    }
    if (plan->base != NULL && !copy_base(worker, request, plan->base, u, answer)) {
        free_upload(&u->intake);
        return NULL;
    }
    u->intake = (struct intake){
        .take = take,
        .finish = finish,
        .free = free_upload,
        .file_fd = u->guard.hashes ? -1 : u->stage.fd,
        .moved = moved,
    };
    return &u->intake;
}
