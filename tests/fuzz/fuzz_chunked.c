/*
 * The first line of the input is a number, the length of the first piece; what follows is a chunked
 * body and what comes after it. Decoded whole, in two pieces, byte by byte, and with the data moved
 * past the decoder, it must always be the same.
 */

#include <stdlib.h>

#include "base/buffer.h"
#include "http/chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

struct outcome {
    struct chunked decoder;
    enum chunked_result result;
    size_t used;        /* bytes of input */
    struct buffer body; /* what came out */
};

/* Gives the next piece to the decoder, unless it has come to an end. */
static void feed(struct outcome *outcome, struct span piece)
{
    struct span rest = piece, data;
    if (outcome->result != CHUNKED_MORE)
        return;
    while ((outcome->result = chunked_decode(&outcome->decoder, &rest, &data)) == CHUNKED_DATA) {
        require(data.len > 0 && data.ptr >= piece.ptr && data.ptr + data.len == rest.ptr);
        buffer_put_span(&outcome->body, data);
    }
    require(outcome->result != CHUNKED_MORE || rest.len == 0);
    outcome->used += piece.len - rest.len;
}

/* As a server does that moves data from socket to file: takes what it may from the front itself. */
static void feed_moving(struct outcome *outcome, struct span input)
{
    while (outcome->result == CHUNKED_MORE && input.len > 0) {
        uint64_t left = chunked_left(&outcome->decoder);
        size_t len = left < input.len ? (size_t)left : input.len;
        if (len > 0) {
            buffer_put(&outcome->body, input.ptr, len);
            chunked_skip(&outcome->decoder, len);
            outcome->used += len;
        } else {
            len = 1;
            feed(outcome, span_make(input.ptr, len));
        }
        input = span_from(input, len);
    }
}

static void compare(const struct outcome *a, const struct outcome *b)
{
    require(a->result == b->result && a->used == b->used);
    require(!a->body.overflowed && !b->body.overflowed);
    require(span_equal(buffer_span(&a->body), buffer_span(&b->body)));
}

static void check(struct span input, size_t split, char *memory)
{
    struct outcome whole = {.body = buffer_make(memory, input.len)};
    struct outcome other = {.body = buffer_make(memory + input.len, input.len)};

    whole.result = other.result = CHUNKED_MORE;
    feed(&whole, input);
    require(whole.result == CHUNKED_DONE || chunked_left(&whole.decoder) <= INT64_MAX);

    feed(&other, span_make(input.ptr, split));
    feed(&other, span_make(input.ptr + split, input.len - split));
    compare(&whole, &other);

    other = (struct outcome){.result = CHUNKED_MORE,
                             .body = buffer_make(memory + input.len, input.len)};
    for (size_t i = 0; i < input.len; i++)
        feed(&other, span_make(input.ptr + i, 1));
    compare(&whole, &other);

    other = (struct outcome){.result = CHUNKED_MORE,
                             .body = buffer_make(memory + input.len, input.len)};
    feed_moving(&other, input);
    compare(&whole, &other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_make((const char *)data, size);
    size_t line = span_find(input, '\n');
    uint64_t split = 0;

    if (line == size)
        return 0;
    span_to_u64(span_make(input.ptr, line), &split);
    input = span_make(input.ptr + line + 1, size - line - 1);
    char *memory = malloc(2 * input.len + 1);
    if (memory != NULL)
        check(input, (size_t)(split % (input.len + 1)), memory);
    free(memory);
    return 0;
}
