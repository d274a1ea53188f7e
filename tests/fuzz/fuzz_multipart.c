/*
 * The first line of the input is the boundary, the rest a body of multipart/form-data. Read whole,
 * in pieces of several lengths and byte by byte, it must tell the same; and a body that is whole
 * has the parts that a slow and plain reading finds.
 */

#include "fuzz/fuzz.h"

#include "base/buffer.h"
#include "http/multipart.h"

struct story {
    struct buffer events; /* '{' name, filename and type, '=' and data, '}', '.', '!' */
    struct buffer data;   /* of every part, each ended by "\n--\n" */
    bool ended;
};

static void put_text(struct buffer *b, struct span s)
{
    buffer_put_char(b, s.ptr == NULL ? '-' : '+');
    buffer_put_span(b, s);
}

static void feed(struct multipart *m, struct story *story, struct span input)
{
    while (!story->ended) {
        struct span before = input, data = SPAN_EMPTY;
        struct multipart_part part;
        enum multipart_event event = multipart_next(m, &input, &data, &part);
        FUZZ_CHECK(input.len <= before.len);
        switch (event) {
        case MULTIPART_MORE: FUZZ_CHECK(input.len == 0); return;
        case MULTIPART_PART:
            buffer_put_char(&story->events, '{');
            put_text(&story->events, part.name);
            put_text(&story->events, part.filename);
            put_text(&story->events, part.content_type);
            break;
        case MULTIPART_DATA:
            FUZZ_CHECK(data.len > 0);
            buffer_put_span(&story->data, data);
            break;
        case MULTIPART_PART_END:
            buffer_put_char(&story->events, '}');
            buffer_put_text(&story->data, "\n--\n");
            break;
        case MULTIPART_DONE:
            FUZZ_CHECK(input.len == 0);
            buffer_put_char(&story->events, '.');
            story->ended = true;
            break;
        case MULTIPART_BAD:
            buffer_put_char(&story->events, '!');
            story->ended = true;
            break;
        }
    }
}

static struct story story_new(size_t len)
{
    size_t cap = 8 * len + 64;
    struct story story = {buffer_make(calloc(cap, 1), cap), buffer_make(calloc(cap, 1), cap),
                          false};
    FUZZ_CHECK(story.events.data != NULL && story.data.data != NULL);
    return story;
}

static void story_free(struct story *story)
{
    free(story->events.data);
    free(story->data.data);
}

/* The body in pieces, each in memory of its own that is gone when the next one comes. */
static struct story read_in_pieces(struct span boundary, struct span body, size_t piece)
{
    struct story story = story_new(body.len);
    struct multipart *m = calloc(1, sizeof *m);
    FUZZ_CHECK(m != NULL);
    multipart_init(m, boundary);
    while (body.len > 0) {
        size_t len = piece < body.len ? piece : body.len;
        char *copy = fuzz_copy(body.ptr, len);
        feed(m, &story, span_make(copy, len));
        free(copy);
        body = span_make(body.ptr + len, body.len - len);
    }
    free(m);
    FUZZ_CHECK(!story.events.overflowed && !story.data.overflowed);
    return story;
}

static size_t find(struct span s, size_t from, struct span what)
{
    const char *at = from < s.len ? memmem(s.ptr + from, s.len - from, what.ptr, what.len) : NULL;
    return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

/* The same by searching. `body` has a CRLF put before it; false when the body is not whole. */
static bool read_plainly(struct span body, struct span delimiter, struct buffer *data)
{
    size_t at = find(body, 0, delimiter);
    for (;;) {
        if (at == body.len)
            return false;
        at += delimiter.len;
        if (span_starts_with(span_from(body, at), SPAN("--")))
            return true;
        while (at < body.len && (body.ptr[at] == ' ' || body.ptr[at] == '\t'))
            at++;
        if (!span_starts_with(span_from(body, at), SPAN("\r\n")))
            return false;
        /* The head begins behind this CRLF, and has its empty line at once or later. */
        size_t start = find(body, at, SPAN("\r\n\r\n")) + 4;
        size_t end = start < body.len ? find(body, start - 2, delimiter) : body.len;
        if (end == body.len)
            return false;
        if (end > start)
            buffer_put_span(data, span_make(body.ptr + start, end - start));
        buffer_put_text(data, "\n--\n");
        at = end;
    }
}

static void compare_with_plain(const struct story *story, struct span boundary, struct span body)
{
    char mark[4 + MULTIPART_BOUNDARY_LIMIT];
    struct buffer delimiter = BUFFER_OVER(mark);
    struct story plain = story_new(body.len + 2);
    struct buffer all = buffer_make(calloc(body.len + 2, 1), body.len + 2);
    bool done = span_ends_with(buffer_span(&story->events), SPAN("."));

    buffer_put_text(&delimiter, "\r\n--");
    buffer_put_span(&delimiter, boundary);
    buffer_put_text(&all, "\r\n");
    buffer_put_span(&all, body);
    bool whole = read_plainly(buffer_span(&all), buffer_span(&delimiter), &plain.data);
    FUZZ_CHECK(!done || whole);
    FUZZ_CHECK(!done || span_equal(buffer_span(&plain.data), buffer_span(&story->data)));
    free(all.data);
    story_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_make((const char *)data, size), body, boundary;
    char type[128];
    struct buffer content_type = BUFFER_OVER(type);
    size_t line = span_find(input, '\n');

    buffer_put_text(&content_type, "multipart/form-data; boundary=");
    buffer_put_span(&content_type, span_make(input.ptr, line));
    if (line == size ||
        !multipart_boundary(buffer_span(&content_type), SPAN("multipart/form-data"), &boundary))
        return 0;
    body = span_make(input.ptr + line + 1, size - line - 1);

    struct story whole = read_in_pieces(boundary, body, body.len + 1);
    compare_with_plain(&whole, boundary, body);
    const size_t pieces[] = {1, 2, 7, 1 + body.len / 2, 1 + body.len / 3};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        struct story other = read_in_pieces(boundary, body, pieces[i]);
        FUZZ_CHECK(span_equal(buffer_span(&whole.events), buffer_span(&other.events)));
        FUZZ_CHECK(span_equal(buffer_span(&whole.data), buffer_span(&other.data)));
        story_free(&other);
    }
    story_free(&whole);
    return 0;
}
