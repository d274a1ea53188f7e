#include "server/put_by_id.h"

#include "http/response.h"
#include "server/put.h"
#include "server/transfer_append.h"
#include "server/upload.h"
#include "server/upload_resource.h"

#include <unistd.h>

/* What a finished PUT says, with or without an id. */
static void answer_put(struct transfer_upload *u, struct worker *worker,
                       const struct request *request, enum append_end end,
                       const struct published *published, struct answer *answer)
{
    (void)worker;
    (void)request;
    if (u == NULL)
        return;
    if (end == APPEND_COMPLETE) {
        upload_answer_published(answer, published, u->place);
    } else if (end == APPEND_MORE) {
        answer->status = STATUS_ACCEPTED;
    }
    upload_resource_put_state(answer, u);
}

static struct intake *append(struct worker *worker, const struct request *request,
                             struct transfer_upload *u, struct append_plan *plan,
                             struct answer *answer)
{
    plan->too_much = STATUS_CONTENT_TOO_LARGE;
    plan->answer = answer_put;
    return transfer_append_begin(worker, request, u, plan, answer);
}

static struct intake *begin_afresh(struct worker *worker, const struct request *request,
                                   const struct transfer_address *address,
                                   const struct write_terms *terms, uint64_t length,
                                   bool length_known, bool whole, struct answer *answer)
{
    struct append_plan plan = {.to_the_end = whole, .terms = *terms};
    struct transfer_record record = {.length = length, .length_known = length_known};
    struct transfer_upload *u;

    transfer_upload_set_terms(&record, terms);
    enum status status = transfer_upload_create(&u, worker, &address->client, address->target.path,
                                                &record, SPAN_EMPTY, true);
    if (status != STATUS_NONE)
        return transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    return append(worker, request, u, &plan, answer);
}

static struct intake *refuse_offset(struct worker *worker, const struct request *request,
                                    struct transfer_upload *u, struct answer *answer)
{
    transfer_refuse(worker, request, STATUS_CONFLICT,
                    SPAN("The upload goes on where Upload-Offset says."), answer);
    if (u != NULL)
        upload_resource_put_state(answer, u);
    else
        response_field_u64(&answer->fields, SPAN("Upload-Offset"), 0);
    transfer_upload_release(u);
    return NULL;
}

/* A part that is not the whole. */
static struct intake *begin_part(struct worker *worker, const struct request *request,
                                 const struct transfer_address *address,
                                 const struct write_terms *terms, const struct content_range *range,
                                 struct answer *answer)
{
    struct append_plan plan = {.terms = *terms};
    struct transfer_upload *u;
    enum status status = transfer_upload_take(&u, worker, &address->client, address->target.path);

    if (status == STATUS_NOT_FOUND || status == STATUS_GONE) {
        if (range->first == 0)
            return begin_afresh(worker, request, address, terms, range->length, true, false,
                                answer);
        return refuse_offset(worker, request, NULL, answer);
    }
    if (status != STATUS_NONE)
        return transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    struct transfer_record *r = &u->transfer.record;
    if (r->complete || r->offset != range->first || (r->length_known && r->length != range->length))
        return refuse_offset(worker, request, u, answer);
    r->length = range->length;
    r->length_known = true;
    return append(worker, request, u, &plan, answer);
}

struct intake *put_by_id_begin(struct worker *worker, const struct request *request,
                               const struct transfer_address *address, struct answer *answer)
{
    struct content_range range;
    struct write_terms terms;

    if (!put_check(worker, request, &address->target, &terms, answer))
        return NULL;
    if (request_field(request, FIELD_CONTENT_RANGE).ptr == NULL)
        return begin_afresh(worker, request, address, &terms, request->content_length,
                            request->framing != FRAMING_CHUNKED, true, answer);
    if (!put_read_range(worker, request, &range, answer))
        return NULL;
    if (content_range_is_whole(&range))
        return begin_afresh(worker, request, address, &terms, range.length, true, true, answer);
    return begin_part(worker, request, address, &terms, &range, answer);
}

/* --- X-Update-Range ----------------------------------------------------------------------------
 */

/* Where the body is to begin, when `length` bytes are there. */
static enum status read_update_range(struct span value, uint64_t length)
{
    struct span unit = SPAN("bytes=");
    uint64_t first = 0;

    if (span_equal_nocase(value, SPAN("append")))
        return STATUS_NONE;
    if (!span_starts_with(value, unit))
        return STATUS_BAD_REQUEST;
    value = span_from(value, unit.len);
    size_t dash = span_find(value, '-');
    if (dash == value.len || !span_to_u64(span_make(value.ptr, dash), &first))
        return STATUS_BAD_REQUEST;
    return first == length ? STATUS_NONE : STATUS_RANGE_NOT_SATISFIABLE;
}

static struct intake *update_upload(struct worker *worker, const struct request *request,
                                    const struct transfer_address *address, struct span range,
                                    struct answer *answer)
{
    struct append_plan plan = {.terms.condition = WRITE_ALWAYS};
    struct transfer_upload *u;
    enum status status = transfer_upload_take(&u, worker, &address->client, address->target.path);

    if (status != STATUS_NONE)
        return transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    status = u->transfer.record.complete ? STATUS_CONFLICT
                                         : read_update_range(range, u->transfer.record.offset);
    if (status != STATUS_NONE) {
        transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
        upload_resource_put_state(answer, u);
        transfer_upload_release(u);
        return NULL;
    }
    plan.to_the_end = !u->transfer.record.length_known;
    return append(worker, request, u, &plan, answer);
}

static struct intake *update_file(struct worker *worker, const struct request *request,
                                  const struct target *target, struct span range,
                                  struct answer *answer)
{
    struct upload_plan plan = {.path = target->path.ptr};
    struct file file;

    if (!put_check(worker, request, target, &plan.terms, answer))
        return NULL;
    if (docroot_lookup(&worker->docroot, target->path.ptr, &file) != FS_OK)
        return transfer_refuse(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
    enum status status = read_update_range(range, file.size);
    if (status != STATUS_NONE) {
        close(file.fd);
        return transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    }
    /* It is that file and no other that grows, whatever the request itself demands. */
    plan.terms.condition = WRITE_IF_SAME;
    plan.terms.expected = file;
    plan.base = &file;
    struct intake *intake = upload_begin(worker, request, &plan, answer);
    close(file.fd);
    return intake;
}

struct intake *update_range_begin(struct worker *worker, const struct request *request,
                                  const struct transfer_address *address, struct answer *answer)
{
    struct span range = request_field(request, FIELD_X_UPDATE_RANGE);

    if (range.ptr == NULL) {
        transfer_refuse(worker, request, STATUS_UNSUPPORTED_MEDIA_TYPE,
                        SPAN("PATCH takes X-Update-Range, or what goes on with an upload."),
                        answer);
        buffer_put_text(
            &answer->fields,
            "Accept-Patch: application/partial-upload, "
            "application/offset+octet-stream, application/x-sabredav-partialupdate\r\n");
        return NULL;
    }
    if (request->framing == FRAMING_NONE)
        return transfer_refuse(worker, request, STATUS_LENGTH_REQUIRED, SPAN_EMPTY, answer);
    return address->by_id ? update_upload(worker, request, address, range, answer)
                          : update_file(worker, request, &address->target, range, answer);
}
