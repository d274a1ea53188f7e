#include "client/progress.h"
#include "client/stress.h"

#include <stdio.h>
#include <stdlib.h>

enum { BAR_COLUMNS = 50 };

static const double quantiles[] = {0.5, 0.9, 0.99, 0.999, 1};

static const struct {
    const char *text; /* for people */
    const char *name; /* for JSON */
    bool always;      /* said even when there were none */
} outcomes[] = {
    [OUTCOME_SERVED] = {"served", "served", true},
    [OUTCOME_HTTP_ERROR] = {"http error", "http_error", true},
    [OUTCOME_BUSY] = {"refused (503)", "refused_503", true},
    [OUTCOME_TIMED_OUT] = {"timed out", "timed_out", true},
    [OUTCOME_REFUSED] = {"connection refused", "connection_refused", true},
    [OUTCOME_PROTOCOL] = {"protocol error", "protocol_error", true},
    [OUTCOME_LOST] = {"connection lost", "connection_lost", false},
    [OUTCOME_FAILED] = {"command failed", "command_failed", false},
    [OUTCOME_LOCAL] = {"failed on this side", "local_failure", false},
    [OUTCOME_UNFINISHED] = {"cut off at the end", "unfinished", false},
};

const char *outcome_text(enum outcome outcome)
{
    return outcomes[outcome].text;
}

static uint64_t total_of(const struct stress_tally *tally)
{
    uint64_t total = 0;
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        total += tally->outcomes[i];
    return total;
}

/* Three digits and a unit: "874 us", "1.23 ms", "30.0 s". */
static void put_duration(struct buffer *out, uint64_t us)
{
    double value = (double)us;
    const char *unit = "us";
    if (us >= 999500) {
        value /= 1e6;
        unit = "s";
    } else if (us >= 1000) {
        value /= 1e3;
        unit = "ms";
    }
    int decimals = us < 1000 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    buffer_put_format(out, "%.*f %s", decimals, value, unit);
}

static void print_duration(int width, uint64_t us)
{
    char memory[32];
    struct buffer text = BUFFER_OVER(memory);
    put_duration(&text, us);
    printf("%*.*s", width, (int)text.len, memory);
}

void stress_live_line(struct buffer *out, const struct stress_tally *tally, unsigned clients,
                      int64_t elapsed_ms)
{
    uint64_t total = total_of(tally), served = tally->outcomes[OUTCOME_SERVED];
    uint64_t busy = tally->outcomes[OUTCOME_BUSY];
    double seconds = elapsed_ms > 0 ? (double)elapsed_ms / 1000 : 0.001;
    buffer_put_format(out, "%5.1f s  %u clients  %llu served  %.0f/s", seconds, clients,
                      (unsigned long long)served, (double)served / seconds);
    if (busy > 0)
        buffer_put_format(out, "  %llu refused", (unsigned long long)busy);
    if (total - served - busy > 0)
        buffer_put_format(out, "  %llu failed", (unsigned long long)(total - served - busy));
    buffer_put_text(out, "  p50 ");
    put_duration(out, histogram_quantile(&tally->latency, 0.5));
    buffer_put_text(out, "  p99 ");
    put_duration(out, histogram_quantile(&tally->latency, 0.99));
}

static void print_outcomes(const struct stress_result *result)
{
    const struct stress_tally *tally = &result->tally;
    uint64_t total = total_of(tally);
    char memory[32];
    struct buffer rate = BUFFER_OVER(memory);
    for (size_t i = 0; i < OUTCOME_COUNT; i++) {
        if (tally->outcomes[i] == 0 && !outcomes[i].always)
            continue;
        printf("  %-20s %12llu", outcomes[i].text, (unsigned long long)tally->outcomes[i]);
        if (tally->outcomes[i] > 0)
            printf("  %5.1f%%", 100.0 * (double)tally->outcomes[i] / (double)total);
        putchar('\n');
    }
    printf("  %-20s %12llu\n", "total", (unsigned long long)total);
    if (tally->first_trouble[0] != '\0')
        printf("  the first trouble was: %s\n", tally->first_trouble);
    if (result->seconds > 0) {
        progress_put_bytes(&rate, (uint64_t)((double)tally->bytes / result->seconds));
        printf("\n  %.1f requests/s served, %.*s/s of content\n",
               (double)tally->outcomes[OUTCOME_SERVED] / result->seconds, (int)rate.len, memory);
    }
}

static void print_quantiles(const char *name, const struct histogram *latency)
{
    printf("  %-12s", name);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        print_duration(10, histogram_quantile(latency, quantiles[i]));
    putchar('\n');
}

static void print_latency(const struct histogram *measured, const struct histogram *corrected,
                          uint64_t interval)
{
    printf("\n  %-12s%10s%10s%10s%10s%10s\n", "latency", "p50", "p90", "p99", "p99.9", "max");
    print_quantiles("measured", measured);
    print_quantiles("corrected", corrected);
    printf("  (Corrected for coordinated omission: a client that waits for an answer does not ask\n"
           "  meanwhile. It is taken to have meant to ask every ");
    print_duration(0, interval);
    printf(", the median, and each\n"
           "  question that a slower answer held up counts with what it would have waited.)\n");
}

/* Rows of 1, 2, 5, 10, ... so that a bar is three to a decade. */
static uint64_t next_edge(uint64_t edge)
{
    uint64_t decade = 1;
    while (edge / decade >= 10)
        decade *= 10;
    return edge / decade == 2 ? 5 * decade : 2 * edge;
}

static void print_histogram(const struct histogram *latency)
{
    uint64_t most = 0, first = 0, last = 0;
    for (uint64_t edge = 1; edge <= latency->max; edge = next_edge(edge)) {
        uint64_t count = histogram_between(latency, edge, next_edge(edge));
        if (count > 0 && first == 0)
            first = edge;
        if (count > 0)
            last = edge;
        if (count > most)
            most = count;
    }
    if (most == 0)
        return;
    printf("\n  how many took at least\n");
    for (uint64_t edge = first; edge <= last; edge = next_edge(edge)) {
        uint64_t count = histogram_between(latency, edge, next_edge(edge));
        int bar = (int)((double)count * BAR_COLUMNS / (double)most + 0.5);
        print_duration(10, edge);
        printf(" %12llu ", (unsigned long long)count);
        for (int i = 0; i < bar || (i == 0 && count > 0); i++)
            putchar(i < bar ? '#' : '.');
        putchar('\n');
    }
}

static void print_ramp(const struct stress_plan *plan, const struct stress_result *result)
{
    if (result->ramp_refused > 0)
        printf("The server can serve %u clients at once: with %u, the first was %s.\n",
               result->ramp_served, result->ramp_refused,
               result->ramp_refused_by == OUTCOME_LOCAL
                   ? "turned back on this side, so this machine is the limit"
                   : outcome_text(result->ramp_refused_by));
    else
        printf("The server served %u clients at once and turned nobody away (%s).\n",
               result->ramp_served,
               result->ramp_served == plan->clients ? "no more were asked for"
                                                    : "the time was over");
}

static void print_table(const struct stress_plan *plan, const struct stress_result *result,
                        const struct histogram *corrected, uint64_t interval)
{
    const struct stress_tally *tally = &result->tally;
    if (plan->ramp)
        print_ramp(plan, result);
    printf("%u client%s, %.2f s%s:", result->clients, result->clients == 1 ? "" : "s",
           result->seconds, result->interrupted ? ", interrupted" : "");
    for (char *const *word = plan->command; *word != NULL; word++)
        printf(" %s", *word);
    printf("\n\n");
    print_outcomes(result);
    if (tally->latency.count > 0) {
        print_latency(&tally->latency, corrected, interval);
        print_histogram(&tally->latency);
    }
}

static void print_json_latency(const char *name, const struct histogram *latency)
{
    static const char *const names[] = {"p50", "p90", "p99", "p99_9", "max"};
    printf("  \"%s\": {\"count\": %llu", name, (unsigned long long)latency->count);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        printf(", \"%s\": %llu", names[i],
               (unsigned long long)histogram_quantile(latency, quantiles[i]));
    printf("}");
}

static void print_json_text(struct span text)
{
    /* Each byte may become six characters. */
    char memory[6 * 512];
    struct buffer out = BUFFER_OVER(memory);
    buffer_put_json(&out, text.len <= 512 ? text : span_make(text.ptr, 512));
    printf("\"%.*s\"", (int)out.len, memory);
}

static void print_json_command(const struct stress_plan *plan)
{
    printf("  \"command\": [");
    for (char *const *word = plan->command; *word != NULL; word++) {
        printf("%s", word == plan->command ? "" : ", ");
        print_json_text(span_of(*word));
    }
    printf("],\n");
}

static void print_json(const struct stress_plan *plan, const struct stress_result *result,
                       const struct histogram *corrected, uint64_t interval)
{
    const struct stress_tally *tally = &result->tally;
    printf("{\n");
    print_json_command(plan);
    printf("  \"clients\": %u,\n  \"seconds\": %.6f,\n  \"interrupted\": %s,\n", result->clients,
           result->seconds, result->interrupted ? "true" : "false");
    if (plan->ramp) {
        printf("  \"ramp\": {\"served\": %u, \"refused_at\": ", result->ramp_served);
        if (result->ramp_refused > 0)
            printf("%u, \"refused_by\": \"%s\"},\n", result->ramp_refused,
                   outcomes[result->ramp_refused_by].name);
        else
            printf("null, \"refused_by\": null},\n");
    }
    printf("  \"outcomes\": {");
    for (size_t i = 0; i < OUTCOME_COUNT; i++)
        printf("%s\"%s\": %llu", i == 0 ? "" : ", ", outcomes[i].name,
               (unsigned long long)tally->outcomes[i]);
    printf("},\n  \"first_trouble\": ");
    print_json_text(span_of(tally->first_trouble));
    printf(",\n  \"requests_per_second\": %.3f,\n  \"content_bytes\": %llu,\n",
           result->seconds > 0 ? (double)tally->outcomes[OUTCOME_SERVED] / result->seconds : 0.0,
           (unsigned long long)tally->bytes);
    print_json_latency("latency_us", &tally->latency);
    printf(",\n");
    print_json_latency("corrected_latency_us", corrected);
    printf(",\n  \"corrected_for_interval_us\": %llu\n}\n", (unsigned long long)interval);
}

void stress_report(const struct stress_plan *plan, const struct stress_result *result)
{
    /* The median and not the mean: stalls must not excuse themselves by making the mean longer. */
    uint64_t interval = histogram_quantile(&result->tally.latency, 0.5);
    struct histogram *corrected = malloc(sizeof *corrected);
    if (corrected == NULL) {
        perror("stresscmd");
        return;
    }
    histogram_correct(corrected, &result->tally.latency, interval);
    if (plan->json)
        print_json(plan, result, corrected, interval);
    else
        print_table(plan, result, corrected, interval);
    free(corrected);
}
