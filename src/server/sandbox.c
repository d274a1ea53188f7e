#include "server/sandbox.h"

#include "base/buffer.h"
#include "base/log.h"
#include "server/gate.h"
#include "server/landlock.h"
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/prctl.h>
#include <unistd.h>

/*
 * A sanitizer looks things up while the program runs: it reads /proc, writes reports where the
 * environment says, starts a symbolizer, stops all threads with ptrace to look for leaks. A sandbox
 * that lets it do all this is none.
 */
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
#define SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* --- Who may what ------------------------------------------------------------------------------
 */

static bool allow(const struct sandbox *s, enum thread_kind kind, const char *path,
                  enum landlock_need need)
{
    if (landlock_allow_path(s->rulesets[kind], s->abi, path, need))
        return true;
    log_warning("sandbox: cannot allow %s: %m", path);
    return false;
}

/* The directory that a file is in: for files that are made anew, as logs are when they rotate. */
static bool allow_directory_of(const struct sandbox *s, enum thread_kind kind, const char *path,
                               enum landlock_need need)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    if (slash == NULL)
        return allow(s, kind, ".", need);
    if (len >= sizeof directory)
        return false;
    memcpy(directory, path, len);
    directory[len] = '\0';
    return allow(s, kind, len == 0 ? "/" : directory, need);
}

static bool allow_logs(const struct sandbox *s, const struct access_log *log)
{
    bool allowed = true;

    for (unsigned i = 0; i < log->count && allowed; i++) {
        const char *path = log->paths[i];
        if (path == NULL || strcmp(path, "-") == 0)
            continue;
        /* The file itself too: behind a link it is in another directory. */
        allowed = allow_directory_of(s, THREAD_LOG_WRITER, path, LANDLOCK_APPEND) &&
                  allow(s, THREAD_LOG_WRITER, path, LANDLOCK_APPEND);
    }
    return allowed;
}

/* Every file that is needed after the start, and who needs it. */
static bool allow_files(const struct sandbox *s, const struct server *server,
                        const struct gate *gate)
{
    const struct options *o = server->options;
    bool allowed = allow(s, THREAD_WORKER, server->docroot_path,
                         server->read_only ? LANDLOCK_READ : LANDLOCK_CHANGE);

    if (allowed && server->resumes)
        allowed =
            landlock_allow(s->rulesets[THREAD_WORKER], s->abi, server->state.fd, LANDLOCK_CHANGE) &&
            landlock_allow(s->rulesets[THREAD_SWEEPER], s->abi, server->state.fd, LANDLOCK_CHANGE);
    allowed = allowed && allow_logs(s, &server->log);
    /* Read again on SIGHUP, when an editor may have put a new file in its place. */
    if (allowed && server->auth_path != NULL)
        allowed = allow_directory_of(s, THREAD_MAIN, server->auth_path, LANDLOCK_FILES);
    /* Re-opened on SIGHUP. */
    if (allowed && server->error_log != NULL)
        allowed = allow_directory_of(s, THREAD_MAIN, server->error_log, LANDLOCK_APPEND);
    if (!allowed || o->chroot != NULL)
        return allowed;
    /* Removed at the end. */
    if (allowed && o->pid_file != NULL)
        allowed = allow_directory_of(s, THREAD_MAIN, o->pid_file, LANDLOCK_REMOVE);
    for (unsigned i = 0; i < gate->count && allowed; i++)
        if (gate->listeners[i].place.path != NULL)
            allowed =
                allow_directory_of(s, THREAD_MAIN, gate->listeners[i].place.path, LANDLOCK_REMOVE);
    return allowed;
}

/* --- Preparing ---------------------------------------------------------------------------------
 */

static void close_rulesets(struct sandbox *s, enum thread_kind first)
{
    for (int i = (int)first; i < THREAD_KINDS; i++) {
        if (s->rulesets[i] != -1)
            close(s->rulesets[i]);
        s->rulesets[i] = -1;
    }
}

static bool prepare_files(struct sandbox *s, const struct server *server, const struct gate *gate)
{
    bool made = true;

    s->abi = landlock_abi();
    if (s->abi < LANDLOCK_ABI_LEAST) {
        log_warning("sandbox: this kernel has no Landlock that fits (Linux 5.19): files outside "
                    "the docroot are guarded by their permissions alone");
        return false;
    }
    for (unsigned i = 0; i < THREAD_KINDS; i++) {
        s->rulesets[i] = landlock_open(s->abi);
        made = made && s->rulesets[i] != -1;
    }
    if (!made)
        log_warning("sandbox: cannot set up Landlock: %m");
    if (made && allow_files(s, server, gate))
        return true;
    close_rulesets(s, 0);
    return false;
}

void sandbox_prepare(struct sandbox *s, const struct server *server, const struct gate *gate)
{
    for (unsigned i = 0; i < THREAD_KINDS; i++)
        s->rulesets[i] = -1;
    if (!server->options->sandbox) {
        s->off = "--no-sandbox";
        return;
    }
    if (SANITIZED) {
        s->off = "built with a sanitizer";
        return;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || sem_init(&s->entered, 0, 0) == -1) {
        log_warning("sandbox: it cannot be set up: %m");
        s->off = "it cannot be set up";
        return;
    }
    s->files = prepare_files(s, server, gate);
    s->filtered = syscall_filter_available();
    if (!s->filtered)
        log_warning("sandbox: system calls cannot be filtered on this machine");
    s->off = s->files || s->filtered ? NULL : "this system has none";
}

void sandbox_describe(const struct sandbox *s, struct buffer *out)
{
    static const char *const capabilities[] = {
        [PRIVILEGE_NONE] = ", no capabilities",
        [PRIVILEGE_ANY_FILE] = ", of root's capabilities those over files",
        [PRIVILEGE_UNCHANGED] = "",
    };

    if (s->off != NULL) {
        buffer_put_text(out, "no sandbox (");
        buffer_put_span(out, span_of(s->off));
        buffer_put_char(out, ')');
        return;
    }
    buffer_put_text(out, "sandbox (");
    if (s->files) {
        buffer_put_text(out, "Landlock ");
        buffer_put_u64(out, s->abi);
        buffer_put_text(out, ", ");
    }
    if (s->filtered)
        buffer_put_text(out, "system call filter, ");
    buffer_put_text(out, "no new privileges");
    buffer_put_span(out, span_of(capabilities[s->capabilities]));
    buffer_put_char(out, ')');
}

/* --- Entering ----------------------------------------------------------------------------------
 */

#ifdef HTTPD_PROBE                  /* `make probe` */
void probe_run(const char *thread); /* tests/probe/probe.c */

static void probe(enum thread_kind kind)
{
    static const char *const names[] = {"main", "worker", "log writer", "sweeper"};
    probe_run(names[kind]);
}
#else
static void probe(enum thread_kind kind)
{
    (void)kind;
}
#endif

/* The filter comes last: it does not know the calls of Landlock. */
static bool enter(struct sandbox *s, enum thread_kind kind)
{
    bool in = !s->files || landlock_enter(s->rulesets[kind]);

    return (!s->filtered || syscall_filter_enter(kind)) && in;
}

void sandbox_enter(struct sandbox *s, enum thread_kind kind)
{
    bool in;

    if (!s->files && !s->filtered) {
        probe(kind);
        return;
    }
    if (kind == THREAD_WORKER && s->inherited)
        in = !s->filtered || syscall_filter_give_up_starting();
    else
        in = enter(s, kind);
    if (!in)
        atomic_fetch_add(&s->failed, 1);
    probe(kind);
    if (kind == THREAD_MAIN)
        close_rulesets(s, THREAD_MAIN);
    else
        sem_post(&s->entered);
}

void sandbox_enter_starter(struct sandbox *s)
{
    s->inherited = (!s->files || landlock_enter(s->rulesets[THREAD_WORKER])) &&
                   (!s->filtered || syscall_filter_enter_starter());
}

void sandbox_await(struct sandbox *s, unsigned threads)
{
    if (!s->files && !s->filtered)
        return;
    for (unsigned i = 0; i < threads; i++)
        while (sem_wait(&s->entered) == -1 && errno == EINTR)
            ;
    close_rulesets(s, THREAD_MAIN + 1);
    if (atomic_load(&s->failed) > 0)
        log_warning("sandbox: %u threads could not go in", atomic_load(&s->failed));
}
