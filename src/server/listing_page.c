#include "server/listing_page.h"

#include "fs/listing.h"
#include "http/accept.h"
#include "http/media_type.h"
#include "http/query.h"
#include "server/access.h"
#include "server/listing_name.h"
#include "server/page_asset.h"
#include "server/sign_in.h"
#include "server/status_page.h"

#include <stdlib.h>

enum {
    /* What the largest piece of a page takes: a row with a name of 255 bytes, which is 765 as a URL
       and 3315 as text, or what stands between head and rows, with the filter in four places. */
    PIECE_ROOM = 6144,
    FILTER_LIMIT = 100,
    LINKED_LEVELS = 64, /* directories further up are named without a link: each takes "../" */
};

enum stage { STAGE_HEAD, STAGE_PATH, STAGE_TOOLS, STAGE_ROWS, STAGE_OVER };

/* What the page lets its reader do. */
enum access { ACCESS_READ, ACCESS_SIGN_IN, ACCESS_WRITE };

struct listing_page {
    struct producer producer;
    struct listing listing;
    const struct media_types *media_types;
    enum stage stage;
    bool json;
    enum access access;
    enum listing_order order;
    bool descending;
    size_t next;    /* entry whose row is due */
    size_t path_at; /* segment of the path that is due */
    size_t shown, directories;
    uint64_t bytes;
    size_t filter_len;
    char filter[FILTER_LIMIT];
    size_t path_len;
    char path[]; /* decoded, without slashes at the ends, "" for the root */
};

/* Indexed by enum listing_order: what the query calls it. */
static const struct span order_names[] = {{"name", 4}, {"size", 4}, {"time", 4}};

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
    while (tenths >= 9995) {
        tenths = (tenths + 500) / 1000;
        unit++;
    }
    buffer_put_u64(out, tenths < 1000 ? tenths / 10 : (tenths + 5) / 10);
    if (tenths < 1000) {
        buffer_put_char(out, '.');
        buffer_put_u64(out, tenths % 10);
    }
    buffer_put_char(out, ' ');
    buffer_put_span(out, span_of(units[unit]));
}

static struct span path_of(const struct listing_page *page)
{
    return span_make(page->path, page->path_len);
}

/* --- The page ----------------------------------------------------------------------------------
 */

static void put_page_head(struct buffer *out, const struct listing_page *page)
{
    struct span path = path_of(page);
    size_t last = path.len;

    while (last > 0 && path.ptr[last - 1] != '/')
        last--;
    buffer_put_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
                         "<meta name=\"color-scheme\" content=\"light dark\"><title>");
    listing_name_put(out, span_from(path, last), false);
    buffer_put_text(out, "/</title>");
    page_asset_put_links(out, true);
    buffer_put_text(out, "</head>\n<body><a class=\"skip\" href=\"#files\">To the files</a>\n"
                         "<header><nav aria-label=\"Path\"><ol>\n");
    if (path.len == 0)
        buffer_put_text(out, "<li><h1 aria-current=\"page\">Home</h1></li>\n");
    else
        buffer_put_text(out, "<li><a href=\"/\">Home</a></li>\n");
}

/* Puts the next directory on the way to this one. False: that was the last. */
static bool put_path_step(struct buffer *out, struct listing_page *page)
{
    struct span rest = span_from(path_of(page), page->path_at);
    size_t len = span_find(rest, '/'), levels = 0;

    if (rest.len == 0)
        return false;
    page->path_at += len + 1;
    for (size_t i = len; i < rest.len; i++)
        levels += rest.ptr[i] == '/';
    rest.len = len;
    if (page->path_at > page->path_len) {
        buffer_put_text(out, "<li><h1 aria-current=\"page\">");
        listing_name_put(out, rest, true);
        buffer_put_text(out, "</h1></li>\n");
        return false;
    }
    buffer_put_text(out, "<li>");
    if (levels <= LINKED_LEVELS) {
        buffer_put_text(out, "<a href=\"");
        for (size_t i = 0; i < levels; i++)
            buffer_put_text(out, "../");
        buffer_put_text(out, "\">");
    }
    listing_name_put(out, rest, true);
    buffer_put_span(out, levels <= LINKED_LEVELS ? SPAN("</a></li>\n") : SPAN("</li>\n"));
    return true;
}

/* The heading of a column: a link that sorts by it, and the other way round if it does already. */
static void put_column(struct buffer *out, const struct listing_page *page,
                       enum listing_order order, struct span text)
{
    bool sorted = page->order == order;

    buffer_put_text(out, "<th");
    if (sorted)
        buffer_put_span(out, page->descending ? SPAN(" aria-sort=\"descending\"")
                                              : SPAN(" aria-sort=\"ascending\""));
    buffer_put_text(out, "><a href=\"?sort=");
    buffer_put_span(out, order_names[order]);
    if (sorted && !page->descending)
        buffer_put_text(out, "&amp;order=desc");
    if (page->filter_len > 0) {
        buffer_put_text(out, "&amp;filter=");
        buffer_put_url_path(out, span_make(page->filter, page->filter_len));
    }
    buffer_put_text(out, "\">");
    buffer_put_span(out, text);
    buffer_put_text(out, "</a></th>");
}

static void put_filter(struct buffer *out, const struct listing_page *page)
{
    buffer_put_text(out, "<form id=\"filter\" role=\"search\"><label for=\"word\">Filter</label>"
                         "<input id=\"word\" type=\"search\" name=\"filter\" maxlength=\"100\" "
                         "autocomplete=\"off\" value=\"");
    buffer_put_html(out, span_make(page->filter, page->filter_len));
    buffer_put_text(out, "\"><input type=\"hidden\" name=\"sort\" value=\"");
    buffer_put_span(out, order_names[page->order]);
    buffer_put_text(out, "\">");
    if (page->descending)
        buffer_put_text(out, "<input type=\"hidden\" name=\"order\" value=\"desc\">");
    buffer_put_text(out, "<button>Filter</button></form>\n");
}

static void put_tools(struct buffer *out, const struct listing_page *page)
{
    buffer_put_text(out, "</ol></nav></header>\n<div id=\"tools\">");
    put_filter(out, page);
    if (page->access == ACCESS_WRITE)
        buffer_put_text(out, "<form id=\"upload\" method=\"post\" enctype=\"multipart/form-data\" "
                             "action=\"./\"><label for=\"file\">Upload files</label>"
                             "<input id=\"file\" type=\"file\" name=\"file\" multiple required>"
                             "<button>Upload</button></form>\n");
    buffer_put_text(out, "</div>\n<main id=\"files\" tabindex=\"-1\"><table>"
                         "<caption>Files</caption><thead><tr>");
    put_column(out, page, LISTING_BY_NAME, SPAN("Name"));
    put_column(out, page, LISTING_BY_SIZE, SPAN("Size"));
    put_column(out, page, LISTING_BY_TIME, SPAN("Changed (UTC)"));
    buffer_put_text(out, "</tr></thead><tbody>\n");
    if (page->path_len > 0)
        buffer_put_text(out, "<tr class=\"up\"><td><a href=\"../\">Up one folder</a></td><td></td>"
                             "<td></td></tr>\n");
}

/* What a file is, by its name, for its icon and its preview. */
static struct span kind_of(const struct listing_page *page, struct span name)
{
    static const struct {
        struct span type, kind;
    } kinds[] = {
        {{"image/", 6}, {"image", 5}},
        {{"video/", 6}, {"video", 5}},
        {{"audio/", 6}, {"audio", 5}},
        {{"text/", 5}, {"text", 4}},
        {{"application/json", 16}, {"text", 4}},
        {{"application/xml", 15}, {"text", 4}},
        {{"application/pdf", 15}, {"pdf", 3}},
        {{"application/zip", 15}, {"pack", 4}},
        {{"application/gzip", 16}, {"pack", 4}},
        {{"application/zstd", 16}, {"pack", 4}},
        {{"application/x-tar", 17}, {"pack", 4}},
        {{"application/x-xz", 16}, {"pack", 4}},
        {{"application/x-bzip2", 19}, {"pack", 4}},
        {{"application/x-7z", 16}, {"pack", 4}},
        {{"application/vnd.rar", 19}, {"pack", 4}},
    };
    bool utf8;
    struct span type = media_type_of(page->media_types, name, &utf8);

    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (span_starts_with(type, kinds[i].type))
            return kinds[i].kind;
    return SPAN_EMPTY;
}

static void put_html_entry(struct buffer *out, const struct listing_page *page,
                           const struct listing_entry *e, struct span name)
{
    struct span kind = e->directory ? SPAN("dir") : kind_of(page, name);

    buffer_put_text(out, "<tr");
    if (kind.len > 0) {
        buffer_put_text(out, " class=\"");
        buffer_put_span(out, kind);
        buffer_put_char(out, '"');
    }
    /* "./" keeps a name with a colon from being read as a scheme (RFC 3986 4.2). */
    buffer_put_text(out, "><td><a href=\"./");
    buffer_put_url_path(out, name);
    if (e->directory)
        buffer_put_char(out, '/');
    buffer_put_text(out, "\">");
    listing_name_put(out, name, true);
    if (e->directory)
        buffer_put_char(out, '/');
    buffer_put_text(out, "</a></td><td>");
    if (!e->directory)
        put_size(out, e->size);
    buffer_put_text(out, "</td><td>");
    put_time(out, e->mtime_s, ' ');
    buffer_put_text(out, "</td></tr>\n");
}

static void put_count(struct buffer *out, size_t count, struct span one, struct span many)
{
    buffer_put_u64(out, count);
    buffer_put_char(out, ' ');
    buffer_put_span(out, count == 1 ? one : many);
}

static void put_page_end(struct buffer *out, const struct listing_page *page)
{
    size_t files = page->shown - page->directories;

    buffer_put_text(out, "</tbody></table>\n<p id=\"sum\">");
    if (page->shown == 0) {
        buffer_put_span(out, page->filter_len > 0 ? SPAN("Nothing here has such a name.")
                                                  : SPAN("There is nothing here yet."));
    } else {
        if (page->directories > 0)
            put_count(out, page->directories, SPAN("folder"), SPAN("folders"));
        if (page->directories > 0 && files > 0)
            buffer_put_text(out, ", ");
        if (files > 0)
            put_count(out, files, SPAN("file"), SPAN("files"));
    }
    if (files > 0) {
        buffer_put_text(out, ", ");
        put_size(out, page->bytes);
    }
    buffer_put_text(out, "</p></main>\n");
    if (page->access == ACCESS_SIGN_IN) {
        /* Where the path is too long for a link it comes back to the top. */
        enum { LINK_ROOM = PIECE_ROOM / 2 };
        struct span path = path_of(page);
        buffer_put_text(out, "<footer>");
        sign_in_put_link(out, path.len <= LINK_ROOM / 3 ? path : SPAN_EMPTY);
        buffer_put_text(out, "</footer>");
    }
    buffer_put_text(out, "</body></html>\n");
}

/* --- JSON --------------------------------------------------------------------------------------
 */

static void put_json_head(struct buffer *out, const struct listing_page *page)
{
    size_t before = out->len;

    buffer_put_text(out, "{\"path\":\"/");
    buffer_put_json(out, path_of(page));
    if (page->path_len > 0)
        buffer_put_char(out, '/');
    buffer_put_text(out, "\",\"entries\":[");
    if (out->overflowed) {
        /* A path of 4096 bytes, escaped, fits no fixed room: it is left out rather than torn. */
        out->len = before;
        out->overflowed = false;
        buffer_put_text(out, "{\"entries\":[");
    }
}

static void put_json_entry(struct buffer *out, const struct listing_page *page,
                           const struct listing_entry *e, struct span name)
{
    buffer_put_text(out, "\n");
    if (page->shown > 0)
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

/* --- Both --------------------------------------------------------------------------------------
 */

static bool is_wanted(const struct listing_page *page, struct span name)
{
    struct span word = span_make(page->filter, page->filter_len);

    if (word.len == 0)
        return true;
    for (size_t i = 0; i + word.len <= name.len; i++)
        if (span_equal_nocase(span_make(name.ptr + i, word.len), word))
            return true;
    return false;
}

/* Puts the row of the next entry. False: there is none. */
static bool put_row(struct buffer *out, struct listing_page *page)
{
    if (page->next == page->listing.count)
        return false;
    const struct listing_entry *e = &page->listing.entries[page->next];
    struct span name = listing_name(&page->listing, page->next);
    page->next++;
    if (!is_wanted(page, name))
        return true;
    if (page->json)
        put_json_entry(out, page, e, name);
    else
        put_html_entry(out, page, e, name);
    page->shown++;
    page->directories += e->directory;
    page->bytes += e->directory ? 0 : e->size;
    return true;
}

static void put_piece(struct buffer *out, struct listing_page *page)
{
    switch (page->stage) {
    case STAGE_HEAD:
        if (page->json)
            put_json_head(out, page);
        else
            put_page_head(out, page);
        page->stage = page->json ? STAGE_ROWS : STAGE_PATH;
        break;
    case STAGE_PATH:
        if (!put_path_step(out, page))
            page->stage = STAGE_TOOLS;
        break;
    case STAGE_TOOLS:
        put_tools(out, page);
        page->stage = STAGE_ROWS;
        break;
    case STAGE_ROWS:
        if (put_row(out, page))
            break;
        if (page->json)
            buffer_put_text(out, "\n]}\n");
        else
            put_page_end(out, page);
        page->stage = STAGE_OVER;
        break;
    case STAGE_OVER: break;
    }
}

static enum produce produce(struct producer *producer, struct buffer *out, struct file_run *run)
{
    struct listing_page *page = (struct listing_page *)producer;

    (void)run;
    while (page->stage != STAGE_OVER && buffer_free(out) >= PIECE_ROOM)
        put_piece(out, page);
    return page->stage == STAGE_OVER ? PRODUCE_LAST : PRODUCE_MORE;
}

static void free_page(struct producer *producer)
{
    struct listing_page *page = (struct listing_page *)producer;

    listing_free(&page->listing);
    free(page);
}

/* What of the listing is wanted, and in which order. What makes no sense in it is passed over. */
static void read_query(struct listing_page *page, struct span query)
{
    char text[sizeof "descending"];
    struct span order = query_find(query, SPAN("sort"), text, sizeof text);

    for (unsigned i = 0; i < sizeof order_names / sizeof *order_names; i++)
        if (span_equal(order, order_names[i]))
            page->order = (enum listing_order)i;
    page->descending =
        span_starts_with(query_find(query, SPAN("order"), text, sizeof text), SPAN("desc"));
    page->filter_len = query_find(query, SPAN("filter"), page->filter, sizeof page->filter).len;
}

static enum access access_of(struct worker *worker, const struct request *request, struct span path)
{
    const struct server *server = worker->server;

    if (access_may_write(worker, request, path))
        return ACCESS_WRITE;
    return server->auth != NULL && !server->read_only &&
                   request_field(request, FIELD_AUTHORIZATION).ptr == NULL
               ? ACCESS_SIGN_IN
               : ACCESS_READ;
}

static struct listing_page *make_page(const struct target *target)
{
    struct listing_page *page = calloc(1, sizeof *page + target->path.len + 1);

    if (page == NULL)
        return NULL;
    page->producer = (struct producer){produce, free_page};
    memcpy(page->path, target->path.ptr, target->path.len);
    page->path_len = target->path.len;
    read_query(page, target->query);
    return page;
}

void listing_page_answer(struct worker *worker, const struct request *request,
                         const struct target *target, const struct file *directory,
                         struct answer *answer)
{
    struct span accept = request_field(request, FIELD_ACCEPT);
    struct listing_page *page = make_page(target);
    enum fs_result result = FS_NO_MEMORY;

    if (page != NULL) {
        /* A large directory takes a while; the others should not wait for it. */
        queue_step_aside(&worker->server->queue);
        result = listing_read(&page->listing, &worker->docroot, page->path, directory->fd);
    }
    if (result != FS_OK) {
        free(page);
        status_page_answer(worker, request, status_of_fs_result(result), SPAN_EMPTY, answer);
        return;
    }
    if (page->order != LISTING_BY_NAME || page->descending)
        listing_sort(&page->listing, page->order, page->descending);
    page->media_types = &worker->server->media_types;
    page->json =
        accept_weight(accept, SPAN("application/json")) > accept_weight(accept, SPAN("text/html"));
    if (!page->json)
        page->access = access_of(worker, request, target->path);

    answer->status = STATUS_OK;
    answer->media_type = page->json ? SPAN("application/json") : SPAN("text/html");
    answer->utf8 = true;
    answer->cache = SPAN("no-cache");
    answer->vary |= VARY_ACCEPT;
    answer->unsized = true;
    answer->producer = &page->producer;
    page_asset_put_policy(&answer->fields);
}
