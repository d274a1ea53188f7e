#include "server/selection.h"

#include "base/clock.h"
#include "fs/stem.h"
#include "http/accept.h"

#include <unistd.h>

static void witness(struct selection *selection, struct span path, const struct file *file,
                    int64_t now_ns)
{
    struct witness *w = &selection->witnesses[selection->witness_count++];

    *w = (struct witness){path, *file};
    w->file.fd = -1;
    selection->settled &= file_is_settled(file, now_ns);
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

/* The directory part of a path. */
static struct span parent_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return span_make(path, slash != NULL ? (size_t)(slash - path) : 0);
}

/* The directory that the siblings are in, or are not in. */
static void witness_directory(struct worker *worker, struct selection *selection, int64_t now_ns)
{
    struct file directory;
    struct span parent = parent_of(selection->path);
    struct buffer name = BUFFER_OVER(worker->sibling_path);

    buffer_put_span(&name, parent);
    buffer_put_char(&name, '\0');
    if (!name.overflowed && docroot_stat(&worker->docroot, name.data, &directory) == FS_OK)
        witness(selection, parent, &directory, now_ns);
    else
        selection->settled = false;
}

/*
 * Replaces the selected file by its compressed sibling that the client likes best, if there is one
 * and it is not older. Brotli before Zstandard before gzip where the client has no preference.
 */
static void select_sibling(struct worker *worker, struct span accept_encoding, int64_t now_ns,
                           struct selection *selection)
{
    static const struct {
        struct span coding;
        const char *suffix;
    } siblings[] = {{{"br", 2}, ".br"}, {{"zstd", 4}, ".zst"}, {{"gzip", 4}, ".gz"}};
    unsigned best_weight = 0;
    unsigned best_at = 0;
    struct file best = FILE_NONE;
    struct buffer name = BUFFER_OVER(worker->sibling_path);

    buffer_put_span(&name, span_of(selection->path));
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
        if (file.directory || file.mtime_ns < selection->representation.file.mtime_ns) {
            /* It may be given another time without the directory noticing. */
            selection->settled = false;
            close(file.fd);
            continue;
        }
        if (best.fd != -1)
            close(best.fd);
        best = file;
        best_at = i;
        best_weight = weight;
    }
    /* What is not encoded goes out unless the client likes an encoded form at least as well. */
    if (best.fd == -1)
        return;
    if (best_weight < accept_encoding_weight(accept_encoding, SPAN("identity"))) {
        close(best.fd);
        return;
    }
    name.len = stem_len;
    buffer_put(&name, siblings[best_at].suffix, strlen(siblings[best_at].suffix) + 1);
    close(selection->representation.file.fd);
    selection->representation.file = best;
    selection->representation.coding = siblings[best_at].coding;
    witness(selection, span_make(name.data, name.len - 1), &best, now_ns);
}

/* Takes a directory's index.html in the directory's place, if there is one. */
static void select_index(struct worker *worker, const struct target *target,
                         struct selection *selection)
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
    close(selection->representation.file.fd);
    selection->representation.file = index;
    selection->path = worker->found_path;
}

/* Nothing is at the target's path itself: what the name stands for, or that there is nothing. */
static enum fs_result select_stem(struct worker *worker, const struct target *target,
                                  int64_t now_ns, struct selection *selection)
{
    struct file directory;
    size_t directory_len;
    enum fs_result result;

    if (docroot_absent(&worker->docroot, target->path.ptr, &directory_len, &directory))
        witness(selection, span_make(target->path.ptr, directory_len), &directory, now_ns);
    else
        selection->settled = false;
    if (target->directory)
        return FS_NOT_FOUND;
    selection->path = worker->found_path;
    result = stem_lookup(&worker->docroot, target->path.ptr, worker->found_path,
                         sizeof worker->found_path, &selection->representation.file);
    /* A name that is there and leads nowhere may lead somewhere without its directory noticing. */
    if (result != FS_OK && worker->found_path[0] != '\0')
        selection->settled = false;
    return result;
}

static enum fs_result select_file(struct worker *worker, const struct target *target,
                                  int64_t now_ns, struct selection *selection)
{
    enum fs_result result =
        docroot_lookup(&worker->docroot, target->path.ptr, &selection->representation.file);

    selection->path = target->path.ptr;
    if (result == FS_NOT_FOUND)
        return select_stem(worker, target, now_ns, selection);
    if (result == FS_OK && target->directory) {
        if (!selection->representation.file.directory) {
            /* "/a.txt/" would be a member of a file. */
            selection_close(selection);
            selection->settled = false;
            return FS_NOT_FOUND;
        }
        select_index(worker, target, selection);
    }
    return result;
}

/* Says what there is to say of the file at a path. */
static void describe(const struct worker *worker, const char *path, struct representation *r)
{
    const char *slash = strrchr(path, '/');

    r->media_type = media_type_of(&worker->server->media_types,
                                  span_of(slash != NULL ? slash + 1 : path), &r->utf8);
    r->negotiated = may_have_sibling(r->media_type);
}

static void make_etag(struct representation *r, int64_t now_ns)
{
    r->racy = file_is_racy(&r->file, now_ns);
    etag_make(&r->etag, r->file.inode, r->file.size, r->file.mtime_ns, r->racy);
}

enum fs_result selection_find(struct worker *worker, const struct target *target,
                              struct span accept_encoding, struct selection *selection)
{
    struct representation *r = &selection->representation;
    int64_t now_ns = clock_wall_ns();
    enum fs_result result;

    *selection = (struct selection){.representation.file = FILE_NONE, .settled = true};
    result = select_file(worker, target, now_ns, selection);
    if (result != FS_OK || r->file.directory)
        return result;
    describe(worker, selection->path, r);
    bool negotiate = r->negotiated && accept_encoding.ptr != NULL;
    if (negotiate && selection->witness_count == 0) /* else it is known, for the stem's sake */
        witness_directory(worker, selection, now_ns);
    witness(selection, span_of(selection->path), &r->file, now_ns);
    if (negotiate)
        select_sibling(worker, accept_encoding, now_ns, selection);
    make_etag(r, now_ns);
    return FS_OK;
}

void selection_of_open(const struct worker *worker, const char *path, const struct file *file,
                       struct selection *selection)
{
    *selection = (struct selection){.representation.file = *file, .path = path};
    describe(worker, path, &selection->representation);
    selection->representation.negotiated = false;
    make_etag(&selection->representation, clock_wall_ns());
}

void selection_close(struct selection *selection)
{
    if (selection->representation.file.fd != -1)
        close(selection->representation.file.fd);
    selection->representation.file = FILE_NONE;
}
