#include "client/roundtrip.h"

#include <errno.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "http/chunked.h"

enum {
    PIECE = 65536,      /* bytes of a file read at once */
    CHUNK_FRAME = 20,   /* a size line and the CRLF after the data, at most */
    INTERIM_LIMIT = 64, /* interim responses before a server is thought to be mocking */
};

static bool wire_failure(enum wire_result result, const char *doing, struct failure *failure)
{
    switch (result) {
    case WIRE_OK: break;
    case WIRE_CLOSED:
        return failure_set(failure, FAILURE_LOST, "the server closed the connection %s", doing);
    case WIRE_RESET:
        return failure_set(failure, FAILURE_LOST, "the connection was reset %s", doing);
    case WIRE_TIMEOUT: return failure_set(failure, FAILURE_TIMEOUT, "timed out %s", doing);
    case WIRE_CANCELLED: return failure_set(failure, FAILURE_CANCELLED, "stopped %s", doing);
    case WIRE_FULL:
        return failure_set(failure, FAILURE_PROTOCOL,
                           "the server's answer cannot be used: its head does not end");
    case WIRE_FAILED: return failure_set(failure, FAILURE_LOCAL, "%m %s", doing);
    }
    return true;
}

/*
 * An absolute deadline that a body earns anew with each ROUNDTRIP_QUOTA bytes that move: a long
 * download goes on for hours, and one byte a minute does not.
 */
struct pace {
    int64_t deadline_ms;
    int timeout_ms;
    uint64_t moved;
};

static struct pace pace_begin(int timeout_ms)
{
    return (struct pace){clock_ms() + timeout_ms, timeout_ms, 0};
}

static void pace_move(struct pace *pace, size_t bytes)
{
    pace->moved += bytes;
    if (pace->moved >= ROUNDTRIP_QUOTA) {
        pace->moved = 0;
        pace->deadline_ms = clock_ms() + pace->timeout_ms;
    }
}

enum head_state {
    HEAD_FINAL,   /* a final response's head is whole */
    HEAD_PENDING, /* none yet */
    HEAD_FAILED,  /* *failure is set */
};

static enum response_to what_for(struct span method)
{
    if (span_equal(method, SPAN("HEAD")))
        return RESPONSE_TO_HEAD;
    if (span_equal(method, SPAN("CONNECT")))
        return RESPONSE_TO_CONNECT;
    return RESPONSE_TO_OTHER;
}

/* Looks at the unread bytes; interim responses are taken off them and counted. */
static enum head_state look(struct roundtrip *trip, struct wire *wire, unsigned *interim,
                            struct failure *failure)
{
    for (;;) {
        struct span unread = wire_unread(wire);
        enum response_fault fault;
        if (unread.len == 0)
            return HEAD_PENDING;
        trip->answered = true;
        switch (
            response_parse(&trip->head, unread.ptr, unread.len, what_for(trip->method), &fault)) {
        case RESPONSE_DONE: break;
        case RESPONSE_PARTIAL: return HEAD_PENDING;
        case RESPONSE_REFUSED:
            failure_set(failure, FAILURE_PROTOCOL, "the server's answer cannot be used: %s",
                        response_fault_text(fault));
            return HEAD_FAILED;
        }
        if (!response_is_interim(&trip->head))
            return HEAD_FINAL;
        if (trip->head.status == 101 || ++*interim > INTERIM_LIMIT) {
            failure_set(failure, FAILURE_PROTOCOL, "the server's answer cannot be used: %s",
                        trip->head.status == 101 ? "it changes to another protocol"
                                                 : "too many interim answers");
            return HEAD_FAILED;
        }
        wire_take(wire, trip->head.head_len);
    }
}

/*
 * Reads until there is a final head. `one_interim`: or until one interim response has come, which
 * is what a client that waits for 100 is waiting for; or until the deadline, which is no failure
 * then.
 */
static enum head_state read_head(struct roundtrip *trip, struct wire *wire, int64_t deadline_ms,
                                 bool one_interim, unsigned *interim, struct failure *failure)
{
    unsigned before = *interim;
    for (;;) {
        enum head_state state = look(trip, wire, interim, failure);
        if (state != HEAD_PENDING || (one_interim && *interim > before))
            return state;
        enum wire_result result = wire_fill(wire, deadline_ms);
        if (one_interim && result == WIRE_TIMEOUT)
            return HEAD_PENDING;
        if (!wire_failure(result,
                          trip->answered ? "in the head of the answer" : "before it answered",
                          failure))
            return HEAD_FAILED;
    }
}

static void put_field(struct buffer *out, struct span name, struct span value)
{
    buffer_put_span(out, name);
    buffer_put_text(out, ": ");
    buffer_put_span(out, value);
    buffer_put_text(out, "\r\n");
}

static uint64_t body_len(const struct body *body)
{
    return body->kind == BODY_MEMORY ? body->bytes.len : body->kind == BODY_FILE ? body->len : 0;
}

static void compose_head(struct roundtrip *trip, struct buffer *out)
{
    const struct body *body = trip->body;
    buffer_put_span(out, trip->method);
    buffer_put_char(out, ' ');
    buffer_put_span(out, trip->target);
    buffer_put_text(out, " HTTP/1.1\r\n");
    if (trip->host.ptr != NULL)
        put_field(out, SPAN("Host"), trip->host);
    buffer_put_span(out, trip->fields);
    if (body->kind == BODY_STREAM) {
        buffer_put_text(out, "Transfer-Encoding: chunked\r\n");
    } else if (body->kind != BODY_NONE || span_equal(trip->method, SPAN("POST")) ||
               span_equal(trip->method, SPAN("PUT"))) {
        /* These methods expect content, so its absence is said (RFC 9110 8.6). */
        buffer_put_text(out, "Content-Length: ");
        buffer_put_u64(out, body_len(body));
        buffer_put_text(out, "\r\n");
    }
    trip->expected =
        trip->may_expect && (body->kind == BODY_STREAM || body_len(body) >= ROUNDTRIP_EXPECT_FROM);
    if (trip->expected)
        buffer_put_text(out, "Expect: 100-continue\r\n");
    buffer_put_text(out, "\r\n");
}

static bool send_all(struct wire *wire, struct span bytes, struct pace *pace,
                     struct failure *failure)
{
    while (bytes.len > 0) {
        size_t sent;
        if (!wire_failure(wire_send(wire, bytes, false, pace->deadline_ms, &sent),
                          "while the request was sent", failure))
            return false;
        pace_move(pace, sent);
        bytes = span_from(bytes, sent);
    }
    return true;
}

/*
 * Sends a part of the body while it watches for an answer. HEAD_FINAL: one is there, the rest of
 * the body is of no interest to anybody.
 */
static enum head_state send_part(struct roundtrip *trip, struct wire *wire, struct span bytes,
                                 struct pace *pace, unsigned *interim, struct failure *failure)
{
    while (bytes.len > 0) {
        size_t sent;
        enum wire_result result = wire_send(wire, bytes, true, pace->deadline_ms, &sent);
        if (result == WIRE_OK && sent == 0) {
            result = wire_fill(wire, pace->deadline_ms);
            enum head_state state = look(trip, wire, interim, failure);
            if (state != HEAD_PENDING)
                return state;
        }
        if (!wire_failure(result, "while the body was sent", failure))
            return HEAD_FAILED;
        pace_move(pace, sent);
        bytes = span_from(bytes, sent);
    }
    return HEAD_PENDING;
}

/* Up to `cap` bytes of the body from `offset` on: their count, 0 at its end, -1 with errno. */
static ssize_t read_body(const struct body *body, char *into, size_t cap, uint64_t offset)
{
    ssize_t n;
    do
        n = body->kind == BODY_STREAM ? read(body->fd, into, cap)
                                      : pread(body->fd, into, cap, (off_t)(body->from + offset));
    while (n == -1 && errno == EINTR);
    return n;
}

bool body_is_version(int fd, const struct stat *version)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_size == version->st_size &&
           st.st_mtim.tv_sec == version->st_mtim.tv_sec &&
           st.st_mtim.tv_nsec == version->st_mtim.tv_nsec;
}

/*
 * One piece of a file or stream into memory, framed as a chunk if it is one:
 *
 *     [ size CRLF | data ....... | CRLF ]      an empty piece becomes the last chunk
 *
 * *data_len is 0 at the end of the body.
 */
static bool load_piece(const struct body *body, uint64_t offset, char memory[static PIECE],
                       struct span *piece, size_t *data_len, struct failure *failure)
{
    size_t front = body->kind == BODY_STREAM ? CHUNK_FRAME : 0;
    size_t cap = PIECE - 2 * front;
    if (body->kind == BODY_FILE && body->len - offset < cap)
        cap = (size_t)(body->len - offset);
    ssize_t n = cap > 0 ? read_body(body, memory + front, cap, offset) : 0;
    if (n == -1)
        return failure_set(failure, FAILURE_LOCAL, "reading what is to be sent: %m");
    *data_len = (size_t)n;
    *piece = span_make(memory, *data_len);
    if (body->kind == BODY_FILE && n == 0 && offset < body->len)
        return failure_set(failure, FAILURE_LOCAL,
                           "the file became shorter while it was being sent");
    /* After the reading, so that these bytes are certain to be of the version that it is about. */
    if (body->kind == BODY_FILE && body->version != NULL &&
        !body_is_version(body->fd, body->version))
        return failure_set(failure, FAILURE_CHANGED, "the file changed while it was being sent");
    if (body->kind == BODY_STREAM) {
        char line[CHUNK_FRAME];
        struct buffer size = BUFFER_OVER(line);
        buffer_put_hex(&size, *data_len);
        buffer_put_text(&size, "\r\n");
        memcpy(memory + front - size.len, line, size.len);
        memory[front + *data_len] = '\r';
        memory[front + *data_len + 1] = '\n';
        *piece = span_make(memory + front - size.len, size.len + *data_len + 2);
    }
    return true;
}

static enum head_state send_body(struct roundtrip *trip, struct wire *wire, unsigned *interim,
                                 struct failure *failure)
{
    const struct body *body = trip->body;
    struct pace pace = pace_begin(trip->timeout_ms);
    enum head_state state = HEAD_PENDING;
    if (body->kind == BODY_MEMORY)
        state = send_part(trip, wire, body->bytes, &pace, interim, failure);

    uint64_t offset = 0;
    bool more = body->kind == BODY_FILE || body->kind == BODY_STREAM;
    while (more && state == HEAD_PENDING) {
        char memory[PIECE];
        struct span piece;
        size_t data_len = 0;
        if (!load_piece(body, offset, memory, &piece, &data_len, failure))
            return HEAD_FAILED;
        state = send_part(trip, wire, piece, &pace, interim, failure);
        offset += data_len;
        more = data_len > 0;
        if (trip->sink != NULL && trip->sink->sent != NULL)
            trip->sink->sent(trip->sink, offset, body_len(body));
    }
    trip->body_sent = state == HEAD_PENDING;
    return state;
}

/* Head, wait for 100 if that was asked for, body, answer: in this order, until one is final. */
static enum head_state converse(struct roundtrip *trip, struct wire *wire, struct failure *failure)
{
    char memory[ROUNDTRIP_HEAD_LIMIT];
    struct buffer head = BUFFER_OVER(memory);
    struct pace pace = pace_begin(trip->timeout_ms);
    const struct body *body = trip->body;
    enum head_state state = HEAD_PENDING;
    unsigned interim = 0;

    compose_head(trip, &head);
    if (head.overflowed) {
        failure_set(failure, FAILURE_USAGE, "the request's head is longer than %d bytes",
                    ROUNDTRIP_HEAD_LIMIT);
        return HEAD_FAILED;
    }
    /* A short body goes out with the head, in one segment if it fits. */
    bool in_head = body->kind == BODY_NONE || (body->kind == BODY_MEMORY && !trip->expected &&
                                               body->bytes.len <= buffer_free(&head));
    if (in_head)
        buffer_put_span(&head, body->bytes);
    if (!send_all(wire, buffer_span(&head), &pace, failure))
        return HEAD_FAILED;
    trip->body_sent = in_head;
    if (trip->expected)
        state = read_head(trip, wire, clock_ms() + ROUNDTRIP_EXPECT_MS, true, &interim, failure);
    if (state == HEAD_PENDING && !trip->body_sent)
        state = send_body(trip, wire, &interim, failure);
    if (state == HEAD_PENDING)
        state = read_head(trip, wire, clock_ms() + trip->timeout_ms, false, &interim, failure);
    return state;
}

/*
 * A server that refuses a request may answer and close while the request is still being sent: the
 * send fails, and yet the answer is there to be read.
 */
static bool answer_after_all(struct roundtrip *trip, struct wire *wire)
{
    struct failure ignored;
    unsigned interim = 0;
    return read_head(trip, wire, clock_ms() + trip->timeout_ms, false, &interim, &ignored) ==
           HEAD_FINAL;
}

bool roundtrip_begin(struct roundtrip *trip, struct wire *wire, struct failure *failure)
{
    trip->answered = trip->expected = trip->body_sent = false;
    enum head_state state = converse(trip, wire, failure);
    if (state == HEAD_FAILED && failure->kind == FAILURE_LOST && !trip->body_sent &&
        answer_after_all(trip, wire))
        state = HEAD_FINAL;
    if (state != HEAD_FINAL) {
        wire_close(wire);
        return false;
    }
    wire_take(wire, trip->head.head_len);
    return true;
}

static bool give(struct sink *sink, struct span bytes, struct failure *failure)
{
    return sink == NULL || bytes.len == 0 || sink->take(sink, bytes, failure);
}

static bool read_length(struct roundtrip *trip, struct wire *wire, struct sink *sink,
                        struct pace *pace, struct failure *failure)
{
    uint64_t left = trip->head.content_length;
    for (;;) {
        struct span bytes = wire_unread(wire);
        if (bytes.len > left)
            bytes.len = (size_t)left;
        if (!give(sink, bytes, failure))
            return false;
        wire_take(wire, bytes.len);
        pace_move(pace, bytes.len);
        left -= bytes.len;
        if (left == 0)
            return true;
        if (!wire_failure(wire_fill(wire, pace->deadline_ms), "before the body was complete",
                          failure))
            return false;
    }
}

static bool read_chunked(struct wire *wire, struct sink *sink, struct pace *pace,
                         struct failure *failure)
{
    struct chunked decoder = {0};
    for (;;) {
        struct span input = wire_unread(wire), data = SPAN_EMPTY;
        size_t before = input.len;
        enum chunked_result result = chunked_decode(&decoder, &input, &data);
        if (result == CHUNKED_DATA && !give(sink, data, failure))
            return false;
        wire_take(wire, before - input.len);
        pace_move(pace, before - input.len);
        if (result == CHUNKED_DONE)
            return true;
        if (result == CHUNKED_BAD)
            return failure_set(failure, FAILURE_PROTOCOL,
                               "the server's answer cannot be used: its chunks are malformed");
        if (result == CHUNKED_MORE && !wire_failure(wire_fill(wire, pace->deadline_ms),
                                                    "before the body was complete", failure))
            return false;
    }
}

static bool read_to_close(struct wire *wire, struct sink *sink, struct pace *pace,
                          struct failure *failure)
{
    for (;;) {
        struct span bytes = wire_unread(wire);
        if (!give(sink, bytes, failure))
            return false;
        wire_take(wire, bytes.len);
        pace_move(pace, bytes.len);
        enum wire_result result = wire_fill(wire, pace->deadline_ms);
        if (result == WIRE_CLOSED)
            return true;
        if (!wire_failure(result, "before the body was complete", failure))
            return false;
    }
}

bool roundtrip_finish(struct roundtrip *trip, struct wire *wire, struct sink *sink,
                      struct failure *failure)
{
    struct pace pace = pace_begin(trip->timeout_ms);
    bool whole = true;
    switch ((enum response_framing)trip->head.framing) {
    case RESPONSE_BODY_NONE: break;
    case RESPONSE_BODY_LENGTH: whole = read_length(trip, wire, sink, &pace, failure); break;
    case RESPONSE_BODY_CHUNKED: whole = read_chunked(wire, sink, &pace, failure); break;
    case RESPONSE_BODY_TO_CLOSE: whole = read_to_close(wire, sink, &pace, failure); break;
    }
    if (!whole || !trip->head.persistent || !trip->body_sent)
        wire_close(wire);
    else
        wire->exchanges++;
    return whole;
}
