#include "server/listing_page.h"

#include "fs/listing.h"
#include "http/accept.h"
#include "server/status_page.h"

#include <stdlib.h>

struct listing_page {
    struct producer producer;
    struct listing listing;
    size_t next;
    bool begun;
    bool json;
    char path[]; /* decoded, without slashes at the ends, "" for the root */
};

/* "2026-11-21 02:30", in UTC, without the C library's calendar. */
static void put_time(struct buffer *out, int64_t when, char separator)
{
    char http[DATE_LEN];
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    unsigned month = 1;

    date_format(http, when); /* "Sun, 06 Nov 1994 08:49:37 GMT" */
    while (month < 12 && memcmp(http + 8, months + (size_t)(month - 1) * 3, 3) != 0)
        month++;
    buffer_put(out, http + 12, 4);
    buffer_put_char(out, '-');
    buffer_put_char(out, (char)('0' + month / 10));
    buffer_put_char(out, (char)('0' + month % 10));
    buffer_put_char(out, '-');
    buffer_put(out, http + 5, 2);
    buffer_put_char(out, separator);
    buffer_put(out, http + 17, separator == 'T' ? 8 : 5);
    if (separator == 'T')
        buffer_put_char(out, 'Z');
}

/* "1.4 MB": what a person wants to know. */
static void put_size(struct buffer *out, uint64_t size)
{
    static const char units[][3] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    unsigned unit = 0;
    uint64_t tenths = size * 10;

    if (size < 1000) {
        buffer_put_u64(out, size);
        buffer_put_text(out, " B");
        return;
    }
    if (size > UINT64_MAX / 10)
        tenths = UINT64_MAX;
    while (tenths >= 10000) {
        tenths = (tenths + 500) / 1000;
        unit++;
    }
    buffer_put_u64(out, tenths / 10);
    if (tenths < 1000) {
        buffer_put_char(out, '.');
        buffer_put_u64(out, tenths % 10);
    }
    buffer_put_char(out, ' ');
    buffer_put_span(out, span_of(units[unit]));
}

static void put_html_head(struct buffer *out, const char *path)
{
    buffer_put_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<meta name=\"viewport\" content=\"width=device-width\">"
                         "<meta name=\"color-scheme\" content=\"light dark\"><title>/");
    buffer_put_html(out, span_of(path));
    buffer_put_text(out, "</title><style>body{font:1em/1.6 system-ui,sans-serif;margin:2em auto;"
                         "max-width:60em;padding:0 1em}table{border-collapse:collapse;width:100%}"
                         "th,td{padding:.25em .5em;text-align:left;border-bottom:1px solid #8883}"
                         "td:first-child{overflow-wrap:anywhere}"
                         ".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
                         "tr:hover{background:#8881}</style></head>\n<body><h1>/");
    buffer_put_html(out, span_of(path));
    buffer_put_text(out, "</h1>\n<table><thead><tr><th>Name</th><th class=\"n\">Size</th>"
                         "<th class=\"n\">Changed (UTC)</th></tr></thead><tbody>\n");
    if (path[0] != '\0')
        buffer_put_text(out, "<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
}

static void put_html_entry(struct buffer *out, const struct listing_entry *e, struct span name)
{
    /* "./" keeps a name with a colon from being read as a scheme (RFC 3986 4.2). */
    buffer_put_text(out, "<tr><td><a href=\"./");
    buffer_put_url_path(out, name);
    if (e->directory)
        buffer_put_char(out, '/');
    buffer_put_text(out, "\">");
    buffer_put_html(out, name);
    if (e->directory)
        buffer_put_char(out, '/');
    buffer_put_text(out, "</a></td><td class=\"n\">");
    if (!e->directory)
        put_size(out, e->size);
    buffer_put_text(out, "</td><td class=\"n\">");
    put_time(out, e->mtime_s, ' ');
    buffer_put_text(out, "</td></tr>\n");
}

static void put_json_entry(struct buffer *out, const struct listing_entry *e, struct span name,
                           bool first)
{
    buffer_put_text(out, "\n");
    if (!first)
        buffer_put_char(out, ',');
    buffer_put_text(out, "{\"name\":\"");
    buffer_put_json(out, name);
    buffer_put_text(out, "\",\"href\":\"./");
    buffer_put_url_path(out, name);
    if (e->directory) {
        buffer_put_text(out, "/\",\"type\":\"directory\"");
    } else {
        buffer_put_text(out, "\",\"type\":\"file\",\"size\":");
        buffer_put_u64(out, e->size);
    }
    buffer_put_text(out, ",\"modified\":\"");
    put_time(out, e->mtime_s, 'T');
    buffer_put_text(out, "\"}");
}

static void put_head(struct buffer *out, const struct listing_page *page)
{
    if (!page->json) {
        put_html_head(out, page->path);
        return;
    }
    buffer_put_text(out, "{\"path\":\"/");
    buffer_put_json(out, span_of(page->path));
    if (page->path[0] != '\0')
        buffer_put_char(out, '/');
    buffer_put_text(out, "\",\"entries\":[");
}

static enum produce produce_rows(struct producer *producer, struct buffer *out,
                                 struct file_run *run)
{
    enum { ROW_ROOM = 4096 }; /* a 255-byte name: 765 as URL, 1530 as HTML or JSON, and the rest */
    struct listing_page *page = (struct listing_page *)producer;

    (void)run;
    if (!page->begun) {
        page->begun = true;
        /* A path of 4096 bytes, escaped twice, fits no fixed room: its page then goes without a
           heading rather than with half a one. */
        size_t before = out->len;
        put_head(out, page);
        if (out->overflowed) {
            out->len = before;
            out->overflowed = false;
            buffer_put_span(out, page->json
                                     ? SPAN("{\"entries\":[")
                                     : SPAN("<!DOCTYPE html><title>/</title><table><tbody>"));
        }
    }
    while (page->next < page->listing.count && buffer_free(out) >= ROW_ROOM) {
        const struct listing_entry *e = &page->listing.entries[page->next];
        struct span name = listing_name(&page->listing, page->next);
        if (page->json)
            put_json_entry(out, e, name, page->next == 0);
        else
            put_html_entry(out, e, name);
        page->next++;
    }
    if (page->next < page->listing.count || buffer_free(out) < ROW_ROOM)
        return PRODUCE_MORE;
    if (page->json)
        buffer_put_text(out, "\n]}\n");
    else
        buffer_put_text(out, "</tbody></table></body></html>\n");
    return PRODUCE_LAST;
}

static void free_listing_page(struct producer *producer)
{
    struct listing_page *page = (struct listing_page *)producer;

    listing_free(&page->listing);
    free(page);
}

void listing_page_answer(struct worker *worker, const struct request *request, const char *path,
                         const struct file *directory, struct answer *answer)
{
    struct span accept = request_field(request, FIELD_ACCEPT);
    size_t path_len = strlen(path);
    struct listing_page *page = calloc(1, sizeof *page + path_len + 1);
    enum fs_result result = FS_NO_MEMORY;

    if (page != NULL) {
        /* A large directory takes a while; the others should not wait for it. */
        queue_step_aside(&worker->server->queue);
        result = listing_read(&page->listing, &worker->docroot, path, directory->fd);
    }
    if (result != FS_OK) {
        free(page);
        status_page_answer(worker, request, status_of_fs_result(result), SPAN_EMPTY, answer);
        return;
    }
    page->producer = (struct producer){produce_rows, free_listing_page};
    page->json =
        accept_weight(accept, SPAN("application/json")) > accept_weight(accept, SPAN("text/html"));
    memcpy(page->path, path, path_len);

    answer->status = STATUS_OK;
    answer->media_type = page->json ? SPAN("application/json") : SPAN("text/html");
    answer->utf8 = true;
    answer->cache = SPAN("no-cache");
    answer->vary |= VARY_ACCEPT;
    answer->unsized = true;
    answer->producer = &page->producer;
}
