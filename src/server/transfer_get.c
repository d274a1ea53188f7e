#include "server/transfer_get.h"

#include "base/clock.h"
#include "http/response.h"
#include "resume/client_id.h"
#include "server/delivery.h"
#include "server/static_file.h"
#include "server/status_page.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

void client_id_answer(struct worker *worker, const struct request *request, struct answer *answer)
{
    struct uuid id;

    if (!client_id_mint(&worker->server->ids, worker_date(worker), &id)) {
        status_page_answer(worker, request, STATUS_SERVICE_UNAVAILABLE, SPAN_EMPTY, answer);
        return;
    }
    uuid_format(&id, worker->page);
    answer->status = STATUS_OK;
    answer->media_type = SPAN("text/plain");
    answer->utf8 = true;
    answer->cache = SPAN("no-store");
    answer->memory = span_make(worker->page, UUID_TEXT_LEN);
    answer->length = UUID_TEXT_LEN;
}

/* --- The transfers of a client as JSON ---------------------------------------------------------
 */

struct list {
    struct buffer out;
    bool first;
};

static void put_transfer(void *context, struct span path, struct transfer *transfer)
{
    struct list *list = context;
    const struct transfer_record *r = &transfer->record;
    size_t before = list->out.len;

    buffer_put_text(&list->out, "\n");
    if (!list->first)
        buffer_put_char(&list->out, ',');
    buffer_put_text(&list->out, "{\"path\":\"/");
    buffer_put_json(&list->out, path);
    buffer_put_text(&list->out, "\",\"direction\":\"");
    buffer_put_span(&list->out, r->kind == TRANSFER_UPLOAD ? SPAN("upload") : SPAN("download"));
    buffer_put_text(&list->out, "\",\"offset\":");
    buffer_put_u64(&list->out, r->offset);
    buffer_put_text(&list->out, ",\"length\":");
    if (r->kind == TRANSFER_UPLOAD && !r->length_known)
        buffer_put_text(&list->out, "null");
    else
        buffer_put_u64(&list->out, r->kind == TRANSFER_UPLOAD ? r->length : r->size);
    buffer_put_text(&list->out, ",\"complete\":");
    buffer_put_span(&list->out, r->complete ? SPAN("true") : SPAN("false"));
    buffer_put_char(&list->out, '}');
    /* More than the page holds: those that fit, each whole. */
    if (list->out.overflowed) {
        list->out.len = before;
        list->out.overflowed = false;
    } else {
        list->first = false;
    }
}

static void list_answer(struct worker *worker, const struct transfer_address *address,
                        struct answer *answer)
{
    enum { END_ROOM = 8 };
    struct list list = {buffer_make(worker->page, sizeof worker->page - END_ROOM), true};
    char id[UUID_TEXT_LEN];

    uuid_format(&address->client, id);
    buffer_put_text(&list.out, "{\"client\":\"");
    buffer_put(&list.out, id, sizeof id);
    buffer_put_text(&list.out, "\",\"transfers\":[");
    transfer_each(worker->server->state.transfers_fd, &address->client, put_transfer, &list);
    list.out.cap += END_ROOM;
    buffer_put_text(&list.out, "\n]}\n");
    answer->status = STATUS_OK;
    answer->media_type = SPAN("application/json");
    answer->cache = SPAN("no-store");
    answer->memory = buffer_span(&list.out);
    answer->length = list.out.len;
}

/* --- One transfer ------------------------------------------------------------------------------
 */

static void forget_answer(struct worker *worker, const struct request *request,
                          const struct transfer_address *address, struct answer *answer)
{
    const struct state *state = &worker->server->state;
    struct span path = address->target.path;
    enum transfer_result result = transfer_remove(state->transfers_fd, &address->client, path);

    if (result == TRANSFER_OK)
        answer->status = STATUS_NO_CONTENT;
    else
        status_page_answer(worker, request,
                           result == TRANSFER_NONE ? STATUS_NOT_FOUND
                                                   : STATUS_INTERNAL_SERVER_ERROR,
                           SPAN_EMPTY, answer);
}

static bool is_same_version(const struct transfer_record *record, const struct file *file)
{
    return record->inode == file->inode && record->size == file->size &&
           record->mtime_ns == file->mtime_ns;
}

/*
 * Opens the record. When another connection of ours holds it, that one is to tell first how far it
 * has come: when it rests, at once (*former is it then); when it is just being served, in a moment,
 * since its client has mostly gone. One that goes on for longer is left with its last checkpoint.
 */
static enum transfer_result open_settled(struct worker *worker,
                                         const struct transfer_address *address,
                                         struct transfer *transfer, struct connection **former)
{
    enum { SETTLE_TRIES = 20, SETTLE_NS = 1000000 };
    struct server *server = worker->server;
    const struct timespec moment = {.tv_nsec = SETTLE_NS};

    *former = NULL;
    for (unsigned tries = 0;; tries++) {
        enum transfer_result result = transfer_open(transfer, server->state.transfers_fd,
                                                    &address->client, address->target.path);
        if (result != TRANSFER_OK || tries == SETTLE_TRIES ||
            !delivery_is_ours(server, worker->connection, transfer->record.claim.holder))
            return result;
        *former = delivery_settle(server, worker->connection, transfer->record.claim.holder);
        if (*former != NULL)
            return result;
        transfer_close(transfer);
        nanosleep(&moment, NULL);
    }
}

/* What came of the record that a request was to go on with. */
enum past {
    PAST_FITS,    /* or there was none */
    PAST_CHANGED, /* it was of another version of the file */
    PAST_EXPIRED, /* it has expired, or may have: the id is old enough for it */
};

/*
 * What a record that was just opened is worth for this file. TRANSFER_NONE: nothing any more, as
 * the next sweep will find too, and *past says why. Closed unless TRANSFER_OK.
 */
static enum transfer_result judge(const struct server *server, const struct file *file,
                                  int64_t now_s, struct transfer *transfer, enum past *past)
{
    const struct transfer_record *r = &transfer->record;
    enum transfer_result result = TRANSFER_OK;

    if (r->kind != TRANSFER_DOWNLOAD)
        result = TRANSFER_EVICTED; /* an upload, which was not there when it was looked for */
    else if (r->touched_s + server->options->expire_s < now_s)
        *past = PAST_EXPIRED;
    else if (!is_same_version(r, file))
        *past = PAST_CHANGED;
    if (*past != PAST_FITS)
        result = TRANSFER_NONE;
    if (result != TRANSFER_OK)
        transfer_close(transfer);
    return result;
}

/*
 * Whether a download may begin for which there is no record. Who says Range knows what it has. Who
 * does not is given the file from its begin, and that only while its id is so young that it cannot
 * have been given a part already.
 */
static bool may_begin(struct worker *worker, const struct request *request,
                      const struct transfer_address *address, enum past *past)
{
    bool ranged = request->method == METHOD_GET && request_field(request, FIELD_RANGE).ptr != NULL;

    if (*past == PAST_FITS &&
        client_id_age_s(&address->client, worker_date(worker)) > worker->server->options->expire_s)
        *past = PAST_EXPIRED;
    if (*past == PAST_EXPIRED && ranged)
        *past = PAST_FITS;
    return *past == PAST_FITS;
}

/* Opens the record and takes it, or makes one. *past: there was one that is of no use, and is gone
   now. */
static enum transfer_result take_record(struct worker *worker, const struct request *request,
                                        const struct transfer_address *address,
                                        const struct file *file, struct transfer *transfer,
                                        enum past *past)
{
    struct server *server = worker->server;
    struct span path = address->target.path;
    int store = server->state.transfers_fd;
    const struct transfer_claim claim = delivery_claim(server, worker->connection);
    int64_t now_s = worker_date(worker);
    uint64_t former = 0;
    struct connection *settled;
    enum transfer_result result = open_settled(worker, address, transfer, &settled);

    if (result == TRANSFER_OK) {
        result = judge(server, file, now_s, transfer, past);
        if (result == TRANSFER_NONE)
            transfer_remove(store, &address->client, path);
    }
    if (result == TRANSFER_OK) {
        result = transfer_take(transfer, &claim, &former, now_s);
        if (result != TRANSFER_OK)
            transfer_close(transfer);
    } else if (result == TRANSFER_NONE && may_begin(worker, request, address, past)) {
        const struct transfer_record fresh = {
            .kind = TRANSFER_DOWNLOAD,
            .length = file->size,
            .length_known = true,
            .inode = file->inode,
            .size = file->size,
            .mtime_ns = file->mtime_ns,
            .claim = claim,
        };
        result =
            transfer_create(transfer, store, &address->client, path, &fresh, SPAN_EMPTY, now_s);
    }
    delivery_evict(server, worker->connection, former, settled);
    return result;
}

/* The record as it is, if there is one: transfer->fd is -1 otherwise. */
static enum transfer_result look_at_record(struct worker *worker, const struct request *request,
                                           const struct transfer_address *address,
                                           const struct file *file, struct transfer *transfer,
                                           enum past *past)
{
    enum transfer_result result = transfer_open(transfer, worker->server->state.transfers_fd,
                                                &address->client, address->target.path);

    if (result == TRANSFER_OK)
        result = judge(worker->server, file, worker_date(worker), transfer, past);
    if (result == TRANSFER_NONE && may_begin(worker, request, address, past))
        result = TRANSFER_OK;
    return result;
}

static void refuse_record(struct worker *worker, const struct request *request,
                          enum transfer_result result, struct answer *answer)
{
    bool evicted = result == TRANSFER_EVICTED;
    enum status status = evicted                       ? STATUS_SERVICE_UNAVAILABLE
                         : result == TRANSFER_NO_SPACE ? STATUS_INSUFFICIENT_STORAGE
                                                       : STATUS_INTERNAL_SERVER_ERROR;

    status_page_answer(
        worker, request, status,
        evicted ? SPAN("Another connection goes on with this transfer.") : SPAN_EMPTY, answer);
}

/*
 * Opens the record of this download, and takes it unless only looked at. False: the answer says why
 * it cannot be. With `peek`, transfer->fd may be -1: there is no record yet.
 */
static bool open_record(struct worker *worker, const struct request *request,
                        const struct transfer_address *address, const struct file *file, bool peek,
                        struct transfer *transfer, struct answer *answer)
{
    enum { TAKE_TRIES = 100 };
    enum transfer_result result;
    enum past past = PAST_FITS;
    unsigned tries = 0;

    /* Others may make the record, or remove it, while it is looked for. */
    do
        result =
            (peek ? look_at_record : take_record)(worker, request, address, file, transfer, &past);
    while (past == PAST_FITS && (result == TRANSFER_NONE || result == TRANSFER_EXISTS) &&
           ++tries < TAKE_TRIES);
    if (past == PAST_EXPIRED)
        status_page_answer(worker, request, STATUS_GONE,
                           SPAN("This id is too old to begin a download, and one that it had has "
                                "expired. Ask /.uuid for a new id, or go on with Range."),
                           answer);
    else if (past == PAST_CHANGED)
        status_page_answer(
            worker, request, STATUS_PRECONDITION_FAILED,
            SPAN("The file has changed since this download began: what you have does "
                 "not fit what is here. Begin again."),
            answer);
    else if (result != TRANSFER_OK)
        refuse_record(worker, request, result, answer);
    return past == PAST_FITS && result == TRANSFER_OK;
}

/* Turns the answer for the whole file into one for its rest from the recorded offset. */
static void answer_rest(const struct transfer *transfer, struct answer *answer)
{
    uint64_t offset = transfer->fd != -1 ? transfer->record.offset : 0;

    if (offset > answer->length)
        offset = answer->length;
    answer->file.at = (off_t)offset;
    answer->length -= offset;
    response_field_u64(&answer->fields, SPAN("Resume-Offset"), offset);
}

/* Has the answer followed on its way to the client. Else it says why it cannot be. */
static void follow(struct worker *worker, const struct request *request, struct transfer *transfer,
                   const struct file *file, struct answer *answer)
{
    uint64_t start = (uint64_t)answer->file.at;

    transfer->record.offset = start;
    transfer->record.complete = false;
    enum transfer_result result = transfer_store(transfer, clock_wall_s());
    if (result == TRANSFER_OK)
        answer->delivery =
            delivery_make(worker->server, transfer, start, answer->length, file->size);
    if (answer->delivery == NULL) {
        refuse_record(worker, request, result, answer);
        return;
    }
    counters_add(worker->counters, start > 0 ? COUNTER_DOWNLOADS_RESUMED : COUNTER_DOWNLOADS_BEGUN,
                 1);
    counters_add(worker->counters, COUNTER_DOWNLOADS_SPARED, start);
}

/* Nobody holds it any more, and nobody is to be waited for. */
static void let_go(struct transfer *transfer)
{
    transfer->record.claim.holder = 0;
    transfer_store(transfer, clock_wall_s());
    transfer_close(transfer);
}

static void download_answer(struct worker *worker, const struct request *request,
                            const struct transfer_address *address, const struct file *file,
                            struct answer *answer)
{
    bool peek = request->method == METHOD_HEAD;
    bool ranged = request->method == METHOD_GET && request_field(request, FIELD_RANGE).ptr != NULL;
    struct transfer transfer;

    if (!open_record(worker, request, address, file, peek, &transfer, answer)) {
        close(file->fd);
        return;
    }
    if (transfer.fd != -1 && transfer.record.complete && !ranged && !peek) {
        let_go(&transfer);
        close(file->fd);
        status_page_answer(worker, request, STATUS_NOT_FOUND,
                           SPAN("This download is complete. Ask /.uuid for a new id to begin "
                                "another."),
                           answer);
        return;
    }
    static_file_answer_open(worker, request, address->target.path.ptr, file, answer);
    answer->cache = SPAN("no-store");
    /* Who says Range and is answered with the whole (If-Range names another version, or the unit is
       unknown) expects just that. */
    if (answer->status == STATUS_OK && !ranged)
        answer_rest(&transfer, answer);
    if ((answer->status == STATUS_OK || answer->status == STATUS_PARTIAL_CONTENT) &&
        answer->file.fd != -1 && !peek)
        follow(worker, request, &transfer, file, answer);
    else if (!peek)
        let_go(&transfer);
    transfer_close(&transfer);
}

void transfer_get_answer(struct worker *worker, const struct request *request,
                         const struct transfer_address *address, struct answer *answer)
{
    struct file file;

    if (address->target.path.len == 0 && request->method != METHOD_DELETE) {
        list_answer(worker, address, answer);
        return;
    }
    if (request->method == METHOD_DELETE) {
        forget_answer(worker, request, address, answer);
        return;
    }
    enum fs_result result = docroot_lookup(&worker->docroot, address->target.path.ptr, &file);
    if (result == FS_OK && file.directory) {
        close(file.fd);
        result = FS_NOT_FOUND;
    }
    if (result != FS_OK)
        status_page_answer(worker, request, status_of_fs_result(result), SPAN_EMPTY, answer);
    else
        download_answer(worker, request, address, &file, answer);
}
