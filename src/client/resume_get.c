#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "client/progress.h"
#include "client/resumable.h"
#include "http/date.h"
#include "http/digest_field.h"
#include "http/etag.h"
#include "http/range.h"
#include "http/status.h"

enum {
    DATE_IS_STRONG_S = 60, /* a Last-Modified so much older than Date is a strong validator */
    RESTARTS_LIMIT = 3,    /* from the beginning, for a server that knows no other way */
    HASH_PIECE = 65536,
};

enum verdict {
    VERDICT_STORE,   /* the body is the file from `length` on */
    VERDICT_FINAL,   /* the answer is the last word: an error, or all was there already */
    VERDICT_AGAIN,   /* the id was refused: another request is needed, and may come at once */
    VERDICT_CHANGED, /* what is there is of another version than the server's */
};

struct get {
    struct visitor visitor;
    struct resumable r;
    struct progress progress;
    char *path, *part;
    int fd;
    uint64_t length; /* bytes of the file that are there */
    uint64_t total;
    bool opened; /* the part is ours */
    bool total_known, whole;
    unsigned restarts;
    enum verdict verdict;
};

/* --- The file while it is a part -----------------------------------------------------------------
 */

/* The bytes go before what says of which version they are, so that the two never disagree. */
static bool clear_part(struct get *get, struct failure *failure)
{
    get->length = 0;
    if (ftruncate(get->fd, 0) == -1)
        return failure_set(failure, FAILURE_LOCAL, "%s: %m", get->part);
    get->r.sidecar.version[0] = get->r.sidecar.digest[0] = '\0';
    return sidecar_store(&get->r.file, &get->r.sidecar, failure);
}

/*
 * What is in FILE.part without anything that says whose it is may be another program's. Called
 * while the sidecar is locked, so that of several of us one alone is at the part.
 */
static bool open_part(struct get *get, struct failure *failure)
{
    struct stat st;
    get->fd = open(get->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (get->fd == -1 || fstat(get->fd, &st) == -1)
        return failure_set(failure, FAILURE_LOCAL, "%s: %m", get->part);
    if (!S_ISREG(st.st_mode))
        return failure_set(failure, FAILURE_LOCAL, "%s: is no regular file", get->part);
    if (st.st_size > 0 && !get->r.found_sidecar)
        return failure_set(failure, FAILURE_LOCAL,
                           "%s: nothing says what it is a part of: remove it to begin", get->part);
    get->length = (uint64_t)st.st_size;
    get->opened = true;
    if (get->length == 0 || get->r.is_same)
        return true;
    resumable_tell("%s: is a part of something else: from the beginning", get->part);
    return clear_part(get, failure);
}

static bool open_get(struct get *get, struct session *session, const struct command *command,
                     const struct origin *home, struct outcome *outcome, struct failure *failure)
{
    struct stat old;
    char *part, *beside;
    if (!resumable_begin(&get->r, session, command, home, outcome, failure))
        return false;
    /* "/<id>/" is not the home page but a list of transfers. */
    struct span path = span_of(get->r.sidecar.path);
    get->r.by_id = path.len > 1 && path.ptr[1] != '?';
    /* The file that a link points to is replaced, not the link. */
    get->path = realpath(command->output, NULL);
    if (get->path == NULL)
        get->path = strdup(command->output);
    if (get->path == NULL)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    if (asprintf(&part, "%s.part", get->path) == -1)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    get->part = part;
    if (stat(get->path, &old) == 0 && !S_ISREG(old.st_mode))
        return failure_set(failure, FAILURE_USAGE, "%s: is no file that could be resumed",
                           get->path);
    if (asprintf(&beside, "%s.id", get->part) == -1)
        return failure_set(failure, FAILURE_LOCAL, "%m");
    bool good = resumable_open_sidecar(&get->r, beside, false, failure);
    free(beside);
    return good && open_part(get, failure) && sidecar_store(&get->r.file, &get->r.sidecar, failure);
}

/* Nothing worth keeping is nothing to leave behind. */
static void close_get(struct get *get, bool done)
{
    bool keep = get->opened ? !done && get->length > 0 : get->r.found_sidecar;
    progress_end(&get->progress);
    if (get->opened && !done && !keep)
        unlink(get->part);
    resumable_end(&get->r, keep);
    if (get->fd != -1)
        close(get->fd);
    free(get->path);
    free(get->part);
}

/* --- What an answer means ------------------------------------------------------------------------
 */

/*
 * What If-Range can take (RFC 9110 13.1.5): a strong entity tag, or a date of last change that is
 * old enough to be one (8.8.2.2). Empty: the server gives neither.
 */
static struct span validator_of(const struct response_head *head)
{
    struct span tag = response_field_value(head, FIELD_ETAG);
    struct span changed = response_field_value(head, FIELD_LAST_MODIFIED);
    int64_t changed_s, sent_s, now_s = clock_wall_s();
    if (tag.len > 0)
        return tag.len < SIDECAR_VERSION_LIMIT && tag.ptr[0] == '"' ? tag : SPAN_EMPTY;
    if (date_parse(changed, now_s, &changed_s) &&
        date_parse(response_field_value(head, FIELD_DATE), now_s, &sent_s) &&
        sent_s - changed_s >= DATE_IS_STRONG_S)
        return changed;
    return SPAN_EMPTY;
}

/* Makes the sidecar tell what the bytes to come are of, ahead of the first of them. */
static bool keep_version(struct get *get, const struct response_head *head, struct failure *failure)
{
    struct sidecar *sidecar = &get->r.sidecar;
    struct span version = validator_of(head);
    if (version.len > 0)
        memcpy(sidecar->version, version.ptr, version.len);
    sidecar->version[version.len] = '\0';
    sidecar->digest[0] = '\0';
    return sidecar_store(&get->r.file, sidecar, failure);
}

static bool keep_digest(struct get *get, const struct response_head *head, struct failure *failure)
{
    struct sidecar *sidecar = &get->r.sidecar;
    struct digest_field digest;
    if (!digest_field_parse(response_field_value(head, FIELD_REPR_DIGEST), &digest) ||
        !digest.has_sha256)
        return true;
    hex_encode(sidecar->digest, digest.sha256, SHA256_LEN);
    sidecar->digest[2 * SHA256_LEN] = '\0';
    return sidecar_store(&get->r.file, sidecar, failure);
}

/* 206 (RFC 9110 15.3.7): it must be what was asked for, and of the version that we have. */
static bool judge_part(struct get *get, const struct response_head *head, struct failure *failure)
{
    struct content_range range;
    struct span version = validator_of(head);
    if (!content_range_parse(&range, response_field_value(head, FIELD_CONTENT_RANGE)) ||
        range.first != get->length)
        return failure_set(failure, FAILURE_PROTOCOL, "the server sent another range than asked");
    bool other = version.len > 0 && !span_equal(version, span_of(get->r.sidecar.version));
    get->verdict = get->length > 0 && other ? VERDICT_CHANGED : VERDICT_STORE;
    get->total = range.length;
    get->total_known = range.length_known;
    return get->length > 0 || keep_version(get, head, failure);
}

/* 200 to a request with Range: the server does no ranges, or has another version. */
static bool judge_whole(struct get *get, const struct response_head *head, struct failure *failure)
{
    struct span version = validator_of(head);
    bool same = version.len == 0 || span_equal(version, span_of(get->r.sidecar.version));
    if (get->length > 0 && !same) {
        get->verdict = VERDICT_CHANGED;
        return true;
    }
    if (get->length > 0) {
        resumable_tell("%s: the server knows no ranges and sends it from the beginning", get->path);
        if (++get->restarts > RESTARTS_LIMIT)
            return failure_set(failure, FAILURE_PROTOCOL,
                               "the server cannot go on, and breaks off each time");
        if (!clear_part(get, failure))
            return false;
    }
    get->verdict = VERDICT_STORE;
    get->total = head->content_length;
    get->total_known = head->framing == RESPONSE_BODY_LENGTH;
    return keep_version(get, head, failure);
}

static void note_start(struct get *get)
{
    if (!get->r.started)
        get->r.outcome->resumed_from = get->length;
    get->r.started = true;
}

/* 416 with the file's length (RFC 9110 15.5.17): that is ours when all had come already. */
static void judge_beyond(struct get *get, const struct response_head *head)
{
    struct span value = response_field_value(head, FIELD_CONTENT_RANGE);
    uint64_t length;
    if (!span_starts_with(value, SPAN("bytes */")) || !span_to_u64(span_from(value, 8), &length))
        return;
    get->whole = length == get->length;
    if (get->whole)
        note_start(get);
    else
        get->verdict = VERDICT_CHANGED;
}

static bool judge(struct get *get, const struct response_head *head, struct failure *failure)
{
    bool has_bytes = get->length > 0;
    resumable_note_head(&get->r, head);
    get->verdict = VERDICT_FINAL;
    switch (head->status) {
    case STATUS_PARTIAL_CONTENT: return judge_part(get, head, failure);
    case STATUS_OK: return judge_whole(get, head, failure);
    case STATUS_RANGE_NOT_SATISFIABLE: judge_beyond(get, head); break;
    case STATUS_NOT_FOUND:
    case STATUS_GONE:
        if (get->r.by_id)
            get->verdict = VERDICT_AGAIN;
        break;
    case STATUS_PRECONDITION_FAILED:
        /* The server knows with which version this transfer began. */
        if (has_bytes)
            get->verdict = VERDICT_CHANGED;
        else if (get->r.by_id)
            get->verdict = VERDICT_AGAIN;
        break;
    default: break;
    }
    return true;
}

/* --- One request ---------------------------------------------------------------------------------
 */

static bool begin(struct visitor *visitor, const struct roundtrip *trip, struct failure *failure)
{
    struct get *get = (struct get *)visitor;
    if (!judge(get, &trip->head, failure))
        return false;
    if (get->verdict != VERDICT_STORE)
        return true;
    note_start(get);
    const char *slash = strrchr(get->path, '/');
    progress_begin(&get->progress, STDERR_FILENO, span_of(slash != NULL ? slash + 1 : get->path),
                   get->total_known ? get->total : 0);
    get->progress.from = get->length;
    return keep_digest(get, &trip->head, failure);
}

static bool take(struct sink *sink, struct span bytes, struct failure *failure)
{
    struct get *get = (struct get *)sink;
    if (get->verdict != VERDICT_STORE)
        return true;
    if (get->total_known && bytes.len > get->total - get->length)
        return failure_set(failure, FAILURE_PROTOCOL, "the server sent more than the rest");
    for (struct span rest = bytes; rest.len > 0;) {
        ssize_t n = pwrite(get->fd, rest.ptr, rest.len, (off_t)get->length);
        if (n == -1 && errno != EINTR)
            return failure_set(failure, FAILURE_LOCAL, "%s: %m", get->part);
        if (n > 0) {
            rest = span_from(rest, (size_t)n);
            get->length += (uint64_t)n;
        }
    }
    get->r.outcome->bytes += bytes.len;
    progress_update(&get->progress, get->length);
    return true;
}

/* One request for what is not there yet. */
static bool ask(struct get *get, struct failure *failure)
{
    char memory[SIDECAR_VERSION_LIMIT + 128];
    struct buffer fields = BUFFER_OVER(memory);
    buffer_put_format(&fields, "Range: bytes=%llu-\r\n", (unsigned long long)get->length);
    if (get->length > 0)
        buffer_put_format(&fields, "If-Range: %s\r\n", get->r.sidecar.version);
    /* Once: the server has to read all of the file for it. */
    if (get->r.sidecar.digest[0] == '\0' &&
        !command_has_field(get->r.command, SPAN("Want-Repr-Digest")))
        buffer_put_text(&fields, "Want-Repr-Digest: sha-256=10\r\n");
    get->whole = false;
    return resumable_identify(&get->r, failure) &&
           resumable_perform(&get->r, SPAN("GET"), buffer_span(&fields), NULL, &get->visitor,
                             failure);
}

/* Another id next time; where a new one was refused too, the path is asked for without. */
static void drop_id(struct resumable *r)
{
    r->sidecar.id[0] = '\0';
    if (r->minted)
        r->by_id = false;
}

/* After an answer that came whole. False with *failure of a kind that may pass, or not. */
static bool settle_answer(struct get *get, bool *over, struct failure *failure)
{
    const struct outcome *outcome = get->r.outcome;
    *over = false;
    switch (get->verdict) {
    case VERDICT_STORE:
        *over = get->whole = !get->total_known || get->length == get->total;
        return *over || failure_set(failure, FAILURE_LOST, "the server sent less than the rest");
    case VERDICT_AGAIN: drop_id(&get->r); return true;
    case VERDICT_CHANGED:
        return clear_part(get, failure) &&
               failure_set(failure, FAILURE_CHANGED,
                           "the file has changed on the server since the part that is here was "
                           "begun: run again to have it from the beginning");
    case VERDICT_FINAL: break;
    }
    if (resumable_is_passing_status(outcome->status))
        return failure_set(failure, FAILURE_LOST, "%u %s", outcome->status, outcome->reason);
    *over = true;
    return true;
}

/* A range of a version that nothing tells from another cannot be asked for. */
static bool prepare(struct get *get, struct failure *failure)
{
    if (get->length == 0 || get->r.sidecar.version[0] != '\0')
        return true;
    resumable_tell("%s: the server does not tell versions apart: from the beginning", get->path);
    if (++get->restarts > RESTARTS_LIMIT)
        return failure_set(failure, FAILURE_PROTOCOL,
                           "the server cannot go on, and breaks off each time");
    return clear_part(get, failure);
}

static bool fetch(struct get *get, struct failure *failure)
{
    bool over = false;
    while (!over) {
        if (!prepare(get, failure))
            return false;
        uint64_t before = get->length;
        bool good = ask(get, failure);
        progress_end(&get->progress);
        if (good)
            good = settle_answer(get, &over, failure);
        if (!good && !resumable_again(&get->r, get->length > before, failure))
            return false;
    }
    return true;
}

/* --- The end -------------------------------------------------------------------------------------
 */

static bool verify(const struct get *get, struct failure *failure)
{
    char piece[HASH_PIECE], text[2 * SHA256_LEN];
    uint8_t digest[SHA256_LEN];
    struct sha256 h;
    off_t at = 0;
    ssize_t n;
    if (get->r.sidecar.digest[0] == '\0')
        return true;
    sha256_init(&h);
    while ((n = pread(get->fd, piece, sizeof piece, at)) > 0) {
        sha256_update(&h, piece, (size_t)n);
        at += n;
    }
    if (n == -1)
        return failure_set(failure, FAILURE_LOCAL, "%s: %m", get->part);
    sha256_final(&h, digest);
    hex_encode(text, digest, sizeof digest);
    return memcmp(text, get->r.sidecar.digest, sizeof text) == 0 ||
           failure_set(failure, FAILURE_PROTOCOL,
                       "what came does not have the digest that the server gave");
}

static bool finish(struct get *get, struct failure *failure)
{
    if (!verify(get, failure)) {
        /* Bytes that are wrong are no beginning for another try. */
        struct failure ignored;
        if (failure->kind == FAILURE_PROTOCOL)
            clear_part(get, &ignored);
        return false;
    }
    if (fsync(get->fd) == -1 || rename(get->part, get->path) == -1)
        return failure_set(failure, FAILURE_LOCAL, "%s: %m", get->path);
    get->r.outcome->status = STATUS_OK;
    return true;
}

bool resume_get(struct session *session, const struct command *command, const struct origin *home,
                struct outcome *outcome, struct failure *failure)
{
    struct get get = {
        .visitor = {.sink = {.take = take}, .begin = begin}, .progress = {.fd = -1}, .fd = -1};
    bool good = open_get(&get, session, command, home, outcome, failure) && fetch(&get, failure);
    if (good && get.whole)
        good = finish(&get, failure);
    if (!good && get.length > 0)
        resumable_tell("%s: %llu bytes are kept for the next time", get.part,
                       (unsigned long long)get.length);
    close_get(&get, good && get.whole);
    return good;
}
