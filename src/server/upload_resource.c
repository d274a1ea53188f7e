#include "server/upload_resource.h"

#include "http/response.h"
#include "server/resumable_upload.h"
#include "server/status_page.h"
#include "server/transfer_append.h"
#include "server/tus.h"

void upload_resource_put_state(struct answer *answer, const struct transfer_upload *u)
{
    const struct transfer_record *r = &u->transfer.record;
    struct buffer *out = &answer->fields;

    response_field_u64(out, SPAN("Upload-Offset"), r->offset);
    if (r->length_known)
        response_field_u64(out, SPAN("Upload-Length"), r->length);
    else
        response_field(out, SPAN("Upload-Defer-Length"), SPAN("1"));
    response_field(out, SPAN("Upload-Complete"), r->complete ? SPAN("?1") : SPAN("?0"));
    response_field_date(out, SPAN("Upload-Expires"), r->touched_s + u->server->options->expire_s);
}

void upload_resource_put_limit(struct buffer *out, const struct server *server, unsigned interop)
{
    const struct options *o = server->options;

    buffer_put_text(out, "Upload-Limit: ");
    if (o->max_body > 0) {
        buffer_put_text(out, "max-size=");
        buffer_put_u64(out, o->max_body);
    } else {
        buffer_put_text(out, "min-size=0");
    }
    /* What -04 and -05 called expires is max-age since. */
    buffer_put_span(out, interop == 5 || interop == 6 ? SPAN(", expires=") : SPAN(", max-age="));
    buffer_put_u64(out, (uint64_t)o->expire_s);
    buffer_put_text(out, "\r\n");
}

void upload_resource_put_location(struct buffer *out, const struct transfer_upload *u)
{
    char id[UUID_TEXT_LEN];

    uuid_format(&u->client, id);
    buffer_put_text(out, "Location: /");
    buffer_put(out, id, sizeof id);
    buffer_put_char(out, '/');
    buffer_put_url_path(out, u->path);
    buffer_put_text(out, "\r\n");
}

static bool is_upload(const struct server *server, const struct transfer_address *address,
                      bool *complete)
{
    struct transfer t;

    if (transfer_open(&t, server->state.transfers_fd, &address->client, address->target.path) !=
        TRANSFER_OK)
        return false;
    bool upload = t.record.kind == TRANSFER_UPLOAD;
    *complete = t.record.complete && (t.record.flags & UPLOAD_PARTIAL) == 0;
    transfer_close(&t);
    return upload;
}

/* Interop versions 5 and 6: who asks with the fields of an append has mixed something up. */
static bool claims_state(const struct request *request)
{
    unsigned interop = resumable_upload_interop(request);

    return (interop == 5 || interop == 6) &&
           (request->method == METHOD_GET || request->method == METHOD_HEAD) &&
           (request_field(request, FIELD_UPLOAD_OFFSET).ptr != NULL ||
            request_field(request, FIELD_UPLOAD_COMPLETE).ptr != NULL ||
            request_field(request, FIELD_UPLOAD_LENGTH).ptr != NULL);
}

bool upload_resource_answer(struct worker *worker, const struct request *request,
                            const struct transfer_address *address, enum method method,
                            struct answer *answer)
{
    struct transfer_upload *u;
    bool complete;

    if (!is_upload(worker->server, address, &complete))
        return false;
    if (claims_state(request)) {
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("How far the upload is says the server, not who asks for it."),
                           answer);
        return true;
    }
    enum status status = transfer_upload_take(&u, worker, &address->client, address->target.path);
    if (method == METHOD_GET && complete && status == STATUS_NONE) {
        transfer_upload_forget(u);
        return false;
    }
    answer->cache = SPAN("no-store");
    if (status != STATUS_NONE) {
        transfer_refuse(worker, request, status, SPAN_EMPTY, answer);
        return true;
    }
    if (method == METHOD_DELETE) {
        transfer_upload_forget(u);
        answer->status = STATUS_NO_CONTENT;
        return true;
    }
    bool draft = request_field(request, FIELD_UPLOAD_DRAFT_INTEROP_VERSION).ptr != NULL;
    answer->status = draft ? STATUS_NO_CONTENT : STATUS_OK;
    upload_resource_put_state(answer, u);
    upload_resource_put_limit(&answer->fields, worker->server, resumable_upload_interop(request));
    if (request_field(request, FIELD_TUS_RESUMABLE).ptr != NULL)
        tus_put_note(&answer->fields, u);
    transfer_upload_release(u);
    return true;
}
