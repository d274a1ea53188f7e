#include "http/etag.h"

#include "base/buffer.h"

void etag_make(struct etag *tag, uint64_t inode, uint64_t size, int64_t mtime_ns, bool weak)
{
    struct buffer out = BUFFER_OVER(tag->text);

    if (weak)
        buffer_put_text(&out, "W/");
    buffer_put_char(&out, '"');
    buffer_put_hex(&out, inode);
    buffer_put_char(&out, '-');
    buffer_put_hex(&out, size);
    buffer_put_char(&out, '-');
    buffer_put_hex(&out, (uint64_t)mtime_ns);
    buffer_put_char(&out, '"');
    tag->len = (uint8_t)out.len;
}

/* W/ is the mark of a weak tag, in that case only (RFC 9110 8.8.3). */
static bool is_weak(struct span tag)
{
    return span_starts_with(tag, SPAN("W/"));
}

static struct span opaque_tag(struct span tag)
{
    return is_weak(tag) ? span_from(tag, 2) : tag;
}

/* What has no quotes is no tag, and equals nothing: a file without one must not match another. */
static bool is_quoted(struct span tag)
{
    return tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"';
}

bool etag_equal_strong(struct span a, struct span b)
{
    return is_quoted(a) && span_equal(a, b);
}

bool etag_equal_weak(struct span a, struct span b)
{
    return is_quoted(opaque_tag(a)) && span_equal(opaque_tag(a), opaque_tag(b));
}

/* %x21 / %x23-7E / obs-text: no space, no control byte, and no quote, since nothing escapes one. */
static bool is_etagc(char c)
{
    unsigned char u = (unsigned char)c;
    return u == 0x21 || (u >= 0x23 && u <= 0x7E) || u >= 0x80;
}

/* Bytes of the entity tag that s begins with, 0 when it begins with none. */
static size_t tag_length(struct span s)
{
    size_t i = is_weak(s) ? 2 : 0;
    if (i >= s.len || s.ptr[i] != '"')
        return 0;
    for (i++; i < s.len; i++) {
        if (s.ptr[i] == '"')
            return i + 1;
        if (!is_etagc(s.ptr[i]))
            return 0;
    }
    return 0;
}

/* Drops the space, commas and empty elements before the next tag of a list (RFC 9110 5.6.1.2).
   False when the tag before was not ended by a comma. */
static bool skip_to_element(struct span *list, bool first)
{
    bool comma = first;
    size_t i = 0;
    for (; i < list->len; i++) {
        char c = list->ptr[i];
        if (c == ',')
            comma = true;
        else if (c != ' ' && c != '\t')
            break;
    }
    *list = span_from(*list, i);
    return comma || list->len == 0;
}

enum etag_match etag_list_match(struct span list, struct span tag, bool exists, bool strong)
{
    bool found = false;

    if (span_equal(span_trim(list), SPAN("*")))
        return exists ? ETAG_MATCH : ETAG_NO_MATCH;
    /* Read to its end even after a match: a broken list has no meaning to act upon. */
    for (bool first = true;; first = false) {
        if (!skip_to_element(&list, first))
            return ETAG_MALFORMED;
        if (list.len == 0)
            break;
        struct span element = span_make(list.ptr, tag_length(list));
        if (element.len == 0)
            return ETAG_MALFORMED;
        if (exists)
            found |= strong ? etag_equal_strong(element, tag) : etag_equal_weak(element, tag);
        list = span_from(list, element.len);
    }
    return found ? ETAG_MATCH : ETAG_NO_MATCH;
}
