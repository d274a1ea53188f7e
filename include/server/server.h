#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

/*
 * The daemon: what all threads share, its start and its end. What the main thread does in between
 * is in server/main_thread.h, what the others do in server/worker.h.
 */

#include "fs/state.h"
#include "http/media_type.h"
#include "net/trust.h"
#include "resume/client_id.h"
#include "server/access_log.h"
#include "server/cache.h"
#include "server/connection.h"
#include "server/counters.h"
#include "server/open_files.h"
#include "server/options.h"
#include "server/protocol.h"
#include "server/queue.h"
#include "server/sandbox.h"
#include "server/sweeper.h"
#include "server/watch.h"

#include <pthread.h>

struct auth;

enum {
    EXIT_FAILED = 1, /* the machine does not let it */
    EXIT_USAGE = 2,  /* an option, or what it names, is wrong */
};

struct server {
    const struct options *options;
    char *docroot_path;     /* absolute */
    const char *state_path; /* as options say, or inside the chroot; NULL: in the docroot */
    const char *auth_path;  /* likewise; NULL: no accounts, or none that can be seen again */
    const char *error_log; /* likewise; NULL: standard error, or a file that cannot be seen again */
    struct state state;    /* where the server keeps what it must not forget; closed if !resumes */
    pthread_mutex_t state_lock; /* held while state follows the docroot; guards: */
    ino_t state_inode;          /* of the docroot that the state lies in */
    bool resumes;               /* there is a state directory */
    struct client_id_key ids;   /* with resumes */
    uint32_t instance;          /* random: this process, among the servers of one state directory */
    uint64_t boot;      /* names this boot of this machine: who shares its kernel's memory */
    bool read_only;     /* nothing in the docroot is changed */
    bool loopback_only; /* whoever can change files is on this machine */
    struct trust trust; /* whose word is taken about their clients */
    struct auth *auth;  /* who has an account; NULL: nobody needs one */
    struct media_types media_types;
    struct connection_table connections;
    struct watch watch;
    struct queue queue;
    struct sweeper sweeper; /* with resumes */
    struct access_log log;
    struct cache cache;           /* prepared representations */
    struct open_files open_files; /* and the files of some */
    struct counters *counters;    /* one for each worker, and one behind them that all share */
    int64_t started_s;            /* clock_wall_s(), and clock_ms(), when it began to serve */
    int64_t started_ms;
    _Atomic int64_t complained_ms; /* when a proxy was last complained about */
    atomic_bool draining;   /* every answer is the last on its connection; /.health says so */
    atomic_bool dismissing; /* and a connection without a request is closed */
    struct sandbox sandbox;
    atomic_bool replaced_said; /* that another directory stands where the docroot was */
};

/* The counters for what happens rarely, in whatever thread. */
static inline struct counters *server_shared_counters(const struct server *server)
{
    return &server->counters[server->options->threads];
}

/* What is spoken where. */
struct service {
    const struct protocol *protocol;
    uint16_t port;
    const char *const *binds;
    unsigned bind_count;   /* 0: loopback, IPv4 and, where there is one, IPv6; */
    const char *unix_path; /* or, unless NULL, this UNIX socket */
};

/* Runs the daemon until it is told to stop. The services share all but their addresses. The exit
   status: 0 after a drain, 1 when it could not start (a line on standard error says why), 2 when an
   option turned out to be wrong. */
int server_run(const struct options *options, const struct service *services, unsigned count);

#endif
