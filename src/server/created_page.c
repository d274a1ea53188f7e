#include "server/created_page.h"

#include "http/accept.h"
#include "http/response.h"
#include "server/listing_name.h"
#include "server/page_asset.h"

#include <stdlib.h>

struct created_page {
    struct producer producer;
    struct member *first;
    const struct member *next; /* whose row is due; NULL: the end is */
    bool begun;
    bool json;
};

/* The directory of a path, with its slash: "" for a path in the root. */
static struct span directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return span_make(path, slash != NULL ? (size_t)(slash + 1 - path) : 0);
}

static struct span name_of(const char *path)
{
    return span_of(path + directory_of(path).len);
}

static void put_head(struct buffer *out, const struct created_page *page)
{
    if (page->json) {
        buffer_put_text(out, "{\"status\":201,\"created\":[");
        return;
    }
    buffer_put_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                         "<meta name=\"color-scheme\" content=\"light dark\">"
                         "<title>Stored</title>");
    page_asset_put_links(out, false);
    buffer_put_text(out, "</head>\n<body class=\"words\"><main><h1>Stored</h1><ul>\n");
}

static void put_row(struct buffer *out, const struct created_page *page,
                    const struct member *member)
{
    struct span name = name_of(member->path);

    if (page->json) {
        buffer_put_span(out,
                        member == page->first ? SPAN("\n{\"name\":\"") : SPAN(",\n{\"name\":\""));
        buffer_put_json(out, name);
        buffer_put_text(out, "\",\"href\":\"/");
        buffer_put_url_path(out, span_of(member->path));
        buffer_put_text(out, "\",\"size\":");
        buffer_put_u64(out, member->file.size);
        buffer_put_char(out, '}');
        return;
    }
    buffer_put_text(out, "<li><a href=\"/");
    buffer_put_url_path(out, span_of(member->path));
    buffer_put_text(out, "\">");
    listing_name_put(out, name, true);
    buffer_put_text(out, "</a>, ");
    buffer_put_u64(out, member->file.size);
    buffer_put_span(out, member->file.size == 1 ? SPAN(" byte</li>\n") : SPAN(" bytes</li>\n"));
}

static void put_end(struct buffer *out, const struct created_page *page)
{
    if (page->json) {
        buffer_put_text(out, "\n]}\n");
        return;
    }
    struct span directory = directory_of(page->first->path);
    buffer_put_text(out, "</ul><p><a href=\"/");
    buffer_put_url_path(out, directory);
    buffer_put_text(out, "\">To the other files of /");
    listing_name_put(out, directory, true);
    buffer_put_text(out, "</a></p></main></body></html>\n");
}

/*
 * Puts the next piece of the page, or nothing of it when it does not fit. A path of 4096 bytes,
 * each sent as %XX, fits into no room that is promised: its row is then left out rather than torn.
 */
static bool put_piece(struct buffer *out, struct created_page *page)
{
    size_t before = out->len;

    if (!page->begun)
        put_head(out, page);
    else if (page->next != NULL)
        put_row(out, page, page->next);
    else
        put_end(out, page);
    if (!out->overflowed)
        return true;
    out->len = before;
    out->overflowed = false;
    return before == 0;
}

static enum produce produce(struct producer *producer, struct buffer *out, struct file_run *run)
{
    struct created_page *page = (struct created_page *)producer;

    (void)run;
    while (put_piece(out, page)) {
        if (!page->begun)
            page->begun = true;
        else if (page->next != NULL)
            page->next = page->next->next;
        else
            return PRODUCE_LAST;
    }
    return PRODUCE_MORE;
}

static void free_page(struct producer *producer)
{
    struct created_page *page = (struct created_page *)producer;

    member_free_all(page->first);
    free(page);
}

/* A page of ordinary length is made at once, so that its length is known. */
static void put_content(struct worker *worker, struct created_page *page, struct answer *answer)
{
    struct buffer whole = BUFFER_OVER(worker->page);

    if (produce(&page->producer, &whole, NULL) == PRODUCE_LAST) {
        answer->memory = buffer_span(&whole);
        answer->length = whole.len;
        free_page(&page->producer);
        return;
    }
    page->begun = false;
    page->next = page->first;
    answer->unsized = true;
    answer->producer = &page->producer;
}

void created_page_answer(struct worker *worker, const struct request *request, struct member *first,
                         struct answer *answer)
{
    struct span accept = request_field(request, FIELD_ACCEPT);
    struct created_page *page = calloc(1, sizeof *page);

    answer->status = STATUS_CREATED;
    answer->cache = SPAN("no-store");
    if (first->next == NULL) {
        etag_make(&answer->etag, first->file.inode, first->file.size, first->file.mtime_ns, false);
        response_location(&answer->fields, span_of(first->path), false);
    }
    if (page == NULL) {
        /* All is done that was asked for; only the word about it is missing. */
        member_free_all(first);
        return;
    }
    page->producer = (struct producer){produce, free_page};
    page->first = first;
    page->next = first;
    page->json =
        accept_weight(accept, SPAN("application/json")) >= accept_weight(accept, SPAN("text/html"));
    answer->media_type = page->json ? SPAN("application/json") : SPAN("text/html");
    answer->utf8 = !page->json; /* JSON is UTF-8 and has no such parameter (RFC 8259 11) */
    answer->vary |= VARY_ACCEPT;
    page_asset_put_policy(&answer->fields);
    put_content(worker, page, answer);
}
