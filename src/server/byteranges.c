#include "server/byteranges.h"

#include "base/random.h"
#include "http/response.h"

#include <stdlib.h>
#include <unistd.h>

enum { BOUNDARY_LEN = 32, TYPE_LIMIT = 160 };

struct byteranges {
    struct producer producer;
    int fd;
    uint64_t size;
    struct range_set set;
    unsigned next;
    char boundary[BOUNDARY_LEN];
    size_t type_len;
    char type[TYPE_LIMIT];
};

static void put_part_head(struct buffer *out, const struct byteranges *b, const struct range *range)
{
    buffer_put_text(out, "\r\n--");
    buffer_put(out, b->boundary, BOUNDARY_LEN);
    buffer_put_text(out, "\r\n");
    if (b->type_len > 0)
        response_field(out, SPAN("Content-Type"), span_make(b->type, b->type_len));
    buffer_put_text(out, "Content-Range: bytes ");
    buffer_put_u64(out, range->first);
    buffer_put_char(out, '-');
    buffer_put_u64(out, range->last);
    buffer_put_char(out, '/');
    buffer_put_u64(out, b->size);
    buffer_put_text(out, "\r\n\r\n");
}

static void put_end(struct buffer *out, const struct byteranges *b)
{
    buffer_put_text(out, "\r\n--");
    buffer_put(out, b->boundary, BOUNDARY_LEN);
    buffer_put_text(out, "--\r\n");
}

static enum produce produce_part(struct producer *producer, struct buffer *out,
                                 struct file_run *run)
{
    struct byteranges *b = (struct byteranges *)producer;

    if (b->next == b->set.count) {
        put_end(out, b);
        return PRODUCE_LAST;
    }
    const struct range *range = &b->set.ranges[b->next++];
    put_part_head(out, b, range);
    *run = (struct file_run){b->fd, (off_t)range->first, range->last - range->first + 1};
    return PRODUCE_MORE;
}

static void free_byteranges(struct producer *producer)
{
    struct byteranges *b = (struct byteranges *)producer;

    close(b->fd);
    free(b);
}

/* The boundary must not occur in the content: nobody can foresee 128 random bits. */
static bool make_boundary(char boundary[static BOUNDARY_LEN])
{
    unsigned char bits[BOUNDARY_LEN / 2];

    if (!random_fill(bits, sizeof bits))
        return false;
    for (size_t i = 0; i < BOUNDARY_LEN; i++)
        boundary[i] = "0123456789abcdef"[bits[i / 2] >> (i % 2 * 4) & 15];
    return true;
}

static uint64_t total_length(const struct byteranges *b)
{
    char bytes[512];
    struct buffer text = BUFFER_OVER(bytes);
    uint64_t length = 0;

    for (unsigned i = 0; i < b->set.count; i++) {
        const struct range *range = &b->set.ranges[i];
        text.len = 0;
        put_part_head(&text, b, range);
        length += text.len + (range->last - range->first + 1);
    }
    text.len = 0;
    put_end(&text, b);
    return length + text.len;
}

bool byteranges_answer(struct answer *answer, const struct range_set *set, uint64_t size,
                       struct span media_type, bool utf8)
{
    struct byteranges *b = calloc(1, sizeof *b);
    if (b == NULL || !make_boundary(b->boundary)) {
        free(b);
        return false;
    }
    b->producer = (struct producer){produce_part, free_byteranges};
    b->fd = answer->file.fd;
    b->size = size;
    b->set = *set;
    struct buffer type = BUFFER_OVER(b->type);
    buffer_put_span(&type, media_type);
    if (utf8)
        buffer_put_text(&type, "; charset=utf-8");
    b->type_len = type.overflowed ? 0 : type.len;

    answer->file.fd = -1;
    answer->producer = &b->producer;
    answer->length = total_length(b);
    answer->media_type = SPAN_EMPTY;
    buffer_put_text(&answer->fields, "Content-Type: multipart/byteranges; boundary=");
    buffer_put(&answer->fields, b->boundary, BOUNDARY_LEN);
    buffer_put_text(&answer->fields, "\r\n");
    return true;
}
