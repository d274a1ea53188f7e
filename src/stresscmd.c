/* stresscmd: a command in many clients at once, and what became of it. */

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "client/stress.h"

enum { EXIT_NOT_ALL_SERVED = 1, EXIT_USAGE = 2, EXIT_LOCAL = 3 };

static const char help[] =
    "usage: stresscmd -n N [OPTION...] COMMAND [ARGUMENT...]\n"
    "       stresscmd --ramp [OPTION...] COMMAND [ARGUMENT...]\n"
    "\n"
    "Runs a command again and again in N clients at once, and reports what became of it. With\n"
    "httpclient as the command, the clients are threads that speak HTTP themselves: answers are\n"
    "counted and dropped (-o stores nothing), and each run has a connection of its own. Any other\n"
    "command is started as a process, and has been served when its exit code is 0.\n"
    "\n"
    "  -n, --clients N       clients at once; with --ramp, the most to be tried (10000)\n"
    "      --ramp            raise their number step by step until one is turned away: 503,\n"
    "                        connection refused or lost, timed out\n"
    "  -t, --time SECONDS    end after so long (30)\n"
    "  -c, --count N         end when each client has run the command N times\n"
    "  -k, --keep-alive      httpclient: keep the connection from one run to the next\n"
    "      --timeout SECONDS for httpclient as there; for a process, for all of it (10)\n"
    "      --json            report as JSON\n"
    "      --target-is-mine  aim at another machine than this one\n"
    "      --help, -V        this text; the version\n"
    "\n"
    "Ctrl-C ends the run and reports. Exit code: 0 all were served (or a ramp has ended), 1 some\n"
    "were not, 2 usage, 3 it could not be run.\n";

static bool all_served(const struct stress_tally *tally)
{
    for (int i = 0; i < OUTCOME_COUNT; i++)
        if (i != OUTCOME_SERVED && i != OUTCOME_UNFINISHED && tally->outcomes[i] > 0)
            return false;
    return tally->outcomes[OUTCOME_SERVED] > 0;
}

static int run(const struct stress_plan *plan)
{
    struct failure failure;
    int code = EXIT_SUCCESS;
    struct stress_result *result = malloc(sizeof *result);
    if (result == NULL) {
        log_error("%m");
        return EXIT_LOCAL;
    }
    bool good = stress_run(plan, result, &failure);
    /* What was measured before it went wrong is worth telling. */
    if (good || result->clients > 0)
        stress_report(plan, result);
    if (!good) {
        log_error("%s", failure.text);
        code = failure.kind == FAILURE_USAGE ? EXIT_USAGE : EXIT_LOCAL;
    } else if (!plan->ramp && !all_served(&result->tally)) {
        code = EXIT_NOT_ALL_SERVED;
    }
    free(result);
    return fflush(stdout) == EOF ? EXIT_LOCAL : code;
}

int main(int argc, char **argv)
{
    struct stress_plan plan;
    struct failure failure;
    log_name("stresscmd");
    if (!stress_plan_parse(&plan, argc - 1, argv + 1, &failure)) {
        log_error("%s (--help tells more)", failure.text);
        return EXIT_USAGE;
    }
    if (plan.wish == STRESS_HELP)
        return fputs(help, stdout) == EOF ? EXIT_LOCAL : EXIT_SUCCESS;
    if (plan.wish == STRESS_VERSION)
        return puts("stresscmd " HTTPD_VERSION) == EOF ? EXIT_LOCAL : EXIT_SUCCESS;
    int code = run(&plan);
    stress_plan_free(&plan);
    return code;
}
