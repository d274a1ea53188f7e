#include "server/metrics.h"

#include "server/numbers.h"

struct span metrics_media_type(enum metrics_form form)
{
    return form == METRICS_OPENMETRICS
               ? SPAN("application/openmetrics-text; version=1.0.0; charset=utf-8")
               : SPAN("text/plain; version=0.0.4; charset=utf-8");
}

/* A family of metrics being written. Its name stands in every line of it. */
struct family {
    struct buffer *out;
    struct span name;
    bool counts;
};

/*
 * What stands above the lines of a family. A counter is told by the ending "_total", which
 * OpenMetrics leaves out here and the older format does not.
 */
static struct family begin(struct buffer *out, enum metrics_form form, struct span name,
                           struct span type, struct span meaning)
{
    bool counts = span_equal(type, SPAN("counter"));
    struct span ending = counts && form == METRICS_PROMETHEUS ? SPAN("_total") : SPAN_EMPTY;

    buffer_put_text(out, "# HELP ");
    buffer_put_span(out, name);
    buffer_put_span(out, ending);
    buffer_put_char(out, ' ');
    buffer_put_span(out, meaning);
    buffer_put_text(out, "\n# TYPE ");
    buffer_put_span(out, name);
    buffer_put_span(out, ending);
    buffer_put_char(out, ' ');
    buffer_put_span(out, type);
    buffer_put_char(out, '\n');
    return (struct family){out, name, counts};
}

/* One line; `labels` as they stand between the braces, or empty. */
static void put(const struct family *family, struct span labels, uint64_t value)
{
    struct buffer *out = family->out;

    buffer_put_span(out, family->name);
    if (family->counts)
        buffer_put_text(out, "_total");
    if (labels.len > 0) {
        buffer_put_char(out, '{');
        buffer_put_span(out, labels);
        buffer_put_char(out, '}');
    }
    buffer_put_char(out, ' ');
    buffer_put_u64(out, value);
    buffer_put_char(out, '\n');
}

static void put_one(struct buffer *out, enum metrics_form form, struct span name, struct span type,
                    struct span meaning, uint64_t value)
{
    struct family family = begin(out, form, name, type, meaning);

    put(&family, SPAN_EMPTY, value);
}

static void put_process(struct buffer *out, enum metrics_form form, const struct snapshot *s)
{
    begin(out, form, SPAN("httpd_build_info"), SPAN("gauge"), SPAN("Which httpd this is."));
    buffer_put_text(out, "httpd_build_info{version=\"" HTTPD_VERSION "\"} 1\n");
    put_one(out, form, SPAN("process_start_time_seconds"), SPAN("gauge"),
            SPAN("When it was started, in seconds since 1970."), (uint64_t)s->started_s);
    begin(out, form, SPAN("httpd_uptime_seconds"), SPAN("gauge"),
          SPAN("For how long it has been serving."));
    buffer_put_text(out, "httpd_uptime_seconds ");
    numbers_put_seconds(out, (uint64_t)s->uptime_ms * 1000);
    buffer_put_char(out, '\n');
}

static void put_load(struct buffer *out, enum metrics_form form, const struct snapshot *s)
{
    static const struct span phases[PHASE_COUNT] = {
        [PHASE_IDLE] = {"state=\"idle\"", 12},     [PHASE_HEAD] = {"state=\"head\"", 12},
        [PHASE_BODY] = {"state=\"body\"", 12},     [PHASE_SEND] = {"state=\"send\"", 12},
        [PHASE_LINGER] = {"state=\"linger\"", 14},
    };
    struct family family = begin(out, form, SPAN("httpd_workers"), SPAN("gauge"),
                                 SPAN("Worker threads, by what they do."));

    put(&family, SPAN("state=\"busy\""), s->busy);
    put(&family, SPAN("state=\"idle\""), s->workers - s->busy);
    put_one(out, form, SPAN("httpd_queue_length"), SPAN("gauge"),
            SPAN("Clients that wait for a worker."), s->waiting);
    put_one(out, form, SPAN("httpd_queue_limit"), SPAN("gauge"),
            SPAN("How many new ones may wait before others are turned away."), s->waiting_limit);
    put_one(out, form, SPAN("httpd_refused_connections"), SPAN("counter"),
            SPAN("Clients turned away because no more could be served."),
            s->counters[COUNTER_REFUSED]);
    put_one(out, form, SPAN("httpd_accepted_connections"), SPAN("counter"),
            SPAN("Connections accepted, those turned away among them."),
            s->counters[COUNTER_ACCEPTED]);
    put_one(out, form, SPAN("httpd_connections_limit"), SPAN("gauge"),
            SPAN("How many connections may be open at once."), s->open_limit);
    family = begin(out, form, SPAN("httpd_connections"), SPAN("gauge"),
                   SPAN("Open connections, by what they are doing."));
    for (unsigned phase = PHASE_IDLE; phase < PHASE_COUNT; phase++)
        put(&family, phases[phase], s->connections[phase]);
}

static void put_requests(struct buffer *out, enum metrics_form form, const struct snapshot *s)
{
    struct family family = begin(out, form, SPAN("httpd_requests"), SPAN("counter"),
                                 SPAN("Requests answered, by method and class of status."));

    for (unsigned method = 0; method < METHOD_COUNT; method++) {
        for (unsigned class = 1; class <= STATUS_CLASSES; class ++) {
            char bytes[64];
            struct buffer labels = BUFFER_OVER(bytes);
            uint64_t n = s->counters[counter_of_request((enum method)method, class * 100)];
            /* Most of the table is never met. */
            if (n == 0 && !numbers_is_common((enum method)method, class))
                continue;
            buffer_put_text(&labels, "method=\"");
            buffer_put_span(&labels, numbers_method_name((enum method)method));
            buffer_put_text(&labels, "\",status=\"");
            buffer_put_u64(&labels, class);
            buffer_put_text(&labels, "xx\"");
            put(&family, buffer_span(&labels), n);
        }
    }
    family = begin(out, form, SPAN("httpd_hftp_commands"), SPAN("counter"),
                   SPAN("HFTP commands answered, by result."));
    put(&family, SPAN("result=\"ok\""), s->counters[COUNTER_HFTP_OK]);
    put(&family, SPAN("result=\"failed\""), s->counters[COUNTER_HFTP_FAILED]);
    put_one(out, form, SPAN("httpd_received_bytes"), SPAN("counter"),
            SPAN("Bytes received from clients."), s->counters[COUNTER_RECEIVED]);
    put_one(out, form, SPAN("httpd_sent_bytes"), SPAN("counter"), SPAN("Bytes sent to clients."),
            s->counters[COUNTER_SENT]);
}

static void put_durations(struct buffer *out, enum metrics_form form, const struct snapshot *s)
{
    uint64_t count = 0;

    begin(out, form, SPAN("httpd_request_duration_seconds"), SPAN("histogram"),
          SPAN("From a whole request head to the last byte of the answer."));
    for (unsigned i = 0; i < DURATION_BUCKETS; i++) {
        count += s->counters[COUNTER_DURATION + i];
        buffer_put_text(out, "httpd_request_duration_seconds_bucket{le=\"");
        if (i < DURATION_BUCKETS - 1)
            numbers_put_seconds(out, duration_bucket_most(i));
        else
            buffer_put_text(out, "+Inf");
        buffer_put_text(out, "\"} ");
        buffer_put_u64(out, count);
        buffer_put_char(out, '\n');
    }
    buffer_put_text(out, "httpd_request_duration_seconds_sum ");
    numbers_put_seconds(out, s->counters[COUNTER_DURATION_US]);
    buffer_put_text(out, "\nhttpd_request_duration_seconds_count ");
    buffer_put_u64(out, count);
    buffer_put_char(out, '\n');
}

static void put_transfers(struct buffer *out, enum metrics_form form, const struct snapshot *s)
{
    struct family family = begin(out, form, SPAN("httpd_transfers"), SPAN("counter"),
                                 SPAN("Transfers by client id, by what became of them."));

    put(&family, SPAN("direction=\"download\",event=\"begun\""),
        s->counters[COUNTER_DOWNLOADS_BEGUN]);
    put(&family, SPAN("direction=\"download\",event=\"resumed\""),
        s->counters[COUNTER_DOWNLOADS_RESUMED]);
    put(&family, SPAN("direction=\"download\",event=\"complete\""),
        s->counters[COUNTER_DOWNLOADS_COMPLETE]);
    put(&family, SPAN("direction=\"upload\",event=\"begun\""), s->counters[COUNTER_UPLOADS_BEGUN]);
    put(&family, SPAN("direction=\"upload\",event=\"resumed\""),
        s->counters[COUNTER_UPLOADS_RESUMED]);
    put(&family, SPAN("direction=\"upload\",event=\"complete\""),
        s->counters[COUNTER_UPLOADS_COMPLETE]);
    put_one(out, form, SPAN("httpd_spared_bytes"), SPAN("counter"),
            SPAN("Bytes that resumed downloads did not have to repeat."),
            s->counters[COUNTER_DOWNLOADS_SPARED]);
    family = begin(out, form, SPAN("httpd_cache_requests"), SPAN("counter"),
                   SPAN("Requests that could be answered from memory, and whether they were."));
    put(&family, SPAN("result=\"hit\""), s->counters[COUNTER_CACHE_HIT]);
    put(&family, SPAN("result=\"miss\""), s->counters[COUNTER_CACHE_MISS]);
}

void metrics_put(struct buffer *out, const struct snapshot *s, enum metrics_form form)
{
    put_process(out, form, s);
    put_load(out, form, s);
    put_requests(out, form, s);
    put_durations(out, form, s);
    put_transfers(out, form, s);
    if (form == METRICS_OPENMETRICS)
        buffer_put_text(out, "# EOF\n");
}
