#include "server/put.h"

#include "server/status_page.h"
#include "server/upload.h"
#include "server/write_preconditions.h"

bool put_read_range(struct worker *worker, const struct request *request,
                    struct content_range *range, struct answer *answer)
{
    struct span wrong = SPAN("Content-Range is to be \"bytes FIRST-LAST/LENGTH\".");

    if (field_count(&request->fields, FIELD_CONTENT_RANGE) == 1 &&
        content_range_parse(range, request_field(request, FIELD_CONTENT_RANGE)) &&
        range->length_known) {
        if (request->framing == FRAMING_LENGTH &&
            request->content_length == range->last - range->first + 1)
            return true;
        wrong = SPAN("Content-Range and Content-Length contradict each other.");
    }
    status_page_answer(worker, request, STATUS_BAD_REQUEST, wrong, answer);
    return false;
}

bool put_check(struct worker *worker, const struct request *request, const struct target *target,
               struct write_terms *terms, struct answer *answer)
{
    struct file found;

    if (target->hidden) {
        status_page_answer(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
        return false;
    }
    if (target->directory) {
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("PUT needs the name of a file; this address ends in a slash."),
                           answer);
        return false;
    }
    /* A client of 1.0 may mean that the body ends with the connection, which is no length in a
       request (RFC 1945 7.2.2): not even its first byte would be stored. */
    if (request->version != VERSION_1_1 && request->framing == FRAMING_NONE) {
        status_page_answer(worker, request, STATUS_LENGTH_REQUIRED, SPAN_EMPTY, answer);
        return false;
    }
    enum fs_result result = docroot_stat(&worker->docroot, target->path.ptr, &found);
    if (result != FS_OK && result != FS_NOT_FOUND) {
        status_page_answer_write(worker, request, result, answer);
        return false;
    }
    if (result == FS_OK && found.directory) {
        status_page_answer(worker, request, STATUS_CONFLICT,
                           SPAN("There is a directory of that name."), answer);
        return false;
    }
    /* A file is stored as it comes and served as it is: a coding would be lost (9.3.4). */
    if (request_field(request, FIELD_CONTENT_ENCODING).ptr != NULL) {
        status_page_answer(worker, request, STATUS_UNSUPPORTED_MEDIA_TYPE,
                           SPAN("Content-Encoding is not taken: send the file itself."), answer);
        return false;
    }
    return write_preconditions_check(worker, request, result == FS_OK, &found, terms, answer);
}

struct intake *put_begin(struct worker *worker, const struct request *request,
                         const struct target *target, struct answer *answer)
{
    struct upload_plan plan = {.path = target->path.ptr};
    struct content_range range;

    if (!put_check(worker, request, target, &plan.terms, answer))
        return NULL;
    if (request_field(request, FIELD_CONTENT_RANGE).ptr != NULL) {
        if (!put_read_range(worker, request, &range, answer))
            return NULL;
        if (!content_range_is_whole(&range)) {
            plan.partial = true;
            plan.offset = range.first;
            plan.total = range.length;
        }
    }
    return upload_begin(worker, request, &plan, answer);
}
