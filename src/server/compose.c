#include "server/compose.h"

#include "base/whole.h"
#include "http/response.h"
#include "server/cache.h"
#include "server/cors.h"
#include "server/delivery.h"
#include "server/status_page.h"

static void put_vary(struct buffer *out, unsigned vary)
{
    static const struct span names[] = {{"Accept", 6}, {"Accept-Encoding", 15}, {"Origin", 6}};
    bool first = true;

    if (vary == 0)
        return;
    buffer_put_text(out, "Vary: ");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if ((vary & 1u << i) == 0)
            continue;
        if (!first)
            buffer_put_text(out, ", ");
        buffer_put_span(out, names[i]);
        first = false;
    }
    buffer_put_text(out, "\r\n");
}

static void put_content_fields(struct buffer *out, const struct answer *a, bool chunked)
{
    if (a->media_type.ptr != NULL && !status_forbids_content(a->status)) {
        buffer_put_text(out, "Content-Type: ");
        buffer_put_span(out, a->media_type);
        if (a->utf8)
            buffer_put_text(out, "; charset=utf-8");
        buffer_put_text(out, "\r\n");
    }
    if (a->coding.ptr != NULL)
        response_field(out, SPAN("Content-Encoding"), a->coding);
    if (status_forbids_content(a->status))
        return;
    if (chunked)
        buffer_put_text(out, "Transfer-Encoding: chunked\r\n");
    else if (!a->unsized)
        response_field_u64(out, SPAN("Content-Length"), a->length);
}

void compose_representation(struct buffer *out, const struct server *server, const struct answer *a,
                            bool chunked)
{
    put_content_fields(out, a, chunked);
    if (a->last_modified >= 0)
        response_field_date(out, SPAN("Last-Modified"), a->last_modified);
    if (a->etag.len > 0)
        response_field(out, SPAN("ETag"), etag_span(&a->etag));
    if (a->ranges)
        buffer_put_text(out, "Accept-Ranges: bytes\r\n");
    if (a->cache.len > 0)
        response_field(out, SPAN("Cache-Control"), a->cache);
    put_vary(out, a->vary | (server->options->cors_origin != NULL ? VARY_ORIGIN : 0));
    buffer_put_text(out, "X-Content-Type-Options: nosniff\r\n");
}

/* What was prepared for an answer of this status, if anything was. */
static struct span prepared_head(const struct answer *a)
{
    if (a->entry == NULL)
        return SPAN_EMPTY;
    switch (a->status) {
    case STATUS_OK: return a->entry->head;
    case STATUS_NOT_MODIFIED: return a->entry->head_304;
    default: return SPAN_EMPTY;
    }
}

static void put_head(struct worker *w, const struct exchange *x, const struct answer *a)
{
    struct buffer *out = &w->out;
    struct span prepared = prepared_head(a);

    worker_date(w);
    response_status_line(out, a->status);
    buffer_put_span(out, buffer_span(&w->date_lines));
    if (prepared.len > 0)
        buffer_put_span(out, prepared);
    else
        compose_representation(out, w->server, a, x->chunk_content);
    cors_put_fields(out, w->server, &x->request);
    buffer_put_span(out, buffer_span(&a->fields));
    /* tus 1.0: on every answer, whatever it says. */
    if (x->request.head_len > 0 && request_field(&x->request, FIELD_TUS_RESUMABLE).ptr != NULL)
        buffer_put_text(out, "Tus-Resumable: 1.0.0\r\n");
    if (!x->persistent)
        buffer_put_text(out, "Connection: close\r\n");
    else if (x->request.version == VERSION_1_0)
        buffer_put_text(out, "Connection: keep-alive\r\n");
    response_end(out);
}

/* Reads a small file behind its head, so that both go out in one send. False when it has shrunk. */
static bool put_file(struct buffer *out, const struct file_run *file, uint64_t length)
{
    if (!whole_read(file->fd, out->data + out->len, (size_t)length, file->at))
        return false;
    out->len += (size_t)length;
    return true;
}

enum step compose_answer(struct worker *w, struct exchange *x, struct answer *a)
{
    enum step step = STEP_DONE;
    bool simple = x->request.version == VERSION_0_9;

    x->status = a->status;
    if (!x->body_over) {
        /* The rest of the body will not be read, so what comes after it cannot be found. */
        x->persistent = false;
        x->linger = true;
    }
    if (a->close || simple || atomic_load_explicit(&w->server->draining, memory_order_relaxed))
        x->persistent = false;
    if (a->unsized && x->request.version == VERSION_1_1)
        x->chunk_content = true;
    else if (a->unsized)
        x->persistent = false; /* the end of the connection is the end of the content */
    if (!simple)
        put_head(w, x, a);

    if (x->head_only || status_forbids_content(a->status)) {
        answer_release(a);
        return STEP_DONE;
    }
    if (a->delivery != NULL) {
        delivery_attach(w->connection, a->delivery, channel_unsent(w));
        a->delivery = NULL;
    }
    if (a->memory.len > 0) {
        buffer_put_span(&w->out, a->memory);
        x->sent += a->memory.len;
    } else if (a->file.fd != -1 && a->length <= WORKER_INLINE) {
        if (!put_file(&w->out, &a->file, a->length))
            step = STEP_CLOSE;
        x->sent += a->length;
    } else if (a->file.fd != -1) {
        x->file = (struct file_run){a->file.fd, a->file.at, a->length};
        a->file.fd = -1;
        if (a->entry != NULL && a->entry->stays_open) {
            x->entry = a->entry;
            a->entry = NULL;
        }
    } else if (a->producer != NULL) {
        x->producer = a->producer;
        a->producer = NULL;
    }
    answer_release(a);
    return step;
}

enum step compose_refusal(struct worker *w, struct exchange *x, enum status status)
{
    struct answer answer;

    answer_init(&answer, BUFFER_OVER(w->fields));
    answer.close = true;
    status_page_answer(w, &x->request, status, SPAN_EMPTY, &answer);
    x->persistent = false;
    x->linger = true;
    return compose_answer(w, x, &answer);
}
