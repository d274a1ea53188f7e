#include "server/listing_page.h"

#include "http/accept.h"
#include "http/date.h"
#include "http/query.h"
#include "server/access.h"
#include "server/listing_html.h"
#include "server/page_asset.h"
#include "server/status_page.h"

#include <stdlib.h>

enum stage { STAGE_HEAD, STAGE_PATH, STAGE_TOOLS, STAGE_ROWS, STAGE_OVER };

struct listing_page {
    struct producer producer;
    struct listing listing;
    struct listing_view view; /* points to filter and path here */
    enum stage stage;
    bool json;
    size_t next;    /* entry whose row is due */
    size_t path_at; /* segment of the path that is due */
    char filter[LISTING_FILTER_LIMIT];
    char path[];
};

/* --- JSON --------------------------------------------------------------------------------------
 */

static void put_json_head(struct buffer *out, const struct listing_view *view)
{
    size_t before = out->len;

    buffer_put_text(out, "{\"path\":\"/");
    buffer_put_json(out, view->path);
    if (view->path.len > 0)
        buffer_put_char(out, '/');
    buffer_put_text(out, "\",\"entries\":[");
    if (out->overflowed) {
        /* A path of 4096 bytes, escaped, fits no fixed room: it is left out rather than torn. */
        out->len = before;
        out->overflowed = false;
        buffer_put_text(out, "{\"entries\":[");
    }
}

static void put_json_entry(struct buffer *out, const struct listing_view *view,
                           const struct listing_entry *e, struct span name)
{
    char modified[DATE_RFC3339_LEN];

    buffer_put_text(out, "\n");
    if (view->shown > 0)
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
    date_format_rfc3339(modified, e->mtime_s);
    buffer_put(out, modified, sizeof modified);
    buffer_put_text(out, "\"}");
}

/* --- Both --------------------------------------------------------------------------------------
 */

static bool is_wanted(struct span word, struct span name)
{
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
    struct listing_view *view = &page->view;

    if (page->next == page->listing.count)
        return false;
    const struct listing_entry *e = &page->listing.entries[page->next];
    struct span name = listing_name(&page->listing, page->next);
    page->next++;
    if (!is_wanted(view->filter, name))
        return true;
    if (page->json)
        put_json_entry(out, view, e, name);
    else
        listing_html_put_entry(out, view, e, name);
    view->shown++;
    view->directories += e->directory;
    view->bytes += e->directory ? 0 : e->size;
    return true;
}

static void put_piece(struct buffer *out, struct listing_page *page)
{
    switch (page->stage) {
    case STAGE_HEAD:
        if (page->json)
            put_json_head(out, &page->view);
        else
            listing_html_put_head(out, &page->view);
        page->stage = page->json ? STAGE_ROWS : STAGE_PATH;
        break;
    case STAGE_PATH:
        if (!listing_html_put_step(out, &page->view, &page->path_at))
            page->stage = STAGE_TOOLS;
        break;
    case STAGE_TOOLS:
        listing_html_put_tools(out, &page->view);
        page->stage = STAGE_ROWS;
        break;
    case STAGE_ROWS:
        if (put_row(out, page))
            break;
        if (page->json)
            buffer_put_text(out, "\n]}\n");
        else
            listing_html_put_end(out, &page->view);
        page->stage = STAGE_OVER;
        break;
    case STAGE_OVER: break;
    }
}

static enum produce produce(struct producer *producer, struct buffer *out, struct file_run *run)
{
    struct listing_page *page = (struct listing_page *)producer;

    (void)run;
    while (page->stage != STAGE_OVER && buffer_free(out) >= LISTING_HTML_PIECE)
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
    struct listing_view *view = &page->view;
    struct span order = query_find(query, SPAN("sort"), text, sizeof text);

    for (unsigned i = 0; i < sizeof listing_order_names / sizeof *listing_order_names; i++)
        if (span_equal(order, listing_order_names[i]))
            view->order = (enum listing_order)i;
    view->descending =
        span_starts_with(query_find(query, SPAN("order"), text, sizeof text), SPAN("desc"));
    view->filter = query_find(query, SPAN("filter"), page->filter, sizeof page->filter);
}

static enum listing_access access_of(struct worker *worker, const struct request *request,
                                     struct span path)
{
    const struct server *server = worker->server;

    if (access_may_write(worker, request, path))
        return LISTING_WRITE;
    return server->auth != NULL && !server->read_only &&
                   request_field(request, FIELD_AUTHORIZATION).ptr == NULL
               ? LISTING_SIGN_IN
               : LISTING_READ;
}

static struct listing_page *make_page(const struct target *target)
{
    struct listing_page *page = calloc(1, sizeof *page + target->path.len + 1);

    if (page == NULL)
        return NULL;
    page->producer = (struct producer){produce, free_page};
    memcpy(page->path, target->path.ptr, target->path.len);
    page->view.path = span_make(page->path, target->path.len);
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
    if (page->view.order != LISTING_BY_NAME || page->view.descending)
        listing_sort(&page->listing, page->view.order, page->view.descending);
    page->view.media_types = &worker->server->media_types;
    page->json =
        accept_weight(accept, SPAN("application/json")) > accept_weight(accept, SPAN("text/html"));
    if (!page->json)
        page->view.access = access_of(worker, request, target->path);

    answer->status = STATUS_OK;
    answer->media_type = page->json ? SPAN("application/json") : SPAN("text/html");
    answer->utf8 = true;
    answer->cache = SPAN("no-cache");
    answer->vary |= VARY_ACCEPT;
    answer->unsized = true;
    answer->producer = &page->producer;
    page_asset_put_policy(&answer->fields);
}
