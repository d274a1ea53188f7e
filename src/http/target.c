#include "http/target.h"

#include "http/authority.h"
#include "http/chars.h"

enum { SEGMENT_LIMIT = 255 }; /* NAME_MAX of Linux */

/*
 * A path being put together in the caller's buffer. Each segment taken ends in a slash, which
 * leaves room for the NUL in the end; the last one is still open:
 *
 *     a / b / c d e
 *             ^     ^ len
 *             segment
 */
struct path {
    char *text;
    size_t len;
    size_t segment;
    bool dotted; /* a segment has begun with a dot, and may have been dropped since */
};

static enum target_result path_put(struct path *path, const char *bytes, size_t len)
{
    /* After a slash in the last byte, path->len is the limit itself. */
    if (path->len + len >= TARGET_PATH_LIMIT)
        return TARGET_TOO_LONG;
    memcpy(path->text + path->len, bytes, len);
    path->len += len;
    return TARGET_OK;
}

/* Drops the open segment and the one before it. */
static enum target_result path_climb(struct path *path)
{
    if (path->segment == 0)
        return TARGET_MALFORMED;
    path->segment--;
    while (path->segment > 0 && path->text[path->segment - 1] != '/')
        path->segment--;
    path->len = path->segment;
    return TARGET_OK;
}

/* Ends the open segment: *name says whether it was a name, and not empty, "." or "..". */
static enum target_result path_end_segment(struct path *path, bool *name)
{
    struct span segment = span_make(path->text + path->segment, path->len - path->segment);

    *name = false;
    if (segment.len > SEGMENT_LIMIT)
        return TARGET_TOO_LONG;
    if (segment.len == 0)
        return TARGET_OK;
    if (segment.ptr[0] == '.') {
        if (segment.len == 1) {
            path->len = path->segment;
            return TARGET_OK;
        }
        if (span_equal(segment, SPAN("..")))
            return path_climb(path);
        path->dotted = true;
    }
    *name = true;
    path->text[path->len++] = '/';
    path->segment = path->len;
    return TARGET_OK;
}

/* Puts the byte that "%XX" at the front of `raw` stands for. */
static enum target_result path_put_encoded(struct path *path, struct span raw)
{
    if (raw.len < 3 || !char_is(raw.ptr[1], CHAR_HEX) || !char_is(raw.ptr[2], CHAR_HEX))
        return TARGET_MALFORMED;
    char c = (char)(char_hex(raw.ptr[1]) << 4 | char_hex(raw.ptr[2]));
    if (c == '\0')
        return TARGET_MALFORMED;
    return c == '/' ? TARGET_NO_FILE : path_put(path, &c, 1);
}

/*
 * Takes the path off the front of *raw, up to the "?" if there is one. Dot segments are looked at
 * after decoding: "%2e%2E" climbs as ".." does (RFC 3986 6.2.2.2).
 */
static enum target_result path_take(struct path *path, struct span *raw, bool *directory)
{
    enum target_result result = TARGET_OK;
    bool name = false;
    size_t at = 0;

    while (at < raw->len && raw->ptr[at] != '?' && result == TARGET_OK) {
        size_t run = 0;
        while (at + run < raw->len && !char_is(raw->ptr[at + run], CHAR_NO_SEGMENT))
            run++;
        if (run > 0) {
            result = path_put(path, raw->ptr + at, run);
            at += run;
        } else if (raw->ptr[at] == '/') {
            result = path_end_segment(path, &name);
            at++;
        } else if (raw->ptr[at] == '%') {
            result = path_put_encoded(path, span_make(raw->ptr + at, raw->len - at));
            at += sizeof "%XX" - 1;
        } else {
            result = TARGET_MALFORMED;
        }
    }
    if (result != TARGET_OK)
        return result;
    *raw = span_make(raw->ptr + at, raw->len - at);
    result = path_end_segment(path, &name);
    *directory = !name;
    return result;
}

/* `path` with a slash after each segment. */
static bool is_hidden(struct span path)
{
    if (span_starts_with(path, SPAN(".well-known/"))) /* RFC 8615 */
        path = span_from(path, sizeof ".well-known/" - 1);
    for (size_t i = 0; i < path.len; i++)
        if (path.ptr[i] == '.' && (i == 0 || path.ptr[i - 1] == '/'))
            return true;
    return false;
}

/* Cuts scheme and authority off an absolute-form target: path and query are left in *raw. */
static bool take_authority(struct target *target, struct span *raw)
{
    size_t at;
    if (span_starts_with_nocase(*raw, SPAN("http://")))
        at = sizeof "http://" - 1;
    else if (span_starts_with_nocase(*raw, SPAN("https://")))
        at = sizeof "https://" - 1;
    else
        return false;

    size_t end = at;
    while (end < raw->len && raw->ptr[end] != '/' && raw->ptr[end] != '?')
        end++;
    struct authority authority;
    target->authority = span_make(raw->ptr + at, end - at);
    *raw = span_make(raw->ptr + end, raw->len - end);
    return authority_parse(&authority, target->authority);
}

/* What a query may hold, as far as the request line can tell; "#" would begin a fragment. */
static bool is_query(struct span text)
{
    return chars_run(text.ptr, text.len, '!') == text.len && span_find(text, '#') == text.len;
}

/* The path and the query of a target, which has been cut to these. */
static enum target_result take_path(struct target *target, struct span raw, char *buffer)
{
    struct path path = {.text = buffer};
    enum target_result result = path_take(&path, &raw, &target->directory);

    if (result != TARGET_OK)
        return result;
    if (raw.len > 0) {
        target->query = span_make(raw.ptr + 1, raw.len - 1);
        if (!is_query(target->query))
            return TARGET_MALFORMED;
    }
    target->hidden = path.dotted && is_hidden(span_make(buffer, path.len));
    if (path.len > 0)
        path.len--; /* the slash after the last segment */
    buffer[path.len] = '\0';
    target->path = span_make(buffer, path.len);
    return TARGET_OK;
}

enum target_result target_parse(struct target *target, struct span raw,
                                char buffer[static TARGET_PATH_LIMIT])
{
    buffer[0] = '\0';
    *target = (struct target){.path = {buffer, 0}, .directory = true};

    if (raw.len == 0 || (raw.ptr[0] != '/' && !take_authority(target, &raw)))
        return TARGET_MALFORMED;
    return take_path(target, raw, buffer);
}
