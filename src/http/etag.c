#include "http/etag.h"

#include "base/buffer.h"
#include "http/chars.h"

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

/*
 * Bytes of the entity tag that s begins with, 0 when it begins with none. Between its quotes there
 * is no space, no control byte, and no quote, since nothing escapes one (RFC 9110 8.8.3).
 */
static size_t tag_length(struct span s)
{
    size_t begin = is_weak(s) ? 3 : 1;
    if (s.len <= begin || s.ptr[begin - 1] != '"')
        return 0;
    struct span text = span_from(s, begin);
    size_t len = span_find(text, '"');
    if (len == text.len || chars_run(text.ptr, len, '!') < len)
        return 0;
    return begin + len + 1;
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
