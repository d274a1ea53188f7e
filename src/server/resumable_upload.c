#include "server/resumable_upload.h"

#include "http/media_type.h"
#include "http/response.h"
#include "http/sfv.h"
#include "server/post.h"
#include "server/put.h"
#include "server/status_page.h"
#include "server/transfer_append.h"
#include "server/upload.h"
#include "server/upload_creation.h"
#include "server/upload_resource.h"

#define PROBLEM "https://iana.org/assignments/http-problem-types#"

unsigned resumable_upload_interop(const struct request *request)
{
    int64_t version;

    if (!sfv_integer_parse(request_field(request, FIELD_UPLOAD_DRAFT_INTEROP_VERSION), &version))
        return 0;
    return version >= 5 && version <= 8 ? (unsigned)version : 0;
}

/* A problem (RFC 9457) of the types that the draft defines. */
static struct intake *problem(struct worker *worker, enum status status, struct span type,
                              struct span title, const uint64_t *expected, const uint64_t *provided,
                              struct answer *answer)
{
    struct buffer page = BUFFER_OVER(worker->page);

    answer_retract(answer);
    buffer_put_text(&page, "{\"type\":\"" PROBLEM);
    buffer_put_span(&page, type);
    buffer_put_text(&page, "\",\"title\":\"");
    buffer_put_span(&page, title);
    buffer_put_char(&page, '"');
    if (expected != NULL) {
        buffer_put_text(&page, ",\"expected-offset\":");
        buffer_put_u64(&page, *expected);
        buffer_put_text(&page, ",\"provided-offset\":");
        buffer_put_u64(&page, *provided);
    }
    buffer_put_text(&page, "}\n");
    answer->status = status;
    answer->media_type = SPAN("application/problem+json");
    answer->cache = SPAN("no-store");
    answer->memory = buffer_span(&page);
    answer->length = page.len;
    return NULL;
}

static struct intake *inconsistent(struct worker *worker, struct answer *answer)
{
    return problem(worker, STATUS_BAD_REQUEST, SPAN("inconsistent-upload-length"),
                   SPAN("The lengths of the upload contradict each other"), NULL, NULL, answer);
}

/* 104 (Upload Resumption Supported): only to a client that says which version it knows. */
static void put_interim(struct worker *worker, const struct request *request,
                        const struct transfer_upload *u)
{
    unsigned interop = resumable_upload_interop(request);

    if (interop == 0 || request->version != VERSION_1_1)
        return;
    response_status_line(&worker->out, STATUS_UPLOAD_RESUMPTION_SUPPORTED);
    response_field_u64(&worker->out, SPAN("Upload-Draft-Interop-Version"), interop);
    upload_resource_put_location(&worker->out, u);
    upload_resource_put_limit(&worker->out, worker->server, interop);
    response_end(&worker->out);
}

/* How far it is: bytes that are on the disk already. */
static void put_progress(const struct transfer_upload *u, struct worker *worker,
                         const struct request *request)
{
    unsigned interop = resumable_upload_interop(request);

    if (interop == 0 || request->version != VERSION_1_1)
        return;
    response_status_line(&worker->out, STATUS_UPLOAD_RESUMPTION_SUPPORTED);
    response_field_u64(&worker->out, SPAN("Upload-Draft-Interop-Version"), interop);
    response_field_u64(&worker->out, SPAN("Upload-Offset"), u->transfer.record.offset);
    response_end(&worker->out);
}

static void put_common(struct worker *worker, const struct request *request,
                       const struct transfer_upload *u, struct answer *answer)
{
    upload_resource_put_state(answer, u);
    upload_resource_put_limit(&answer->fields, worker->server, resumable_upload_interop(request));
}

static void answer_append(struct transfer_upload *u, struct worker *worker,
                          const struct request *request, enum append_end end,
                          const struct published *published, struct answer *answer)
{
    if (u == NULL) {
        inconsistent(worker, answer);
        return;
    }
    if (end == APPEND_COMPLETE) {
        upload_answer_published(answer, published, u->place);
    } else if (end == APPEND_MORE) {
        answer->status = STATUS_NO_CONTENT;
    }
    put_common(worker, request, u, answer);
}

static void answer_creation(struct transfer_upload *u, struct worker *worker,
                            const struct request *request, enum append_end end,
                            const struct published *published, struct answer *answer)
{
    answer_append(u, worker, request, end, published, answer);
    if (end == APPEND_MORE)
        answer->status = STATUS_CREATED;
    if (end != APPEND_COMPLETE && u != NULL)
        upload_resource_put_location(&answer->fields, u);
}

/* Lengths that are told, or that follow from a body that is all there is. False: they do not fit.
 */
static bool read_length(const struct request *request, bool complete, uint64_t before,
                        struct transfer_record *r)
{
    struct span value = request_field(request, FIELD_UPLOAD_LENGTH);
    bool sized = request->framing != FRAMING_CHUNKED;
    int64_t told;

    if (value.ptr != NULL) {
        if (!sfv_integer_parse(value, &told) || told < 0 ||
            (r->length_known && r->length != (uint64_t)told))
            return false;
        r->length = (uint64_t)told;
        r->length_known = true;
    }
    if (complete && sized) {
        uint64_t total = before + request->content_length;
        if (r->length_known && r->length != total)
            return false;
        r->length = total;
        r->length_known = true;
    }
    return !r->length_known || r->length >= before;
}

/* What a body means: with it the upload is complete or not, and one that is too long spoils it. */
static struct append_plan plan_of(bool complete)
{
    return (struct append_plan){
        .to_the_end = complete,
        .too_much = STATUS_BAD_REQUEST,
        .invalidates = true,
        .tell = put_progress,
        .answer = answer_append,
    };
}

/* --- Creation ----------------------------------------------------------------------------------
 */

/* Whether what is created is a new member of the target, and not the target itself. */
static bool is_for_member(struct worker *worker, const struct request *request,
                          const struct target *target)
{
    struct file found;

    return request->method == METHOD_POST || target->directory ||
           (request->method == METHOD_PATCH &&
            docroot_stat(&worker->docroot, target->path.ptr, &found) == FS_OK && found.directory);
}

static enum status create_member(struct transfer_upload **upload, struct worker *worker,
                                 const struct request *request,
                                 const struct transfer_address *address,
                                 struct transfer_record *record, struct span note)
{
    char bytes[TARGET_PATH_LIMIT];
    struct buffer name = BUFFER_OVER(bytes);

    record->flags |= UPLOAD_NEW_MEMBER;
    if (!upload_creation_name(request, &name))
        return STATUS_SERVICE_UNAVAILABLE;
    return upload_creation_make(upload, worker, address, buffer_span(&name), record, note);
}

static enum status create_file(struct transfer_upload **upload, struct worker *worker,
                               const struct transfer_address *address,
                               const struct write_terms *terms, struct transfer_record *record,
                               struct span note)
{
    struct uuid client = address->client;

    transfer_upload_set_terms(record, terms);
    if (!address->by_id && !client_id_mint(&worker->server->ids, worker_date(worker), &client))
        return STATUS_SERVICE_UNAVAILABLE;
    return transfer_upload_create(upload, worker, &client, address->target.path, record, note,
                                  address->by_id);
}

static struct intake *create(struct worker *worker, const struct request *request,
                             const struct transfer_address *address, bool complete,
                             struct answer *answer)
{
    struct append_plan plan = plan_of(complete);
    struct transfer_record record = {.flags = UPLOAD_WHEN_TOLD};
    struct span meta = request_field(request, FIELD_UPLOAD_METADATA);
    struct transfer_upload *u;
    uint64_t most = worker->server->options->max_body;
    bool member = is_for_member(worker, request, &address->target);

    if (member ? !post_find_directory(worker, request, &address->target, answer)
               : !put_check(worker, request, &address->target, &plan.terms, answer))
        return NULL;
    if (!read_length(request, complete, 0, &record))
        return inconsistent(worker, answer);
    if (most > 0 && record.length > most) {
        transfer_refuse(worker, request, STATUS_CONTENT_TOO_LARGE, SPAN_EMPTY, answer);
        upload_resource_put_limit(&answer->fields, worker->server,
                                  resumable_upload_interop(request));
        return NULL;
    }
    if (meta.ptr != NULL && !tus_metadata_check(meta))
        meta = SPAN_EMPTY;
    enum status status = member ? create_member(&u, worker, request, address, &record, meta)
                                : create_file(&u, worker, address, &plan.terms, &record, meta);
    if (status != STATUS_NONE)
        return transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    put_interim(worker, request, u);
    plan.answer = answer_creation;
    return transfer_append_begin(worker, request, u, &plan, answer);
}

/* --- Append ------------------------------------------------------------------------------------
 */

static bool is_partial(const struct request *request)
{
    return media_type_equal(request_field(request, FIELD_CONTENT_TYPE),
                            SPAN("application/partial-upload"));
}

/* Whether the upload, which is held, can take this. False: the answer says why not. */
static bool fits(struct worker *worker, const struct request *request, struct transfer_upload *u,
                 uint64_t offset, bool complete, struct answer *answer)
{
    struct transfer_record *r = &u->transfer.record;

    if (offset != r->offset) {
        problem(worker, STATUS_CONFLICT, SPAN("mismatching-upload-offset"),
                SPAN("The upload goes on at another offset"), &r->offset, &offset, answer);
        return false;
    }
    if (r->complete) {
        /* The client missed the answer and asks once more. */
        if (complete && request->content_length == 0 && request->framing != FRAMING_CHUNKED)
            answer->status = STATUS_NO_CONTENT;
        else
            problem(worker, STATUS_BAD_REQUEST, SPAN("completed-upload"),
                    SPAN("The upload is complete"), NULL, NULL, answer);
        return false;
    }
    if (!read_length(request, complete, offset, r)) {
        inconsistent(worker, answer);
        return false;
    }
    return true;
}

static struct intake *append(struct worker *worker, const struct request *request,
                             const struct transfer_address *address, bool complete,
                             struct answer *answer)
{
    const struct append_plan plan = plan_of(complete);
    struct transfer_upload *u;
    enum status status = STATUS_NOT_FOUND;
    int64_t offset;

    if (resumable_upload_interop(request) != 5 && !is_partial(request))
        return transfer_refuse(worker, request, STATUS_UNSUPPORTED_MEDIA_TYPE,
                               SPAN("PATCH takes application/partial-upload."), answer);
    if (!sfv_integer_parse(request_field(request, FIELD_UPLOAD_OFFSET), &offset) || offset < 0)
        return transfer_refuse(worker, request, STATUS_BAD_REQUEST,
                               SPAN("Upload-Offset is malformed."), answer);
    if (address->by_id)
        status = transfer_upload_take(&u, worker, &address->client, address->target.path);
    if (status != STATUS_NONE)
        return transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    if (fits(worker, request, u, (uint64_t)offset, complete, answer))
        return transfer_append_begin(worker, request, u, &plan, answer);
    put_common(worker, request, u, answer);
    transfer_upload_release(u);
    return NULL;
}

struct intake *resumable_upload_begin(struct worker *worker, const struct request *request,
                                      const struct transfer_address *address, struct answer *answer)
{
    bool complete;

    if (!sfv_boolean_parse(request_field(request, FIELD_UPLOAD_COMPLETE), &complete))
        return transfer_refuse(worker, request, STATUS_BAD_REQUEST,
                               SPAN("Upload-Complete is ?0 or ?1."), answer);
    /* One that lacks its offset is refused, and is not taken for a creation that begins afresh. */
    if (request->method == METHOD_PATCH &&
        (address->by_id || is_partial(request) ||
         request_field(request, FIELD_UPLOAD_OFFSET).ptr != NULL))
        return append(worker, request, address, complete, answer);
    return create(worker, request, address, complete, answer);
}
