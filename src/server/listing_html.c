#include "server/listing_html.h"

#include "http/date.h"
#include "server/listing_name.h"
#include "server/page_asset.h"
#include "server/sign_in.h"

enum { LINKED_LEVELS = 64 }; /* directories further up have no link: each takes "../" */

const struct span listing_order_names[] = {{"name", 4}, {"size", 4}, {"time", 4}};

/* "2026-11-21 02:30", in UTC. */
static void put_time(struct buffer *out, int64_t when)
{
    char text[DATE_RFC3339_LEN];

    date_format_rfc3339(text, when);
    buffer_put(out, text, sizeof "2026-11-21" - 1);
    buffer_put_char(out, ' ');
    buffer_put(out, text + sizeof "2026-11-21T" - 1, sizeof "02:30" - 1);
}

static uint64_t divide_rounded(uint64_t a, uint64_t b)
{
    return a / b + (a % b >= b / 2);
}

/* "1.4 MB": what a person wants to know. With a decimal where there are less than three digits. */
static void put_size(struct buffer *out, uint64_t size)
{
    static const char units[][3] = {"KB", "MB", "GB", "TB", "PB", "EB"};
    enum { LAST = sizeof units / sizeof *units - 1 };
    unsigned unit = 0;
    uint64_t one = 1000;

    if (size < 1000) {
        buffer_put_u64(out, size);
        buffer_put_text(out, " B");
        return;
    }
    for (; unit < LAST && divide_rounded(size, one) >= 1000; unit++)
        one *= 1000;
    uint64_t tenths = divide_rounded(size, one / 10);
    if (tenths < 1000) {
        buffer_put_u64(out, tenths / 10);
        buffer_put_char(out, '.');
        buffer_put_u64(out, tenths % 10);
    } else {
        buffer_put_u64(out, divide_rounded(size, one));
    }
    buffer_put_char(out, ' ');
    buffer_put_span(out, span_of(units[unit]));
}

void listing_html_put_head(struct buffer *out, const struct listing_view *view)
{
    struct span path = view->path;
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

bool listing_html_put_step(struct buffer *out, const struct listing_view *view, size_t *at)
{
    struct span rest = span_from(view->path, *at);
    size_t len = span_find(rest, '/'), levels = 0;

    if (rest.len == 0)
        return false;
    *at += len + 1;
    for (size_t i = len; i < rest.len; i++)
        levels += rest.ptr[i] == '/';
    rest.len = len;
    if (*at > view->path.len) {
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
static void put_column(struct buffer *out, const struct listing_view *view,
                       enum listing_order order, struct span text)
{
    bool sorted = view->order == order;

    buffer_put_text(out, "<th");
    if (sorted)
        buffer_put_span(out, view->descending ? SPAN(" aria-sort=\"descending\"")
                                              : SPAN(" aria-sort=\"ascending\""));
    buffer_put_text(out, "><a href=\"?sort=");
    buffer_put_span(out, listing_order_names[order]);
    if (sorted && !view->descending)
        buffer_put_text(out, "&amp;order=desc");
    if (view->filter.len > 0) {
        buffer_put_text(out, "&amp;filter=");
        buffer_put_url_path(out, view->filter);
    }
    buffer_put_text(out, "\">");
    buffer_put_span(out, text);
    buffer_put_text(out, "</a></th>");
}

static void put_filter(struct buffer *out, const struct listing_view *view)
{
    buffer_put_text(out, "<form id=\"filter\" role=\"search\"><label for=\"word\">Filter</label>"
                         "<input id=\"word\" type=\"search\" name=\"filter\" maxlength=\"100\" "
                         "autocomplete=\"off\" value=\"");
    buffer_put_html(out, view->filter);
    buffer_put_text(out, "\"><input type=\"hidden\" name=\"sort\" value=\"");
    buffer_put_span(out, listing_order_names[view->order]);
    buffer_put_text(out, "\">");
    if (view->descending)
        buffer_put_text(out, "<input type=\"hidden\" name=\"order\" value=\"desc\">");
    buffer_put_text(out, "<button>Filter</button></form>\n");
}

void listing_html_put_tools(struct buffer *out, const struct listing_view *view)
{
    buffer_put_text(out, "</ol></nav></header>\n<div id=\"tools\">");
    put_filter(out, view);
    if (view->access == LISTING_WRITE)
        buffer_put_text(out, "<form id=\"upload\" method=\"post\" enctype=\"multipart/form-data\" "
                             "action=\"./\"><label for=\"file\">Upload files</label>"
                             "<input id=\"file\" type=\"file\" name=\"file\" multiple required>"
                             "<button>Upload</button></form>\n");
    buffer_put_text(out, "</div>\n<main id=\"files\" tabindex=\"-1\"><table>"
                         "<caption>Files</caption><thead><tr>");
    put_column(out, view, LISTING_BY_NAME, SPAN("Name"));
    put_column(out, view, LISTING_BY_SIZE, SPAN("Size"));
    put_column(out, view, LISTING_BY_TIME, SPAN("Changed (UTC)"));
    buffer_put_text(out, "</tr></thead><tbody>\n");
    if (view->path.len > 0)
        buffer_put_text(out, "<tr class=\"up\"><td><a href=\"../\">Up one folder</a></td><td></td>"
                             "<td></td></tr>\n");
}

/* What a file is, by its name, for its icon and its preview. */
static struct span kind_of(const struct listing_view *view, struct span name)
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
    struct span type = media_type_of(view->media_types, name, &utf8);

    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (span_starts_with(type, kinds[i].type))
            return kinds[i].kind;
    return SPAN_EMPTY;
}

void listing_html_put_entry(struct buffer *out, const struct listing_view *view,
                            const struct listing_entry *e, struct span name)
{
    struct span kind = e->directory ? SPAN("dir") : kind_of(view, name);

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
    put_time(out, e->mtime_s);
    buffer_put_text(out, "</td></tr>\n");
}

static void put_count(struct buffer *out, size_t count, struct span one, struct span many)
{
    buffer_put_u64(out, count);
    buffer_put_char(out, ' ');
    buffer_put_span(out, count == 1 ? one : many);
}

void listing_html_put_end(struct buffer *out, const struct listing_view *view)
{
    size_t files = view->shown - view->directories;

    buffer_put_text(out, "</tbody></table>\n<p id=\"sum\">");
    if (view->shown == 0) {
        buffer_put_span(out, view->filter.len > 0 ? SPAN("Nothing here has such a name.")
                                                  : SPAN("There is nothing here yet."));
    } else {
        if (view->directories > 0)
            put_count(out, view->directories, SPAN("folder"), SPAN("folders"));
        if (view->directories > 0 && files > 0)
            buffer_put_text(out, ", ");
        if (files > 0)
            put_count(out, files, SPAN("file"), SPAN("files"));
    }
    if (files > 0) {
        buffer_put_text(out, ", ");
        put_size(out, view->bytes);
    }
    buffer_put_text(out, "</p></main>\n");
    if (view->access == LISTING_SIGN_IN) {
        /* Where the path is too long for a link it comes back to the top. */
        enum { LINK_ROOM = LISTING_HTML_PIECE / 2 };
        struct span path = view->path;
        buffer_put_text(out, "<footer>");
        sign_in_put_link(out, path.len <= LINK_ROOM / 3 ? path : SPAN_EMPTY);
        buffer_put_text(out, "</footer>");
    }
    buffer_put_text(out, "</body></html>\n");
}
