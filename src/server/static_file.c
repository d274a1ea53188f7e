#include "server/static_file.h"

#include "fs/stem.h"
#include "http/accept.h"
#include "http/precondition.h"
#include "http/response.h"
#include "server/byteranges.h"
#include "server/listing_page.h"
#include "server/repr_digest.h"
#include "server/status_page.h"

#include <time.h>
#include <unistd.h>

/* What a request turned out to mean. */
struct selection {
    struct file file;   /* owned */
    const char *path;   /* of the file, which may not be the one that was asked for */
    struct span coding; /* of a compressed sibling, ptr NULL: none */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

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

/* Types that a compressor cannot make smaller have no siblings worth looking for. */
static bool may_have_sibling(struct span media_type)
{
    return !((span_starts_with(media_type, SPAN("image/")) &&
              !span_starts_with(media_type, SPAN("image/svg"))) ||
             span_starts_with(media_type, SPAN("video/")) ||
             span_starts_with(media_type, SPAN("audio/")) ||
             span_starts_with(media_type, SPAN("application/zip")) ||
             span_starts_with(media_type, SPAN("application/gzip")) ||
             span_starts_with(media_type, SPAN("font/woff")));
}

/*
 * Replaces the selected file by its compressed sibling that the client likes best, if there is one
 * and it is not older. Brotli before Zstandard before gzip where the client has no preference.
 */
static void select_sibling(struct worker *worker, struct span accept_encoding,
                           struct selection *selected)
{
    static const struct {
        struct span coding;
        const char *suffix;
    } siblings[] = {{{"br", 2}, ".br"}, {{"zstd", 4}, ".zst"}, {{"gzip", 4}, ".gz"}};
    unsigned best_weight = 0;
    struct selection best = {.file = FILE_NONE};
    struct buffer name = BUFFER_OVER(worker->sibling_path);

    buffer_put_span(&name, span_of(selected->path));
    size_t stem_len = name.len;
    for (unsigned i = 0; i < sizeof siblings / sizeof *siblings; i++) {
        struct file file;
        unsigned weight = accept_encoding_weight(accept_encoding, siblings[i].coding);
        if (weight <= best_weight)
            continue;
        name.len = stem_len;
        buffer_put(&name, siblings[i].suffix, strlen(siblings[i].suffix) + 1);
        if (name.overflowed || docroot_lookup(&worker->docroot, name.data, &file) != FS_OK)
            continue;
        if (file.directory || file.mtime_ns < selected->file.mtime_ns) {
            close(file.fd);
            continue;
        }
        if (best.file.fd != -1)
            close(best.file.fd);
        best = (struct selection){file, selected->path, siblings[i].coding};
        best_weight = weight;
    }
    /* What is not encoded goes out unless the client likes an encoded form at least as well. */
    if (best.file.fd == -1)
        return;
    if (best_weight < accept_encoding_weight(accept_encoding, SPAN("identity"))) {
        close(best.file.fd);
        return;
    }
    close(selected->file.fd);
    *selected = best;
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

/* Makes the selected file the answer, as far as the request's conditions want it. */
static void answer_file(struct worker *worker, const struct request *request,
                        struct selection *selected, struct answer *answer)
{
    int64_t now_s = worker_date(worker);
    const struct file *file = &selected->file;
    bool racy = file_is_racy(file, now_ns());

    answer->status = STATUS_OK;
    answer->file.fd = file->fd;
    answer->length = file->size;
    answer->last_modified = file->mtime_s;
    answer->coding = selected->coding;
    answer->cache = SPAN("no-cache");
    answer->ranges = true;
    etag_make(&answer->etag, file->inode, file->size, file->mtime_ns, racy);

    struct validators validators = {
        .exists = true,
        .etag = etag_span(&answer->etag),
        .etag_weak = racy,
        .last_modified = file->mtime_s,
        .date_weak = file->mtime_s >= now_s - 1,
    };
    switch (precondition_check(request, &validators, now_s)) {
    case PRECONDITION_PASS: break;
    case PRECONDITION_NOT_MODIFIED: answer->status = STATUS_NOT_MODIFIED; return;
    case PRECONDITION_FAILED:
        status_page_answer(worker, request, STATUS_PRECONDITION_FAILED, SPAN_EMPTY, answer);
        return;
    case PRECONDITION_MALFORMED:
        status_page_answer(worker, request, STATUS_BAD_REQUEST,
                           SPAN("If-Match and If-None-Match take \"*\" or a list of entity tags."),
                           answer);
        return;
    }
    if (request->method == METHOD_GET && request_field(request, FIELD_RANGE).ptr != NULL &&
        precondition_range_applies(request, &validators, now_s))
        apply_range(worker, request, file, answer);
    /* Whatever part of it is sent; but of this file, not of the page that says there is no such
     * part.
     */
    if (answer->status == STATUS_OK || answer->status == STATUS_PARTIAL_CONTENT)
        repr_digest_put(worker, request, file, answer);
}

/* Takes a directory's index.html in the directory's place, if there is one. */
static void select_index(struct worker *worker, const struct target *target,
                         struct selection *selected)
{
    struct file index;
    struct buffer name = BUFFER_OVER(worker->found_path);

    buffer_put_span(&name, target->path);
    if (target->path.len > 0)
        buffer_put_char(&name, '/');
    buffer_put(&name, "index.html", sizeof "index.html");
    if (name.overflowed || docroot_lookup(&worker->docroot, name.data, &index) != FS_OK)
        return;
    if (index.directory) {
        close(index.fd);
        return;
    }
    close(selected->file.fd);
    selected->file = index;
    selected->path = worker->found_path;
}

/*
 * Finds what the target means: the file, "index.html" of a directory, or what a name without an
 * extension stands for. FS_OK with selected->file.directory for a directory without an index.
 */
static enum fs_result select_file(struct worker *worker, const struct target *target,
                                  struct selection *selected)
{
    enum fs_result result = docroot_lookup(&worker->docroot, target->path.ptr, &selected->file);

    selected->path = target->path.ptr;
    if (result == FS_NOT_FOUND && !target->directory) {
        selected->path = worker->found_path;
        return stem_lookup(&worker->docroot, target->path.ptr, worker->found_path,
                           sizeof worker->found_path, &selected->file);
    }
    if (result == FS_OK && target->directory) {
        if (selected->file.directory) {
            select_index(worker, target, selected);
        } else {
            /* "/a.txt/" would be a member of a file. */
            close(selected->file.fd);
            return FS_NOT_FOUND;
        }
    }
    return result;
}

static void set_media_type(struct worker *worker, const char *path, struct answer *answer)
{
    const char *slash = strrchr(path, '/');

    answer->media_type = media_type_of(&worker->server->media_types,
                                       span_of(slash != NULL ? slash + 1 : path), &answer->utf8);
}

void static_file_answer_open(struct worker *worker, const struct request *request, const char *path,
                             const struct file *file, struct answer *answer)
{
    struct selection selected = {*file, path, SPAN_EMPTY};

    set_media_type(worker, path, answer);
    answer_file(worker, request, &selected, answer);
}

void static_file_answer(struct worker *worker, const struct request *request,
                        const struct target *target, struct answer *answer)
{
    struct selection selected = {.file = FILE_NONE};
    enum fs_result result = FS_NOT_FOUND;

    if (!target->hidden)
        result = select_file(worker, target, &selected);
    if (result != FS_OK) {
        status_page_answer(worker, request, status_of_fs_result(result), SPAN_EMPTY, answer);
        return;
    }
    if (selected.file.directory) {
        if (!target->directory)
            redirect_to_directory(worker, request, target, answer);
        else if (!worker->server->options->listing)
            status_page_answer(worker, request, STATUS_FORBIDDEN,
                               SPAN("This directory does not show what is in it."), answer);
        else
            listing_page_answer(worker, request, target, &selected.file, answer);
        close(selected.file.fd);
        return;
    }

    set_media_type(worker, selected.path, answer);
    if (may_have_sibling(answer->media_type)) {
        struct span accepted = request_field(request, FIELD_ACCEPT_ENCODING);
        answer->vary |= VARY_ACCEPT_ENCODING;
        if (accepted.ptr != NULL)
            select_sibling(worker, accepted, &selected);
    }
    answer_file(worker, request, &selected, answer);
}
