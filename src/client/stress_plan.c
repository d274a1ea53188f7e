#include "client/stress.h"

#include <string.h>
#include <sys/resource.h>

enum { SECONDS_LIMIT = 24 * 3600 };

enum option {
    OPTION_CLIENTS,
    OPTION_SECONDS,
    OPTION_COUNT,
    OPTION_TIMEOUT,
    OPTION_RAMP,
    OPTION_KEEP_ALIVE,
    OPTION_JSON,
    OPTION_MINE,
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_UNKNOWN
};

static enum option option_of(const char *word)
{
    static const char *const names[][2] = {
        [OPTION_CLIENTS] = {"-n", "--clients"},
        [OPTION_SECONDS] = {"-t", "--time"},
        [OPTION_COUNT] = {"-c", "--count"},
        [OPTION_TIMEOUT] = {"--timeout", "--timeout"},
        [OPTION_RAMP] = {"--ramp", "--ramp"},
        [OPTION_KEEP_ALIVE] = {"-k", "--keep-alive"},
        [OPTION_JSON] = {"--json", "--json"},
        [OPTION_MINE] = {"--target-is-mine", "--target-is-mine"},
        [OPTION_HELP] = {"--help", "--help"},
        [OPTION_VERSION] = {"-V", "--version"},
    };
    unsigned i = 0;
    while (i < OPTION_UNKNOWN && strcmp(word, names[i][0]) != 0 && strcmp(word, names[i][1]) != 0)
        i++;
    return (enum option)i;
}

static bool take_number(uint64_t *number, uint64_t limit, const char *name, const char *value,
                        struct failure *failure)
{
    if (!span_to_u64(span_of(value), number) || *number == 0 || *number > limit)
        return failure_set(failure, FAILURE_USAGE, "%s '%s': a number from 1 to %llu", name, value,
                           (unsigned long long)limit);
    return true;
}

static bool apply(struct stress_plan *plan, enum option option, const char *name, const char *value,
                  struct failure *failure)
{
    uint64_t number = 0;
    switch (option) {
    case OPTION_CLIENTS:
        if (!take_number(&number, STRESS_CLIENTS_LIMIT, name, value, failure))
            return false;
        plan->clients = (unsigned)number;
        return true;
    case OPTION_SECONDS:
        if (!take_number(&number, SECONDS_LIMIT, name, value, failure))
            return false;
        plan->seconds = (unsigned)number;
        return true;
    case OPTION_COUNT: return take_number(&plan->count, UINT64_MAX, name, value, failure);
    case OPTION_TIMEOUT:
        if (!command_seconds(value, &plan->timeout_ms))
            return failure_set(failure, FAILURE_USAGE, "%s '%s': not a count of seconds", name,
                               value);
        return true;
    case OPTION_RAMP: plan->ramp = true; return true;
    case OPTION_KEEP_ALIVE: plan->keep_alive = true; return true;
    case OPTION_JSON: plan->json = true; return true;
    case OPTION_MINE: plan->target_is_mine = true; return true;
    case OPTION_HELP: plan->wish = STRESS_HELP; return true;
    case OPTION_VERSION: plan->wish = STRESS_VERSION; return true;
    case OPTION_UNKNOWN: break;
    }
    return failure_set(failure, FAILURE_USAGE, "'%s': no such option", name);
}

/* The options before the command; *at is left at the command's first word. */
static bool parse_options(struct stress_plan *plan, int argc, char *const *argv, int *at,
                          struct failure *failure)
{
    while (*at < argc && argv[*at][0] == '-') {
        const char *name = argv[(*at)++], *value = NULL;
        enum option option = option_of(name);
        if (option <= OPTION_TIMEOUT) {
            if (*at == argc)
                return failure_set(failure, FAILURE_USAGE, "'%s' needs a value", name);
            value = argv[(*at)++];
        }
        if (!apply(plan, option, name, value, failure))
            return false;
    }
    return true;
}

static bool is_httpclient(const char *program)
{
    const char *slash = strrchr(program, '/');
    return strcmp(slash != NULL ? slash + 1 : program, "httpclient") == 0;
}

/* A command of httpclient as all clients can perform it at once. */
static bool check_invocation(const struct invocation *invocation, struct failure *failure)
{
    if (invocation->wish != INVOCATION_RUN)
        return failure_set(failure, FAILURE_USAGE, "httpclient: nothing to do");
    for (size_t i = 0; i < invocation->count; i++) {
        const struct command *command = &invocation->commands[i];
        if (command->data != NULL && strcmp(command->data, "@-") == 0)
            return failure_set(failure, FAILURE_USAGE,
                               "-d @-: standard input cannot be sent by many clients");
        if (command->resume || command->json)
            return failure_set(failure, FAILURE_USAGE, "--resume and --json are for one client");
    }
    return true;
}

/*
 * Where another program will go only it knows. A URL among its words is looked at, which keeps
 * people from a mistake and nobody from malice.
 */
static bool check_words(const struct stress_plan *plan, struct failure *failure)
{
    for (char *const *word = plan->command + 1; *word != NULL; word++) {
        struct span rest = span_of(*word);
        struct origin origin;
        struct dial_list list;
        struct failure ignored;
        if (!url_is_absolute(rest))
            continue;
        rest = span_from(rest, span_find(rest, ':') + 3);
        size_t end = 0;
        while (end < rest.len && strchr("/?#", rest.ptr[end]) == NULL)
            end++;
        if (origin_parse(&origin, span_make(rest.ptr, end)) != URL_OK ||
            !dial_resolve(&list, &origin, &ignored) || !dial_is_loopback(&list))
            return failure_set(failure, FAILURE_USAGE,
                               "%.100s is not this machine: say --target-is-mine if it is yours "
                               "to load",
                               *word);
    }
    return true;
}

static bool parse_command(struct stress_plan *plan, int argc, char *const *argv,
                          struct failure *failure)
{
    if (argc == 0)
        return failure_set(failure, FAILURE_USAGE,
                           "which command? as in: httpclient -h "
                           "localhost:8080 GET /");
    plan->command = argv;
    plan->in_process = is_httpclient(argv[0]);
    if (!plan->in_process) {
        if (plan->timeout_ms == 0)
            plan->timeout_ms = STRESS_TIMEOUT_MS;
        if (plan->keep_alive)
            return failure_set(failure, FAILURE_USAGE,
                               "-k is for httpclient: other commands have "
                               "connections of their own");
        return plan->target_is_mine || check_words(plan, failure);
    }
    if (!invocation_parse(&plan->invocation, argc - 1, argv + 1, failure))
        return false;
    if (!check_invocation(&plan->invocation, failure)) {
        invocation_free(&plan->invocation);
        return false;
    }
    if (plan->timeout_ms == 0)
        plan->timeout_ms = plan->invocation.timeout_ms != COMMAND_TIMEOUT_MS
                               ? plan->invocation.timeout_ms
                               : STRESS_TIMEOUT_MS;
    return true;
}

/* As many as a ramp tries when nobody says how many: no more than there are descriptors for. */
static unsigned ramp_clients(void)
{
    struct rlimit limit;
    bool is_small = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY &&
                    limit.rlim_max < STRESS_RAMP_CLIENTS + STRESS_SPARE_DESCRIPTORS;
    if (!is_small)
        return STRESS_RAMP_CLIENTS;
    return limit.rlim_max > STRESS_SPARE_DESCRIPTORS
               ? (unsigned)limit.rlim_max - STRESS_SPARE_DESCRIPTORS
               : 1;
}

bool stress_plan_parse(struct stress_plan *plan, int argc, char *const *argv,
                       struct failure *failure)
{
    int at = 0;
    *plan = (struct stress_plan){.seconds = STRESS_SECONDS};
    if (!parse_options(plan, argc, argv, &at, failure))
        return false;
    if (plan->wish != STRESS_RUN)
        return true;
    if (plan->clients == 0 && !plan->ramp)
        return failure_set(failure, FAILURE_USAGE, "how many clients? give -n N, or --ramp");
    if (plan->clients == 0)
        plan->clients = ramp_clients();
    if (plan->ramp && plan->count > 0)
        return failure_set(failure, FAILURE_USAGE, "--ramp and -c do not go together");
    return parse_command(plan, argc - at, argv + at, failure);
}

void stress_plan_free(struct stress_plan *plan)
{
    invocation_free(&plan->invocation);
}
