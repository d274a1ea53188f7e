#include "server/collection.h"

#include "fs/publish.h"
#include "http/response.h"
#include "server/access.h"
#include "server/body_guard.h"
#include "server/status_page.h"
#include "server/transfer_address.h"
#include "server/write_preconditions.h"

static void refuse(struct worker *worker, const struct request *request, enum status status,
                   struct span sentence, struct answer *answer)
{
    status_page_answer(worker, request, status, sentence, answer);
}

/*
 * Whether the target is an id, or a transfer by one. Nothing may be made below a name that is one:
 * who may do what there is decided by the path behind the id (access.c), and nobody could reach it.
 */
static bool is_by_id(const struct worker *worker, const struct target *target)
{
    struct transfer_address address;

    return transfer_address_of(worker->server, target, &address);
}

/* Finds what is to be changed and holds it against the conditions. False: the answer says why not.
 */
static bool find(struct worker *worker, const struct request *request, const struct target *target,
                 struct write_terms *terms, struct answer *answer)
{
    struct file found;
    bool is_file = !target->hidden && !is_by_id(worker, target);
    enum fs_result result =
        is_file ? docroot_stat(&worker->docroot, target->path.ptr, &found) : FS_NOT_FOUND;

    if (result == FS_OK && target->directory && !found.directory)
        result = FS_NOT_FOUND;
    if (result != FS_OK) {
        refuse(worker, request, status_of_fs_result(result), SPAN_EMPTY, answer);
        return false;
    }
    if (target->path.len == 0) {
        refuse(worker, request, STATUS_FORBIDDEN,
               SPAN("The root of the site is neither removed nor moved."), answer);
        return false;
    }
    return write_preconditions_check(worker, request, true, &found, terms, answer);
}

void delete_answer(struct worker *worker, const struct request *request,
                   const struct target *target, struct answer *answer)
{
    struct write_terms terms;

    if (!find(worker, request, target, &terms, answer))
        return;
    enum fs_result result =
        publish_removal(&worker->server->state, &worker->docroot, target->path.ptr, &terms);
    open_files_close(&worker->server->open_files); /* so that its room on the disk is free */
    if (result == FS_NOT_EMPTY)
        refuse(worker, request, STATUS_CONFLICT,
               SPAN("The directory is not empty: remove what is in it first."), answer);
    else if (result != FS_OK)
        status_page_answer_write(worker, request, result, answer);
    else
        answer->status = STATUS_NO_CONTENT;
}

void mkcol_answer(struct worker *worker, const struct request *request, const struct target *target,
                  struct answer *answer)
{
    struct write_terms terms; /* not needed: what is made replaces nothing */
    struct file found;

    /* RFC 4918 9.3: a body would say what to make, and there is nothing here that it could say. */
    if (request->framing == FRAMING_CHUNKED || request->content_length > 0) {
        refuse(worker, request, STATUS_UNSUPPORTED_MEDIA_TYPE, SPAN("MKCOL takes no body."),
               answer);
        return;
    }
    if (target->hidden) {
        refuse(worker, request, STATUS_FORBIDDEN,
               SPAN("Names that begin with a dot are not made here."), answer);
        return;
    }
    /* Where something is, the answer is 405, which no condition changes (RFC 9110 13.2.1). */
    if (docroot_stat(&worker->docroot, target->path.ptr, &found) == FS_NOT_FOUND &&
        !write_preconditions_check(worker, request, false, &found, &terms, answer))
        return;
    if (!body_guard_keeps_reserve(worker->server, 0)) {
        refuse(worker, request, STATUS_INSUFFICIENT_STORAGE, SPAN_EMPTY, answer);
        return;
    }
    enum fs_result result =
        target->path.len == 0 || is_by_id(worker, target)
            ? FS_EXISTS
            : publish_directory(&worker->server->state, &worker->docroot, target->path.ptr,
                                worker->server->options->fsync);
    if (result == FS_EXISTS) {
        refuse(worker, request, STATUS_METHOD_NOT_ALLOWED, SPAN("There is something of that name."),
               answer);
        buffer_put_text(&answer->fields, "Allow: GET, HEAD, PUT, POST, DELETE, MOVE, OPTIONS\r\n");
    } else if (result == FS_NO_PARENT) {
        refuse(worker, request, STATUS_CONFLICT, SPAN("There is no directory to make it in."),
               answer);
    } else if (result != FS_OK) {
        status_page_answer_write(worker, request, result, answer);
    } else {
        answer->status = STATUS_CREATED;
        response_location(&answer->fields, target->path, false);
    }
}

/* The path that Destination names, in worker->found_path. False: the answer says what is wrong. */
static bool read_destination(struct worker *worker, const struct request *request,
                             struct target *to, struct answer *answer)
{
    struct span value = request_field(request, FIELD_DESTINATION);
    enum target_result parsed = field_count(&request->fields, FIELD_DESTINATION) == 1
                                    ? target_parse(to, value, worker->found_path)
                                    : TARGET_MALFORMED;

    if (parsed == TARGET_TOO_LONG) {
        status_page_answer_write(worker, request, FS_NAME_TOO_LONG, answer);
        return false;
    }
    if (parsed != TARGET_OK) {
        refuse(worker, request, STATUS_BAD_REQUEST,
               SPAN("MOVE needs a Destination: a path here, or a whole URL of one."), answer);
        return false;
    }
    /* RFC 4918 9.9.4: another server is nothing that this one could move to. */
    if (to->authority.ptr != NULL &&
        !span_equal_nocase(to->authority, request_field(request, FIELD_HOST))) {
        refuse(worker, request, STATUS_BAD_GATEWAY, SPAN("The Destination is on another host."),
               answer);
        return false;
    }
    if (to->hidden || to->path.len == 0 || is_by_id(worker, to)) {
        refuse(worker, request, STATUS_FORBIDDEN, SPAN("Nothing is moved to that name."), answer);
        return false;
    }
    return true;
}

void move_answer(struct worker *worker, const struct request *request, const struct target *target,
                 struct answer *answer)
{
    struct write_terms terms;
    struct target to;
    bool created = false;
    /* Who says two things is taken at the harmless one. */
    bool replace = field_count(&request->fields, FIELD_OVERWRITE) <= 1 &&
                   !span_equal_nocase(request_field(request, FIELD_OVERWRITE), SPAN("F"));

    if (!find(worker, request, target, &terms, answer) ||
        !read_destination(worker, request, &to, answer))
        return;
    if (!access_allows_write(worker, request, &to, answer))
        return;
    enum fs_result result = publish_move(&worker->server->state, &worker->docroot, target->path.ptr,
                                         to.path.ptr, replace, &terms, &created);
    open_files_close(&worker->server->open_files);
    if (result == FS_EXISTS) {
        refuse(worker, request, STATUS_PRECONDITION_FAILED,
               SPAN("There is something at the Destination, and Overwrite says to leave it."),
               answer);
    } else if (result == FS_NO_PARENT) {
        refuse(worker, request, STATUS_CONFLICT, SPAN("There is no directory to move it to."),
               answer);
    } else if (result == FS_NOT_EMPTY) {
        refuse(worker, request, STATUS_CONFLICT,
               SPAN("The directory at the Destination is not empty."), answer);
    } else if (result == FS_DENIED) {
        refuse(worker, request, STATUS_FORBIDDEN,
               SPAN("Nothing is moved onto or into itself, nor where the server has no right to."),
               answer);
    } else if (result != FS_OK) {
        status_page_answer_write(worker, request, result, answer);
    } else {
        answer->status = created ? STATUS_CREATED : STATUS_NO_CONTENT;
        response_location(&answer->fields, to.path, false);
    }
}
