#include "server/tus.h"

#include "http/media_type.h"
#include "http/response.h"
#include "server/post.h"
#include "server/status_page.h"
#include "server/transfer_append.h"
#include "server/upload_creation.h"
#include "server/upload_resource.h"

enum { PIECES_LIMIT = 64 }; /* of one concatenation: each is an open file while it is made */

#define TUS_VERSION "1.0.0"
static const struct span CONTENT_TYPE = SPAN("application/offset+octet-stream");

bool tus_refuses_version(struct worker *worker, const struct request *request,
                         struct answer *answer)
{
    struct span version = request_field(request, FIELD_TUS_RESUMABLE);

    if (version.ptr == NULL || request->method == METHOD_OPTIONS ||
        span_equal(version, SPAN(TUS_VERSION)))
        return false;
    status_page_answer(worker, request, STATUS_PRECONDITION_FAILED,
                       SPAN("Only version " TUS_VERSION " of tus is spoken here."), answer);
    response_field(&answer->fields, SPAN("Tus-Version"), SPAN(TUS_VERSION));
    return true;
}

enum method tus_method(const struct request *request)
{
    enum method meant;

    /* With POST alone, which may change things anyway: no look at anything becomes a change. */
    if (request->method != METHOD_POST || request_field(request, FIELD_TUS_RESUMABLE).ptr == NULL)
        return (enum method)request->method;
    meant = method_of(request_field(request, FIELD_X_HTTP_METHOD_OVERRIDE));
    return meant != METHOD_UNKNOWN ? meant : METHOD_POST;
}

void tus_put_options(struct buffer *fields, const struct server *server)
{
    buffer_put_text(fields, "Tus-Version: " TUS_VERSION "\r\n"
                            "Tus-Extension: creation,creation-with-upload,creation-defer-length,"
                            "expiration,checksum,checksum-trailer,termination,concatenation\r\n"
                            "Tus-Checksum-Algorithm: sha1,sha256\r\n");
    if (server->options->max_body > 0)
        response_field_u64(fields, SPAN("Tus-Max-Size"), server->options->max_body);
}

/* The note of a record: both fields, a line each. */
static struct span make_note(const struct request *request, char note[static TRANSFER_NOTE_MAX])
{
    struct buffer b = buffer_make(note, TRANSFER_NOTE_MAX);

    buffer_put_span(&b, request_field(request, FIELD_UPLOAD_METADATA));
    buffer_put_char(&b, '\n');
    buffer_put_span(&b, request_field(request, FIELD_UPLOAD_CONCAT));
    return b.overflowed ? (struct span){NULL, 0} : buffer_span(&b);
}

void tus_put_note(struct buffer *fields, const struct transfer_upload *upload)
{
    char note[TRANSFER_NOTE_MAX];
    struct span all = span_make(note, transfer_note(&upload->transfer, note));
    size_t line = span_find(all, '\n');

    if (line > 0)
        response_field(fields, SPAN("Upload-Metadata"), span_make(all.ptr, line));
    if (line + 1 < all.len)
        response_field(fields, SPAN("Upload-Concat"), span_from(all, line + 1));
}

static struct intake *bad(struct worker *worker, const struct request *request,
                          struct span sentence, struct answer *answer)
{
    return transfer_refuse(worker, request, STATUS_BAD_REQUEST, sentence, answer);
}

/* A request says its body's type, if it has a body. */
static bool is_typed(const struct request *request)
{
    return media_type_equal(request_field(request, FIELD_CONTENT_TYPE), CONTENT_TYPE);
}

static bool has_body(const struct request *request)
{
    return request->framing == FRAMING_CHUNKED ||
           (request->framing == FRAMING_LENGTH && request->content_length > 0);
}

/* Upload-Checksum, in the head or announced for the trailer. */
static bool read_checksum(const struct request *request, struct append_plan *plan)
{
    struct span value = request_field(request, FIELD_UPLOAD_CHECKSUM);

    plan->checksum_in_trailer =
        value.ptr == NULL && request->framing == FRAMING_CHUNKED &&
        span_equal_nocase(request_field(request, FIELD_TRAILER), SPAN("Upload-Checksum"));
    plan->checked = value.ptr != NULL;
    return value.ptr == NULL || tus_checksum_parse(value, &plan->checksum) == TUS_CHECKSUM_OK;
}

/* --- PATCH -------------------------------------------------------------------------------------
 */

static void answer_patch(struct transfer_upload *u, struct worker *worker,
                         const struct request *request, enum append_end end,
                         const struct published *published, struct answer *answer)
{
    (void)worker;
    (void)request;
    (void)published;
    if (end != APPEND_FAILED)
        answer->status = STATUS_NO_CONTENT;
    if (u != NULL)
        upload_resource_put_state(answer, u);
}

/* A deferred length may be told once. */
static bool learn_length(const struct request *request, struct transfer_upload *u,
                         enum status *status, const struct options *o)
{
    struct span value = request_field(request, FIELD_UPLOAD_LENGTH);
    struct transfer_record *r = &u->transfer.record;
    uint64_t length;

    if (value.ptr == NULL)
        return true;
    *status = STATUS_BAD_REQUEST;
    if (!span_to_u64(value, &length) || length > INT64_MAX || length < r->offset ||
        (r->length_known && r->length != length))
        return false;
    *status = STATUS_CONTENT_TOO_LARGE;
    if (o->max_body > 0 && length > o->max_body)
        return false;
    r->length = length;
    r->length_known = true;
    return true;
}

struct intake *tus_patch_begin(struct worker *worker, const struct request *request,
                               const struct transfer_address *address, struct answer *answer)
{
    struct append_plan plan = {.too_much = STATUS_CONTENT_TOO_LARGE, .answer = answer_patch};
    struct transfer_upload *u;
    uint64_t offset;
    struct span sentence = SPAN_EMPTY;
    enum status status = STATUS_NOT_FOUND;

    if (!is_typed(request))
        return transfer_refuse(worker, request, STATUS_UNSUPPORTED_MEDIA_TYPE,
                               SPAN("PATCH takes application/offset+octet-stream."), answer);
    if (!span_to_u64(request_field(request, FIELD_UPLOAD_OFFSET), &offset))
        return bad(worker, request, SPAN("PATCH needs Upload-Offset."), answer);
    if (!read_checksum(request, &plan))
        return bad(worker, request,
                   SPAN("Upload-Checksum is malformed, or of an algorithm that is "
                        "not taken: sha1 and sha256 are."),
                   answer);
    if (address->by_id)
        status = transfer_upload_take(&u, worker, &address->client, address->target.path);
    if (status != STATUS_NONE)
        return transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    struct transfer_record *r = &u->transfer.record;
    if ((r->flags & UPLOAD_FINAL) != 0) {
        status = STATUS_FORBIDDEN;
    } else if (offset != r->offset) {
        status = STATUS_CONFLICT;
        sentence = SPAN("The upload goes on where Upload-Offset says.");
    } else if (!learn_length(request, u, &status, worker->server->options)) {
        sentence = SPAN("Upload-Length does not fit.");
    } else if (r->complete) {
        status = has_body(request) ? STATUS_CONTENT_TOO_LARGE : STATUS_NO_CONTENT;
    } else {
        return transfer_append_begin(worker, request, u, &plan, answer);
    }
    if (status == STATUS_NO_CONTENT)
        answer->status = status;
    else
        transfer_refuse(worker, request, status, sentence, answer);
    upload_resource_put_state(answer, u);
    transfer_upload_release(u);
    return NULL;
}

/* --- POST --------------------------------------------------------------------------------------
 */

static void answer_created(struct transfer_upload *u, struct worker *worker,
                           const struct request *request, enum append_end end,
                           const struct published *published, struct answer *answer)
{
    (void)worker;
    (void)request;
    (void)published;
    if (end != APPEND_FAILED)
        answer->status = STATUS_CREATED;
    if (u == NULL)
        return;
    upload_resource_put_location(&answer->fields, u);
    upload_resource_put_state(answer, u);
}

/* A piece's URL: of which upload. Its path is put into `path`. */
static bool find_piece(const struct server *server, struct span url,
                       char path[static TARGET_PATH_LIMIT], struct transfer_address *piece)
{
    struct target target;

    return target_parse(&target, url, path) == TARGET_OK && !target.hidden &&
           transfer_address_of(server, &target, piece);
}

/* Takes all the pieces, which must be complete. STATUS_NONE, or why not. */
static enum status take_pieces(struct worker *worker, struct span urls,
                               struct transfer_upload *pieces[static PIECES_LIMIT], unsigned *count)
{
    char path[TARGET_PATH_LIMIT];
    struct transfer_address piece;
    struct span url;

    while (tus_concat_next(&urls, &url)) {
        if (*count == PIECES_LIMIT)
            return STATUS_CONTENT_TOO_LARGE;
        if (!find_piece(worker->server, url, path, &piece))
            return STATUS_BAD_REQUEST;
        enum status status =
            transfer_upload_take(&pieces[*count], worker, &piece.client, piece.target.path);
        if (status != STATUS_NONE)
            return status == STATUS_NOT_FOUND ? STATUS_BAD_REQUEST : status;
        const struct transfer_record *r = &pieces[(*count)++]->transfer.record;
        if (!r->complete || (r->flags & UPLOAD_PARTIAL) == 0)
            return STATUS_BAD_REQUEST;
    }
    return *count > 0 ? STATUS_NONE : STATUS_BAD_REQUEST;
}

/* Puts the pieces together and publishes the whole. */
static enum status join(struct transfer_upload *u, struct worker *worker,
                        struct transfer_upload *const *pieces, unsigned count)
{
    struct published published;
    enum fs_result result = FS_OK;

    queue_step_aside(&worker->server->queue);
    for (unsigned i = 0; i < count && result == FS_OK; i++)
        result = stage_append_stage(&u->stage, &pieces[i]->stage);
    if (result != FS_OK)
        return status_of_write_result(result);
    return transfer_upload_complete(u, worker, NULL, &published);
}

static void concatenate(struct worker *worker, const struct request *request,
                        const struct transfer_address *address, struct span name, struct span note,
                        struct span urls, struct answer *answer)
{
    struct transfer_record record = {.flags = UPLOAD_FINAL | UPLOAD_NEW_MEMBER | UPLOAD_WHEN_TOLD};
    struct transfer_upload *pieces[PIECES_LIMIT], *u = NULL;
    unsigned count = 0;
    uint64_t total = 0;
    enum status status = take_pieces(worker, urls, pieces, &count);

    for (unsigned i = 0; i < count; i++)
        total += pieces[i]->stage.len;
    if (status == STATUS_NONE && worker->server->options->max_body > 0 &&
        total > worker->server->options->max_body)
        status = STATUS_CONTENT_TOO_LARGE;
    if (status == STATUS_NONE)
        status = upload_creation_make(&u, worker, address, name, &record, note);
    if (status == STATUS_NONE)
        status = join(u, worker, pieces, count);
    for (unsigned i = 0; i < count; i++) {
        if (status == STATUS_NONE)
            transfer_upload_forget(pieces[i]);
        else
            transfer_upload_release(pieces[i]);
    }
    if (status != STATUS_NONE && u != NULL) {
        transfer_upload_forget(u);
        u = NULL;
    }
    if (status != STATUS_NONE)
        transfer_refuse(worker, request, status,
                        SPAN("Upload-Concat lists uploads that are partial and complete."), answer);
    else
        answer_created(u, worker, request, APPEND_COMPLETE, NULL, answer);
    transfer_upload_release(u);
}

/* The length, or that it comes later. False: the answer says what is wrong. */
static bool read_length(struct worker *worker, const struct request *request,
                        struct transfer_record *record, struct answer *answer)
{
    struct span length = request_field(request, FIELD_UPLOAD_LENGTH);
    struct span defer = request_field(request, FIELD_UPLOAD_DEFER_LENGTH);
    uint64_t most = worker->server->options->max_body;

    record->length_known = length.ptr != NULL;
    if ((length.ptr != NULL) == (defer.ptr != NULL) ||
        (defer.ptr != NULL && !span_equal(defer, SPAN("1"))) ||
        (length.ptr != NULL &&
         (!span_to_u64(length, &record->length) || record->length > INT64_MAX))) {
        bad(worker, request, SPAN("Either Upload-Length, or Upload-Defer-Length: 1."), answer);
        return false;
    }
    if (most > 0 && record->length > most) {
        transfer_refuse(worker, request, STATUS_CONTENT_TOO_LARGE, SPAN_EMPTY, answer);
        return false;
    }
    return true;
}

struct intake *tus_post_begin(struct worker *worker, const struct request *request,
                              const struct transfer_address *address, struct answer *answer)
{
    struct append_plan plan = {.too_much = STATUS_CONTENT_TOO_LARGE, .answer = answer_created};
    struct transfer_record record = {.flags = UPLOAD_NEW_MEMBER};
    struct span concat = request_field(request, FIELD_UPLOAD_CONCAT), urls = SPAN_EMPTY;
    struct span meta = request_field(request, FIELD_UPLOAD_METADATA);
    char note_bytes[TRANSFER_NOTE_MAX], name_bytes[TARGET_PATH_LIMIT];
    struct buffer name = BUFFER_OVER(name_bytes);
    struct transfer_upload *u;
    enum tus_concat kind =
        concat.ptr != NULL ? tus_concat_parse(concat, &urls) : TUS_CONCAT_PARTIAL;

    if (!post_find_directory(worker, request, &address->target, answer))
        return NULL;
    if (kind == TUS_CONCAT_BAD || (meta.ptr != NULL && !tus_metadata_check(meta)))
        return bad(worker, request, SPAN("Upload-Metadata or Upload-Concat is malformed."), answer);
    struct span note = make_note(request, note_bytes);
    if (note.ptr == NULL)
        return transfer_refuse(worker, request, STATUS_FIELDS_TOO_LARGE, SPAN_EMPTY, answer);
    if (!upload_creation_name(request, &name))
        return transfer_refuse(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer);
    if (kind == TUS_CONCAT_FINAL) {
        if (request_field(request, FIELD_UPLOAD_LENGTH).ptr != NULL || has_body(request))
            return bad(worker, request, SPAN("A final upload has no length and no body."), answer);
        concatenate(worker, request, address, buffer_span(&name), note, urls, answer);
        return NULL;
    }
    if (concat.ptr != NULL)
        record.flags = UPLOAD_PARTIAL;
    if (!read_length(worker, request, &record, answer))
        return NULL;
    if (has_body(request) && !is_typed(request))
        return transfer_refuse(worker, request, STATUS_UNSUPPORTED_MEDIA_TYPE,
                               SPAN("The body is to be application/offset+octet-stream."), answer);
    if (!read_checksum(request, &plan))
        return bad(worker, request, SPAN("Upload-Checksum is malformed or unknown."), answer);
    enum status status =
        upload_creation_make(&u, worker, address, buffer_span(&name), &record, note);
    if (status != STATUS_NONE)
        return transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
    return transfer_append_begin(worker, request, u, &plan, answer);
}
