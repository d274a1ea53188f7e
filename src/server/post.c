#include "server/post.h"

#include "fs/stem.h"
#include "http/content_disposition.h"
#include "http/media_type.h"
#include "http/multipart.h"
#include "server/form.h"
#include "server/member.h"
#include "server/status_page.h"
#include "server/upload.h"
#include "server/write_preconditions.h"

#include <unistd.h>

static struct intake *refuse(struct worker *worker, const struct request *request,
                             enum status status, struct span sentence, struct answer *answer)
{
    status_page_answer(worker, request, status, sentence, answer);
    return NULL;
}

static void refuse_file(struct worker *worker, const struct request *request, struct answer *answer)
{
    refuse(worker, request, STATUS_METHOD_NOT_ALLOWED,
           SPAN("This is a file. A directory takes what is posted."), answer);
    buffer_put_text(&answer->fields, "Allow: GET, HEAD, PUT, DELETE, MOVE, OPTIONS\r\n");
}

/* Whether the target, which names nothing, means a file all the same (fs/stem.h). */
static bool means_file(struct worker *worker, const struct target *target)
{
    struct file file;

    if (target->directory || stem_lookup(&worker->docroot, target->path.ptr, worker->found_path,
                                         sizeof worker->found_path, &file) != FS_OK)
        return false;
    close(file.fd);
    return true;
}

/* Finds the directory, and holds the request against its conditions. False: the answer says why. */
bool post_find_directory(struct worker *worker, const struct request *request,
                         const struct target *target, struct answer *answer)
{
    struct write_terms terms; /* not needed: what is made here replaces nothing anyway */
    struct file found;
    enum fs_result result =
        target->hidden ? FS_NOT_FOUND : docroot_stat(&worker->docroot, target->path.ptr, &found);

    if (result == FS_OK && found.directory)
        return write_preconditions_check(worker, request, true, &found, &terms, answer);
    if ((result == FS_OK && !target->directory) ||
        (result == FS_NOT_FOUND && !target->hidden && means_file(worker, target)))
        refuse_file(worker, request, answer);
    else
        refuse(worker, request, result == FS_OK ? STATUS_NOT_FOUND : status_of_fs_result(result),
               SPAN_EMPTY, answer);
    return false;
}

/* What the body is to be called, into `out`. Empty: the answer says why it cannot be called. */
static struct span choose_name(struct worker *worker, const struct request *request,
                               char out[static FILE_NAME_LIMIT], struct answer *answer)
{
    struct span type = request_field(request, FIELD_CONTENT_TYPE);
    struct span slug = request_field(request, FIELD_SLUG);
    struct span value = request_field(request, FIELD_CONTENT_DISPOSITION);
    struct content_disposition disposition = {0};
    struct span name;

    /* The page is written when the name has been read. */
    if (value.ptr != NULL && (value.len > sizeof worker->page ||
                              !content_disposition_parse(value, &disposition, worker->page))) {
        refuse(worker, request, STATUS_BAD_REQUEST, SPAN("Content-Disposition is malformed."),
               answer);
        return SPAN_EMPTY;
    }
    if (disposition.filename.ptr == NULL && slug.ptr != NULL)
        name = member_name_of_slug(slug, type, out);
    else
        name = member_name(disposition.filename, type, out);
    if (name.len == 0)
        refuse(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer);
    return name;
}

static struct intake *begin_body(struct worker *worker, const struct request *request,
                                 const struct target *target, struct answer *answer)
{
    char path[TARGET_PATH_LIMIT + 1 + FILE_NAME_LIMIT + 1], name_bytes[FILE_NAME_LIMIT];
    const struct upload_plan plan = {.path = path, .new_member = true};
    struct buffer b = BUFFER_OVER(path);
    struct span name = choose_name(worker, request, name_bytes, answer);

    if (name.len == 0)
        return NULL;
    buffer_put_span(&b, target->path);
    if (target->path.len > 0)
        buffer_put_char(&b, '/');
    buffer_put_span(&b, name);
    buffer_put_char(&b, '\0');
    return upload_begin(worker, request, &plan, answer);
}

/* What of a body cannot be stored as it is. */
static bool is_storable(struct worker *worker, const struct request *request, struct answer *answer)
{
    if (request->framing == FRAMING_NONE)
        refuse(worker, request, STATUS_LENGTH_REQUIRED, SPAN("POST needs a body to store."),
               answer);
    else if (request_field(request, FIELD_CONTENT_ENCODING).ptr != NULL)
        refuse(worker, request, STATUS_UNSUPPORTED_MEDIA_TYPE,
               SPAN("Content-Encoding is not taken: send the file itself."), answer);
    else if (request_field(request, FIELD_CONTENT_RANGE).ptr != NULL)
        refuse(worker, request, STATUS_BAD_REQUEST,
               SPAN("Content-Range has no meaning with POST: what it makes is new."), answer);
    else
        return true;
    return false;
}

struct intake *post_begin(struct worker *worker, const struct request *request,
                          const struct target *target, struct answer *answer)
{
    struct span type = request_field(request, FIELD_CONTENT_TYPE);
    struct span boundary;

    if (!post_find_directory(worker, request, target, answer) ||
        !is_storable(worker, request, answer))
        return NULL;
    if (!media_type_equal(type, SPAN("multipart/form-data")))
        return begin_body(worker, request, target, answer);
    if (!multipart_boundary(type, SPAN("multipart/form-data"), &boundary))
        return refuse(worker, request, STATUS_BAD_REQUEST,
                      SPAN("The form's Content-Type has no proper boundary."), answer);
    return form_begin(worker, request, target->path, boundary, answer);
}
