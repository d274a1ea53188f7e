#include "server/listing_name.h"

#include "base/utf8.h"

/* The character of a sequence of three bytes. */
static unsigned code_of(const unsigned char *s)
{
    return (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);
}

/* A mark that changes how the text after it is laid out, or is no text at all. */
static bool is_mark(unsigned code)
{
    return (code >= 0x200b && code <= 0x200f && code != 0x200d) || /* but not what joins emoji */
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) ||
           code == 0xfeff;
}

static void put_number(struct buffer *out, unsigned code, bool markup)
{
    static const char digits[] = "0123456789ABCDEF";

    if (markup)
        buffer_put_text(out, "<b>");
    buffer_put_text(out, "U+");
    for (unsigned shift = 16; shift > 0; shift -= 4)
        buffer_put_char(out, digits[code >> (shift - 4) & 15]);
    if (markup)
        buffer_put_text(out, "</b>");
}

/* Whether what begins at `s` is shown as it is; else *len is its length. */
static bool is_plain(const unsigned char *s, size_t *len)
{
    if (*len == 0) {
        *len = 1; /* a byte that is no text */
        return false;
    }
    if (*len == 1)
        return s[0] >= 0x20 && s[0] != 0x7f;
    return *len != 3 || !is_mark(code_of(s));
}

void listing_name_put(struct buffer *out, struct span name, bool markup)
{
    size_t done = 0, len = 0;

    for (size_t at = 0; at < name.len; at += len) {
        const unsigned char *s = (const unsigned char *)name.ptr + at;
        len = 1;
        if (*s >= 0x20 && *s < 0x7f)
            continue; /* most of most names */
        len = utf8_sequence(span_from(name, at));
        bool text = len > 0;
        if (is_plain(s, &len))
            continue;
        buffer_put_html(out, span_make(name.ptr + done, at - done));
        if (!text)
            buffer_put_text(out, "\xef\xbf\xbd");
        else
            put_number(out, len == 1 ? *s : code_of(s), markup);
        done = at + len;
    }
    if (done < name.len)
        buffer_put_html(out, span_make(name.ptr + done, name.len - done));
}
