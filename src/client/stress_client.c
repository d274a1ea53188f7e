#include "client/stress_client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/wait.h"
#include "http/status.h"

enum { KILL_GRACE_MS = 1000, EXIT_NOT_FOUND = 127 };

extern char **environ;

/* A client in the act: what the visitor of its session is embedded in. */
struct performer {
    struct visitor visitor;
    struct stress_crowd *crowd;
    struct stress_shard *shard;
    uint64_t bytes; /* of the body so far */
};

static enum outcome outcome_of(unsigned status, const struct failure *failure)
{
    if (failure == NULL) {
        if (status == STATUS_SERVICE_UNAVAILABLE)
            return OUTCOME_BUSY;
        return status < 100 || status >= 400 ? OUTCOME_HTTP_ERROR : OUTCOME_SERVED;
    }
    switch (failure->kind) {
    case FAILURE_REFUSED: return OUTCOME_REFUSED;
    case FAILURE_TIMEOUT: return OUTCOME_TIMED_OUT;
    case FAILURE_LOST: return OUTCOME_LOST;
    case FAILURE_PROTOCOL: return OUTCOME_PROTOCOL;
    case FAILURE_CANCELLED: return OUTCOME_UNFINISHED;
    case FAILURE_NONE:
    case FAILURE_USAGE:
    case FAILURE_RESOLVE:
    case FAILURE_CHANGED:
    case FAILURE_LOCAL: break;
    }
    return OUTCOME_LOCAL;
}

/*
 * The latency of a refusal says nothing about service and would make the percentiles look better
 * the worse it gets; a request that timed out has waited, and counts.
 */
static void tally(struct stress_shard *shard, enum outcome outcome, int64_t started_us,
                  uint64_t bytes, const struct failure *failure)
{
    int64_t now = clock_us();
    pthread_mutex_lock(&shard->lock);
    struct stress_tally *t = &shard->tally;
    t->outcomes[outcome]++;
    t->bytes += bytes;
    t->last_us = now;
    if (outcome == OUTCOME_SERVED || outcome == OUTCOME_TIMED_OUT)
        histogram_record(&t->latency, (uint64_t)(now - started_us));
    if (failure != NULL && failure->kind != FAILURE_CANCELLED && t->first_trouble[0] == '\0')
        memcpy(t->first_trouble, failure->text, sizeof t->first_trouble);
    pthread_mutex_unlock(&shard->lock);
}

static struct performer *performer_of(struct visitor *visitor)
{
    return (struct performer *)((char *)visitor - offsetof(struct performer, visitor));
}

static bool take(struct sink *sink, struct span bytes, struct failure *failure)
{
    (void)failure;
    struct visitor *visitor = (struct visitor *)((char *)sink - offsetof(struct visitor, sink));
    performer_of(visitor)->bytes += bytes.len;
    return true;
}

static bool begin(struct visitor *visitor, const struct roundtrip *trip, struct failure *failure)
{
    (void)visitor;
    (void)trip;
    (void)failure;
    return true;
}

static void settled(struct visitor *visitor, unsigned status, const struct failure *failure,
                    int64_t started_us)
{
    struct performer *performer = performer_of(visitor);
    tally(performer->shard, outcome_of(status, failure), started_us, performer->bytes, failure);
    performer->bytes = 0;
}

static bool is_stopped(struct stress_crowd *crowd)
{
    return atomic_load_explicit(&crowd->stop, memory_order_relaxed);
}

/* Where nobody listens, asking a hundred thousand times a second finds nobody either. */
static void back_off(struct stress_crowd *crowd)
{
    wait_for(crowd->stop_fd, POLLIN, clock_ms() + STRESS_BACKOFF_MS, -1, NULL);
}

/* The commands of httpclient once through. */
static void perform_commands(struct performer *performer, struct session *session)
{
    const struct stress_plan *plan = performer->crowd->plan;
    for (size_t i = 0; i < plan->invocation.count && !is_stopped(performer->crowd); i++) {
        struct failure failure = {FAILURE_NONE, ""};
        unsigned status;
        /* "Come once" is what a new process does; saying so spares the server an idle connection.
         */
        session->close_after = !plan->keep_alive && i + 1 == plan->invocation.count;
        if (session_perform(session, &plan->invocation.commands[i], &plan->invocation.origin,
                            &performer->visitor, &status, &failure))
            continue;
        if (failure.kind == FAILURE_REFUSED || failure.kind == FAILURE_LOCAL)
            back_off(performer->crowd);
        break;
    }
    if (!plan->keep_alive)
        session_close(session);
}

static void perform_in_process(struct stress_crowd *crowd, struct stress_shard *shard)
{
    const struct stress_plan *plan = crowd->plan;
    struct performer performer = {
        .visitor = {.sink = {.take = take}, .begin = begin, .settled = settled},
        .crowd = crowd,
        .shard = shard,
    };
    struct session session = *crowd->prototype;
    char *buffer = malloc(STRESS_BUFFER);
    if (buffer == NULL) {
        struct failure failure;
        failure_set(&failure, FAILURE_LOCAL, "%m");
        tally(shard, OUTCOME_LOCAL, clock_us(), 0, &failure);
        return;
    }
    wire_init(&session.wire, buffer, STRESS_BUFFER, crowd->cancel_fd);
    for (uint64_t run = 0; !is_stopped(crowd) && (plan->count == 0 || run < plan->count); run++)
        perform_commands(&performer, &session);
    session_close(&session);
    free(buffer);
}

/*
 * Starts the command with nothing to read and nobody to write to. It gets a process group of its
 * own, so that Ctrl-C reaches it through us and what it started ends with it.
 */
static int start_process(const struct stress_crowd *crowd, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        for (int fd = 0; fd <= 2 && error == 0; fd++)
            error = posix_spawn_file_actions_adddup2(&actions, crowd->null_fd, fd);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
        if (error == 0)
            error = posix_spawnp(pid, crowd->plan->command[0], &actions, &attributes,
                                 crowd->plan->command, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Ends a process that has to go: asks, then insists. */
static void end_process(pid_t pid, int pid_fd)
{
    kill(-pid, SIGTERM);
    if (pid_fd == -1 ||
        wait_for(pid_fd, POLLIN, clock_ms() + KILL_GRACE_MS, -1, NULL) != WAIT_READY)
        kill(-pid, SIGKILL);
}

static enum outcome outcome_of_exit(int status, struct failure *failure)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return OUTCOME_SERVED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NOT_FOUND) {
        failure_set(failure, FAILURE_LOCAL, "exit code %d: no such program?", EXIT_NOT_FOUND);
        return OUTCOME_LOCAL;
    }
    failure_set(failure, FAILURE_LOST,
                WIFEXITED(status) ? "the command ended with code %d"
                                  : "the command was ended by signal %d",
                WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return OUTCOME_FAILED;
}

static enum outcome run_process(const struct stress_crowd *crowd, struct failure *failure)
{
    pid_t pid;
    int status = 0;
    int error = start_process(crowd, &pid);
    if (error != 0) {
        errno = error;
        failure_set(failure, FAILURE_LOCAL, "%s: %m", crowd->plan->command[0]);
        return OUTCOME_LOCAL;
    }
    /* A descriptor to wait on with a deadline: waitpid has none. musl has no wrapper for it. */
    int pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    enum wait_result ended = pid_fd == -1
                                 ? WAIT_FAILED
                                 : wait_for(pid_fd, POLLIN, clock_ms() + crowd->plan->timeout_ms,
                                            crowd->cancel_fd, NULL);
    if (ended == WAIT_TIMEOUT || ended == WAIT_CANCELLED)
        end_process(pid, pid_fd);
    while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
        ;
    if (pid_fd != -1)
        close(pid_fd);
    if (ended == WAIT_TIMEOUT) {
        failure_set(failure, FAILURE_TIMEOUT, "the command took too long");
        return OUTCOME_TIMED_OUT;
    }
    if (ended == WAIT_CANCELLED) {
        failure_set(failure, FAILURE_CANCELLED, "stopped");
        return OUTCOME_UNFINISHED;
    }
    return outcome_of_exit(status, failure);
}

static void perform_processes(struct stress_crowd *crowd, struct stress_shard *shard)
{
    const struct stress_plan *plan = crowd->plan;
    for (uint64_t run = 0; !is_stopped(crowd) && (plan->count == 0 || run < plan->count); run++) {
        struct failure failure = {FAILURE_NONE, ""};
        int64_t started_us = clock_us();
        enum outcome outcome = run_process(crowd, &failure);
        tally(shard, outcome, started_us, 0, failure.kind != FAILURE_NONE ? &failure : NULL);
        if (outcome == OUTCOME_LOCAL)
            back_off(crowd);
    }
}

void *stress_client_main(void *argument)
{
    struct stress_client *client = argument;
    struct stress_crowd *crowd = client->crowd;
    struct stress_shard *shard = &crowd->shards[client->number % STRESS_SHARDS];
    if (crowd->plan->in_process)
        perform_in_process(crowd, shard);
    else
        perform_processes(crowd, shard);
    atomic_fetch_sub(&crowd->running, 1);
    return NULL;
}
