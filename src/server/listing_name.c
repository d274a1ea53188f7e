#include "server/listing_name.h"

/* Marks of three bytes that change how the text after them is laid out, or are no text at all. */
static bool is_mark(const unsigned char *s)
{
    unsigned code = (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);

    return (code >= 0x200b && code <= 0x200f && code != 0x200d) || /* but not what joins emoji */
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) ||
           code == 0xfeff;
}

static void put_number(struct buffer *out, const unsigned char *s, bool markup)
{
    unsigned code = (s[0] & 0xfu) << 12 | (s[1] & 0x3fu) << 6 | (s[2] & 0x3fu);

    if (markup)
        buffer_put_text(out, "<b>");
    buffer_put_text(out, "U+");
    buffer_put_hex(out, code);
    if (markup)
        buffer_put_text(out, "</b>");
}

static void put_picture(struct buffer *out, unsigned char control)
{
    char picture[3] = {(char)0xe2, (char)0x90, (char)(0x80 | control)}; /* U+2400 + control */

    if (control == 0x7f)
        picture[2] = (char)0xa1;
    buffer_put(out, picture, sizeof picture);
}

void listing_name_put(struct buffer *out, struct span name, bool markup)
{
    const unsigned char *s = (const unsigned char *)name.ptr;
    size_t done = 0, i = 0;

    while (i < name.len) {
        size_t len = 0;
        if (s[i] < 0x20 || s[i] == 0x7f)
            len = 1;
        else if (i + 2 < name.len && (s[i] == 0xe2 || s[i] == 0xef) && s[i + 1] >= 0x80 &&
                 s[i + 1] < 0xc0 && s[i + 2] >= 0x80 && s[i + 2] < 0xc0 && is_mark(s + i))
            len = 3;
        if (len == 0) {
            i++;
            continue;
        }
        buffer_put_html(out, span_make(name.ptr + done, i - done));
        if (len == 1)
            put_picture(out, s[i]);
        else
            put_number(out, s + i, markup);
        i += len;
        done = i;
    }
    buffer_put_html(out, span_make(name.ptr + done, name.len - done));
}
