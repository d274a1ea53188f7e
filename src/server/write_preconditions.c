#include "server/write_preconditions.h"

#include "http/precondition.h"
#include "server/status_page.h"

bool write_preconditions_check(struct worker *worker, const struct request *request, bool exists,
                               const struct file *found, struct write_terms *terms,
                               struct answer *answer)
{
    static const enum field_name fields[] = {FIELD_IF_MATCH, FIELD_IF_NONE_MATCH,
                                             FIELD_IF_UNMODIFIED_SINCE};
    struct etag etag = {0};
    int64_t now_s = worker_date(worker);
    bool conditional = false;

    if (exists)
        etag_make(&etag, found->inode, found->size, found->mtime_ns, false);
    struct validators validators = {
        .exists = exists,
        .etag = etag_span(&etag),
        .last_modified = found->mtime_s,
    };
    switch (precondition_check(request, &validators, now_s)) {
    case PRECONDITION_MALFORMED:
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("If-Match and If-None-Match take \"*\" or a list of entity tags."),
                           answer);
        return false;
    case PRECONDITION_FAILED:
    case PRECONDITION_NOT_MODIFIED:
        status_page_answer(worker, request, STATUS_PRECONDITION_FAILED, SPAN_EMPTY, answer);
        return false;
    case PRECONDITION_PASS: break;
    }
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        conditional |= request_field(request, fields[i]).ptr != NULL;
    /* What was true when it was looked at must be true when the change is made. */
    terms->condition = !conditional ? WRITE_ALWAYS : exists ? WRITE_IF_SAME : WRITE_IF_ABSENT;
    terms->expected = *found;
    terms->sync = worker->server->options->fsync;
    return true;
}
