#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

/* What the command line says. Made once by the main thread, const to everybody afterwards. */

#include "base/log.h"
#include "server/access_log.h"

#include <stdint.h>

enum {
    OPTIONS_BIND_LIMIT = 16,
    OPTIONS_LOG_LIMIT = 8,
    OPTIONS_HOST_LIMIT = 16,
    OPTIONS_TRUST_LIMIT = 32,
};

struct options {
    char **argv; /* the command line itself, to run it again */
    uint16_t port;
    const char *binds[OPTIONS_BIND_LIMIT];
    unsigned bind_count; /* 0: loopback, IPv4 and IPv6 */
    bool hftp;           /* speak HFTP too, on these: */
    uint16_t hftp_port;
    const char *hftp_binds[OPTIONS_BIND_LIMIT];
    unsigned hftp_bind_count; /* 0: the addresses of HTTP */
    unsigned threads;
    const char *root;
    unsigned queue;
    unsigned connections;   /* 0: as many as descriptors allow */
    unsigned per_address;   /* connections from one address, 0: any number */
    bool per_address_given; /* for all; else clients of the loopback may have any number */
    const char *logs[OPTIONS_LOG_LIMIT];
    unsigned log_count; /* 0: standard output */
    enum log_format log_format;
    enum log_level log_level;
    const char *error_log; /* NULL: standard error */
    bool daemon;
    const char *pid_file; /* NULL: none */
    const char *user;     /* NULL: stay who we are */
    uint64_t cache;       /* bytes of prepared representations; 0: none */
    const char *chroot;   /* all that is to be seen of the file system; NULL: all */
    bool sandbox;
    unsigned patience_ms; /* that a worker waits for the next words of a client */
    int64_t head_timeout_ms;
    int64_t idle_timeout_ms;
    unsigned min_rate; /* bytes per second; 0: none */
    bool listing;
    bool public_status; /* all may see /.status and /.metrics */

    /* Behind a proxy, or one of several. */
    const char *unix_path; /* a UNIX socket to listen on; NULL: none */
    unsigned unix_mode;    /* its permissions */
    bool reuse_port;       /* other processes may listen there too */
    bool proxy_protocol;   /* connections begin with a header that says whose they are */
    const char *trusts[OPTIONS_TRUST_LIMIT]; /* whose word is taken for that */
    unsigned trust_count;
    uint64_t proxy_holds;   /* bytes that a proxy may have taken and not passed on */
    int64_t drain_delay_ms; /* told to stop, it says so for so long before it does */

    /* Writing. */
    bool read_only;
    bool private_reads;      /* reading needs an account as well */
    bool public_writes;      /* anybody may write, on whatever address */
    bool fsync;              /* an answer to a write means that it is on the disk */
    uint64_t max_body;       /* bytes, 0: no limit */
    uint64_t min_free;       /* bytes of the file system that writes leave free */
    bool min_free_said;      /* else it is a 16th of the file system at most */
    bool uuid_root;          /* GET / answers a client id */
    int64_t expire_s;        /* transfers and staged uploads are forgotten after so long */
    uint64_t max_staged;     /* bytes of staged uploads at once; 0: no limit */
    const char *state;       /* the server's own directory; NULL: .httpd in the docroot */
    const char *auth_file;   /* the accounts; NULL: none, and nobody needs one */
    const char *passwd_user; /* with OPTIONS_PASSWD */
    const char
        *cors_origin; /* whose pages may use this server as if they were its own; NULL: none */
    const char *hosts[OPTIONS_HOST_LIMIT];
    unsigned host_count; /* names this server speaks for, beside those of the loopback */
};

enum options_result {
    OPTIONS_RUN,
    OPTIONS_PASSWD,     /* no server: make a line for the accounts */
    OPTIONS_EXIT_OK,    /* help or version was asked for and printed */
    OPTIONS_EXIT_USAGE, /* one line on standard error says what is wrong: exit 2 */
};

/*
 * Reads the command line, and orders it as getopt does. The strings in *options are those of the
 * command line and live as long. The main thread, once: getopt keeps its place in globals.
 */
enum options_result options_parse(struct options *options, int argc, char **argv);

#endif
