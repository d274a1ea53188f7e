#ifndef SERVER_SNAPSHOT_H
#define SERVER_SNAPSHOT_H

/* All the numbers of the server at one moment, gathered for those who write them down: /.status and
   /.metrics. Worker threads. */

#include "server/server.h"

struct snapshot {
    int64_t started_s; /* seconds since 1970 */
    int64_t uptime_ms;
    unsigned workers, busy;
    unsigned waiting, waiting_limit;
    unsigned connections[PHASE_COUNT]; /* by phase; that of free places is meaningless */
    unsigned open, open_limit;
    uint64_t requests; /* of all methods */
    uint64_t counters[COUNTER_COUNT];
};

void snapshot_take(struct snapshot *snapshot, struct server *server);

#endif
