#include "server/form.h"

#include "http/multipart.h"
#include "server/body_guard.h"
#include "server/created_page.h"
#include "server/form_fields.h"
#include "server/member.h"
#include "server/status_page.h"

#include <stdlib.h>

/* What is wrong with the form itself. */
enum complaint {
    COMPLAINT_NONE,
    COMPLAINT_MALFORMED,
    COMPLAINT_NAMELESS,
    COMPLAINT_TOO_MANY,
    COMPLAINT_FIELDS,
    COMPLAINT_EMPTY,
};

struct form {
    struct intake intake;
    struct body_guard guard;
    const struct state *state; /* the server's */
    enum complaint complaint;
    bool ended;          /* its last boundary has come */
    bool asks_for_files; /* a part was a file, if perhaps an empty one */
    unsigned files;
    struct member *first;
    struct member *last;
    struct member *current;     /* the file being received; NULL: no byte of it yet, or no file */
    struct multipart_part part; /* the part being received; points into the parser */
    struct multipart parser;
    struct multipart mixed; /* of the part being received, when that holds several files, ... */
    bool is_mixed;          /* ... which is so, ... */
    bool mixed_ended;       /* ... and the last of them has come */
    struct form_fields fields;
    size_t directory_len;
    char directory[];
};

static enum intake_result complain(struct form *f, enum complaint complaint)
{
    f->complaint = complaint;
    return INTAKE_REFUSED;
}

static enum intake_result begin_member(struct form *f, struct span wish, struct span content_type)
{
    char bytes[FILE_NAME_LIMIT];
    struct span name = member_name(wish, content_type, bytes);
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

/* A file begins when its first byte comes, or when it has ended without one. */
static enum intake_result begin_file(struct form *f)
{
    return begin_member(f, f->part.filename, f->part.content_type);
}

static enum intake_result begin_part(struct form *f)
{
    struct span boundary;

    f->current = NULL;
    /* A browser gives every part a name, and curl too (RFC 7578 4.2). */
    if (f->part.name.ptr == NULL)
        return complain(f, COMPLAINT_NAMELESS);
    f->is_mixed = f->part.filename.ptr == NULL &&
                  multipart_boundary(f->part.content_type, SPAN("multipart/mixed"), &boundary);
    f->mixed_ended = false;
    if (f->is_mixed)
        multipart_init(&f->mixed, boundary);
    if (f->is_mixed || f->part.filename.ptr != NULL)
        f->asks_for_files = true;
    else
        form_fields_begin(&f->fields, f->part.name);
    return INTAKE_TAKEN;
}

static enum intake_result take_file(struct form *f, struct span data)
{
    if (f->current == NULL && begin_file(f) == INTAKE_REFUSED)
        return INTAKE_REFUSED;
    return body_guard_store(&f->guard, stage_write(&f->current->stage, data.ptr, data.len));
}

static enum intake_result end_file(struct form *f)
{
    if (f->current == NULL && f->part.filename.len > 0)
        return begin_file(f);
    return INTAKE_TAKEN;
}

/*
 * Several files of one field, each a part of its own in the field's: as RFC 2388 4.2 had it, and
 * curl does (-F f=@a,b). Nobody has to send it so any more, but it must not be lost.
 */
static enum intake_result take_mixed(struct form *f, struct span input)
{
    struct span data;

    for (;;) {
        enum intake_result result = INTAKE_TAKEN;
        switch (multipart_next(&f->mixed, &input, &data, &f->part)) {
        case MULTIPART_MORE: return INTAKE_TAKEN;
        case MULTIPART_PART:
            f->current = NULL;
            if (f->part.filename.ptr == NULL)
                f->part.filename = SPAN("");
            break;
        case MULTIPART_DATA: result = take_file(f, data); break;
        case MULTIPART_PART_END: result = end_file(f); break;
        case MULTIPART_DONE: f->mixed_ended = true; return INTAKE_TAKEN;
        case MULTIPART_BAD: result = complain(f, COMPLAINT_MALFORMED); break;
        }
        if (result == INTAKE_REFUSED)
            return result;
    }
}

static enum intake_result take_data(struct form *f, struct span data)
{
    if (f->is_mixed)
        return take_mixed(f, data);
    if (f->part.filename.ptr != NULL)
        return take_file(f, data);
    form_fields_add(&f->fields, data);
    return INTAKE_TAKEN;
}

static enum intake_result end_part(struct form *f)
{
    if (!f->is_mixed)
        return end_file(f);
    return f->mixed_ended ? INTAKE_TAKEN : complain(f, COMPLAINT_MALFORMED);
}

/*
 * The last boundary has come. A form that had no file at all is stored as its fields. What is wrong
 * now is for `finish` to say: nothing is left to read, so the connection can stay.
 */
static enum intake_result end_form(struct form *f)
{
    enum intake_result result;
    char *json;

    f->ended = true;
    if (f->first != NULL)
        return INTAKE_TAKEN;
    if (f->asks_for_files || f->fields.count == 0)
        f->complaint = COMPLAINT_EMPTY;
    else if (f->fields.overflowed)
        f->complaint = COMPLAINT_FIELDS;
    if (f->complaint != COMPLAINT_NONE)
        return INTAKE_TAKEN;
    json = malloc(FORM_FIELDS_JSON_LIMIT);
    if (json == NULL)
        return body_guard_store(&f->guard, FS_NO_MEMORY);
    struct buffer b = buffer_make(json, FORM_FIELDS_JSON_LIMIT);
    form_fields_json(&f->fields, &b);
    result = begin_member(f, SPAN_EMPTY, SPAN("application/json"));
    if (result == INTAKE_TAKEN)
        result = body_guard_store(&f->guard, stage_write(&f->current->stage, b.data, b.len));
    free(json);
    return result;
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
        case MULTIPART_PART: result = begin_part(f); break;
        case MULTIPART_DATA: result = take_data(f, data); break;
        case MULTIPART_PART_END: result = end_part(f); break;
        case MULTIPART_DONE: return f->ended ? INTAKE_TAKEN : end_form(f);
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

static void answer_complaint(const struct form *f, struct worker *worker,
                             const struct request *request, struct answer *answer)
{
    static const struct {
        enum status status;
        struct span sentence;
    } complaints[] = {
#define COMPLAINT(name, code, text)                                                                \
    [COMPLAINT_##name] = { STATUS_##code, {"" text, sizeof(text) - 1} }
        COMPLAINT(MALFORMED, BAD_REQUEST, "The form is malformed (RFC 7578)."),
        COMPLAINT(NAMELESS, BAD_REQUEST, "A part of the form has no name (RFC 7578 4.2)."),
        COMPLAINT(TOO_MANY, CONTENT_TOO_LARGE,
                  "A form may hold 1000 files at most. Send them in turns."),
        COMPLAINT(FIELDS, CONTENT_TOO_LARGE,
                  "The fields of a form without files may take 16 KB together."),
        COMPLAINT(EMPTY, BAD_REQUEST, "There is no file in the form: choose one first."),
#undef COMPLAINT
    };

    status_page_answer(worker, request, complaints[f->complaint].status,
                       complaints[f->complaint].sentence, answer);
}

static void finish(struct intake *intake, struct worker *worker, const struct request *request,
                   bool whole, struct answer *answer)
{
    struct form *f = (struct form *)intake;

    if (f->complaint == COMPLAINT_NONE &&
        !body_guard_end(&f->guard, worker, request, whole, answer))
        return;
    if (!f->ended && f->complaint == COMPLAINT_NONE)
        f->complaint = COMPLAINT_MALFORMED;
    if (f->complaint != COMPLAINT_NONE) {
        answer_complaint(f, worker, request, answer);
        return;
    }
    enum fs_result result = publish_all(f, worker);
    if (result != FS_OK) {
        status_page_answer_write(worker, request, result, answer);
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
