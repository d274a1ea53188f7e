#include "server/transfer_append.h"

#include "base/clock.h"
#include "base/sha1.h"
#include "server/body_guard.h"
#include "server/repr_digest.h"
#include "server/status_page.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CHECKPOINT_BYTES = 32 << 20, /* what a power cut in the middle of an upload may cost */
    EVICTION_BYTES = 1 << 20,    /* how often one that runs at full speed looks for a newer one */
    TRAILER_ROOM = 1024,
};

struct append {
    struct intake intake;
    struct body_guard guard;
    struct transfer_upload *upload; /* owned; NULL once it is gone */
    struct append_plan plan;
    uint64_t start;      /* where the body began */
    uint64_t checkpoint; /* stage.len at the last store */
    uint64_t told;       /* the offset that the client knows of */
    uint64_t looked;     /* and at the last look for an eviction */
    bool unsure;         /* what comes is of no use before it was checked as a whole */
    bool evicted;
    bool finished;
    union {
        struct sha1 sha1;
        struct sha256 sha256;
    } hash[2]; /* by enum tus_algorithm: which of them a trailer wants is told last */
    struct buffer trailer;
    char trailer_bytes[TRAILER_ROOM];
};

struct intake *transfer_refuse(struct worker *worker, const struct request *request,
                               enum status status, struct span sentence, struct answer *answer)
{
    status_page_answer(worker, request, status, sentence, answer);
    return NULL;
}

/* --- Bytes -------------------------------------------------------------------------------------
 */

static bool is_evicted(struct intake *intake)
{
    struct append *a = (struct append *)intake;
    int64_t expire_s = a->upload->server->options->expire_s;

    a->evicted = a->evicted || !transfer_keep(&a->upload->transfer, expire_s / TRANSFER_AGE_SHARE,
                                              clock_wall_s());
    return a->evicted;
}

/* What is due now and then while bytes come in. */
static enum intake_result tend(struct append *a)
{
    struct transfer_upload *u = a->upload;

    if (u->stage.len - a->looked >= EVICTION_BYTES) {
        a->looked = u->stage.len;
        if (is_evicted(&a->intake))
            return INTAKE_REFUSED;
    }
    if (!a->unsure && u->stage.len - a->checkpoint >= CHECKPOINT_BYTES) {
        a->checkpoint = u->stage.len;
        enum status status = transfer_upload_store(u);
        a->evicted = status == STATUS_CONFLICT;
        if (a->evicted)
            return INTAKE_REFUSED;
        if (status != STATUS_NONE)
            return body_guard_store(&a->guard, FS_IO);
    }
    return INTAKE_TAKEN;
}

static enum intake_result take(struct intake *intake, const char *bytes, size_t len)
{
    struct append *a = (struct append *)intake;
    const struct append_plan *plan = &a->plan;

    if (body_guard_count(&a->guard, len) == INTAKE_REFUSED)
        return INTAKE_REFUSED;
    body_guard_look(&a->guard, bytes, len);
    if (plan->checksum_in_trailer || (plan->checked && plan->checksum.algorithm == TUS_SHA1))
        sha1_update(&a->hash[TUS_SHA1].sha1, bytes, len);
    if (plan->checksum_in_trailer || (plan->checked && plan->checksum.algorithm == TUS_SHA256))
        sha256_update(&a->hash[TUS_SHA256].sha256, bytes, len);
    if (body_guard_store(&a->guard, stage_write(&a->upload->stage, bytes, len)) == INTAKE_REFUSED)
        return INTAKE_REFUSED;
    return tend(a);
}

static enum intake_result moved(struct intake *intake, size_t len, int error)
{
    struct append *a = (struct append *)intake;

    stage_advance(&a->upload->stage, len);
    if (error != 0)
        return body_guard_store(&a->guard, fs_result_of_errno(error));
    if (body_guard_count(&a->guard, len) == INTAKE_REFUSED)
        return INTAKE_REFUSED;
    return tend(a);
}

static void tell(struct intake *intake, struct worker *worker, const struct request *request)
{
    struct append *a = (struct append *)intake;

    if (a->upload->transfer.record.offset <= a->told)
        return;
    a->told = a->upload->transfer.record.offset;
    a->plan.tell(a->upload, worker, request);
}

static void take_trailer(struct intake *intake, const char *bytes, size_t len)
{
    struct append *a = (struct append *)intake;

    buffer_put(&a->trailer, bytes, len);
}

/* --- The end -----------------------------------------------------------------------------------
 */

/* Takes back what this body brought. */
static void drop(struct append *a)
{
    if (a->upload->stage.fd != -1)
        stage_truncate(&a->upload->stage, a->start);
}

/* Reads the checksum that came behind the body. */
static bool read_trailer(struct append *a)
{
    struct field_section section;
    size_t used;

    field_section_clear(&section);
    if (a->trailer.overflowed ||
        field_section_parse(&section, a->trailer_bytes, 0, a->trailer.len, &used) != FIELD_OK)
        return false;
    struct span value = field_value(&section, a->trailer_bytes, FIELD_UPLOAD_CHECKSUM);
    return value.ptr != NULL && tus_checksum_parse(value, &a->plan.checksum) == TUS_CHECKSUM_OK;
}

static enum status check(struct append *a)
{
    uint8_t sum[TUS_DIGEST_LIMIT];

    if (a->plan.checksum_in_trailer && !read_trailer(a))
        return STATUS_BAD_REQUEST;
    if (!a->plan.checked && !a->plan.checksum_in_trailer)
        return STATUS_NONE;
    if (a->plan.checksum.algorithm == TUS_SHA1)
        sha1_final(&a->hash[TUS_SHA1].sha1, sum);
    else
        sha256_final(&a->hash[TUS_SHA256].sha256, sum);
    return memcmp(sum, a->plan.checksum.digest, a->plan.checksum.len) == 0
               ? STATUS_NONE
               : STATUS_CHECKSUM_MISMATCH;
}

static bool is_complete(const struct append *a)
{
    const struct transfer_record *r = &a->upload->transfer.record;

    return a->plan.to_the_end || ((r->flags & UPLOAD_WHEN_TOLD) == 0 && r->length_known &&
                                  a->upload->stage.len == r->length);
}

/* A body beyond the length: its bytes are not kept, and by some protocols none of the upload is. */
static void fail_too_much(struct append *a, struct worker *worker, const struct request *request,
                          struct answer *answer)
{
    transfer_refuse(worker, request, a->plan.too_much,
                    SPAN("That is more than the length of the upload."), answer);
    if (a->plan.invalidates) {
        transfer_upload_forget(a->upload);
        a->upload = NULL;
    } else {
        drop(a);
    }
}

/* Whether the body that has ended, in whatever way, may stay. False: the answer says why not. */
static bool may_stay(struct append *a, struct worker *worker, const struct request *request,
                     bool whole, struct answer *answer)
{
    if (is_evicted(&a->intake)) {
        transfer_refuse(worker, request, STATUS_CONFLICT,
                        SPAN("Another connection goes on with this upload."), answer);
        return false;
    }
    if (a->guard.failure == BODY_FAILURE_TOO_LARGE && a->upload->transfer.record.length_known) {
        fail_too_much(a, worker, request, answer);
        return false;
    }
    if (!body_guard_end(&a->guard, worker, request, whole, answer)) {
        if (a->unsure)
            drop(a);
        return false;
    }
    enum status status = check(a);
    if (status == STATUS_NONE)
        return true;
    drop(a);
    transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    return false;
}

static void finish(struct intake *intake, struct worker *worker, const struct request *request,
                   bool whole, struct answer *answer)
{
    struct append *a = (struct append *)intake;
    struct published published = {.file = FILE_NONE};
    enum append_end end = APPEND_FAILED;
    enum status status = STATUS_NONE;
    bool accepted = may_stay(a, worker, request, whole, answer);

    if (accepted && is_complete(a) &&
        !repr_digest_holds(worker, request, a->upload->stage.fd, a->upload->stage.len)) {
        /* Nothing good can be made out of wrong bytes by adding more. */
        transfer_upload_forget(a->upload);
        a->upload = NULL;
        a->finished = true;
        transfer_refuse(worker, request, STATUS_BAD_REQUEST,
                        SPAN("The upload is not the one that its digest was made of. It is "
                             "forgotten."),
                        answer);
        return;
    }
    if (a->upload != NULL && !a->evicted) {
        a->upload->transfer.record.flags &= ~(uint32_t)UPLOAD_UNCHECKED;
        a->upload->transfer.record.claim.holder = 0;
        queue_step_aside(&worker->server->queue);
        if (accepted && is_complete(a)) {
            status = transfer_upload_complete(a->upload, worker, &a->plan.terms, &published);
            end = APPEND_COMPLETE;
        } else {
            status = transfer_upload_store(a->upload);
            end = accepted ? APPEND_MORE : APPEND_FAILED;
        }
    }
    a->finished = true;
    if (status != STATUS_NONE) {
        transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
        end = APPEND_FAILED;
    }
    a->plan.answer(a->upload, worker, request, end, &published, answer);
}

static void free_append(struct intake *intake)
{
    struct append *a = (struct append *)intake;
    struct transfer_upload *u = a->upload;

    /* The connection broke: what has come is kept, and the record says so. */
    if (u != NULL && !a->finished && u->stage.fd != -1 && !is_evicted(intake)) {
        if (a->unsure)
            drop(a);
        u->transfer.record.flags &= ~(uint32_t)UPLOAD_UNCHECKED;
        u->transfer.record.claim.holder = 0;
        transfer_upload_store(u);
    }
    transfer_upload_release(u);
    free(a);
}

static struct append *make(struct transfer_upload *u, const struct append_plan *plan)
{
    struct append *a = calloc(1, sizeof *a);

    if (a == NULL)
        return NULL;
    a->upload = u;
    a->plan = *plan;
    a->start = a->checkpoint = a->looked = a->told = u->stage.len;
    a->trailer = BUFFER_OVER(a->trailer_bytes);
    sha1_init(&a->hash[TUS_SHA1].sha1);
    sha256_init(&a->hash[TUS_SHA256].sha256);
    return a;
}

/* Says in the record that what follows its offset is of no use as it is. */
static bool mark_unsure(struct append *a)
{
    a->upload->transfer.record.flags |= UPLOAD_UNCHECKED;
    return transfer_upload_store(a->upload) == STATUS_NONE;
}

/* Holds the request against the length and the limits. False: the answer says why not. */
static bool begin(struct append *a, struct worker *worker, const struct request *request,
                  struct answer *answer)
{
    const struct transfer_record *r = &a->upload->transfer.record;
    const struct options *o = worker->server->options;
    uint64_t limit = o->max_body > 0 ? o->max_body : UINT64_MAX;
    const struct body_part part = {
        .partial = true,
        .before = a->start,
        .total = r->length_known ? r->length : limit,
    };

    if (r->length_known && request->framing == FRAMING_LENGTH &&
        a->start + request->content_length > r->length) {
        fail_too_much(a, worker, request, answer);
        return false;
    }
    if (!body_guard_begin(&a->guard, worker, request, &part, answer))
        return false;
    if (r->length_known)
        stage_expect(&a->upload->stage, r->length);
    else if (request->framing == FRAMING_LENGTH)
        stage_expect(&a->upload->stage, a->start + request->content_length);
    a->unsure = a->plan.checked || a->plan.checksum_in_trailer || a->guard.hashes;
    if (!a->unsure || mark_unsure(a))
        return true;
    transfer_refuse(worker, request, STATUS_INTERNAL_SERVER_ERROR, SPAN_EMPTY, answer);
    return false;
}

struct intake *transfer_append_begin(struct worker *worker, const struct request *request,
                                     struct transfer_upload *u, const struct append_plan *plan,
                                     struct answer *answer)
{
    struct append *a = make(u, plan);

    if (a == NULL) {
        transfer_upload_release(u);
        return transfer_refuse(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer);
    }
    a->intake = (struct intake){
        .take = take,
        .finish = finish,
        .free = free_append,
        .moved = moved,
        .is_evicted = is_evicted,
        .tell = plan->tell != NULL ? tell : NULL,
        .trailer = plan->checksum_in_trailer ? take_trailer : NULL,
        .file_fd = -1,
    };
    if (!begin(a, worker, request, answer)) {
        a->finished = true;
        plan->answer(a->upload, worker, request, APPEND_FAILED, NULL, answer);
        free_append(&a->intake);
        return NULL;
    }
    if (!a->unsure)
        a->intake.file_fd = u->stage.fd;
    if (a->start > 0)
        counters_add(worker->counters, COUNTER_UPLOADS_RESUMED, 1);
    return &a->intake;
}

void transfer_append_nothing(struct worker *worker, const struct request *request,
                             struct transfer_upload *u, const struct append_plan *plan,
                             struct answer *answer)
{
    struct intake *intake = transfer_append_begin(worker, request, u, plan, answer);

    if (intake == NULL)
        return;
    intake->finish(intake, worker, request, true, answer);
    intake->free(intake);
}
