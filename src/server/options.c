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
    RULE_LIMIT = 64,    /* most options, and the row behind them */
    RULE_BY_NAME = 256, /* and its place in the table: what getopt_long returns for a long name */
};

/*
 * An option: what it is called, and where it goes. Which pointer is set says what kind of argument
 * it has, and the compiler sees to it that it goes to a field of that kind.
 */
struct rule {
    const char *name;
    char letter; /* '\0': it has none */

    /* Without an argument. */
    bool *sets, *clears;
    const char *prints; /* says that, and nothing is served */

    /* With one. */
    const char **text;
    const char **list;   /* may be repeated: the next goes to list[*count], */
    unsigned *count;     /* which is `most` in the end */
    uint16_t *port;      /* whole numbers from `least` to `most` */
    unsigned *number;    /* likewise */
    int64_t *seconds_ms; /* likewise; given in seconds, kept in milliseconds */
    uint64_t least, most;
    uint64_t *size; /* bytes */
    int64_t *time_s;
    unsigned *mode; /* permissions */
    bool (*take)(struct options *options, const char *name, const char *text);
    bool *given; /* set as well, where that is not to be seen from the value */
};

/* Reads a whole number between the bounds; one line on standard error when it is none. */
static bool read_number(const char *name, const char *text, uint64_t least, uint64_t most,
                        uint64_t *value)
{
    if (span_to_u64(span_of(text), value) && *value >= least && *value <= most)
        return true;
    fprintf(stderr, "httpd: --%s takes a whole number from %llu to %llu, not '%s'\n", name,
            (unsigned long long)least, (unsigned long long)most, text);
    return false;
}

/* Reads a size in bytes: digits with K, M, G or T behind them, which are powers of 1024. */
static bool read_size(const char *name, const char *text, uint64_t *value)
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
    fprintf(stderr, "httpd: --%s takes a size such as 500K, 10M or 4G, not '%s'\n", name, text);
    return false;
}

/* Reads a duration: seconds, or with m, h or d behind them minutes, hours, days. */
static bool read_duration(const char *name, const char *text, int64_t *seconds)
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
    fprintf(stderr, "httpd: --%s takes a time such as 90s, 30m, 24h or 7d, not '%s'\n", name, text);
    return false;
}

/* Reads permissions, in octal as chmod takes them. */
static bool read_mode(const char *name, const char *text, unsigned *mode)
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
    fprintf(stderr, "httpd: --%s takes permissions such as 660 or 666, not '%s'\n", name, text);
    return false;
}

static bool add(const struct rule *rule, const char *text)
{
    if (*rule->count == rule->most) {
        fprintf(stderr, "httpd: --%s can be given %llu times at most\n", rule->name,
                (unsigned long long)rule->most);
        return false;
    }
    rule->list[(*rule->count)++] = text;
    return true;
}

/* Reads one of three words, in the order of an enum. */
static bool read_word(const char *name, const char *text, const char *const words[static 3],
                      unsigned *value)
{
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return true;
        }
    fprintf(stderr, "httpd: --%s takes %s, %s or %s, not '%s'\n", name, words[0], words[1],
            words[2], text);
    return false;
}

static bool take_log_format(struct options *o, const char *name, const char *text)
{
    static const char *const words[] = {"combined", "common", "json"};
    unsigned format = LOG_FORMAT_COMBINED;

    if (!read_word(name, text, words, &format))
        return false;
    o->log_format = (enum log_format)format;
    return true;
}

static bool take_log_level(struct options *o, const char *name, const char *text)
{
    static const char *const words[] = {"error", "warning", "notice"};
    unsigned level = LOG_NOTICE;

    if (!read_word(name, text, words, &level))
        return false;
    o->log_level = (enum log_level)level;
    return true;
}

static bool take_origin(struct options *o, const char *name, const char *text)
{
    o->cors_origin = text;
    if (cors_is_origin(text))
        return true;
    fprintf(stderr, "httpd: --%s takes an origin such as https://a.example, not '%s'\n", name,
            text);
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

/* Takes an argument that is a whole number, of whatever unit. */
static bool take_number(const struct rule *rule, const char *text)
{
    uint64_t n = 0;

    if (!read_number(rule->name, text, rule->least, rule->most, &n))
        return false;
    if (rule->number != NULL)
        *rule->number = (unsigned)n;
    if (rule->port != NULL)
        *rule->port = (uint16_t)n;
    if (rule->seconds_ms != NULL)
        *rule->seconds_ms = (int64_t)n * 1000;
    return true;
}

/* Does what the rule of an option says. False when its argument is not right, and a line says why.
 */
static bool take(const struct rule *rule, struct options *o, const char *text)
{
    if (rule->sets != NULL)
        *rule->sets = true;
    if (rule->clears != NULL)
        *rule->clears = false;
    if (rule->given != NULL)
        *rule->given = true;
    if (rule->text != NULL)
        *rule->text = text;
    if (rule->list != NULL)
        return add(rule, text);
    if (rule->most > 0)
        return take_number(rule, text);
    if (rule->size != NULL)
        return read_size(rule->name, text, rule->size);
    if (rule->time_s != NULL)
        return read_duration(rule->name, text, rule->time_s);
    if (rule->mode != NULL)
        return read_mode(rule->name, text, rule->mode);
    return rule->take == NULL || rule->take(o, rule->name, text);
}

/* The rules as getopt_long wants them, in memory that is all zero. */
static void tell_getopt(const struct rule *rules, struct option names[static RULE_LIMIT],
                        char letters[static 2 * RULE_LIMIT])
{
    for (int i = 0; rules[i].name != NULL; i++) {
        const struct rule *r = &rules[i];
        bool argument = r->sets == NULL && r->clears == NULL && r->prints == NULL;
        names[i] = (struct option){r->name, argument, NULL, RULE_BY_NAME + i};
        if (r->letter != '\0')
            *letters++ = r->letter;
        if (r->letter != '\0' && argument)
            *letters++ = ':';
    }
}

/* The rule of what getopt_long has found; NULL when that is nothing, and it has said so. */
static const struct rule *find_rule(const struct rule *rules, int found)
{
    if (found >= RULE_BY_NAME)
        return &rules[found - RULE_BY_NAME];
    for (; rules->name != NULL; rules++)
        if (rules->letter == found)
            return rules;
    return NULL;
}

static enum options_result obey(const struct rule *rules, struct options *o, int argc)
{
    struct option names[RULE_LIMIT] = {{0}};
    char letters[2 * RULE_LIMIT] = {0};
    int found;

    tell_getopt(rules, names, letters);
    while ((found = getopt_long(argc, o->argv, letters, names, NULL)) != -1) {
        const struct rule *rule = find_rule(rules, found);
        if (rule == NULL || !take(rule, o, optarg))
            return OPTIONS_EXIT_USAGE;
        if (rule->prints != NULL) {
            fputs(rule->prints, stdout);
            return OPTIONS_EXIT_OK;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "httpd: '%s' is not an option; the directory to serve is given by --root\n",
                o->argv[optind]);
        return OPTIONS_EXIT_USAGE;
    }
    if (o->passwd_user != NULL)
        return OPTIONS_PASSWD;
    return agree(o) ? OPTIONS_RUN : OPTIONS_EXIT_USAGE;
}

/* The options in the order of the help. */
static enum options_result read_options(struct options *o, int argc)
{
    enum { MILLION = 1000000, DAY_S = 86400 };
    const struct rule rules[RULE_LIMIT] = {
        {"root", 'r', .text = &o->root},
        {"port", 'p', .port = &o->port, .most = UINT16_MAX},
        {"bind", 'b', .list = o->binds, .count = &o->bind_count, .most = OPTIONS_BIND_LIMIT},
        {"no-listing", .clears = &o->listing},
        {"hftp", .port = &o->hftp_port, .most = UINT16_MAX, .given = &o->hftp},
        {"hftp-bind", .list = o->hftp_binds, .count = &o->hftp_bind_count,
         .most = OPTIONS_BIND_LIMIT},
        {"uuid-root", .sets = &o->uuid_root},
        {"public-status", .sets = &o->public_status},

        {"read-only", .sets = &o->read_only},
        {"public-writes", .sets = &o->public_writes},
        {"auth", .text = &o->auth_file},
        {"private", .sets = &o->private_reads},
        {"passwd", .text = &o->passwd_user},
        {"host", .list = o->hosts, .count = &o->host_count, .most = OPTIONS_HOST_LIMIT},
        {"cors", .take = take_origin},
        {"max-body", .size = &o->max_body},
        {"min-free", .size = &o->min_free, .given = &o->min_free_said},
        {"max-staged", .size = &o->max_staged},
        {"expire", .time_s = &o->expire_s},
        {"no-fsync", .clears = &o->fsync},
        {"state", 's', .text = &o->state},
        {"cache", .size = &o->cache},

        {"threads", 't', .number = &o->threads, .least = 1, .most = 1024},
        {"queue", 'q', .number = &o->queue, .most = MILLION},
        {"connections", 'c', .number = &o->connections, .least = 1, .most = MILLION},
        {"per-address", .number = &o->per_address, .most = MILLION, .given = &o->per_address_given},
        {"head-timeout", .seconds_ms = &o->head_timeout_ms, .least = 1, .most = DAY_S},
        {"idle-timeout", .seconds_ms = &o->idle_timeout_ms, .least = 1, .most = DAY_S},
        {"min-rate", .number = &o->min_rate, .most = 1000 * MILLION},
        {"patience", .number = &o->patience_ms, .most = 10000},

        {"trust", .list = o->trusts, .count = &o->trust_count, .most = OPTIONS_TRUST_LIMIT},
        {"proxy-protocol", .sets = &o->proxy_protocol},
        {"unix", .text = &o->unix_path},
        {"unix-mode", .mode = &o->unix_mode},
        {"proxy-holds", .size = &o->proxy_holds},
        {"reuse-port", .sets = &o->reuse_port},
        {"drain-delay", .seconds_ms = &o->drain_delay_ms, .most = 3600},

        {"log", 'l', .list = o->logs, .count = &o->log_count, .most = OPTIONS_LOG_LIMIT},
        {"log-format", .take = take_log_format},
        {"error-log", .text = &o->error_log},
        {"log-level", .take = take_log_level},
        {"daemon", 'd', .sets = &o->daemon},
        {"pid-file", 'P', .text = &o->pid_file},
        {"user", 'u', .text = &o->user},
        {"no-sandbox", .clears = &o->sandbox},
        {"chroot", .text = &o->chroot},
        {"help", 'h', .prints = help},
        {"version", 'V', .prints = "httpd " HTTPD_VERSION "\n"},
        {.name = NULL},
    };
    return obey(rules, o, argc);
}

enum options_result options_parse(struct options *options, int argc, char **argv)
{
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
    return read_options(options, argc);
}
