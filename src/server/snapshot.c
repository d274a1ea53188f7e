#include "server/snapshot.h"

#include "base/clock.h"

void snapshot_take(struct snapshot *s, struct server *server)
{
    unsigned threads = server->options->threads;

    *s = (struct snapshot){
        .started_s = server->started_s,
        .uptime_ms = clock_ms() - server->started_ms,
        .workers = threads,
        .waiting_limit = server->options->queue,
        .open = connection_count(&server->connections),
        .open_limit = server->connections.limit,
    };
    queue_count(&server->queue, &s->busy, &s->waiting);
    connection_count_phases(&server->connections, s->connections);
    for (unsigned i = 0; i <= threads; i++)
        counters_sum(&server->counters[i], s->counters);
    for (unsigned i = COUNTER_REQUESTS; i < COUNTER_COUNT; i++)
        s->requests += s->counters[i];
}
