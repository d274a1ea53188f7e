#include "server/status_page.h"

#include "http/accept.h"
#include "http/response.h"

enum status status_of_fs_result(enum fs_result result)
{
    switch (result) {
    case FS_OK: return STATUS_OK;
    case FS_NOT_FOUND: return STATUS_NOT_FOUND;
    case FS_NOT_SERVED: return STATUS_NOT_FOUND;
    case FS_NOT_DIRECTORY: return STATUS_NOT_FOUND;
    case FS_NAME_TOO_LONG: return STATUS_NOT_FOUND;
    case FS_DENIED: return STATUS_FORBIDDEN;
    case FS_READ_ONLY: return STATUS_FORBIDDEN;
    case FS_EXISTS: return STATUS_CONFLICT;
    case FS_NO_PARENT: return STATUS_CONFLICT;
    case FS_BUSY: return STATUS_CONFLICT;
    case FS_NOT_EMPTY: return STATUS_CONFLICT;
    case FS_IS_DIRECTORY: return STATUS_CONFLICT;
    case FS_CROSS_DEVICE: return STATUS_CONFLICT;
    case FS_CHANGED: return STATUS_PRECONDITION_FAILED;
    case FS_TOO_LARGE: return STATUS_CONTENT_TOO_LARGE;
    case FS_NO_SPACE: return STATUS_INSUFFICIENT_STORAGE;
    case FS_REPLACED: return STATUS_SERVICE_UNAVAILABLE;
    case FS_NO_DESCRIPTORS: return STATUS_SERVICE_UNAVAILABLE;
    case FS_NO_MEMORY: return STATUS_SERVICE_UNAVAILABLE;
    case FS_IO: return STATUS_INTERNAL_SERVER_ERROR;
    }
    return STATUS_INTERNAL_SERVER_ERROR;
}

enum status status_of_write_result(enum fs_result result)
{
    switch (result) {
    /* Something that is no directory stands where one is needed, or is not ours to replace. */
    case FS_NOT_DIRECTORY:
    case FS_NOT_SERVED: return STATUS_CONFLICT;
    case FS_NAME_TOO_LONG: return STATUS_URI_TOO_LONG;
    default: return status_of_fs_result(result);
    }
}

static void put_html(struct buffer *out, enum status status, struct span sentence)
{
    buffer_put_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<meta name=\"viewport\" content=\"width=device-width\">"
                         "<meta name=\"color-scheme\" content=\"light dark\"><title>");
    buffer_put_u64(out, status);
    buffer_put_char(out, ' ');
    buffer_put_span(out, status_reason(status));
    buffer_put_text(
        out,
        "</title><style>body{font:1.1em/1.5 system-ui,sans-serif;margin:15vh auto;"
        "max-width:34em;padding:0 1em;color:#1b1f27;background:#fff}"
        "h1{font-size:1.6em}a{color:#0b57c4}@media(prefers-color-scheme:dark){"
        "body{color:#e7eaef;background:#15181d}a{color:#8ab8ff}}</style></head>\n<body><main><h1>");
    buffer_put_u64(out, status);
    buffer_put_char(out, ' ');
    buffer_put_span(out, status_reason(status));
    buffer_put_text(out, "</h1><p>");
    buffer_put_html(out, sentence);
    buffer_put_text(out, "</p><p><a href=\"/\">To the first page</a></p></main></body></html>\n");
}

static void put_json(struct buffer *out, enum status status, struct span sentence)
{
    buffer_put_text(out, "{\"status\":");
    buffer_put_u64(out, status);
    buffer_put_text(out, ",\"error\":\"");
    buffer_put_json(out, status_reason(status));
    buffer_put_text(out, "\",\"message\":\"");
    buffer_put_json(out, sentence);
    buffer_put_text(out, "\"}\n");
}

static void put_plain(struct buffer *out, enum status status, struct span sentence)
{
    buffer_put_u64(out, status);
    buffer_put_char(out, ' ');
    buffer_put_span(out, status_reason(status));
    buffer_put_text(out, "\n");
    buffer_put_span(out, sentence);
    buffer_put_text(out, "\n");
}

/* What a 503 most often says, that there are too many clients, is not why there is no docroot. */
static struct span sentence_for(const struct worker *worker, enum status status)
{
    if (status == STATUS_SERVICE_UNAVAILABLE && worker->docroot.replaced)
        return SPAN("Another directory stands where the served one was. The server has to be "
                    "restarted to serve it.");
    return status_sentence(status);
}

void status_page_answer(struct worker *worker, const struct request *request, enum status status,
                        struct span sentence, struct answer *answer)
{
    static const struct {
        struct span media_type;
        void (*put)(struct buffer *, enum status, struct span);
    } forms[] = {
        /* In order of preference where the client has none. */
        {{"text/html", 9}, put_html},
        {{"application/json", 16}, put_json},
        {{"text/plain", 10}, put_plain},
    };
    struct span accept = request->version == VERSION_0_9 || request->head == NULL
                             ? SPAN_EMPTY
                             : request_field(request, FIELD_ACCEPT);
    unsigned best = 0, best_weight = 0;

    for (unsigned i = 0; accept.ptr != NULL && i < sizeof forms / sizeof *forms; i++) {
        unsigned weight = accept_weight(accept, forms[i].media_type);
        if (weight > best_weight) {
            best = i;
            best_weight = weight;
        }
    }
    answer_retract(answer);
    struct buffer page = BUFFER_OVER(worker->page);
    if (sentence.ptr == NULL)
        sentence = sentence_for(worker, status);
    forms[best].put(&page, status, sentence);
    answer->status = status;
    answer->media_type = forms[best].media_type;
    answer->utf8 = true;
    answer->vary |= VARY_ACCEPT;
    answer->cache = SPAN("no-store");
    answer->memory = buffer_span(&page);
    answer->length = page.len;
    if (status == STATUS_SERVICE_UNAVAILABLE)
        response_field_u64(&answer->fields, SPAN("Retry-After"), 1);
}

/* What stood in a change's way, where the status alone does not say it. */
static struct span sentence_of_write_result(enum fs_result result)
{
    switch (result) {
    case FS_NOT_DIRECTORY: return SPAN("A part of that path is a file, which holds nothing.");
    case FS_NOT_SERVED: return SPAN("What is there is neither a file nor a directory.");
    case FS_NAME_TOO_LONG: return SPAN("That name, or the path to it, is too long to be stored.");
    case FS_IS_DIRECTORY: return SPAN("There is a directory of that name.");
    case FS_DENIED: return SPAN("The server itself has no right to change that.");
    case FS_READ_ONLY: return SPAN("The file system there is read-only.");
    case FS_CROSS_DEVICE:
        return SPAN("That is on another file system than the server's own files, and nothing can "
                    "be stored there at once.");
    case FS_BUSY: return SPAN("Another request is at work on that. Please try again.");
    case FS_TOO_LARGE: return SPAN("The file system takes no file of that size.");
    case FS_NO_DESCRIPTORS: return SPAN("The server has too many files open for that at once.");
    case FS_NO_MEMORY: return SPAN("The server has no memory for that at the moment.");
    case FS_IO: return SPAN("The server's disk has failed, or its own directory is gone.");
    default: return SPAN_EMPTY;
    }
}

void status_page_answer_write(struct worker *worker, const struct request *request,
                              enum fs_result result, struct answer *answer)
{
    status_page_answer(worker, request, status_of_write_result(result),
                       sentence_of_write_result(result), answer);
}
