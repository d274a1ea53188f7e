#include "server/static_file.h"

#include "base/clock.h"
#include "http/precondition.h"
#include "http/response.h"
#include "server/byteranges.h"
#include "server/listing_page.h"
#include "server/prepared.h"
#include "server/repr_digest.h"
#include "server/status_page.h"

/*
 * The way to a directory whose slash was forgotten. It is made of the normalised path, so it begins
 * with exactly one slash and cannot name another host ("//evil").
 */
static void redirect_to_directory(struct worker *worker, const struct request *request,
                                  const struct target *target, struct answer *answer)
{
    status_page_answer(worker, request, STATUS_MOVED_PERMANENTLY, SPAN_EMPTY, answer);
    struct buffer *out = &answer->fields;
    size_t before = out->len;
    buffer_put_text(out, "Location: /");
    buffer_put_url_path(out, target->path);
    buffer_put_char(out, '/');
    if (target->query.ptr != NULL) {
        buffer_put_char(out, '?');
        buffer_put_span(out, target->query);
    }
    buffer_put_text(out, "\r\n");
    if (out->overflowed) {
        out->len = before;
        out->overflowed = false;
        status_page_answer(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
    }
}

/* Fills in the part of the file that Range asks for; 416 when it asks for nothing there is. */
static void apply_range(struct worker *worker, const struct request *request,
                        const struct file *file, struct answer *answer)
{
    struct range_set set;
    struct span media_type = answer->media_type;

    switch (range_parse(&set, request_field(request, FIELD_RANGE), file->size)) {
    case RANGE_IGNORE: return;
    case RANGE_UNSATISFIABLE:
        status_page_answer(worker, request, STATUS_RANGE_NOT_SATISFIABLE, SPAN_EMPTY, answer);
        buffer_put_text(&answer->fields, "Content-Range: bytes */");
        buffer_put_u64(&answer->fields, file->size);
        buffer_put_text(&answer->fields, "\r\n");
        return;
    case RANGE_SATISFIABLE: break;
    }
    if (set.count > 1) {
        if (byteranges_answer(answer, &set, file->size, media_type, answer->utf8))
            answer->status = STATUS_PARTIAL_CONTENT;
        return;
    }
    answer->status = STATUS_PARTIAL_CONTENT;
    answer->file.at = (off_t)set.ranges[0].first;
    answer->length = set.ranges[0].last - set.ranges[0].first + 1;
    buffer_put_text(&answer->fields, "Content-Range: bytes ");
    buffer_put_u64(&answer->fields, set.ranges[0].first);
    buffer_put_char(&answer->fields, '-');
    buffer_put_u64(&answer->fields, set.ranges[0].last);
    buffer_put_char(&answer->fields, '/');
    buffer_put_u64(&answer->fields, file->size);
    buffer_put_text(&answer->fields, "\r\n");
}

/*
 * Puts the request's conditions to the file. True when it is to be sent; else the answer says what
 * is sent in its place.
 */
static bool conditions_hold(struct worker *worker, const struct request *request,
                            const struct validators *validators, int64_t now_s,
                            struct answer *answer)
{
    switch (precondition_check(request, validators, now_s)) {
    case PRECONDITION_PASS: return true;
    case PRECONDITION_NOT_MODIFIED: answer->status = STATUS_NOT_MODIFIED; return false;
    case PRECONDITION_FAILED:
        status_page_answer(worker, request, STATUS_PRECONDITION_FAILED, SPAN_EMPTY, answer);
        return false;
    case PRECONDITION_MALFORMED:
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("If-Match and If-None-Match take \"*\" or a list of entity tags."),
                           answer);
        return false;
    }
    return false;
}

static struct validators validators_of(const struct representation *r, int64_t now_s)
{
    return (struct validators){
        .exists = true,
        .etag = etag_span(&r->etag),
        .etag_weak = r->racy,
        .last_modified = r->file.mtime_s,
        .date_weak = r->file.mtime_s >= now_s - 1,
    };
}

/* Makes the selected file, which is open, the answer, as far as the request's conditions want it.
 */
static void answer_selection(struct worker *worker, const struct request *request,
                             const struct representation *r, struct answer *answer)
{
    int64_t now_s = worker_date(worker);
    struct validators validators = validators_of(r, now_s);

    answer_describe(answer, r);
    answer->file.fd = r->file.fd;
    if (!conditions_hold(worker, request, &validators, now_s, answer))
        return;
    if (request->method == METHOD_GET && request_field(request, FIELD_RANGE).ptr != NULL &&
        precondition_range_applies(request, &validators, now_s))
        apply_range(worker, request, &r->file, answer);
    /* Whatever part of it is sent; but of this file, not of the page that says there is no such
     * part.
     */
    if (answer->status == STATUS_OK || answer->status == STATUS_PARTIAL_CONTENT)
        repr_digest_put(worker, request, &r->file, answer);
}

/*
 * Makes the answer from an entry that holds, whose reference is used up. False when the content was
 * to be read from the file and that is another one by now.
 */
static bool answer_entry(struct worker *worker, const struct request *request,
                         struct cache_entry *entry, struct answer *answer)
{
    const struct representation *r = &entry->representation;
    int64_t now_s = worker_date(worker);

    if (entry->result != FS_OK) {
        status_page_answer(worker, request, status_of_fs_result(entry->result), SPAN_EMPTY, answer);
        cache_release(entry);
        return true;
    }
    struct validators validators = validators_of(r, now_s);
    answer_describe(answer, r);
    answer->entry = entry;
    if (!conditions_hold(worker, request, &validators, now_s, answer) ||
        request->method != METHOD_GET)
        return true;
    if (entry->body.ptr == NULL && !prepared_open(worker, entry, &answer->file.fd)) {
        answer_retract(answer);
        return false;
    }
    if (request_field(request, FIELD_RANGE).ptr != NULL &&
        precondition_range_applies(request, &validators, now_s))
        apply_range(worker, request, &r->file, answer);
    /* Not when apply_range has put a page in the place of it all, and given up the entry. */
    if (answer->entry != NULL && entry->body.ptr != NULL)
        answer->memory = span_make(entry->body.ptr + answer->file.at, (size_t)answer->length);
    return true;
}

/* What is kept suffices, but for several parts of a file and for its digest. */
static bool may_be_prepared(const struct worker *worker, const struct request *request)
{
    struct span range = request_field(request, FIELD_RANGE);

    return cache_is_on(&worker->server->cache) && request->version != VERSION_0_9 &&
           (range.ptr == NULL || memchr(range.ptr, ',', range.len) == NULL) &&
           request_field(request, FIELD_WANT_REPR_DIGEST).ptr == NULL;
}

void static_file_answer_open(struct worker *worker, const struct request *request, const char *path,
                             const struct file *file, struct answer *answer)
{
    struct selection selection;

    selection_of_open(worker, path, file, &selection);
    answer_selection(worker, request, &selection.representation, answer);
}

/* From what was selected just now: by an entry, if one can be made of it, which then stays. */
static void answer_found(struct worker *worker, const struct request *request,
                         const struct target *target, const struct cache_key *key,
                         enum fs_result result, struct selection *selection, struct answer *answer)
{
    struct cache_entry *entry = NULL;

    if (selection->representation.file.directory) {
        if (!target->directory)
            redirect_to_directory(worker, request, target, answer);
        else if (!worker->server->options->listing)
            status_page_answer(worker, request, STATUS_FORBIDDEN,
                               SPAN("This directory does not show what is in it."), answer);
        else
            listing_page_answer(worker, request, target, &selection->representation.file, answer);
        selection_close(selection);
        return;
    }
    if (key->text.ptr != NULL && selection->settled)
        entry = prepared_make(worker, key, result, selection);
    if (entry != NULL)
        cache_add(&worker->server->cache, entry);
    if (entry != NULL && (result != FS_OK || entry->body.ptr != NULL)) {
        selection_close(selection);
        answer_entry(worker, request, entry, answer);
        return;
    }
    cache_release(entry);
    if (result == FS_OK)
        answer_selection(worker, request, &selection->representation, answer);
    else
        status_page_answer(worker, request, status_of_fs_result(result), SPAN_EMPTY, answer);
}

void static_file_answer(struct worker *worker, const struct request *request,
                        const struct target *target, struct answer *answer)
{
    struct cache *cache = &worker->server->cache;
    struct span accepted = request->version == VERSION_0_9
                               ? SPAN_EMPTY
                               : request_field(request, FIELD_ACCEPT_ENCODING);
    char text[CACHE_KEY_LIMIT];
    struct cache_key key = {.text = SPAN_EMPTY};
    struct selection selection;
    struct cache_entry *entry;

    if (target->hidden) {
        status_page_answer(worker, request, STATUS_NOT_FOUND, SPAN_EMPTY, answer);
        return;
    }
    if (may_be_prepared(worker, request))
        key = prepared_key(cache, target, accepted, text);
    entry = key.text.ptr != NULL ? cache_find(cache, &key) : NULL;
    if (entry != NULL && cache_entry_holds(entry, &worker->docroot, worker->fetch)) {
        if (answer_entry(worker, request, entry, answer)) {
            counters_add(worker->counters, COUNTER_CACHE_HIT, 1);
            return;
        }
    } else if (entry != NULL) {
        cache_drop(cache, entry);
    }
    if (key.text.ptr != NULL)
        counters_add(worker->counters, COUNTER_CACHE_MISS, 1);
    enum fs_result result = selection_find(worker, target, accepted, &selection);
    answer_found(worker, request, target, &key, result, &selection, answer);
}
