#include "server/route.h"

#include "http/response.h"
#include "server/access.h"
#include "server/collection.h"
#include "server/dashboard.h"
#include "server/health.h"
#include "server/page_asset.h"
#include "server/post.h"
#include "server/put.h"
#include "server/put_by_id.h"
#include "server/resumable_upload.h"
#include "server/sign_in.h"
#include "server/static_file.h"
#include "server/status_page.h"
#include "server/transfer_get.h"
#include "server/tus.h"
#include "server/upload_resource.h"

static void put_allow(const struct server *server, struct answer *answer)
{
    response_field(&answer->fields, SPAN("Allow"),
                   server->read_only
                       ? SPAN("GET, HEAD, OPTIONS")
                       : SPAN("GET, HEAD, PUT, POST, PATCH, DELETE, MKCOL, MOVE, OPTIONS"));
}

static void refuse_method(struct worker *worker, const struct request *request,
                          struct answer *answer)
{
    if (request->method == METHOD_UNKNOWN) {
        status_page_answer(worker, request, STATUS_NOT_IMPLEMENTED, SPAN_EMPTY, answer);
        return;
    }
    status_page_answer(worker, request, STATUS_METHOD_NOT_ALLOWED, SPAN_EMPTY, answer);
    put_allow(worker->server, answer);
}

/* Whether what is not there is no reason to refuse the request. */
static bool makes_names(enum method method)
{
    return method == METHOD_PUT || method == METHOD_MKCOL;
}

/* Finds the target, into worker->path. False: the answer says what is wrong with it. */
static bool find_target(struct worker *worker, const struct request *request, struct target *target,
                        struct answer *answer)
{
    if (request->form == TARGET_ASTERISK) {
        worker->path[0] = '\0';
        *target = (struct target){.path = {worker->path, 0}, .directory = true};
        return true;
    }
    switch (target_parse(target, request_target(request), worker->path)) {
    case TARGET_OK: return true;
    case TARGET_MALFORMED:
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("The address is malformed or leads out of the site."), answer);
        return false;
    case TARGET_TOO_LONG:
        if (makes_names((enum method)request->method))
            status_page_answer_write(worker, request, FS_NAME_TOO_LONG, answer);
        else
            status_page_answer(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
        return false;
    case TARGET_NO_FILE:
        status_page_answer(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
        return false;
    }
    return false;
}

/* A body that becomes a file, or a part of one: by which of the protocols for that. */
static struct intake *begin_upload(struct worker *worker, const struct request *request,
                                   const struct target *target, enum method method,
                                   struct answer *answer)
{
    struct transfer_address address = {.target = *target};

    if (transfer_address_of(worker->server, target, &address) &&
        !access_allows_write(worker, request, &address.target, answer))
        return NULL;
    if (request_field(request, FIELD_TUS_RESUMABLE).ptr != NULL && method != METHOD_PUT)
        return method == METHOD_POST ? tus_post_begin(worker, request, &address, answer)
                                     : tus_patch_begin(worker, request, &address, answer);
    if (request_field(request, FIELD_UPLOAD_COMPLETE).ptr != NULL ||
        (method == METHOD_PATCH &&
         request_field(request, FIELD_UPLOAD_DRAFT_INTEROP_VERSION).ptr != NULL))
        return resumable_upload_begin(worker, request, &address, answer);
    if (method == METHOD_PATCH)
        return update_range_begin(worker, request, &address, answer);
    if (method == METHOD_POST && !address.by_id)
        return post_begin(worker, request, target, answer);
    if (method == METHOD_POST) {
        status_page_answer(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
        return NULL;
    }
    return address.by_id ? put_by_id_begin(worker, request, &address, answer)
                         : put_begin(worker, request, target, answer);
}

enum routing route_begin(struct worker *worker, const struct request *request,
                         struct target *target, struct answer *answer, struct intake **intake)
{
    *intake = NULL;
    if (request->method == METHOD_UNKNOWN || request->form == TARGET_AUTHORITY) {
        refuse_method(worker, request, answer);
        return ROUTE_ANSWERED;
    }
    if (!find_target(worker, request, target, answer))
        return ROUTE_ANSWERED;
    /* Before anything about accounts and names: a balancer has none. */
    if (target->hidden && health_is_asked(request, target))
        return ROUTE_DISCARD;
    if (!access_allows(worker, request, target, answer) ||
        tus_refuses_version(worker, request, answer))
        return ROUTE_ANSWERED;
    enum method method = tus_method(request);
    switch (method) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_OPTIONS:
    case METHOD_DELETE:
    case METHOD_MKCOL:
    case METHOD_MOVE: return ROUTE_DISCARD;
    case METHOD_POST:
    case METHOD_PUT:
    case METHOD_PATCH: *intake = begin_upload(worker, request, target, method, answer); break;
    default: refuse_method(worker, request, answer); break;
    }
    return *intake != NULL ? ROUTE_INTAKE : ROUTE_ANSWERED;
}

/* Whether the target is a client's id or one of its transfers, or asks for an id: then it is
 * answered. */
static bool answer_resuming(struct worker *worker, const struct request *request,
                            const struct target *target, enum method method, struct answer *answer)
{
    const struct server *server = worker->server;
    struct transfer_address address;
    bool reads = method == METHOD_GET || method == METHOD_HEAD;

    if (!server->resumes)
        return false;
    if (reads && (span_equal(target->path, SPAN(".uuid")) ||
                  (server->options->uuid_root && target->path.len == 0))) {
        client_id_answer(worker, request, answer);
        return true;
    }
    if (!(reads || method == METHOD_DELETE) || !transfer_address_of(server, target, &address) ||
        target->hidden)
        return false;
    if (address.target.path.len > 0 &&
        upload_resource_answer(worker, request, &address, method, answer))
        return true;
    transfer_get_answer(worker, request, &address, answer);
    return true;
}

/* What the server says of itself and what its pages need: it stands under names that begin with a
   dot, by which no file is served. */
static bool answer_own(struct worker *worker, const struct request *request,
                       const struct target *target, enum method method, struct answer *answer)
{
    if (!target->hidden || (method != METHOD_GET && method != METHOD_HEAD))
        return false;
    if (health_is_asked(request, target)) {
        health_answer(worker, answer);
        return true;
    }
    return dashboard_answer(worker, request, target, answer) ||
           page_asset_answer(worker, request, target, answer) ||
           sign_in_answer(worker, request, target, answer);
}

void route_answer(struct worker *worker, const struct request *request, const struct target *target,
                  struct answer *answer)
{
    enum method method = tus_method(request);

    if (answer_own(worker, request, target, method, answer))
        return;
    if (method != METHOD_OPTIONS && answer_resuming(worker, request, target, method, answer))
        return;
    switch (method) {
    case METHOD_OPTIONS:
        answer->status = STATUS_NO_CONTENT;
        put_allow(worker->server, answer);
        if (!worker->server->read_only) {
            tus_put_options(&answer->fields, worker->server);
            upload_resource_put_limit(&answer->fields, worker->server,
                                      resumable_upload_interop(request));
        }
        break;
    case METHOD_DELETE: delete_answer(worker, request, target, answer); break;
    case METHOD_MKCOL: mkcol_answer(worker, request, target, answer); break;
    case METHOD_MOVE: move_answer(worker, request, target, answer); break;
    default: static_file_answer(worker, request, target, answer); break;
    }
}

void route_answer_later(struct worker *worker, const struct request *request, struct answer *answer)
{
    struct target target;

    if (find_target(worker, request, &target, answer))
        route_answer(worker, request, &target, answer);
}
