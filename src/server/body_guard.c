#include "server/body_guard.h"

#include "server/repr_digest.h"
#include "server/status_page.h"

enum {
    FREE_SPACE_INTERVAL = 8 << 20, /* bytes between two looks at the free space */
    SMALL_RESERVE = 16,            /* a part so small is kept free at most, unless it was said */
};

bool body_guard_keeps_reserve(const struct server *server, uint64_t more)
{
    const struct options *o = server->options;
    uint64_t free_bytes, all, min_free = o->min_free;

    if (min_free == 0 || fs_free_bytes(server->state.uploads_fd, &free_bytes, &all) != FS_OK)
        return true;
    /* What is a reserve elsewhere may be more than all of a small file system. */
    if (!o->min_free_said && min_free > all / SMALL_RESERVE)
        min_free = all / SMALL_RESERVE;
    return free_bytes >= min_free && free_bytes - min_free >= more;
}

static bool has_room(const struct body_guard *g, uint64_t more)
{
    return sweeper_has_room(g->server, more) && body_guard_keeps_reserve(g->server, more);
}

static bool refuse(struct worker *worker, const struct request *request, enum status status,
                   struct span sentence, struct answer *answer)
{
    status_page_answer(worker, request, status, sentence, answer);
    return false;
}

/* Reads the digests that the request offers. False: the answer says what is wrong with them. */
static bool read_digests(struct body_guard *g, struct worker *worker, const struct request *request,
                         bool partial, struct answer *answer)
{
    /* What is stored is what was sent, so both fields are of the same bytes. */
    static const enum field_name names[] = {FIELD_CONTENT_DIGEST, FIELD_REPR_DIGEST};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct digest_field digest;

        if (!repr_digest_read(request, names[i], &digest))
            return refuse(worker, request, STATUS_BAD_REQUEST,
                          SPAN("A digest field is malformed (RFC 9530)."), answer);
        if (partial && names[i] == FIELD_REPR_DIGEST)
            continue;
        if (digest.has_sha256 && g->hashes &&
            memcmp(digest.sha256, g->digest.sha256, sizeof digest.sha256) != 0)
            return refuse(worker, request, STATUS_BAD_REQUEST,
                          SPAN("The digests contradict each other."), answer);
        if (digest.has_sha256) {
            g->digest = digest;
            g->hashes = true;
        }
    }
    if (g->hashes)
        sha256_init(&g->hash);
    return true;
}

bool body_guard_begin(struct body_guard *g, struct worker *worker, const struct request *request,
                      const struct body_part *part, struct answer *answer)
{
    static const struct body_part all = {0};
    const struct options *o = worker->server->options;
    uint64_t expected = request->framing == FRAMING_LENGTH ? request->content_length : 0;

    if (part == NULL)
        part = &all;
    *g = (struct body_guard){
        .taken = part->before,
        .largest = part->partial     ? part->total
                   : o->max_body > 0 ? o->max_body
                                     : UINT64_MAX,
        .server = worker->server,
    };
    if (o->max_body > 0 && (part->before + expected > o->max_body || part->total > o->max_body))
        return refuse(worker, request, STATUS_CONTENT_TOO_LARGE, SPAN_EMPTY, answer);
    if (!read_digests(g, worker, request, part->partial, answer))
        return false;
    return has_room(g, expected) ||
           refuse(worker, request, STATUS_INSUFFICIENT_STORAGE, SPAN_EMPTY, answer);
}

static enum intake_result fail(struct body_guard *g, enum body_failure failure)
{
    g->failure = failure;
    return INTAKE_REFUSED;
}

enum intake_result body_guard_count(struct body_guard *g, size_t len)
{
    g->taken += len;
    sweeper_count(g->server, len);
    if (!sweeper_has_room(g->server, 0))
        return fail(g, BODY_FAILURE_NO_ROOM);
    if (g->taken > g->largest)
        return fail(g, BODY_FAILURE_TOO_LARGE);
    g->checked += len;
    if (g->checked >= FREE_SPACE_INTERVAL) {
        g->checked = 0;
        if (!has_room(g, len))
            return fail(g, BODY_FAILURE_NO_ROOM);
    }
    return INTAKE_TAKEN;
}

void body_guard_look(struct body_guard *g, const char *bytes, size_t len)
{
    if (g->hashes)
        sha256_update(&g->hash, bytes, len);
}

enum intake_result body_guard_store(struct body_guard *g, enum fs_result result)
{
    if (result == FS_OK)
        return INTAKE_TAKEN;
    g->storage = result;
    return fail(g, BODY_FAILURE_STORAGE);
}

static bool digest_agrees(struct body_guard *g)
{
    uint8_t sum[SHA256_LEN];

    if (!g->hashes)
        return true;
    sha256_final(&g->hash, sum);
    return memcmp(sum, g->digest.sha256, sizeof sum) == 0;
}

bool body_guard_end(struct body_guard *g, struct worker *worker, const struct request *request,
                    bool whole, struct answer *answer)
{
    switch (g->failure) {
    case BODY_FAILURE_TOO_LARGE:
        return refuse(worker, request, STATUS_CONTENT_TOO_LARGE, SPAN_EMPTY, answer);
    case BODY_FAILURE_NO_ROOM:
        return refuse(worker, request, STATUS_INSUFFICIENT_STORAGE, SPAN_EMPTY, answer);
    case BODY_FAILURE_STORAGE:
        status_page_answer_write(worker, request, g->storage, answer);
        return false;
    case BODY_FAILURE_DIGEST:
    case BODY_FAILURE_NONE: break;
    }
    if (!whole)
        return refuse(worker, request, STATUS_BAD_REQUEST,
                      SPAN("The body ended before its length."), answer);
    if (digest_agrees(g))
        return true;
    g->failure = BODY_FAILURE_DIGEST;
    return refuse(worker, request, STATUS_BAD_REQUEST,
                  SPAN("The body is not the one that its digest was made of."), answer);
}
