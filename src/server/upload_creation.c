#include "server/upload_creation.h"

#include "http/content_disposition.h"
#include "http/tus_metadata.h"
#include "server/member.h"

enum { WISH_ROOM = 2048, NUMBERS = 100 };

static struct span metadata(const struct request *request, struct span key, char *out, size_t cap)
{
    size_t len;
    struct span value = request_field(request, FIELD_UPLOAD_METADATA);

    if (value.ptr == NULL || !tus_metadata_find(value, key, out, cap, &len))
        return SPAN_EMPTY;
    return span_make(out, len);
}

static bool ends_in(struct span path, struct span name)
{
    return name.len > 0 && path.len > name.len &&
           (path.ptr[path.len - name.len - 1] == '/' ||
            path.ptr[path.len - name.len - 1] == '\\') &&
           span_equal(span_from(path, path.len - name.len), name);
}

static struct span wish_of(const struct request *request, char text[static WISH_ROOM],
                           char more[static WISH_ROOM])
{
    struct span name = metadata(request, SPAN("filename"), text, WISH_ROOM);
    struct span path = metadata(request, SPAN("relativePath"), more, WISH_ROOM);
    struct span value = request_field(request, FIELD_CONTENT_DISPOSITION);
    struct content_disposition disposition;

    if (ends_in(path, name))
        return path;
    if (name.len > 0)
        return name;
    if (value.ptr != NULL && value.len <= WISH_ROOM &&
        content_disposition_parse(value, &disposition, text))
        return disposition.filename;
    return SPAN_EMPTY;
}

bool upload_creation_name(const struct request *request, struct buffer *out)
{
    char text[WISH_ROOM], more[WISH_ROOM], type[256], made_up[FILE_NAME_LIMIT];
    struct span wish = wish_of(request, text, more);

    if (wish.len > 0 && file_name_safe_path(wish, out))
        return true;
    struct span name =
        member_name(SPAN_EMPTY, metadata(request, SPAN("filetype"), type, sizeof type), made_up);
    buffer_put_span(out, name);
    return name.len > 0 && !out->overflowed;
}

/* Whether something stands at the path, or is on its way there for this client. */
static enum status try(struct transfer_upload **upload, struct worker *worker,
                       const struct uuid *client, struct span path,
                       const struct transfer_record *record, struct span note)
{
    struct file file;
    enum fs_result result = docroot_stat(&worker->docroot, path.ptr, &file);

    if (result == FS_OK || result == FS_NOT_SERVED)
        return STATUS_CONFLICT;
    return transfer_upload_create(upload, worker, client, path, record, note, false);
}

enum status upload_creation_make(struct transfer_upload **upload, struct worker *worker,
                                 const struct transfer_address *address, struct span name,
                                 const struct transfer_record *record, struct span note)
{
    char path[TARGET_PATH_LIMIT + FILE_NAME_LIMIT + 1], numbered[FILE_NAME_LIMIT];
    struct uuid client = address->client;
    struct buffer b = buffer_make(path, sizeof path - FILE_NAME_LIMIT - 1);

    if (!address->by_id && !client_id_mint(&worker->server->ids, worker_date(worker), &client))
        return STATUS_SERVICE_UNAVAILABLE;
    buffer_put_span(&b, address->target.path);
    if (b.len > 0)
        buffer_put_char(&b, '/');
    buffer_put_span(&b, name);
    if (b.overflowed)
        return STATUS_URI_TOO_LONG;
    path[b.len] = '\0';
    size_t at = b.len;
    while (at > 0 && path[at - 1] != '/')
        at--;
    struct span last = span_make(path + at, b.len - at);
    char wish[FILE_NAME_LIMIT];
    size_t wish_len = last.len < sizeof wish ? last.len : sizeof wish;
    memcpy(wish, last.ptr, wish_len);

    enum status status = try(upload, worker, &client, span_make(path, b.len), record, note);
    for (unsigned n = 2; n <= NUMBERS && status == STATUS_CONFLICT; n++) {
        struct span next = file_name_numbered(span_make(wish, wish_len), n, numbered);
        memcpy(path + at, next.ptr, next.len);
        path[at + next.len] = '\0';
        status = try(upload, worker, &client, span_make(path, at + next.len), record, note);
    }
    return status;
}
