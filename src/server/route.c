#include "server/route.h"

#include "http/response.h"
#include "server/static_file.h"
#include "server/status_page.h"

#define ALLOWED "GET, HEAD, OPTIONS"

static void answer_options(struct answer *answer)
{
    answer->status = STATUS_NO_CONTENT;
    response_field(&answer->fields, SPAN("Allow"), SPAN(ALLOWED));
}

static void refuse_method(struct worker *worker, const struct request *request,
                          struct answer *answer)
{
    if (request->method == METHOD_UNKNOWN) {
        status_page_answer(worker, request, STATUS_NOT_IMPLEMENTED, SPAN_EMPTY, answer);
        return;
    }
    status_page_answer(worker, request, STATUS_METHOD_NOT_ALLOWED, SPAN_EMPTY, answer);
    response_field(&answer->fields, SPAN("Allow"), SPAN(ALLOWED));
}

enum routing route_begin(struct worker *worker, const struct request *request,
                         struct answer *answer, struct intake **intake)
{
    *intake = NULL;
    switch (request->method) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_OPTIONS: return ROUTE_DISCARD;
    default: refuse_method(worker, request, answer); return ROUTE_ANSWERED;
    }
}

void route_answer(struct worker *worker, const struct request *request, struct answer *answer)
{
    struct target target;

    if (request->form == TARGET_ASTERISK) {
        answer_options(answer);
        return;
    }
    switch (target_parse(&target, request_target(request), request->form, worker->path)) {
    case TARGET_OK: break;
    case TARGET_MALFORMED:
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("The address is malformed or leads out of the site."), answer);
        return;
    case TARGET_NO_FILE:
        status_page_answer(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
        return;
    }
    if (request->method == METHOD_OPTIONS)
        answer_options(answer);
    else
        static_file_answer(worker, request, &target, answer);
}
