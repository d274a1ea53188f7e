#include "server/numbers.h"

void numbers_put_seconds(struct buffer *out, uint64_t us)
{
    char digits[6];
    unsigned len = sizeof digits;
    uint64_t rest = us % 1000000;

    for (unsigned i = sizeof digits; i-- > 0; rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    while (len > 1 && digits[len - 1] == '0')
        len--;
    buffer_put_u64(out, us / 1000000);
    buffer_put_char(out, '.');
    buffer_put(out, digits, len);
}

struct span numbers_method_name(enum method method)
{
    return method == METHOD_UNKNOWN ? SPAN("other") : method_name(method);
}

bool numbers_is_common(enum method method, unsigned status_class)
{
    return (method == METHOD_GET || method == METHOD_PUT || method == METHOD_POST ||
            method == METHOD_PATCH) &&
           (status_class == 2 || status_class == 4 || status_class == 5);
}

/* `"name":value`, with a comma before it unless it is the first of its object. */
static void put(struct buffer *out, struct span name, uint64_t value)
{
    if (out->len > 0 && out->data[out->len - 1] != '{')
        buffer_put_char(out, ',');
    buffer_put_char(out, '"');
    buffer_put_span(out, name);
    buffer_put_text(out, "\":");
    buffer_put_u64(out, value);
}

static void begin(struct buffer *out, struct span name)
{
    buffer_put_text(out, ",\n\"");
    buffer_put_span(out, name);
    buffer_put_text(out, "\":{");
}

static void put_requests(struct buffer *out, const struct snapshot *s)
{
    static const struct span classes[STATUS_CLASSES] = {
        {"1xx", 3}, {"2xx", 3}, {"3xx", 3}, {"4xx", 3}, {"5xx", 3}};

    begin(out, SPAN("requests"));
    put(out, SPAN("total"), s->requests);
    buffer_put_text(out, ",\"by_method\":{");
    for (unsigned method = 0; method < METHOD_COUNT; method++) {
        unsigned any = counter_of_request((enum method)method, 100);
        uint64_t sum = 0;
        for (unsigned i = 0; i < STATUS_CLASSES; i++)
            sum += s->counters[any + i];
        if (sum == 0)
            continue;
        if (out->data[out->len - 1] != '{')
            buffer_put_char(out, ',');
        buffer_put_char(out, '"');
        buffer_put_span(out, numbers_method_name((enum method)method));
        buffer_put_text(out, "\":{");
        for (unsigned i = 0; i < STATUS_CLASSES; i++)
            if (s->counters[any + i] > 0)
                put(out, classes[i], s->counters[any + i]);
        buffer_put_char(out, '}');
    }
    buffer_put_text(out, "}}");
}

static void put_durations(struct buffer *out, const struct snapshot *s)
{
    begin(out, SPAN("durations"));
    put(out, SPAN("sum_us"), s->counters[COUNTER_DURATION_US]);
    /* Pairs: the longest time of the bucket in microseconds, null for any; how many. */
    buffer_put_text(out, ",\"buckets\":[");
    for (unsigned i = 0; i < DURATION_BUCKETS; i++) {
        buffer_put_span(out, i == 0 ? SPAN("[") : SPAN(",["));
        if (i < DURATION_BUCKETS - 1)
            buffer_put_u64(out, duration_bucket_most(i));
        else
            buffer_put_text(out, "null");
        buffer_put_char(out, ',');
        buffer_put_u64(out, s->counters[COUNTER_DURATION + i]);
        buffer_put_char(out, ']');
    }
    buffer_put_text(out, "]}");
}

static void put_transfers(struct buffer *out, const struct snapshot *s)
{
    begin(out, SPAN("downloads"));
    put(out, SPAN("begun"), s->counters[COUNTER_DOWNLOADS_BEGUN]);
    put(out, SPAN("resumed"), s->counters[COUNTER_DOWNLOADS_RESUMED]);
    put(out, SPAN("complete"), s->counters[COUNTER_DOWNLOADS_COMPLETE]);
    put(out, SPAN("spared_bytes"), s->counters[COUNTER_DOWNLOADS_SPARED]);
    buffer_put_char(out, '}');
    begin(out, SPAN("uploads"));
    put(out, SPAN("begun"), s->counters[COUNTER_UPLOADS_BEGUN]);
    put(out, SPAN("resumed"), s->counters[COUNTER_UPLOADS_RESUMED]);
    put(out, SPAN("complete"), s->counters[COUNTER_UPLOADS_COMPLETE]);
    buffer_put_char(out, '}');
    begin(out, SPAN("cache"));
    put(out, SPAN("hits"), s->counters[COUNTER_CACHE_HIT]);
    put(out, SPAN("misses"), s->counters[COUNTER_CACHE_MISS]);
    buffer_put_char(out, '}');
}

void numbers_put_json(struct buffer *out, const struct snapshot *s)
{
    buffer_put_text(out, "{\"version\":\"" HTTPD_VERSION "\"");
    put(out, SPAN("started_s"), (uint64_t)s->started_s);
    put(out, SPAN("uptime_ms"), (uint64_t)s->uptime_ms);
    begin(out, SPAN("workers"));
    put(out, SPAN("all"), s->workers);
    put(out, SPAN("busy"), s->busy);
    put(out, SPAN("idle"), s->workers - s->busy);
    buffer_put_char(out, '}');
    begin(out, SPAN("queue"));
    put(out, SPAN("length"), s->waiting);
    put(out, SPAN("limit"), s->waiting_limit);
    buffer_put_char(out, '}');
    begin(out, SPAN("connections"));
    put(out, SPAN("open"), s->open);
    put(out, SPAN("limit"), s->open_limit);
    put(out, SPAN("idle"), s->connections[PHASE_IDLE]);
    put(out, SPAN("head"), s->connections[PHASE_HEAD]);
    put(out, SPAN("body"), s->connections[PHASE_BODY]);
    put(out, SPAN("send"), s->connections[PHASE_SEND]);
    put(out, SPAN("linger"), s->connections[PHASE_LINGER]);
    put(out, SPAN("accepted"), s->counters[COUNTER_ACCEPTED]);
    put(out, SPAN("refused"), s->counters[COUNTER_REFUSED]);
    buffer_put_char(out, '}');
    put_requests(out, s);
    begin(out, SPAN("hftp"));
    put(out, SPAN("ok"), s->counters[COUNTER_HFTP_OK]);
    put(out, SPAN("failed"), s->counters[COUNTER_HFTP_FAILED]);
    buffer_put_char(out, '}');
    begin(out, SPAN("bytes"));
    put(out, SPAN("received"), s->counters[COUNTER_RECEIVED]);
    put(out, SPAN("sent"), s->counters[COUNTER_SENT]);
    buffer_put_char(out, '}');
    put_durations(out, s);
    put_transfers(out, s);
    buffer_put_text(out, "}\n");
}
