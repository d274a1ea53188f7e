#include "server/form.h"

#include "http/multipart.h"
#include "server/body_guard.h"
#include "server/created_page.h"
#include "server/member.h"
#include "server/status_page.h"

#include <stdlib.h>

/* What is wrong with the form itself. */
enum complaint {
    COMPLAINT_NONE,
    COMPLAINT_MALFORMED,
    COMPLAINT_NAMELESS,
    COMPLAINT_TOO_MANY,
};

struct form {
    struct intake intake;
    struct body_guard guard;
    const struct state *state; /* the server's */
    enum complaint complaint;
    bool ended; /* its last boundary has come */
    unsigned files;
    struct member *first;
    struct member *last;
    struct member *current;     /* the file being received; NULL: no byte of it yet, or no file */
    struct multipart_part part; /* the part being received; points into the parser */
    struct multipart parser;
    size_t directory_len;
    char directory[];
};

static enum intake_result complain(struct form *f, enum complaint complaint)
{
    f->complaint = complaint;
    return INTAKE_REFUSED;
}

/* A file begins when its first byte comes, or when it has ended without one. */
static enum intake_result begin_file(struct form *f)
{
    char bytes[FILE_NAME_LIMIT];
    struct span name = member_name(f->part.filename, f->part.content_type, bytes);
    struct member *member;

    if (f->files == FORM_FILES_LIMIT)
        return complain(f, COMPLAINT_TOO_MANY);
    if (name.len == 0)
        return body_guard_store(&f->guard, FS_IO);
    member = member_make(span_make(f->directory, f->directory_len), name);
    if (member == NULL)
        return body_guard_store(&f->guard, FS_NO_MEMORY);
    if (f->last != NULL)
        f->last->next = member;
    else
        f->first = member;
    f->last = member;
    f->current = member;
    f->files++;
    return body_guard_store(&f->guard, stage_create(&member->stage, f->state, 0));
}

static enum intake_result take_data(struct form *f, struct span data)
{
    if (f->part.filename.ptr == NULL)
        return INTAKE_TAKEN;
    if (f->current == NULL && begin_file(f) == INTAKE_REFUSED)
        return INTAKE_REFUSED;
    return body_guard_store(&f->guard, stage_write(&f->current->stage, data.ptr, data.len));
}

static enum intake_result end_part(struct form *f)
{
    if (f->current == NULL && f->part.filename.len > 0)
        return begin_file(f);
    return INTAKE_TAKEN;
}

static enum intake_result take(struct intake *intake, const char *bytes, size_t len)
{
    struct form *f = (struct form *)intake;
    struct span input = span_make(bytes, len), data;
    enum intake_result result = body_guard_count(&f->guard, len);

    body_guard_look(&f->guard, bytes, len);
    while (result == INTAKE_TAKEN) {
        switch (multipart_next(&f->parser, &input, &data, &f->part)) {
        case MULTIPART_MORE: return INTAKE_TAKEN;
        case MULTIPART_PART:
            f->current = NULL;
            /* A browser gives every part a name, and curl too (RFC 7578 4.2). */
            if (f->part.name.ptr == NULL)
                result = complain(f, COMPLAINT_NAMELESS);
            break;
        case MULTIPART_DATA: result = take_data(f, data); break;
        case MULTIPART_PART_END: result = end_part(f); break;
        case MULTIPART_DONE: f->ended = true; return INTAKE_TAKEN;
        case MULTIPART_BAD: result = complain(f, COMPLAINT_MALFORMED); break;
        }
    }
    return result;
}

/* Removes what was published, for its siblings could not be. */
static void take_back(struct form *f, struct worker *worker)
{
    for (struct member *member = f->first; member != NULL; member = member->next) {
        const struct write_terms terms = {.condition = WRITE_IF_SAME, .expected = member->file};

        if (member->published)
            publish_removal(f->state, &worker->docroot, member->path, &terms);
    }
}

static enum fs_result publish_all(struct form *f, struct worker *worker)
{
    bool sync = worker->server->options->fsync;

    /* The disk may take its time; the others should not wait for it. */
    if (sync)
        queue_step_aside(&worker->server->queue);
    for (struct member *member = f->first; member != NULL; member = member->next) {
        struct published published;
        enum fs_result result =
            member_publish(&member->stage, &worker->docroot, member->path, sync, &published);

        member->file = published.file;
        /* It is there, also when it could not be made sure that it lasts. */
        member->published = member->stage.fd == -1;
        if (result != FS_OK) {
            take_back(f, worker);
            return result;
        }
    }
    return FS_OK;
}

static struct span complaint_sentence(const struct form *f)
{
    switch (f->complaint) {
    case COMPLAINT_MALFORMED: return SPAN("The form is malformed (RFC 7578).");
    case COMPLAINT_NAMELESS: return SPAN("A part of the form has no name (RFC 7578 4.2).");
    case COMPLAINT_TOO_MANY: return SPAN("A form may hold 1000 files at most. Send them in turns.");
    case COMPLAINT_NONE: break;
    }
    if (!f->ended)
        return SPAN("The form ended before its last boundary.");
    return SPAN("There is no file in the form: choose one first.");
}

static void finish(struct intake *intake, struct worker *worker, const struct request *request,
                   bool whole, struct answer *answer)
{
    struct form *f = (struct form *)intake;

    if (f->complaint == COMPLAINT_NONE &&
        !body_guard_end(&f->guard, worker, request, whole, answer))
        return;
    if (f->complaint != COMPLAINT_NONE || !f->ended || f->first == NULL) {
        status_page_answer(worker, request,
                           f->complaint == COMPLAINT_TOO_MANY ? STATUS_CONTENT_TOO_LARGE
                                                              : STATUS_BAD_REQUEST,
                           complaint_sentence(f), answer);
        return;
    }
    enum fs_result result = publish_all(f, worker);
    if (result != FS_OK) {
        status_page_answer(worker, request, status_of_write_result(result), SPAN_EMPTY, answer);
        return;
    }
    created_page_answer(worker, request, f->first, answer);
    f->first = NULL;
}

static void free_form(struct intake *intake)
{
    struct form *f = (struct form *)intake;

    member_free_all(f->first);
    free(f);
}

struct intake *form_begin(struct worker *worker, const struct request *request,
                          struct span directory, struct span boundary, struct answer *answer)
{
    struct form *f = calloc(1, sizeof *f + directory.len + 1);

    if (f == NULL) {
        status_page_answer(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer);
        return NULL;
    }
    f->intake = (struct intake){.take = take, .finish = finish, .free = free_form, .file_fd = -1};
    f->state = &worker->server->state;
    memcpy(f->directory, directory.ptr, directory.len);
    f->directory_len = directory.len;
    multipart_init(&f->parser, boundary);
    if (!body_guard_begin(&f->guard, worker, request, NULL, answer)) {
        free_form(&f->intake);
        return NULL;
    }
    return &f->intake;
}
