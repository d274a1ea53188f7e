#include "server/transfer_upload.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "server/delivery.h"
#include "server/exchange.h"
#include "server/member.h"
#include "server/status_page.h"

#include <stdlib.h>
#include <time.h>

enum {
    STAGE_HASH = 16, /* bytes of SHA-256 that name a path, as in the record's own name */
    STAGE_NAME = 3 + UUID_TEXT_LEN + 1 + 2 * STAGE_HASH,
    LET_GO_MS = 1500,      /* how long the former holder may take to let go */
    LET_GO_LOOK_MS = 5,    /* and how often it is looked whether it did */
    CREATE_TRIES = 100,    /* how often another request may make what this one has just removed */
    LET_GO_ALONE_MS = 200, /* where there is no other worker that could serve it */
};

static void stage_name(char name[static STAGE_NAME], const struct uuid *client, struct span path)
{
    uint8_t sum[SHA256_LEN];

    memcpy(name, "up-", 3);
    uuid_format(client, name + 3);
    name[3 + UUID_TEXT_LEN] = '-';
    sha256_of(path.ptr, path.len, sum);
    hex_encode(name + 3 + UUID_TEXT_LEN + 1, sum, STAGE_HASH);
}

static enum status status_of_transfer(enum transfer_result result)
{
    switch (result) {
    case TRANSFER_OK: return STATUS_NONE;
    case TRANSFER_NONE: return STATUS_NOT_FOUND;
    case TRANSFER_EXISTS:
    case TRANSFER_EVICTED: return STATUS_CONFLICT;
    case TRANSFER_NO_SPACE: return STATUS_INSUFFICIENT_STORAGE;
    case TRANSFER_FAILED: break;
    }
    return STATUS_INTERNAL_SERVER_ERROR;
}

static enum status status_of_result(enum fs_result result)
{
    return result == FS_OK ? STATUS_NONE : status_of_write_result(result);
}

static struct transfer_upload *make(struct server *server, const struct uuid *client,
                                    struct span path)
{
    size_t place_room = path.len + MEMBER_ROOM + 1;
    struct transfer_upload *u = calloc(1, sizeof *u + place_room + path.len);

    if (u == NULL)
        return NULL;
    u->server = server;
    u->client = *client;
    u->transfer = TRANSFER_CLOSED;
    u->stage = STAGE_NONE;
    memcpy(u->place, path.ptr, path.len);
    u->path = span_make(u->place + place_room, path.len);
    memcpy(u->place + place_room, path.ptr, path.len);
    return u;
}

void transfer_upload_release(struct transfer_upload *u)
{
    if (u == NULL)
        return;
    stage_keep(&u->stage);
    transfer_close(&u->transfer);
    free(u);
}

void transfer_upload_forget(struct transfer_upload *u)
{
    transfer_remove(u->server->state.transfers_fd, &u->client, u->path);
    stage_discard(&u->stage);
    transfer_upload_release(u);
}

/* --- Taking it from whoever had it -------------------------------------------------------------
 */

/*
 * Opens the stage, for which the former holder has to let go of it. He is asked again and again: a
 * connection that a worker serves just now may be parked at the next look. FS_BUSY when he did not,
 * and when a younger request took the upload meanwhile: what the record said then is not true of
 * the stage any more.
 */
static enum fs_result open_stage(struct transfer_upload *u, struct worker *worker, uint64_t former,
                                 bool create)
{
    const struct timespec pause = {.tv_nsec = LET_GO_LOOK_MS * 1000000};
    bool alone = worker->server->options->threads == 1;
    int64_t until = clock_ms() + (alone ? LET_GO_ALONE_MS : LET_GO_MS);
    char name[STAGE_NAME];
    enum fs_result result;

    stage_name(name, &u->client, u->path);
    for (;;) {
        if (former != 0)
            exchange_evict(worker, former);
        result = stage_open(&u->stage, &u->server->state, span_make(name, sizeof name), create);
        bool held = transfer_is_held(&u->transfer);
        if (result == FS_OK && !held) {
            stage_keep(&u->stage);
            return FS_BUSY;
        }
        if (result != FS_BUSY || !held || clock_ms() >= until)
            return result;
        queue_step_aside(&worker->server->queue);
        nanosleep(&pause, NULL);
    }
}

/* Makes record and stage agree, in what is certain. */
static enum status tidy(struct transfer_upload *u)
{
    struct transfer_record *r = &u->transfer.record;
    bool trusted = r->writer == u->server->boot && (r->flags & UPLOAD_UNCHECKED) == 0;
    uint64_t keep = trusted || u->stage.len < r->offset ? u->stage.len : r->offset;

    if (r->length_known && keep > r->length)
        keep = r->length;
    if (keep < u->stage.len && stage_truncate(&u->stage, keep) != FS_OK)
        return STATUS_INTERNAL_SERVER_ERROR;
    r->flags &= ~(uint32_t)UPLOAD_UNCHECKED;
    r->writer = u->server->boot;
    /* As old as the record now is: the sweep is to take both or none. */
    stage_touch(&u->stage);
    return transfer_upload_store(u);
}

/* A stage is there, or is not. Finishes what a killed server may have begun. */
static enum status settle(struct transfer_upload *u, struct worker *worker, enum fs_result opened)
{
    struct transfer_record *r = &u->transfer.record;
    struct published published;
    enum status status;

    if (opened == FS_NOT_FOUND && (r->flags & UPLOAD_DUE) != 0) {
        r->complete = true;
        r->flags &= ~(uint32_t)UPLOAD_DUE;
        return status_of_transfer(transfer_store(&u->transfer, clock_wall_s()));
    }
    if (opened == FS_NOT_FOUND)
        return STATUS_NOT_FOUND;
    if (opened != FS_OK)
        return opened == FS_BUSY ? STATUS_SERVICE_UNAVAILABLE : status_of_result(opened);
    status = tidy(u);
    bool due = (r->flags & UPLOAD_DUE) != 0 ||
               ((r->flags & UPLOAD_WHEN_TOLD) == 0 && r->length_known && r->offset == r->length);
    if (status == STATUS_NONE && due && !u->server->read_only)
        status = transfer_upload_complete(u, worker, NULL, &published);
    return status;
}

static bool is_expired(const struct transfer_upload *u)
{
    return u->transfer.record.touched_s + u->server->options->expire_s < clock_wall_s();
}

/* A younger request has it: a moment later there will be more to say. A 4xx would have some clients
   forget the upload. */
static enum status status_of_taking(enum transfer_result result)
{
    return result == TRANSFER_EVICTED ? STATUS_SERVICE_UNAVAILABLE : status_of_transfer(result);
}

/* Opens the record and takes it; evicts the former holder and opens the stage. */
static enum status take(struct transfer_upload *u, struct worker *worker)
{
    const struct state *state = &u->server->state;
    const struct transfer_claim claim = delivery_claim(u->server, worker->connection);
    uint64_t former = 0;
    enum transfer_result result =
        transfer_open(&u->transfer, state->transfers_fd, &u->client, u->path);

    if (result != TRANSFER_OK)
        return status_of_transfer(result);
    if (u->transfer.record.kind != TRANSFER_UPLOAD)
        return STATUS_NOT_FOUND;
    bool expired = is_expired(u);
    result = transfer_take(&u->transfer, &claim, &former, clock_wall_s());
    if (result != TRANSFER_OK)
        return status_of_taking(result);
    const struct transfer_record *r = &u->transfer.record;
    bool published = r->complete && (r->flags & UPLOAD_PARTIAL) == 0;
    /* Whoever made the record may not have come to making the stage. */
    bool fresh = r->offset == 0 && !r->complete && (r->flags & UPLOAD_DUE) == 0;
    enum fs_result opened = published ? FS_OK : open_stage(u, worker, former, fresh);
    if (opened != FS_BUSY &&
        (expired || (opened == FS_NOT_FOUND && (r->flags & UPLOAD_DUE) == 0))) {
        transfer_remove(state->transfers_fd, &u->client, u->path);
        stage_discard(&u->stage);
        return STATUS_GONE;
    }
    if (published)
        return STATUS_NONE;
    enum status status = settle(u, worker, opened);
    return status == STATUS_CONFLICT && !transfer_is_held(&u->transfer) ? STATUS_SERVICE_UNAVAILABLE
                                                                        : status;
}

enum status transfer_upload_take(struct transfer_upload **upload, struct worker *worker,
                                 const struct uuid *client, struct span path)
{
    struct transfer_upload *u = make(worker->server, client, path);

    *upload = NULL;
    if (u == NULL)
        return STATUS_SERVICE_UNAVAILABLE;
    enum status status = take(u, worker);
    if (status == STATUS_NONE)
        *upload = u;
    else
        transfer_upload_release(u);
    return status;
}

/* --- A new one ---------------------------------------------------------------------------------
 */

/* Takes the upload that is there from whoever holds it, *former, and removes its record. False: a
   younger request has it. */
static bool forget_old(struct transfer_upload *u, struct worker *worker, uint64_t *former)
{
    const struct transfer_claim claim = delivery_claim(u->server, worker->connection);
    int store = u->server->state.transfers_fd;
    struct transfer old;

    if (transfer_open(&old, store, &u->client, u->path) != TRANSFER_OK)
        return true;
    bool is_upload = old.record.kind == TRANSFER_UPLOAD;
    enum transfer_result taken = transfer_take(&old, &claim, former, clock_wall_s());
    transfer_close(&old);
    if (taken == TRANSFER_EVICTED)
        return false;
    if (taken != TRANSFER_NONE)
        transfer_remove(store, &u->client, u->path);
    if (taken == TRANSFER_OK && !is_upload) {
        delivery_evict(u->server, worker->connection, *former, NULL);
        *former = 0;
    }
    return true;
}

/* Makes the record. `afresh`: in place of one that is there. */
static enum transfer_result create_record(struct transfer_upload *u, struct worker *worker,
                                          const struct transfer_record *record, struct span note,
                                          bool afresh, uint64_t *former)
{
    enum transfer_result result;
    unsigned tries = 0;

    do {
        if (afresh && !forget_old(u, worker, former))
            return TRANSFER_EVICTED;
        result = transfer_create(&u->transfer, u->server->state.transfers_fd, &u->client, u->path,
                                 record, note, clock_wall_s());
    } while (afresh && result == TRANSFER_EXISTS && ++tries < CREATE_TRIES);
    return result;
}

static enum status create(struct transfer_upload *u, struct worker *worker,
                          const struct transfer_record *wanted, struct span note, bool afresh)
{
    struct transfer_record record = *wanted;
    uint64_t former = 0;

    record.kind = TRANSFER_UPLOAD;
    record.claim = delivery_claim(u->server, worker->connection);
    record.writer = u->server->boot;
    enum transfer_result result = create_record(u, worker, &record, note, afresh, &former);
    if (result != TRANSFER_OK)
        return status_of_taking(result);
    enum fs_result opened = open_stage(u, worker, former, true);
    if (opened == FS_OK)
        opened = stage_truncate(&u->stage, 0);
    if (opened == FS_OK)
        return STATUS_NONE;
    if (opened != FS_BUSY || transfer_is_held(&u->transfer))
        transfer_remove(u->server->state.transfers_fd, &u->client, u->path);
    return opened == FS_BUSY ? STATUS_SERVICE_UNAVAILABLE : status_of_result(opened);
}

enum status transfer_upload_create(struct transfer_upload **upload, struct worker *worker,
                                   const struct uuid *client, struct span path,
                                   const struct transfer_record *record, struct span note,
                                   bool afresh)
{
    struct transfer_upload *u;

    *upload = NULL;
    if (path.len > TRANSFER_PATH_MAX - MEMBER_ROOM || note.len > TRANSFER_NOTE_MAX)
        return STATUS_FIELDS_TOO_LARGE;
    u = make(worker->server, client, path);
    if (u == NULL)
        return STATUS_SERVICE_UNAVAILABLE;
    enum status status = create(u, worker, record, note, afresh);
    if (status == STATUS_NONE) {
        *upload = u;
        counters_add(worker->counters, COUNTER_UPLOADS_BEGUN, 1);
    } else {
        transfer_upload_release(u);
    }
    return status;
}

/* --- How far it is -----------------------------------------------------------------------------
 */

/* Bytes first, then the record that speaks of them. */
enum status transfer_upload_store(struct transfer_upload *u)
{
    bool sync = u->server->options->fsync;
    enum fs_result synced = sync ? stage_sync(&u->stage) : FS_OK;

    if (synced != FS_OK)
        return status_of_result(synced);
    u->transfer.record.offset = u->stage.len;
    enum transfer_result result = transfer_store(&u->transfer, clock_wall_s());
    if (result == TRANSFER_OK && sync)
        result = transfer_sync(&u->transfer);
    return status_of_transfer(result);
}

struct write_terms transfer_upload_terms(const struct transfer_upload *u)
{
    const struct transfer_record *r = &u->transfer.record;

    return (struct write_terms){
        .condition = (r->flags & UPLOAD_IF_ABSENT) != 0 ? WRITE_IF_ABSENT
                     : (r->flags & UPLOAD_IF_SAME) != 0 ? WRITE_IF_SAME
                                                        : WRITE_ALWAYS,
        .expected = {.fd = -1, .inode = r->inode, .size = r->size, .mtime_ns = r->mtime_ns},
        .sync = u->server->options->fsync,
    };
}

void transfer_upload_set_terms(struct transfer_record *r, const struct write_terms *terms)
{
    r->flags |= terms->condition == WRITE_IF_ABSENT ? UPLOAD_IF_ABSENT
                : terms->condition == WRITE_IF_SAME ? UPLOAD_IF_SAME
                                                    : 0u;
    if (terms->condition == WRITE_IF_SAME) {
        r->inode = terms->expected.inode;
        r->size = terms->expected.size;
        r->mtime_ns = terms->expected.mtime_ns;
    }
}

static enum fs_result publish(struct transfer_upload *u, struct worker *worker,
                              const struct write_terms *terms, struct published *published)
{
    if ((u->transfer.record.flags & UPLOAD_NEW_MEMBER) != 0)
        return member_publish(&u->stage, &worker->docroot, u->place, terms->sync, published);
    enum fs_result result = publish_stage(&u->stage, &worker->docroot, u->place, terms, published);
    open_files_close(&worker->server->open_files); /* what was replaced gives its room back */
    return result;
}

enum status transfer_upload_complete(struct transfer_upload *u, struct worker *worker,
                                     const struct write_terms *terms, struct published *published)
{
    struct transfer_record *r = &u->transfer.record;
    struct write_terms recorded = transfer_upload_terms(u);
    bool piece = (r->flags & UPLOAD_PARTIAL) != 0;

    if (terms == NULL || terms->condition == WRITE_ALWAYS)
        terms = &recorded;
    r->length = u->stage.len;
    r->length_known = true;
    r->complete = piece;
    r->flags |= piece ? 0u : UPLOAD_DUE;
    r->claim.holder = 0;
    queue_step_aside(&worker->server->queue);
    enum status status = transfer_upload_store(u);
    if (status != STATUS_NONE || piece)
        return status;
    enum fs_result result = publish(u, worker, terms, published);
    if (result != FS_OK) {
        r->flags &= ~(uint32_t)UPLOAD_DUE;
        transfer_store(&u->transfer, clock_wall_s());
        /* A name that appeared, or changed, meanwhile is what the precondition was about. */
        return result == FS_EXISTS ? STATUS_PRECONDITION_FAILED : status_of_result(result);
    }
    counters_add(worker->counters, COUNTER_UPLOADS_COMPLETE, 1);
    r->complete = true;
    r->flags &= ~(uint32_t)UPLOAD_DUE;
    /* It is published in any case; if this fails, the next one to look sees that the stage is gone.
     */
    transfer_store(&u->transfer, clock_wall_s());
    return STATUS_NONE;
}
