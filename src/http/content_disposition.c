#include "http/content_disposition.h"

#include "base/hex.h"
#include "base/utf8.h"
#include "http/chars.h"
#include "http/field.h"

/* RFC 8187 3.2.1: what a token may hold, but for the three signs that mean something there. */
static bool is_attr_char(char c)
{
    return char_is(c, CHAR_TOKEN) && c != '*' && c != '\'' && c != '%';
}

static bool is_control(char c)
{
    unsigned char u = (unsigned char)c;
    return (u < 0x20 && u != '\t') || u == 0x7F;
}

/* The byte that "%XX" at the front of s stands for; -1 when it is none. */
static int percent_byte(struct span s)
{
    if (s.len < 3 || s.ptr[0] != '%' || hex_digit(s.ptr[1]) < 0 || hex_digit(s.ptr[2]) < 0)
        return -1;
    return hex_digit(s.ptr[1]) << 4 | hex_digit(s.ptr[2]);
}

/* How many bytes at the front of s stand for *c, in what is between the quotes. */
static size_t quoted_step(struct span s, bool form_data, char *c)
{
    *c = s.ptr[0];
    if (s.len > 1 && s.ptr[0] == '\\' && (s.ptr[1] == '"' || s.ptr[1] == '\\')) {
        *c = s.ptr[1];
        return 2;
    }
    int byte = form_data ? percent_byte(s) : -1;
    if (byte == '"' || byte == '\r' || byte == '\n') {
        *c = (char)byte;
        return 3;
    }
    return 1;
}

/* Takes a quoted-string off the front of *in, its contents decoded to *text. */
static bool take_quoted(struct span *in, bool form_data, char **text, struct span *value)
{
    char *start = *text;
    *in = span_make(in->ptr + 1, in->len - 1);
    while (in->len > 0) {
        char c;
        if (in->ptr[0] == '"') {
            *in = span_make(in->ptr + 1, in->len - 1);
            *value = span_make(start, (size_t)(*text - start));
            return true;
        }
        if (is_control(in->ptr[0]))
            return false;
        size_t step = quoted_step(*in, form_data, &c);
        *(*text)++ = c;
        *in = span_make(in->ptr + step, in->len - step);
    }
    return false;
}

/* Takes what stands before ';' or white space off the front of *in. */
static bool take_bare(struct span *in, struct span *value)
{
    size_t len = 0;
    for (; len < in->len; len++) {
        char c = in->ptr[len];
        if (c == ';' || c == ' ' || c == '\t')
            break;
        if (c == '"' || is_control(c))
            return false;
    }
    *value = span_make(in->ptr, len);
    *in = span_make(in->ptr + len, in->len - len);
    return len > 0;
}

/* RFC 8187 3.2.1: charset'language'value-chars. False when it is not, or not in UTF-8. */
static bool decode_extended(struct span in, char **text, struct span *value)
{
    char *start = *text, *to = start;
    size_t charset = span_find(in, '\'');
    struct span rest = span_from(in, charset + 1);
    size_t language = span_find(rest, '\'');

    if (charset == in.len || language == rest.len ||
        !span_equal_nocase(span_make(in.ptr, charset), SPAN("UTF-8")))
        return false;
    rest = span_from(rest, language + 1);
    while (rest.len > 0) {
        int byte = percent_byte(rest);
        size_t step = byte >= 0 ? 3 : 1;
        if (byte < 0 && !is_attr_char(rest.ptr[0]))
            return false;
        *to++ = (char)(byte >= 0 ? byte : rest.ptr[0]);
        rest = span_make(rest.ptr + step, rest.len - step);
    }
    *value = span_make(start, (size_t)(to - start));
    if (!utf8_valid(*value))
        return false;
    *text = to;
    return true;
}

static void drop_spaces(struct span *in)
{
    while (in->len > 0 && (in->ptr[0] == ' ' || in->ptr[0] == '\t'))
        *in = span_make(in->ptr + 1, in->len - 1);
}

/* A parameter being read: what it is called and what it says. */
struct parameter {
    struct span name, value;
    bool quoted;
};

/* name OWS "=" OWS value OWS, up to a ';' or the end */
static bool take_parameter(struct span *in, bool form_data, char **text, struct parameter *p)
{
    size_t equals = span_find(*in, '=');
    p->name = span_trim(span_make(in->ptr, equals));
    if (equals == in->len || !field_is_token(p->name))
        return false;
    *in = span_make(in->ptr + equals + 1, in->len - equals - 1);
    drop_spaces(in);
    p->quoted = in->len > 0 && in->ptr[0] == '"';
    if (p->quoted ? !take_quoted(in, form_data, text, &p->value) : !take_bare(in, &p->value))
        return false;
    drop_spaces(in);
    return in->len == 0 || in->ptr[0] == ';';
}

/* What has been said by which parameter. */
struct reading {
    struct span name, filename, extended;
    bool extended_seen;
};

static bool keep(struct span *place, struct span value)
{
    if (place->ptr != NULL)
        return false;
    *place = value;
    return true;
}

static bool keep_parameter(struct reading *r, const struct parameter *p, char **text)
{
    if (span_equal_nocase(p->name, SPAN("name")))
        return keep(&r->name, p->value);
    if (span_equal_nocase(p->name, SPAN("filename")))
        return keep(&r->filename, p->value);
    if (span_equal_nocase(p->name, SPAN("filename*"))) {
        if (r->extended_seen)
            return false;
        r->extended_seen = true;
        if (p->quoted || !decode_extended(p->value, text, &r->extended))
            r->extended = SPAN_EMPTY;
    }
    return true;
}

bool content_disposition_parse(struct span value, struct content_disposition *disposition,
                               char *text)
{
    struct reading r = {0};
    size_t semicolon = span_find(value, ';');
    struct span rest = span_from(value, semicolon + 1);

    disposition->type = span_trim(span_make(value.ptr, semicolon));
    if (!field_is_token(disposition->type))
        return false;
    bool form_data = span_equal_nocase(disposition->type, SPAN("form-data"));
    while (rest.len > 0) {
        struct parameter p;
        drop_spaces(&rest);
        if (rest.len == 0)
            break;
        if (!take_parameter(&rest, form_data, &text, &p) || !keep_parameter(&r, &p, &text))
            return false;
        rest = span_from(rest, 1);
    }
    disposition->name = r.name;
    disposition->filename = r.extended.ptr != NULL ? r.extended : r.filename;
    return true;
}
