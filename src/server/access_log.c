#include "server/access_log.h"

#include "base/buffer.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/chars.h"
#include "server/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LINE_LIMIT = 4096 };

static int open_file(const char *path)
{
    if (strcmp(path, "-") == 0)
        return STDOUT_FILENO;
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
}

const char *access_log_open(struct access_log *log, enum log_format format,
                            const char *const *paths, unsigned count)
{
    memset(log, 0, sizeof *log);
    log->format = format;
    for (log->count = 0; log->count < count; log->count++) {
        int fd = open_file(paths[log->count]);
        if (fd == -1)
            return paths[log->count];
        log->paths[log->count] = paths[log->count];
        log->fds[log->count] = fd;
    }
    return NULL;
}

/* Writes all of it to every file. A file that fails loses these lines and is tried again later. */
static void write_out(struct access_log *log, const char *data, size_t len)
{
    for (unsigned i = 0; i < log->count; i++) {
        size_t at = 0;
        while (at < len) {
            ssize_t n = write(log->fds[i], data + at, len - at);
            if (n == -1 && errno == EINTR)
                continue;
            if (n == -1 && errno == EAGAIN) {
                /* Somebody made the terminal or pipe non-blocking: wait for its reader. */
                nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
                continue;
            }
            if (n <= 0)
                break;
            at += (size_t)n;
        }
    }
}

static void reopen_files(struct access_log *log)
{
    for (unsigned i = 0; i < log->count; i++) {
        if (log->paths[i] == NULL) {
            log_error("a log outside the --chroot cannot be re-opened; going on with the old file");
            continue;
        }
        int fd = open_file(log->paths[i]);
        if (fd == -1) {
            log_error("cannot re-open the log %s: %m; going on with the old file", log->paths[i]);
        } else if (fd != log->fds[i]) {
            close(log->fds[i]);
            log->fds[i] = fd;
        }
    }
}

static void report_dropped(uint64_t dropped)
{
    if (dropped > 0)
        log_warning("the access log could not keep up: %llu lines lost",
                    (unsigned long long)dropped);
}

static void *write_lines(void *argument)
{
    struct access_log *log = argument;
    bool closing = false;

    if (log->sandbox != NULL)
        sandbox_enter(log->sandbox, THREAD_LOG_WRITER);
    pthread_mutex_lock(&log->lock);
    while (!closing) {
        while (log->len == 0 && !log->reopen && !log->closing) {
            log->asleep = true;
            pthread_cond_wait(&log->news, &log->lock);
            log->asleep = false;
        }
        closing = log->closing;
        if (!closing && !log->reopen) {
            /* Let more lines gather. The wait ends early only when there is an order. */
            struct timespec until = clock_after_ms(ACCESS_LOG_DELAY_MS);
            while (!log->closing && !log->reopen && log->len < ACCESS_LOG_BUFFER / 2 &&
                   pthread_cond_timedwait(&log->news, &log->lock, &until) == 0)
                ;
            closing = log->closing;
        }
        char *full = log->filling;
        size_t len = log->len;
        bool reopen = log->reopen;
        uint64_t dropped = log->dropped;
        log->filling = log->writing;
        log->writing = full;
        log->len = 0;
        log->reopen = false;
        log->dropped = 0;
        log->stuck = false;
        if (log->waiting > 0)
            pthread_cond_broadcast(&log->room);
        pthread_mutex_unlock(&log->lock);

        /* Lines from before the order to re-open belong to the old file. */
        write_out(log, full, len);
        report_dropped(dropped);
        if (reopen)
            reopen_files(log);

        pthread_mutex_lock(&log->lock);
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

static int start_writer(struct access_log *log)
{
    pthread_condattr_t monotonic;
    int error;

    if ((error = pthread_mutex_init(&log->lock, NULL)) != 0 ||
        (error = pthread_condattr_init(&monotonic)) != 0)
        return error;
    error = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    if (error == 0)
        error = pthread_cond_init(&log->news, &monotonic);
    if (error == 0)
        error = pthread_cond_init(&log->room, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (error == 0)
        error = pthread_create(&log->writer, NULL, write_lines, log);
    log->started = error == 0;
    return error;
}

int access_log_start(struct access_log *log, struct sandbox *sandbox)
{
    log->sandbox = sandbox;
    log->filling = malloc(ACCESS_LOG_BUFFER);
    log->writing = malloc(ACCESS_LOG_BUFFER);
    int error = log->filling == NULL || log->writing == NULL ? ENOMEM : start_writer(log);
    if (error != 0) {
        free(log->filling);
        free(log->writing);
        log->filling = log->writing = NULL;
    }
    return error;
}

static void put_two(struct buffer *out, int n)
{
    buffer_put_char(out, (char)('0' + n / 10 % 10));
    buffer_put_char(out, (char)('0' + n % 10));
}

/* "[21/Nov/2026:02:30:00 +0000]", in local time as every log tool expects. */
static void put_time(struct buffer *out, int64_t when)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;
    time_t t = (time_t)when;

    if (localtime_r(&t, &tm) == NULL)
        memset(&tm, 0, sizeof tm);
    long offset = tm.tm_gmtoff / 60;
    buffer_put_char(out, '[');
    put_two(out, tm.tm_mday);
    buffer_put_char(out, '/');
    buffer_put(out, months[tm.tm_mon], 3);
    buffer_put_char(out, '/');
    buffer_put_u64(out, (uint64_t)tm.tm_year + 1900);
    buffer_put_char(out, ':');
    put_two(out, tm.tm_hour);
    buffer_put_char(out, ':');
    put_two(out, tm.tm_min);
    buffer_put_char(out, ':');
    put_two(out, tm.tm_sec);
    buffer_put_text(out, " ");
    buffer_put_char(out, offset < 0 ? '-' : '+');
    offset = offset < 0 ? -offset : offset;
    put_two(out, (int)(offset / 60));
    put_two(out, (int)(offset % 60));
    buffer_put_char(out, ']');
}

/*
 * A client's bytes, so that they cannot forge a line or a field: quotes, backslashes, control bytes
 * and what is not ASCII are written as \xHH (as Apache and nginx do). Cut where it gets too long.
 */
static void put_escaped(struct buffer *out, struct span s, size_t limit)
{
    size_t end = out->len + limit;

    for (size_t i = 0; i < s.len && out->len + 4 <= end; i++) {
        size_t room = end - out->len - 3, left = s.len - i;
        size_t run = chars_quotable_run(s.ptr + i, left < room ? left : room);
        buffer_put(out, s.ptr + i, run);
        i += run;
        if (i < s.len && out->len + 4 <= end) {
            unsigned char c = (unsigned char)s.ptr[i];
            buffer_put_text(out, "\\x");
            buffer_put_char(out, "0123456789ABCDEF"[c >> 4]);
            buffer_put_char(out, "0123456789ABCDEF"[c & 15]);
        }
    }
}

static void put_quoted(struct buffer *out, struct span s, size_t limit)
{
    if (s.ptr == NULL) {
        buffer_put_text(out, " \"-\"");
        return;
    }
    buffer_put_text(out, " \"");
    put_escaped(out, s, limit);
    buffer_put_char(out, '"');
}

/* The time changes once a second and costs more than all the rest: each thread keeps the last. */
static void put_cached_time(struct buffer *out, int64_t when)
{
    static _Thread_local struct {
        int64_t when;
        size_t len;
        char text[40];
    } last = {.when = -1};

    if (last.when != when) {
        struct buffer text = BUFFER_OVER(last.text);
        put_time(&text, when);
        last.when = when;
        last.len = text.len;
    }
    buffer_put(out, last.text, last.len);
}

static void put_words(struct buffer *out, const struct access_log_line *line, bool combined)
{
    address_put_host(out, line->peer);
    if (line->user.len > 0) {
        buffer_put_text(out, " - ");
        put_escaped(out, line->user, 128);
        buffer_put_char(out, ' ');
    } else {
        buffer_put_text(out, " - - ");
    }
    put_cached_time(out, line->when);
    put_quoted(out, line->request, LINE_LIMIT / 2);
    buffer_put_char(out, ' ');
    buffer_put_u64(out, line->status);
    buffer_put_char(out, ' ');
    if (line->sent > 0)
        buffer_put_u64(out, line->sent);
    else
        buffer_put_char(out, '-');
    if (combined) {
        put_quoted(out, line->referer, LINE_LIMIT / 8);
        put_quoted(out, line->user_agent, LINE_LIMIT / 8);
    }
}

/* `,"name":"text"`, of a client's text as much as there is room for; "-" when there is none, as in
   the other formats. */
static void put_member(struct buffer *out, struct span name, struct span text, size_t limit)
{
    enum { WORST = 6 }; /* a byte as \u001f */

    buffer_put_text(out, ",\"");
    buffer_put_span(out, name);
    buffer_put_text(out, "\":\"");
    if (text.ptr == NULL)
        buffer_put_char(out, '-');
    else
        buffer_put_json(out,
                        span_make(text.ptr, text.len < limit / WORST ? text.len : limit / WORST));
    buffer_put_char(out, '"');
}

static void put_object(struct buffer *out, const struct access_log_line *line)
{
    size_t stamp = out->len + sizeof "{\"time\":\"" - 1;

    buffer_put_text(out, "{\"time\":\"");
    put_cached_time(out, line->when);
    /* Without its brackets. */
    memmove(out->data + stamp, out->data + stamp + 1, out->len - stamp - 2);
    out->len -= 2;
    buffer_put_text(out, "\",\"client\":\"");
    address_put_host(out, line->peer);
    buffer_put_char(out, '"');
    put_member(out, SPAN("user"), line->user.len > 0 ? line->user : SPAN_EMPTY, 1536);
    put_member(out, SPAN("request"), line->request, LINE_LIMIT / 2);
    buffer_put_text(out, ",\"status\":");
    buffer_put_u64(out, line->status);
    buffer_put_text(out, ",\"bytes\":");
    buffer_put_u64(out, line->sent);
    put_member(out, SPAN("referer"), line->referer, LINE_LIMIT / 8);
    put_member(out, SPAN("user_agent"), line->user_agent, LINE_LIMIT / 8);
    buffer_put_char(out, '}');
}

/* With the lock held. */
static void wait_for_room(struct access_log *log, size_t len)
{
    struct timespec until = clock_after_ms(ACCESS_LOG_WAIT_MS);

    log->waiting++;
    while (log->len + len > ACCESS_LOG_BUFFER && !log->stuck)
        if (pthread_cond_timedwait(&log->room, &log->lock, &until) == ETIMEDOUT)
            log->stuck = true;
    log->waiting--;
}

void access_log_write(struct access_log *log, const struct access_log_line *line)
{
    char bytes[LINE_LIMIT + LINE_LIMIT / 2];
    struct buffer out = BUFFER_OVER(bytes);

    if (log->format == LOG_FORMAT_JSON)
        put_object(&out, line);
    else
        put_words(&out, line, log->format == LOG_FORMAT_COMBINED);
    buffer_put_char(&out, '\n');

    pthread_mutex_lock(&log->lock);
    if (log->len + out.len > ACCESS_LOG_BUFFER && !log->stuck)
        wait_for_room(log, out.len);
    bool was_half_full = log->len >= ACCESS_LOG_BUFFER / 2;
    if (log->len + out.len <= ACCESS_LOG_BUFFER) {
        memcpy(log->filling + log->len, bytes, out.len);
        log->len += out.len;
    } else {
        log->dropped++;
    }
    /* Asleep, or waiting for more, of which there is enough now. */
    if (log->asleep || (!was_half_full && log->len >= ACCESS_LOG_BUFFER / 2))
        pthread_cond_signal(&log->news);
    pthread_mutex_unlock(&log->lock);
}

void access_log_reopen(struct access_log *log)
{
    pthread_mutex_lock(&log->lock);
    log->reopen = true;
    pthread_cond_signal(&log->news);
    pthread_mutex_unlock(&log->lock);
}

void access_log_close(struct access_log *log)
{
    if (log->started) {
        pthread_mutex_lock(&log->lock);
        log->closing = true;
        pthread_cond_signal(&log->news);
        pthread_mutex_unlock(&log->lock);
        pthread_join(log->writer, NULL);
    }
    free(log->filling);
    free(log->writing);
    for (unsigned i = 0; i < log->count; i++)
        if (log->fds[i] != STDOUT_FILENO)
            close(log->fds[i]);
}
