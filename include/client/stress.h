#ifndef CLIENT_STRESS_H
#define CLIENT_STRESS_H

/*
 * Many clients at once, and what became of their requests.
 *
 * A client is a thread that performs the command again and again: with httpclient as the command it
 * speaks HTTP itself, any other command it starts as a process and waits for. Threads share nothing
 * but the plan, which is read-only while they run, two descriptors that tell them to stop, and the
 * tallies, each behind its own lock.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "client/histogram.h"
#include "client/session.h"

enum {
    STRESS_CLIENTS_LIMIT = 100000,
    STRESS_RAMP_CLIENTS = 10000,   /* where a ramp ends when -n says nothing */
    STRESS_RAMP_STEP_MS = 500,     /* how long each step of a ramp lasts */
    STRESS_GRACE_MS = 2000,        /* for what is under way at the end, before it is cut off */
    STRESS_BACKOFF_MS = 10,        /* after a connection could not be made */
    STRESS_BUFFER = 16384,         /* of a client's wire */
    STRESS_STACK = 512 * 1024,     /* of a thread; pages that are not touched cost nothing */
    STRESS_SPARE_DESCRIPTORS = 32, /* beside one for each client */
    STRESS_SHARDS = 16,
    STRESS_SECONDS = 30,
    STRESS_TIMEOUT_MS = 10000,
};

/* What became of a request, or of a process. */
enum outcome {
    OUTCOME_SERVED,     /* an answer below 400; exit code 0 */
    OUTCOME_HTTP_ERROR, /* an answer of 400 and more, but not 503 */
    OUTCOME_BUSY,       /* 503 */
    OUTCOME_TIMED_OUT,
    OUTCOME_REFUSED,    /* the connection was */
    OUTCOME_PROTOCOL,   /* what came was not HTTP */
    OUTCOME_LOST,       /* the connection ended before the answer did */
    OUTCOME_FAILED,     /* a process ended with another code than 0 */
    OUTCOME_LOCAL,      /* not the server's doing: descriptors, ports, memory, files */
    OUTCOME_UNFINISHED, /* cut off at the end of the run */
    OUTCOME_COUNT
};

enum stress_wish { STRESS_RUN, STRESS_HELP, STRESS_VERSION };

struct stress_plan {
    enum stress_wish wish;
    unsigned clients; /* at once; of a ramp, the most */
    bool ramp;
    bool keep_alive; /* a connection outlives a run of the command */
    bool json;
    bool target_is_mine;
    unsigned seconds;
    uint64_t count;       /* runs of the command for each client; 0: until the time is over */
    int timeout_ms;       /* 0: as httpclient was told, or STRESS_TIMEOUT_MS */
    char *const *command; /* NULL-terminated words, of argv */
    bool in_process;      /* it is httpclient: */
    struct invocation invocation;
};

struct stress_tally {
    uint64_t outcomes[OUTCOME_COUNT];
    uint64_t bytes;           /* of bodies */
    int64_t last_us;          /* when the last one was settled, on clock_us() */
    struct histogram latency; /* microseconds, of what was served or timed out */
    char first_trouble[sizeof(((struct failure *)0)->text)]; /* "" or the first failure's text */
};

struct stress_shard {
    pthread_mutex_t lock;
    struct stress_tally tally;
};

struct stress_result {
    struct stress_tally tally;
    double seconds;        /* from the first start to the last end */
    unsigned clients;      /* most that ran at once */
    unsigned ramp_served;  /* of a ramp: most clients that were all served */
    unsigned ramp_refused; /* and at how many that was over; 0: it never was */
    enum outcome ramp_refused_by;
    bool interrupted;
};

/*
 * From the arguments behind the program's name; they must live as long as the plan. On false the
 * failure says what is wrong, and nothing is to be freed.
 */
bool stress_plan_parse(struct stress_plan *plan, int argc, char *const *argv,
                       struct failure *failure);

void stress_plan_free(struct stress_plan *plan);

/*
 * Runs the plan and fills *result, which is large: not for the stack. SIGINT and SIGTERM end the
 * run early and in order; a second one does not wait for what is under way. A live line is shown
 * when standard error is a terminal. False when it could not be done: FAILURE_USAGE or
 * FAILURE_LOCAL.
 */
bool stress_run(const struct stress_plan *plan, struct stress_result *result,
                struct failure *failure);

/* "refused (503)"; for a table. */
const char *outcome_text(enum outcome outcome);

/* The result on standard output, as a table or as JSON. */
void stress_report(const struct stress_plan *plan, const struct stress_result *result);

/* One line about a run that goes on. */
void stress_live_line(struct buffer *out, const struct stress_tally *tally, unsigned clients,
                      int64_t elapsed_ms);

#endif
