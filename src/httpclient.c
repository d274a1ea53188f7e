/* httpclient: HTTP commands from the command line, in order, over one connection. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "client/show.h"

enum { EXIT_HTTP_ERROR = 1, EXIT_USAGE = 2, EXIT_NETWORK = 3 };

static const char help[] =
    "usage: httpclient -h HOST[:PORT] [OPTION...] 'METHOD TARGET [OPTION...]'...\n"
    "       httpclient -h HOST[:PORT] [OPTION...] METHOD TARGET\n"
    "\n"
    "Sends HTTP/1.1 requests, one after the other, over one connection if the server keeps it.\n"
    "A TARGET is /path, or http://host/path, which needs no -h.\n"
    "\n"
    "  -h, --host HOST[:PORT]  the server; an IPv6 address in brackets when a port follows\n"
    "  -o, --output FILE       store the answer in FILE, which appears when it is complete\n"
    "  -d, --data DATA|@FILE   send DATA, or the content of FILE, or standard input (@-)\n"
    "  -H, --header 'F: v'     a field of the request; may be repeated\n"
    "  -i, --include           show the head of the answer too\n"
    "  -L, --location          follow redirects\n"
    "      --resume            go on after broken connections, in this run and in later ones:\n"
    "                          GET -o FILE, kept as FILE.part and FILE.part.id until complete;\n"
    "                          PUT -d @FILE, with FILE.upload-* beside it until then\n"
    "      --tries N           with --resume: give up after N in a row that brought nothing (10)\n"
    "      --json              print each result as a line of JSON; a body goes to -o or nowhere\n"
    "      --timeout SECONDS   to connect, to be answered, and for each 16 KB of a body (30)\n"
    "      --help, -V          this text; the version\n"
    "\n"
    "Exit code: 0 all well, 1 an answer of 400 or more or a file that changed, 2 usage,\n"
    "3 network, protocol or local files.\n";

/*
 * SIGINT and SIGTERM as a descriptor that ends every wait: a download that is stopped takes its
 * unfinished file away. -1 when there is none, and then they end the program at once.
 */
static int stop_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGINT);
    sigaddset(signals, SIGTERM);
    if (sigprocmask(SIG_BLOCK, signals, NULL) == -1)
        return -1;
    return signalfd(-1, signals, SFD_CLOEXEC);
}

/* When a signal stopped us, ends as if it had not been caught, which is what a shell looks for. */
static void let_signals_through(const sigset_t *signals)
{
    sigprocmask(SIG_UNBLOCK, signals, NULL);
}

static int run(const struct invocation *invocation, int cancel_fd)
{
    int code = EXIT_SUCCESS;
    struct session session;
    char *buffer = malloc(SESSION_BUFFER);
    if (buffer == NULL) {
        log_error("%m");
        return EXIT_NETWORK;
    }
    session_init(&session, buffer, SESSION_BUFFER, cancel_fd, invocation->timeout_ms);
    for (size_t i = 0; i < invocation->count && code <= EXIT_HTTP_ERROR; i++) {
        switch (show_command(&session, &invocation->commands[i], &invocation->origin)) {
        case SHOW_OK: break;
        case SHOW_HTTP_ERROR: code = EXIT_HTTP_ERROR; break;
        case SHOW_USAGE: code = EXIT_USAGE; break;
        case SHOW_FAILED: code = EXIT_NETWORK; break;
        }
    }
    session_close(&session);
    free(buffer);
    return code;
}

int main(int argc, char **argv)
{
    struct invocation invocation;
    struct failure failure;
    sigset_t signals;
    log_name("httpclient");
    if (!invocation_parse(&invocation, argc - 1, argv + 1, &failure)) {
        log_error("%s (--help tells more)", failure.text);
        return EXIT_USAGE;
    }
    if (invocation.wish == INVOCATION_HELP)
        return fputs(help, stdout) == EOF ? EXIT_NETWORK : EXIT_SUCCESS;
    if (invocation.wish == INVOCATION_VERSION)
        return puts("httpclient " HTTPD_VERSION) == EOF ? EXIT_NETWORK : EXIT_SUCCESS;
    int code = run(&invocation, stop_signals(&signals));
    let_signals_through(&signals);
    invocation_free(&invocation);
    return code;
}
