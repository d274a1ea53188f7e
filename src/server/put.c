#include "server/put.h"

#include "base/hex.h"
#include "base/sha256.h"
#include "http/precondition.h"
#include "http/range.h"
#include "server/status_page.h"
#include "server/upload.h"

enum { KEPT_NAME_LEN = 5 + 2 * SHA256_LEN };

bool write_preconditions(struct worker *worker, const struct request *request, bool exists,
                         const struct file *found, struct write_terms *terms, struct answer *answer)
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

/* The name under which parts of one path are gathered: nobody can make two paths share it. */
static void name_of_path(char name[static KEPT_NAME_LEN], struct span path)
{
    struct sha256 hash;
    uint8_t sum[SHA256_LEN];

    sha256_init(&hash);
    sha256_update(&hash, path.ptr, path.len);
    sha256_final(&hash, sum);
    memcpy(name, "part-", 5);
    hex_encode(name + 5, sum, sizeof sum);
}

/* Reads Content-Range into the plan. False: the answer says what is wrong. */
static bool plan_part(struct worker *worker, const struct request *request,
                      const struct target *target, char name[static KEPT_NAME_LEN],
                      struct upload_plan *plan, struct answer *answer)
{
    struct content_range range;
    struct span value = request_field(request, FIELD_CONTENT_RANGE);
    struct span wrong = SPAN("Content-Range is to be \"bytes FIRST-LAST/LENGTH\".");

    if (content_range_parse(&range, value) && range.length_known) {
        if (request->framing == FRAMING_LENGTH &&
            request->content_length == range.last - range.first + 1) {
            /* All of it, as "curl -C - -T" sends it for a fresh upload: an ordinary PUT. */
            if (range.first == 0 && range.last + 1 == range.length)
                return true;
            name_of_path(name, target->path);
            plan->kept_name = span_make(name, KEPT_NAME_LEN);
            plan->offset = range.first;
            plan->total = range.length;
            return true;
        }
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
    enum fs_result result = docroot_stat(&worker->docroot, target->path.ptr, &found);
    if (result != FS_OK && result != FS_NOT_FOUND) {
        status_page_answer(worker, request, status_of_write_result(result), SPAN_EMPTY, answer);
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
    return write_preconditions(worker, request, result == FS_OK, &found, terms, answer);
}

struct intake *put_begin(struct worker *worker, const struct request *request,
                         const struct target *target, struct answer *answer)
{
    struct upload_plan plan = {.path = target->path.ptr};
    char name[KEPT_NAME_LEN];

    if (!put_check(worker, request, target, &plan.terms, answer))
        return NULL;
    if (request_field(request, FIELD_CONTENT_RANGE).ptr != NULL &&
        !plan_part(worker, request, target, name, &plan, answer))
        return NULL;
    return upload_begin(worker, request, &plan, answer);
}
