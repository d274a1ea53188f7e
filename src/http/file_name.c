#include "http/file_name.h"

#include "base/utf8.h"

enum { EXTENSION_LIMIT = 32 }; /* a longer tail after a dot is no extension, but a sentence */

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* What stands after the last separator; trailing ones do not count. */
static struct span last_component(struct span s)
{
    size_t start;
    while (s.len > 0 && is_separator(s.ptr[s.len - 1]))
        s.len--;
    for (start = s.len; start > 0 && !is_separator(s.ptr[start - 1]); start--) {
    }
    return span_from(s, start);
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

/* U+0080 to U+009F. Looked for in what was written, since a control byte between the two bytes of
   one has just been left out. */
static bool ends_in_c1(const char *out, size_t len)
{
    return len >= 2 && (unsigned char)out[len - 2] == 0xC2 &&
           ((unsigned char)out[len - 1] & 0xE0) == 0x80;
}

static bool is_extension_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* Where the extension begins with its dot, s.len when there is none. "x.tar.gz" has ".tar.gz". */
static size_t extension_at(struct span s)
{
    size_t at = s.len;
    while (at > 0 && is_extension_byte(s.ptr[at - 1]))
        at--;
    if (at < 2 || at == s.len || s.ptr[at - 1] != '.' || s.len - at >= EXTENSION_LIMIT)
        return s.len;
    at--;
    if (at > 4 && span_equal_nocase(span_make(s.ptr + at - 4, 4), SPAN(".tar")))
        at -= 4;
    return at;
}

/* Appends what may stay of s, up to `cap` bytes in all. */
static size_t append_clean(char *out, size_t len, size_t cap, struct span s)
{
    while (s.len > 0) {
        bool drop = is_control(s.ptr[0]) || (len == 0 && (s.ptr[0] == '.' || s.ptr[0] == ' '));
        size_t step = utf8_sequence(s);
        if (step == 0)
            step = 1;
        if (!drop && len + step > cap)
            break;
        if (!drop) {
            memcpy(out + len, s.ptr, step);
            len += step;
            len -= ends_in_c1(out, len) ? 2 : 0;
        }
        s = span_make(s.ptr + step, s.len - step);
    }
    return len;
}

/* A component without its separators. The stem gives way, so that the extension fits. */
static struct span clean(struct span s, char out[static FILE_NAME_LIMIT])
{
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || is_control(s.ptr[s.len - 1])))
        s.len--;
    size_t dot = extension_at(s);
    size_t len = append_clean(out, 0, FILE_NAME_LIMIT - (s.len - dot), span_make(s.ptr, dot));
    len = append_clean(out, len, FILE_NAME_LIMIT, span_from(s, dot));
    while (len > 0 && out[len - 1] == ' ')
        len--;
    return span_make(out, len);
}

struct span file_name_safe(struct span name, char out[static FILE_NAME_LIMIT])
{
    return clean(last_component(name), out);
}

bool file_name_safe_path(struct span path, struct buffer *out)
{
    struct buffer before = *out;

    while (path.len > 0) {
        char component[FILE_NAME_LIMIT];
        size_t len = 0;
        while (len < path.len && !is_separator(path.ptr[len]))
            len++;
        struct span safe = clean(span_make(path.ptr, len), component);
        if (safe.len > 0 && out->len > before.len)
            buffer_put_char(out, '/');
        buffer_put_span(out, safe);
        path = span_from(path, len + 1);
    }
    if (out->len > before.len && !out->overflowed)
        return true;
    *out = before;
    return false;
}

struct span file_name_numbered(struct span name, unsigned n, char out[static FILE_NAME_LIMIT])
{
    size_t dot = extension_at(name);
    char digits[16];
    struct buffer number = BUFFER_OVER(digits), b = buffer_make(out, FILE_NAME_LIMIT);

    buffer_put_text(&number, " (");
    buffer_put_u64(&number, n);
    buffer_put_text(&number, ")");
    size_t room = FILE_NAME_LIMIT - number.len - (name.len - dot);
    buffer_put(&b, name.ptr, utf8_prefix(span_make(name.ptr, dot), room));
    buffer_put_span(&b, buffer_span(&number));
    buffer_put_span(&b, span_from(name, dot));
    return buffer_span(&b);
}
