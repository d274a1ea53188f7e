#include "client/stress.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/stress_client.h"
#include "client/wait.h"

enum {
    TICK_MS = 20,
    LIVE_MS = 250,
};

/* A run, as the thread that leads it sees it. */
struct leader {
    const struct stress_plan *plan;
    struct stress_crowd crowd;
    struct session prototype;
    struct stress_client *clients; /* room for plan->clients */
    unsigned started;
    int signal_fd;
    int64_t begun_ms, begun_us, live_ms;
    bool live, interrupted;
    struct stress_tally *scratch;
};

static bool raise_descriptor_limit(unsigned clients, struct failure *failure)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)clients + STRESS_SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    if (limit.rlim_cur >= wanted)
        return true;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted)
        return failure_set(failure, FAILURE_LOCAL,
                           "%u clients need %llu descriptors, and the limit is %llu (ulimit -Hn)",
                           clients, (unsigned long long)wanted, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    return true;
}

/* Looks the server up once for all, and refuses to aim at somebody else's. */
static bool find_server(struct leader *leader, struct failure *failure)
{
    const struct invocation *invocation = &leader->plan->invocation;
    session_init(&leader->prototype, NULL, 0, -1, leader->plan->timeout_ms);
    leader->prototype.loopback_only = !leader->plan->target_is_mine;
    for (size_t i = 0; i < invocation->count; i++) {
        char memory[URL_TARGET_LIMIT];
        struct buffer ignored = BUFFER_OVER(memory);
        struct origin origin = invocation->origin;
        struct span target = span_of(invocation->commands[i].target);
        if (url_is_absolute(target)) {
            enum url_result result =
                url_resolve(target, &invocation->origin, SPAN("/"), &origin, &ignored);
            if (result != URL_OK)
                return failure_set(failure, FAILURE_USAGE, "'%.100s' %s",
                                   invocation->commands[i].target, url_result_text(result));
        }
        if (!session_resolve(&leader->prototype, &origin, failure))
            return false;
    }
    return true;
}

static bool open_descriptors(struct leader *leader, struct failure *failure)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    /* Before any thread is started, so that all of them leave the signals to the leader. */
    int error = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    leader->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    leader->crowd.stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    leader->crowd.cancel_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    leader->crowd.null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (error == 0 && leader->signal_fd != -1 && leader->crowd.stop_fd != -1 &&
        leader->crowd.cancel_fd != -1 && leader->crowd.null_fd != -1)
        return true;
    return failure_set(failure, FAILURE_LOCAL, "%m");
}

static void close_descriptors(struct leader *leader)
{
    const int fds[] = {leader->signal_fd, leader->crowd.stop_fd, leader->crowd.cancel_fd,
                       leader->crowd.null_fd};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
        if (fds[i] != -1)
            close(fds[i]);
}

/* Starts clients until there are `wanted`. */
static bool start_clients(struct leader *leader, unsigned wanted, struct failure *failure)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error == 0)
        error = pthread_attr_setstacksize(&attributes, STRESS_STACK);
    while (error == 0 && leader->started < wanted) {
        struct stress_client *client = &leader->clients[leader->started];
        client->crowd = &leader->crowd;
        client->number = leader->started;
        atomic_fetch_add(&leader->crowd.running, 1);
        error = pthread_create(&client->thread, &attributes, stress_client_main, client);
        if (error == 0)
            leader->started++;
        else
            atomic_fetch_sub(&leader->crowd.running, 1);
    }
    pthread_attr_destroy(&attributes);
    if (error == 0)
        return true;
    errno = error;
    return failure_set(failure, FAILURE_LOCAL, "client %u could not be started: %m",
                       leader->started + 1);
}

static void raise_flag(int event_fd)
{
    /* It is a count: it cannot fail before it has been raised 2^64 times. */
    eventfd_write(event_fd, 1);
}

/* The tallies of all shards together. */
static void collect(struct leader *leader, struct stress_tally *sum)
{
    memset(sum, 0, sizeof *sum);
    for (size_t i = 0; i < STRESS_SHARDS; i++) {
        struct stress_shard *shard = &leader->crowd.shards[i];
        pthread_mutex_lock(&shard->lock);
        for (size_t o = 0; o < OUTCOME_COUNT; o++)
            sum->outcomes[o] += shard->tally.outcomes[o];
        sum->bytes += shard->tally.bytes;
        if (shard->tally.last_us > sum->last_us)
            sum->last_us = shard->tally.last_us;
        histogram_add(&sum->latency, &shard->tally.latency);
        if (sum->first_trouble[0] == '\0')
            memcpy(sum->first_trouble, shard->tally.first_trouble, sizeof sum->first_trouble);
        pthread_mutex_unlock(&shard->lock);
    }
}

static void show_live_line(struct leader *leader)
{
    char memory[256];
    struct buffer line = BUFFER_OVER(memory);
    int64_t now = clock_ms();
    if (!leader->live || now - leader->live_ms < LIVE_MS)
        return;
    leader->live_ms = now;
    collect(leader, leader->scratch);
    buffer_put_text(&line, "\r");
    stress_live_line(&line, leader->scratch, leader->started, now - leader->begun_ms);
    buffer_put_text(&line, "\x1b[K");
    if (write(STDERR_FILENO, line.data, line.len) == -1)
        leader->live = false;
}

static void clear_live_line(const struct leader *leader)
{
    if (leader->live && write(STDERR_FILENO, "\r\x1b[K", 4) == -1)
        return;
}

/* One tick: true while nothing says that it is enough. */
static bool watch(struct leader *leader, int64_t deadline_ms)
{
    struct signalfd_siginfo signal;
    show_live_line(leader);
    if (atomic_load(&leader->crowd.running) == 0 || clock_ms() >= deadline_ms)
        return false;
    if (wait_for(leader->signal_fd, POLLIN, clock_ms() + TICK_MS, -1, NULL) != WAIT_READY)
        return true;
    leader->interrupted = read(leader->signal_fd, &signal, sizeof signal) > 0;
    return !leader->interrupted;
}

/* 1 2 3 ... 8, then by an eighth: fine where it matters, and in time where it does not. */
static unsigned next_step(unsigned clients, unsigned most)
{
    unsigned next = clients + 1 + clients / 8;
    return next < most ? next : most;
}

/* What says that a server can serve no more; OUTCOME_SERVED when nothing does. */
static enum outcome refusal(const struct stress_tally *tally)
{
    static const enum outcome refusals[] = {OUTCOME_BUSY, OUTCOME_REFUSED, OUTCOME_TIMED_OUT,
                                            OUTCOME_LOST, OUTCOME_FAILED,  OUTCOME_LOCAL};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (tally->outcomes[refusals[i]] > 0)
            return refusals[i];
    return OUTCOME_SERVED;
}

/* Raises the number of clients until somebody is turned away or the time is over. */
static bool climb(struct leader *leader, int64_t deadline_ms, struct stress_result *result,
                  struct failure *failure)
{
    unsigned clients = 1;
    for (;;) {
        if (!start_clients(leader, clients, failure))
            return false;
        int64_t step_ms = clock_ms() + STRESS_RAMP_STEP_MS;
        while (watch(leader, step_ms < deadline_ms ? step_ms : deadline_ms))
            ;
        collect(leader, leader->scratch);
        result->ramp_refused_by = refusal(leader->scratch);
        if (result->ramp_refused_by != OUTCOME_SERVED) {
            result->ramp_refused = clients;
            return true;
        }
        /* A step that was cut short has shown nothing. */
        if (clock_ms() >= step_ms)
            result->ramp_served = clients;
        if (leader->interrupted || clients == leader->plan->clients || clock_ms() >= deadline_ms)
            return true;
        clients = next_step(clients, leader->plan->clients);
    }
}

/* Lets what is under way end, for a while, so that our count is the server's; then cuts it off. */
static void stop_clients(struct leader *leader)
{
    bool was_interrupted = leader->interrupted;
    atomic_store(&leader->crowd.stop, true);
    raise_flag(leader->crowd.stop_fd);
    int64_t grace_ms = clock_ms() + STRESS_GRACE_MS;
    while (watch(leader, grace_ms))
        ;
    leader->interrupted = leader->interrupted || was_interrupted;
    raise_flag(leader->crowd.cancel_fd);
    for (unsigned i = 0; i < leader->started; i++)
        pthread_join(leader->clients[i].thread, NULL);
}

static bool run(struct leader *leader, struct stress_result *result, struct failure *failure)
{
    bool good;
    leader->begun_ms = clock_ms();
    leader->begun_us = clock_us();
    int64_t deadline_ms = leader->begun_ms + (int64_t)leader->plan->seconds * 1000;
    if (leader->plan->ramp) {
        good = climb(leader, deadline_ms, result, failure);
    } else {
        good = start_clients(leader, leader->plan->clients, failure);
        while (good && watch(leader, deadline_ms))
            ;
    }
    stop_clients(leader);
    clear_live_line(leader);
    collect(leader, &result->tally);
    result->clients = leader->started;
    result->interrupted = leader->interrupted;
    result->seconds = result->tally.last_us > leader->begun_us
                          ? (double)(result->tally.last_us - leader->begun_us) / 1e6
                          : 0;
    return good;
}

bool stress_run(const struct stress_plan *plan, struct stress_result *result,
                struct failure *failure)
{
    struct leader leader = {.plan = plan, .signal_fd = -1, .live = isatty(STDERR_FILENO)};
    leader.crowd = (struct stress_crowd){.plan = plan,
                                         .prototype = &leader.prototype,
                                         .stop_fd = -1,
                                         .cancel_fd = -1,
                                         .null_fd = -1};
    *result = (struct stress_result){0};
    leader.clients = calloc(plan->clients, sizeof *leader.clients);
    leader.crowd.shards = calloc(STRESS_SHARDS, sizeof *leader.crowd.shards);
    leader.scratch = malloc(sizeof *leader.scratch);
    bool good = leader.clients != NULL && leader.crowd.shards != NULL && leader.scratch != NULL;
    if (!good)
        failure_set(failure, FAILURE_LOCAL, "%m");
    for (size_t i = 0; good && i < STRESS_SHARDS; i++)
        pthread_mutex_init(&leader.crowd.shards[i].lock, NULL);
    good = good && (!plan->in_process || find_server(&leader, failure)) &&
           raise_descriptor_limit(plan->clients, failure) && open_descriptors(&leader, failure) &&
           run(&leader, result, failure);
    close_descriptors(&leader);
    free(leader.scratch);
    free(leader.crowd.shards);
    free(leader.clients);
    return good;
}
