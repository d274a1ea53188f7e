#include "server/options.h"

#include "base/span.h"
#include "server/cors.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DEFAULT_PORT = 8080,
    DEFAULT_THREADS = 16,
    DEFAULT_QUEUE = 1024,
    DEFAULT_PER_ADDRESS = 256,
    DEFAULT_PATIENCE_MS = 2,
    DEFAULT_HEAD_TIMEOUT_S = 10,
    DEFAULT_IDLE_TIMEOUT_S = 15,
    DEFAULT_MIN_RATE = 500,
    DEFAULT_MIN_FREE_MB = 64,
    DEFAULT_EXPIRE_S = 86400,
    DEFAULT_PROXY_HOLDS_MB = 8,
    DEFAULT_UNIX_MODE = 0660,
    DEFAULT_CACHE_MB = 64,
};

/* One screen: what each option is called, and its default. The manual says the rest. */
static const char help[] =
    "Usage: httpd [OPTION]...   serve the files of a directory over HTTP (man httpd)\n"
    "[default]; + may be repeated; SIZE: 500K, 10M, 4G; TIME: 90s, 30m, 24h, 7d\n"
    "What and where\n"
    "  -r, --root DIR [www]                  -p, --port N [8080], 0: a free one\n"
    "  -b, --bind ADDR+ [loopback], '*': all     --no-listing       of directories\n"
    "      --hftp PORT        HFTP as well       --hftp-bind ADDR+  [that of --bind]\n"
    "      --uuid-root        / is /.uuid        --public-status    /.status for all\n"
    "Who may read and write, and how much\n"
    "      --read-only        nobody writes      --public-writes    everybody does\n"
    "      --auth FILE        accounts do        --private          they read, too\n"
    "      --passwd USER      a line for FILE    --host NAME+       beside localhost\n"
    "      --cors ORIGIN      may use it too     --max-body SIZE    [0: any]\n"
    "      --min-free SIZE    of disk [64M,1/16] --max-staged SIZE  uploads [0: any]\n"
    "      --expire TIME      transfers [24h]    --no-fsync         fast, less safe\n"
    "  -s, --state DIR [ROOT/.httpd]             --cache SIZE       of answers [64M]\n"
    "How many, and how long\n"
    "  -t, --threads N [16]                  -q, --queue N [1024], 0: none waits\n"
    "  -c, --connections N [as can be]           --per-address N    connections [256]\n"
    "      --head-timeout S   [10]               --idle-timeout S   [15]\n"
    "      --min-rate BYTES   a second [500]     --patience MS      with a client [2]\n"
    "Behind a proxy, or one of several\n"
    "      --trust WHO+       a proxy            --proxy-protocol   versions 1 and 2\n"
    "      --unix PATH        not an address     --unix-mode MODE   [660]\n"
    "      --proxy-holds SIZE [8M]               --reuse-port\n"
    "      --drain-delay S    to stop [0]\n"
    "As a service\n"
    "  -l, --log FILE+ [-: terminal]             --log-format combined, json\n"
    "      --error-log FILE                      --log-level error, warning, [notice]\n"
    "  -d, --daemon           in the background\n"
    "  -P, --pid-file FILE                   -u, --user NAME        instead of root\n"
    "      --no-sandbox                          --chroot DIR       see nothing else\n"
    "  -h, --help                            -V, --version\n"
    "SIGTERM stops when all is answered, SIGHUP re-opens logs and reads accounts,\n"
    "SIGUSR2 starts anew without a gap. LISTEN_FDS and NOTIFY_SOCKET are understood.\n";

enum {
    OPTION_PATIENCE = 256,
    OPTION_HEAD_TIMEOUT,
    OPTION_IDLE_TIMEOUT,
    OPTION_MIN_RATE,
    OPTION_NO_LISTING,
    OPTION_PUBLIC_STATUS,
    OPTION_READ_ONLY,
    OPTION_PUBLIC_WRITES,
    OPTION_MAX_BODY,
    OPTION_MIN_FREE,
    OPTION_NO_FSYNC,
    OPTION_HOST,
    OPTION_CORS,
    OPTION_AUTH,
    OPTION_PRIVATE,
    OPTION_PASSWD,
    OPTION_HFTP,
    OPTION_HFTP_BIND,
    OPTION_UUID_ROOT,
    OPTION_EXPIRE,
    OPTION_MAX_STAGED,
    OPTION_UNIX,
    OPTION_UNIX_MODE,
    OPTION_REUSE_PORT,
    OPTION_TRUST,
    OPTION_PROXY_PROTOCOL,
    OPTION_PROXY_HOLDS,
    OPTION_DRAIN_DELAY,
    OPTION_PER_ADDRESS,
    OPTION_LOG_FORMAT,
    OPTION_LOG_LEVEL,
    OPTION_ERROR_LOG,
    OPTION_CACHE,
    OPTION_CHROOT,
    OPTION_NO_SANDBOX,
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"bind", required_argument, NULL, 'b'},
    {"hftp", required_argument, NULL, OPTION_HFTP},
    {"hftp-bind", required_argument, NULL, OPTION_HFTP_BIND},
    {"threads", required_argument, NULL, 't'},
    {"root", required_argument, NULL, 'r'},
    {"queue", required_argument, NULL, 'q'},
    {"connections", required_argument, NULL, 'c'},
    {"per-address", required_argument, NULL, OPTION_PER_ADDRESS},
    {"log", required_argument, NULL, 'l'},
    {"log-format", required_argument, NULL, OPTION_LOG_FORMAT},
    {"log-level", required_argument, NULL, OPTION_LOG_LEVEL},
    {"error-log", required_argument, NULL, OPTION_ERROR_LOG},
    {"daemon", no_argument, NULL, 'd'},
    {"pid-file", required_argument, NULL, 'P'},
    {"user", required_argument, NULL, 'u'},
    {"chroot", required_argument, NULL, OPTION_CHROOT},
    {"no-sandbox", no_argument, NULL, OPTION_NO_SANDBOX},
    {"patience", required_argument, NULL, OPTION_PATIENCE},
    {"head-timeout", required_argument, NULL, OPTION_HEAD_TIMEOUT},
    {"idle-timeout", required_argument, NULL, OPTION_IDLE_TIMEOUT},
    {"min-rate", required_argument, NULL, OPTION_MIN_RATE},
    {"no-listing", no_argument, NULL, OPTION_NO_LISTING},
    {"public-status", no_argument, NULL, OPTION_PUBLIC_STATUS},
    {"read-only", no_argument, NULL, OPTION_READ_ONLY},
    {"public-writes", no_argument, NULL, OPTION_PUBLIC_WRITES},
    {"max-body", required_argument, NULL, OPTION_MAX_BODY},
    {"min-free", required_argument, NULL, OPTION_MIN_FREE},
    {"no-fsync", no_argument, NULL, OPTION_NO_FSYNC},
    {"state", required_argument, NULL, 's'},
    {"host", required_argument, NULL, OPTION_HOST},
    {"cors", required_argument, NULL, OPTION_CORS},
    {"auth", required_argument, NULL, OPTION_AUTH},
    {"private", no_argument, NULL, OPTION_PRIVATE},
    {"passwd", required_argument, NULL, OPTION_PASSWD},
    {"uuid-root", no_argument, NULL, OPTION_UUID_ROOT},
    {"expire", required_argument, NULL, OPTION_EXPIRE},
    {"max-staged", required_argument, NULL, OPTION_MAX_STAGED},
    {"unix", required_argument, NULL, OPTION_UNIX},
    {"unix-mode", required_argument, NULL, OPTION_UNIX_MODE},
    {"reuse-port", no_argument, NULL, OPTION_REUSE_PORT},
    {"trust", required_argument, NULL, OPTION_TRUST},
    {"proxy-protocol", no_argument, NULL, OPTION_PROXY_PROTOCOL},
    {"proxy-holds", required_argument, NULL, OPTION_PROXY_HOLDS},
    {"drain-delay", required_argument, NULL, OPTION_DRAIN_DELAY},
    {"cache", required_argument, NULL, OPTION_CACHE},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* The long name of an option, for messages: people read those, not the letters. */
static const char *long_name(int value)
{
    for (const struct option *o = long_options; o->name != NULL; o++)
        if (o->val == value)
            return o->name;
    return "?";
}

/* Reads a whole number between the bounds; one line on standard error when it is none. */
static bool read_number(int option, const char *text, uint64_t least, uint64_t most,
                        uint64_t *value)
{
    if (span_to_u64(span_of(text), value) && *value >= least && *value <= most)
        return true;
    fprintf(stderr, "httpd: --%s takes a whole number from %llu to %llu, not '%s'\n",
            long_name(option), (unsigned long long)least, (unsigned long long)most, text);
    return false;
}

/* Reads a size in bytes: digits with K, M, G or T behind them, which are powers of 1024. */
static bool read_size(int option, const char *text, uint64_t *value)
{
    static const char units[] = "KMGT";
    struct span digits = span_of(text);
    unsigned shift = 0;
    const char *unit = digits.len > 0 ? strchr(units, digits.ptr[digits.len - 1]) : NULL;

    if (unit != NULL) {
        shift = 10 * (unsigned)(unit - units + 1);
        digits.len--;
    }
    if (span_to_u64(digits, value) && *value <= (uint64_t)INT64_MAX >> shift) {
        *value <<= shift;
        return true;
    }
    fprintf(stderr, "httpd: --%s takes a size such as 500K, 10M or 4G, not '%s'\n",
            long_name(option), text);
    return false;
}

/* Reads a duration: seconds, or with m, h or d behind them minutes, hours, days. */
static bool read_duration(int option, const char *text, int64_t *seconds)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    struct span digits = span_of(text);
    uint64_t factor = 1, n = 0;

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (digits.len > 0 && digits.ptr[digits.len - 1] == units[i].unit) {
            factor = units[i].seconds;
            digits.len--;
            break;
        }
    if (span_to_u64(digits, &n) && n > 0 && n <= 10000 * (uint64_t)86400 / factor) {
        *seconds = (int64_t)(n * factor);
        return true;
    }
    fprintf(stderr, "httpd: --%s takes a time such as 90s, 30m, 24h or 7d, not '%s'\n",
            long_name(option), text);
    return false;
}

/* Reads permissions, in octal as chmod takes them. */
static bool read_mode(int option, const char *text, unsigned *mode)
{
    unsigned value = 0;
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        value = text[i] >= '0' && text[i] <= '7' && len <= 4 ? 8 * value + (unsigned)(text[i] - '0')
                                                             : 01000;
    if (len > 0 && value <= 0777) {
        *mode = value;
        return true;
    }
    fprintf(stderr, "httpd: --%s takes permissions such as 660 or 666, not '%s'\n",
            long_name(option), text);
    return false;
}

static bool add(const char **list, unsigned *count, unsigned limit, int option, const char *text)
{
    if (*count == limit) {
        fprintf(stderr, "httpd: --%s can be given %u times at most\n", long_name(option), limit);
        return false;
    }
    list[(*count)++] = text;
    return true;
}

/* Reads one of three words, in the order of an enum. */
static bool read_word(int option, const char *text, const char *const words[static 3],
                      unsigned *value)
{
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return true;
        }
    fprintf(stderr, "httpd: --%s takes %s, %s or %s, not '%s'\n", long_name(option), words[0],
            words[1], words[2], text);
    return false;
}

static bool read_log_format(struct options *o, int option, const char *text)
{
    static const char *const words[] = {"combined", "common", "json"};
    unsigned format = LOG_FORMAT_COMBINED;

    if (!read_word(option, text, words, &format))
        return false;
    o->log_format = (enum log_format)format;
    return true;
}

static bool read_log_level(struct options *o, int option, const char *text)
{
    static const char *const words[] = {"error", "warning", "notice"};
    unsigned level = LOG_NOTICE;

    if (!read_word(option, text, words, &level))
        return false;
    o->log_level = (enum log_level)level;
    return true;
}

static bool read_origin(struct options *o, const char *text)
{
    o->cors_origin = text;
    if (cors_is_origin(text))
        return true;
    fprintf(stderr, "httpd: --cors takes an origin such as https://a.example, not '%s'\n", text);
    return false;
}

/* What cannot be meant together. */
static bool agree(const struct options *o)
{
    const char *fault = NULL;

    if (o->private_reads && o->auth_file == NULL)
        fault = "--private needs --auth, or nobody could read anything";
    else if (o->private_reads && o->hftp)
        fault = "--private and --hftp contradict each other: HFTP knows no accounts";
    else if (o->public_writes && o->auth_file != NULL)
        fault = "--public-writes and --auth contradict each other";
    else if (o->hftp_bind_count > 0 && !o->hftp)
        fault = "--hftp-bind needs --hftp, which says the port";
    else if (o->proxy_protocol && o->trust_count == 0)
        fault = "--proxy-protocol needs --trust, or no header would be believed";
    if (fault != NULL)
        fprintf(stderr, "httpd: %s\n", fault);
    return fault == NULL;
}

/* Takes one option with its argument. False when it is not right, and a line says why. */
static bool take(struct options *o, int option, const char *text)
{
    uint64_t n = 0;

    switch (option) {
    case 'p':
        if (!read_number(option, text, 0, 65535, &n))
            return false;
        o->port = (uint16_t)n;
        return true;
    case OPTION_HFTP:
        if (!read_number(option, text, 0, 65535, &n))
            return false;
        o->hftp = true;
        o->hftp_port = (uint16_t)n;
        return true;
    case OPTION_HFTP_BIND:
        return add(o->hftp_binds, &o->hftp_bind_count, OPTIONS_BIND_LIMIT, option, text);
    case 't':
        if (!read_number(option, text, 1, 1024, &n))
            return false;
        o->threads = (unsigned)n;
        return true;
    case 'q':
        if (!read_number(option, text, 0, 1000000, &n))
            return false;
        o->queue = (unsigned)n;
        return true;
    case 'c':
        if (!read_number(option, text, 1, 1000000, &n))
            return false;
        o->connections = (unsigned)n;
        return true;
    case OPTION_PER_ADDRESS:
        if (!read_number(option, text, 0, 1000000, &n))
            return false;
        o->per_address = (unsigned)n;
        o->per_address_given = true;
        return true;
    case OPTION_PATIENCE:
        if (!read_number(option, text, 0, 10000, &n))
            return false;
        o->patience_ms = (int64_t)n;
        return true;
    case OPTION_HEAD_TIMEOUT:
    case OPTION_IDLE_TIMEOUT:
        if (!read_number(option, text, 1, 86400, &n))
            return false;
        *(option == OPTION_HEAD_TIMEOUT ? &o->head_timeout_ms : &o->idle_timeout_ms) =
            (int64_t)n * 1000;
        return true;
    case OPTION_MIN_RATE:
        if (!read_number(option, text, 0, 1000000000, &n))
            return false;
        o->min_rate = n;
        return true;
    case 'b': return add(o->binds, &o->bind_count, OPTIONS_BIND_LIMIT, option, text);
    case OPTION_LOG_FORMAT: return read_log_format(o, option, text);
    case OPTION_LOG_LEVEL: return read_log_level(o, option, text);
    case OPTION_ERROR_LOG: o->error_log = text; return true;
    case 'l': return add(o->logs, &o->log_count, OPTIONS_LOG_LIMIT, option, text);
    case OPTION_HOST: return add(o->hosts, &o->host_count, OPTIONS_HOST_LIMIT, option, text);
    case OPTION_MAX_BODY: return read_size(option, text, &o->max_body);
    case OPTION_MIN_FREE: o->min_free_said = true; return read_size(option, text, &o->min_free);
    case OPTION_UNIX: o->unix_path = text; return true;
    case OPTION_UNIX_MODE: return read_mode(option, text, &o->unix_mode);
    case OPTION_REUSE_PORT: o->reuse_port = true; return true;
    case OPTION_TRUST: return add(o->trusts, &o->trust_count, OPTIONS_TRUST_LIMIT, option, text);
    case OPTION_PROXY_PROTOCOL: o->proxy_protocol = true; return true;
    case OPTION_PROXY_HOLDS: return read_size(option, text, &o->proxy_holds);
    case OPTION_DRAIN_DELAY:
        if (!read_number(option, text, 0, 3600, &n))
            return false;
        o->drain_delay_ms = (int64_t)n * 1000;
        return true;
    case OPTION_READ_ONLY: o->read_only = true; return true;
    case OPTION_PUBLIC_WRITES: o->public_writes = true; return true;
    case OPTION_NO_FSYNC: o->fsync = false; return true;
    case OPTION_UUID_ROOT: o->uuid_root = true; return true;
    case OPTION_EXPIRE: return read_duration(option, text, &o->expire_s);
    case OPTION_MAX_STAGED: return read_size(option, text, &o->max_staged);
    case OPTION_CACHE: return read_size(option, text, &o->cache);
    case OPTION_CORS: return read_origin(o, text);
    case OPTION_AUTH: o->auth_file = text; return true;
    case OPTION_PRIVATE: o->private_reads = true; return true;
    case OPTION_PASSWD: o->passwd_user = text; return true;
    case 's': o->state = text; return true;
    case 'r': o->root = text; return true;
    case 'P': o->pid_file = text; return true;
    case 'u': o->user = text; return true;
    case OPTION_CHROOT: o->chroot = text; return true;
    case OPTION_NO_SANDBOX: o->sandbox = false; return true;
    case 'd': o->daemon = true; return true;
    case OPTION_NO_LISTING: o->listing = false; return true;
    case OPTION_PUBLIC_STATUS: o->public_status = true; return true;
    default: return false; /* getopt has said what is wrong */
    }
}

enum options_result options_parse(struct options *options, int argc, char **argv)
{
    int option;

    *options = (struct options){
        .argv = argv,
        .port = DEFAULT_PORT,
        .threads = DEFAULT_THREADS,
        .root = "www",
        .queue = DEFAULT_QUEUE,
        .per_address = DEFAULT_PER_ADDRESS,
        .patience_ms = DEFAULT_PATIENCE_MS,
        .head_timeout_ms = DEFAULT_HEAD_TIMEOUT_S * (int64_t)1000,
        .idle_timeout_ms = DEFAULT_IDLE_TIMEOUT_S * (int64_t)1000,
        .min_rate = DEFAULT_MIN_RATE,
        .listing = true,
        .log_level = LOG_NOTICE,
        .fsync = true,
        .sandbox = true,
        .expire_s = DEFAULT_EXPIRE_S,
        .unix_mode = DEFAULT_UNIX_MODE,
        .proxy_holds = (uint64_t)DEFAULT_PROXY_HOLDS_MB << 20,
        .cache = (uint64_t)DEFAULT_CACHE_MB << 20,
        .min_free = (uint64_t)DEFAULT_MIN_FREE_MB << 20,
    };
    while ((option = getopt_long(argc, argv, "p:b:t:r:q:c:l:dP:u:s:hV", long_options, NULL)) !=
           -1) {
        if (option == 'h') {
            fputs(help, stdout);
            return OPTIONS_EXIT_OK;
        }
        if (option == 'V') {
            puts("httpd " HTTPD_VERSION);
            return OPTIONS_EXIT_OK;
        }
        if (!take(options, option, optarg))
            return OPTIONS_EXIT_USAGE;
    }
    if (optind < argc) {
        fprintf(stderr, "httpd: '%s' is not an option; the directory to serve is given by --root\n",
                argv[optind]);
        return OPTIONS_EXIT_USAGE;
    }
    if (options->passwd_user != NULL)
        return OPTIONS_PASSWD;
    return agree(options) ? OPTIONS_RUN : OPTIONS_EXIT_USAGE;
}
