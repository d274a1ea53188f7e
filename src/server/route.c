#include "server/route.h"

#include "http/response.h"
#include "server/access.h"
#include "server/collection.h"
#include "server/post.h"
#include "server/put.h"
#include "server/static_file.h"
#include "server/status_page.h"
#include "server/transfer_get.h"

static void put_allow(const struct server *server, struct answer *answer)
{
    response_field(&answer->fields, SPAN("Allow"),
                   server->read_only ? SPAN("GET, HEAD, OPTIONS")
                                     : SPAN("GET, HEAD, PUT, POST, DELETE, MKCOL, MOVE, OPTIONS"));
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

/* Finds the target, into worker->path. False: the answer says what is wrong with it. */
static bool find_target(struct worker *worker, const struct request *request, struct target *target,
                        struct answer *answer)
{
    if (request->form == TARGET_ASTERISK) {
        worker->path[0] = '\0';
        *target = (struct target){.path = {worker->path, 0}, .directory = true};
        return true;
    }
    switch (target_parse(target, request_target(request), request->form, worker->path)) {
    case TARGET_OK: return true;
    case TARGET_MALFORMED:
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("The address is malformed or leads out of the site."), answer);
        return false;
    case TARGET_NO_FILE:
        status_page_answer(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
        return false;
    }
    return false;
}

enum routing route_begin(struct worker *worker, const struct request *request,
                         struct answer *answer, struct intake **intake)
{
    struct target target;

    *intake = NULL;
    if (request->method == METHOD_UNKNOWN || request->form == TARGET_AUTHORITY) {
        refuse_method(worker, request, answer);
        return ROUTE_ANSWERED;
    }
    if (!find_target(worker, request, &target, answer) ||
        !access_allows(worker, request, &target, answer))
        return ROUTE_ANSWERED;
    switch (request->method) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_OPTIONS:
    case METHOD_DELETE:
    case METHOD_MKCOL:
    case METHOD_MOVE: return ROUTE_DISCARD;
    case METHOD_POST: *intake = post_begin(worker, request, &target, answer); break;
    case METHOD_PUT: *intake = put_begin(worker, request, &target, answer); break;
    default: refuse_method(worker, request, answer); break;
    }
    return *intake != NULL ? ROUTE_INTAKE : ROUTE_ANSWERED;
}

/* Whether the target is a client's id or one of its transfers, or asks for an id: then it is
 * answered. */
static bool answer_resuming(struct worker *worker, const struct request *request,
                            const struct target *target, struct answer *answer)
{
    const struct server *server = worker->server;
    struct transfer_target transfer;
    bool reads = request->method == METHOD_GET || request->method == METHOD_HEAD;

    if (!server->resumes)
        return false;
    if (reads && (span_equal(target->path, SPAN(".uuid")) ||
                  (server->options->uuid_root && target->path.len == 0))) {
        client_id_answer(worker, request, answer);
        return true;
    }
    if (!(reads || request->method == METHOD_DELETE) ||
        !transfer_target_of(server, target, &transfer) || target->hidden)
        return false;
    transfer_get_answer(worker, request, &transfer, answer);
    return true;
}

void route_answer(struct worker *worker, const struct request *request, struct answer *answer)
{
    struct target target;

    /* It was found before, but the path's memory may have served another request since. */
    if (!find_target(worker, request, &target, answer))
        return;
    if (request->method != METHOD_OPTIONS && answer_resuming(worker, request, &target, answer))
        return;
    switch (request->method) {
    case METHOD_OPTIONS:
        answer->status = STATUS_NO_CONTENT;
        put_allow(worker->server, answer);
        break;
    case METHOD_DELETE: delete_answer(worker, request, &target, answer); break;
    case METHOD_MKCOL: mkcol_answer(worker, request, &target, answer); break;
    case METHOD_MOVE: move_answer(worker, request, &target, answer); break;
    default: static_file_answer(worker, request, &target, answer); break;
    }
}
