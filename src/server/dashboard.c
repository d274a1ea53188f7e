#include "server/dashboard.h"

#include "http/accept.h"
#include "http/response.h"
#include "server/embed.h"
#include "server/metrics.h"
#include "server/numbers.h"

EMBED(dashboard_css, "src/server/dashboard/status.css");
EMBED(dashboard_js, "src/server/dashboard/status.js");

/* A number in one of the page's tables. */
struct row {
    struct span label;
    struct span of; /* where it stands in the JSON, for the script; the last part names it */
    uint64_t value;
};

static void put_row(struct buffer *out, struct row row)
{
    buffer_put_text(out, "<tr><th scope=\"row\">");
    buffer_put_html(out, row.label);
    buffer_put_text(out, "</th><td data-of=\"");
    buffer_put_html(out, row.of);
    buffer_put_text(out, "\">");
    buffer_put_u64(out, row.value);
    buffer_put_text(out, "</td></tr>\n");
}

static void put_table(struct buffer *out, struct span title, const struct row *rows, size_t count)
{
    buffer_put_text(out, "<section><h2>");
    buffer_put_span(out, title);
    buffer_put_text(out, "</h2><table>\n");
    for (size_t i = 0; i < count; i++)
        put_row(out, rows[i]);
    buffer_put_text(out, "</table></section>\n");
}

/* A number's cell in the table of requests. */
static void put_count(struct buffer *out, const struct snapshot *s, enum method method,
                      unsigned class)
{
    buffer_put_text(out, "<td data-of=\"requests.by_method.");
    buffer_put_span(out, numbers_method_name(method));
    buffer_put_char(out, '.');
    buffer_put_u64(out, class);
    buffer_put_text(out, "xx\">");
    buffer_put_u64(out, s->counters[COUNTER_REQUESTS + method * STATUS_CLASSES + class - 1]);
    buffer_put_text(out, "</td>");
}

static bool is_listed(const struct snapshot *s, enum method method)
{
    for (unsigned class = 1; class <= STATUS_CLASSES; class ++)
        if (s->counters[COUNTER_REQUESTS + method * STATUS_CLASSES + class - 1] > 0 ||
            numbers_is_common(method, class))
            return true;
    return false;
}

/* Requests by method and class: rows for the methods that came. No 1xx ends a request. */
static void put_methods(struct buffer *out, const struct snapshot *s)
{
    buffer_put_text(out,
                    "<section><h2>Requests</h2><table>\n<tr><td></td><th scope=\"col\">2xx</th>"
                    "<th scope=\"col\">3xx</th><th scope=\"col\">4xx</th>"
                    "<th scope=\"col\">5xx</th></tr>\n");
    for (enum method method = 0; method < METHOD_COUNT; method++) {
        if (!is_listed(s, method))
            continue;
        buffer_put_text(out, "<tr><th scope=\"row\">");
        buffer_put_span(out, numbers_method_name(method));
        buffer_put_text(out, "</th>");
        for (unsigned class = 2; class <= STATUS_CLASSES; class ++)
            put_count(out, s, method, class);
        buffer_put_text(out, "</tr>\n");
    }
    buffer_put_text(out,
                    "<tr><th scope=\"row\">all</th><td colspan=\"4\" data-of=\"requests.total\">");
    buffer_put_u64(out, s->requests);
    buffer_put_text(out, "</td></tr>\n</table></section>\n");
}

static void put_tables(struct buffer *out, const struct snapshot *s)
{
    const uint64_t *n = s->counters;
    const struct row load[] = {
        {SPAN("workers"), SPAN("workers.all"), s->workers},
        {SPAN("busy"), SPAN("workers.busy"), s->busy},
        {SPAN("idle"), SPAN("workers.idle"), s->workers - s->busy},
        {SPAN("clients in the queue"), SPAN("queue.length"), s->waiting},
        {SPAN("room in the queue"), SPAN("queue.limit"), s->waiting_limit},
        {SPAN("turned away"), SPAN("connections.refused"), n[COUNTER_REFUSED]},
    };
    const struct row connections[] = {
        {SPAN("open"), SPAN("connections.open"), s->open},
        {SPAN("idle"), SPAN("connections.idle"), s->connections[PHASE_IDLE]},
        {SPAN("receiving a head"), SPAN("connections.head"), s->connections[PHASE_HEAD]},
        {SPAN("receiving a body"), SPAN("connections.body"), s->connections[PHASE_BODY]},
        {SPAN("sending"), SPAN("connections.send"), s->connections[PHASE_SEND]},
        {SPAN("ending"), SPAN("connections.linger"), s->connections[PHASE_LINGER]},
        {SPAN("accepted so far"), SPAN("connections.accepted"), n[COUNTER_ACCEPTED]},
    };
    const struct row transfers[] = {
        {SPAN("downloads begun"), SPAN("downloads.begun"), n[COUNTER_DOWNLOADS_BEGUN]},
        {SPAN("downloads resumed"), SPAN("downloads.resumed"), n[COUNTER_DOWNLOADS_RESUMED]},
        {SPAN("downloads complete"), SPAN("downloads.complete"), n[COUNTER_DOWNLOADS_COMPLETE]},
        {SPAN("bytes not repeated"), SPAN("downloads.spared_bytes"), n[COUNTER_DOWNLOADS_SPARED]},
        {SPAN("uploads begun"), SPAN("uploads.begun"), n[COUNTER_UPLOADS_BEGUN]},
        {SPAN("uploads resumed"), SPAN("uploads.resumed"), n[COUNTER_UPLOADS_RESUMED]},
        {SPAN("uploads complete"), SPAN("uploads.complete"), n[COUNTER_UPLOADS_COMPLETE]},
    };
    const struct row traffic[] = {
        {SPAN("bytes sent"), SPAN("bytes.sent"), n[COUNTER_SENT]},
        {SPAN("bytes received"), SPAN("bytes.received"), n[COUNTER_RECEIVED]},
        {SPAN("answered from memory"), SPAN("cache.hits"), n[COUNTER_CACHE_HIT]},
        {SPAN("read from the disk instead"), SPAN("cache.misses"), n[COUNTER_CACHE_MISS]},
        {SPAN("HFTP commands"), SPAN("hftp.ok"), n[COUNTER_HFTP_OK]},
        {SPAN("HFTP errors"), SPAN("hftp.failed"), n[COUNTER_HFTP_FAILED]},
    };

    put_table(out, SPAN("Workers"), load, sizeof load / sizeof *load);
    put_table(out, SPAN("Connections"), connections, sizeof connections / sizeof *connections);
    put_table(out, SPAN("Transfers by client id"), transfers, sizeof transfers / sizeof *transfers);
    put_table(out, SPAN("Traffic"), traffic, sizeof traffic / sizeof *traffic);
    put_methods(out, s);
}

static void put_page(struct buffer *out, const struct snapshot *s)
{
    buffer_put_text(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                         "<meta name=\"viewport\" content=\"width=device-width\">"
                         "<meta name=\"color-scheme\" content=\"light dark\">"
                         "<title>httpd: status</title><link rel=\"icon\" href=\"data:,\">"
                         "<link rel=\"stylesheet\" href=\".status.css\">"
                         "<script src=\".status.js\" defer></script></head>\n"
                         "<body><header><h1>httpd " HTTPD_VERSION "</h1>\n"
                         "<p class=\"about\">serving for <span id=\"uptime\">");
    buffer_put_u64(out, (uint64_t)s->uptime_ms / 1000);
    buffer_put_text(out, " s</span> · the same as <a href=\".metrics\">metrics</a></p></header>\n"
                         "<main><p id=\"lost\" class=\"lost\" role=\"status\" hidden></p>"
                         "<div id=\"charts\" class=\"charts\"></div>\n<div class=\"tables\">\n");
    put_tables(out, s);
    buffer_put_text(out, "</div></main></body></html>\n");
}

/* What each address is. */
enum view { VIEW_NONE, VIEW_STATUS, VIEW_METRICS, VIEW_STYLE, VIEW_SCRIPT };

static enum view view_of(struct span path)
{
    static const struct {
        struct span path;
        enum view view;
    } views[] = {
        {{".status", 7}, VIEW_STATUS},
        {{".metrics", 8}, VIEW_METRICS},
        {{".status.css", 11}, VIEW_STYLE},
        {{".status.js", 10}, VIEW_SCRIPT},
    };

    for (size_t i = 0; i < sizeof views / sizeof *views; i++)
        if (span_equal(path, views[i].path))
            return views[i].view;
    return VIEW_NONE;
}

bool dashboard_is(struct span path)
{
    return path.len > 0 && path.ptr[0] == '.' && view_of(path) != VIEW_NONE;
}

/* Whether the client would rather have the second of two forms: it gets the first where it does not
   care. */
static bool prefers(const struct request *request, struct span second, struct span first)
{
    struct span accept =
        request->version == VERSION_0_9 ? SPAN_EMPTY : request_field(request, FIELD_ACCEPT);

    return accept_weight(accept, second) > accept_weight(accept, first);
}

static void answer_bytes(struct answer *answer, struct span media_type, struct span bytes)
{
    answer->status = STATUS_OK;
    answer->media_type = media_type;
    answer->cache = SPAN("no-store");
    answer->memory = bytes;
    answer->length = bytes.len;
}

static void answer_status(struct worker *worker, const struct request *request,
                          struct answer *answer)
{
    struct buffer out = BUFFER_OVER(worker->page);
    bool json = prefers(request, SPAN("application/json"), SPAN("text/html"));
    struct snapshot snapshot;

    snapshot_take(&snapshot, worker->server);
    if (json) {
        numbers_put_json(&out, &snapshot);
    } else {
        put_page(&out, &snapshot);
        response_field(&answer->fields, SPAN("Content-Security-Policy"),
                       SPAN("default-src 'none'; script-src 'self'; style-src 'self'; img-src "
                            "data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                            "frame-ancestors 'none'"));
    }
    answer_bytes(answer, json ? SPAN("application/json") : SPAN("text/html"), buffer_span(&out));
    answer->utf8 = !json;
    answer->vary |= VARY_ACCEPT;
}

/* OpenMetrics to whoever asks for it, as Prometheus does; the form that everything reads to others.
 */
static void answer_metrics(struct worker *worker, const struct request *request,
                           struct answer *answer)
{
    struct buffer out = BUFFER_OVER(worker->page);
    bool open = prefers(request, metrics_media_type(METRICS_OPENMETRICS),
                        metrics_media_type(METRICS_PROMETHEUS)) ||
                prefers(request, SPAN("application/openmetrics-text"), SPAN("text/plain"));
    enum metrics_form form = open ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
    struct snapshot snapshot;

    snapshot_take(&snapshot, worker->server);
    metrics_put(&out, &snapshot, form);
    answer_bytes(answer, metrics_media_type(form), buffer_span(&out));
    answer->vary |= VARY_ACCEPT;
}

bool dashboard_answer(struct worker *worker, const struct request *request,
                      const struct target *target, struct answer *answer)
{
    switch (dashboard_is(target->path) ? view_of(target->path) : VIEW_NONE) {
    case VIEW_NONE: return false;
    case VIEW_STATUS: answer_status(worker, request, answer); break;
    case VIEW_METRICS: answer_metrics(worker, request, answer); break;
    case VIEW_STYLE:
        answer_bytes(answer, SPAN("text/css"), embedded(dashboard_css, dashboard_css_end));
        answer->utf8 = true;
        break;
    case VIEW_SCRIPT:
        answer_bytes(answer, SPAN("text/javascript"), embedded(dashboard_js, dashboard_js_end));
        answer->utf8 = true;
        break;
    }
    return true;
}
