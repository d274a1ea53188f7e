#include "http/sfv.h"

#include "base/base64.h"
#include "http/chars.h"

/*
 * Parsers take what they recognise off the front of *in. On false, *in is anywhere: the value is
 * lost as a whole then.
 */

enum {
    INTEGER_DIGITS = 15, /* 3.3.1 */
    WHOLE_DIGITS = 12,   /* of a decimal, before the point: 3.3.2 */
    FRACTION_DIGITS = 3,
    END = -1,
};

static int peek(struct span in)
{
    return in.len > 0 ? (unsigned char)in.ptr[0] : END;
}

static void drop(struct span *in, size_t len)
{
    *in = span_make(in->ptr + len, in->len - len);
}

static bool take(struct span *in, char c)
{
    if (peek(*in) != c)
        return false;
    drop(in, 1);
    return true;
}

static void drop_spaces(struct span *in)
{
    while (take(in, ' ')) {
    }
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(int c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alpha(int c)
{
    return c != END && char_is((char)c, CHAR_ALPHA);
}

static bool is_key_rest(int c)
{
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '*';
}

/* 3.3.4 */
static bool is_token_rest(int c)
{
    return char_is((char)c, CHAR_TOKEN) || c == ':' || c == '/';
}

static size_t run(struct span in, bool (*in_class)(int))
{
    size_t len = 0;
    while (len < in.len && in_class((unsigned char)in.ptr[len]))
        len++;
    return len;
}

/* 4.2.3.3 */
static bool parse_key(struct span *in, struct span *key)
{
    if (!is_lower(peek(*in)) && peek(*in) != '*')
        return false;
    *key = span_make(in->ptr, run(*in, is_key_rest));
    drop(in, key->len);
    return true;
}

/* 4.2.4 */
static bool parse_number(struct span *in, struct sfv_item *item)
{
    bool negative = take(in, '-');
    size_t whole = run(*in, is_digit);
    uint64_t value;

    if (whole == 0 || whole > INTEGER_DIGITS || !span_to_u64(span_make(in->ptr, whole), &value))
        return false;
    drop(in, whole);
    item->kind = SFV_INTEGER;
    item->integer = negative ? -(int64_t)value : (int64_t)value;
    if (!take(in, '.'))
        return true;
    size_t fraction = run(*in, is_digit);
    drop(in, fraction);
    item->kind = SFV_DECIMAL;
    return whole <= WHOLE_DIGITS && fraction > 0 && fraction <= FRACTION_DIGITS;
}

/* 4.2.5 */
static bool parse_string(struct span *in, struct sfv_item *item)
{
    drop(in, 1);
    const char *start = in->ptr;
    item->kind = SFV_STRING;
    while (in->len > 0) {
        size_t step = 1;
        if (take(in, '"')) {
            item->text = span_make(start, (size_t)(in->ptr - start) - 1);
            return true;
        }
        if (in->ptr[0] == '\\') {
            if (in->len < 2 || (in->ptr[1] != '"' && in->ptr[1] != '\\'))
                return false;
            step = 2;
        } else if (peek(*in) < 0x20 || peek(*in) > 0x7E) {
            return false;
        }
        drop(in, step);
    }
    return false;
}

/* 4.2.10: '%' and two lower-case hexadecimal digits stand for a byte. */
static bool parse_display_string(struct span *in, struct sfv_item *item)
{
    drop(in, 1);
    item->kind = SFV_DISPLAY_STRING;
    if (!take(in, '"'))
        return false;
    while (in->len > 0) {
        if (take(in, '"'))
            return true;
        if (peek(*in) < 0x20 || peek(*in) > 0x7E)
            return false;
        if (take(in, '%')) {
            for (int i = 0; i < 2; i++) {
                if (!is_digit(peek(*in)) && (peek(*in) < 'a' || peek(*in) > 'f'))
                    return false;
                drop(in, 1);
            }
        } else {
            drop(in, 1);
        }
    }
    return false;
}

static bool is_base64(int c)
{
    return is_alpha(c) || is_digit(c) || c == '+' || c == '/' || c == '=';
}

/* 4.2.7 */
static bool parse_bytes(struct span *in, struct sfv_item *item)
{
    drop(in, 1);
    item->kind = SFV_BYTES;
    item->text = span_make(in->ptr, run(*in, is_base64));
    drop(in, item->text.len);
    return take(in, ':');
}

/* 4.2.8 */
static bool parse_boolean(struct span *in, struct sfv_item *item)
{
    drop(in, 1);
    item->kind = SFV_BOOLEAN;
    item->boolean = take(in, '1');
    return item->boolean || take(in, '0');
}

/* 4.2.9 */
static bool parse_date(struct span *in, struct sfv_item *item)
{
    drop(in, 1);
    if (!parse_number(in, item) || item->kind != SFV_INTEGER)
        return false;
    item->kind = SFV_DATE;
    return true;
}

/* 4.2.3.1 */
static bool parse_bare_item(struct span *in, struct sfv_item *item)
{
    int c = peek(*in);
    *item = (struct sfv_item){0};
    if (c == '-' || is_digit(c))
        return parse_number(in, item);
    if (c == '*' || is_alpha(c)) {
        item->kind = SFV_TOKEN;
        item->text = span_make(in->ptr, run(*in, is_token_rest));
        drop(in, item->text.len);
        return true;
    }
    switch (c) {
    case '"': return parse_string(in, item);
    case ':': return parse_bytes(in, item);
    case '?': return parse_boolean(in, item);
    case '@': return parse_date(in, item);
    case '%': return parse_display_string(in, item);
    default: return false;
    }
}

/* 4.2.3.2: checked and passed over. */
static bool skip_parameters(struct span *in)
{
    while (take(in, ';')) {
        struct span key;
        struct sfv_item value;
        drop_spaces(in);
        if (!parse_key(in, &key) || (take(in, '=') && !parse_bare_item(in, &value)))
            return false;
    }
    return true;
}

static bool parse_item(struct span *in, struct sfv_item *item)
{
    return parse_bare_item(in, item) && skip_parameters(in);
}

/* 4.2.1.2 */
static bool skip_inner_list(struct span *in)
{
    drop(in, 1);
    while (in->len > 0) {
        struct sfv_item item;
        drop_spaces(in);
        if (take(in, ')'))
            return skip_parameters(in);
        if (!parse_item(in, &item) || (peek(*in) != ' ' && peek(*in) != ')'))
            return false;
    }
    return false;
}

static bool parse_member_value(struct span *in, struct sfv_item *item)
{
    if (peek(*in) != '(')
        return parse_item(in, item);
    *item = (struct sfv_item){.kind = SFV_INNER_LIST};
    return skip_inner_list(in);
}

static void drop_ows(struct span *in)
{
    while (take(in, ' ') || take(in, '\t')) {
    }
}

/* What stands between two members: a comma, and something after it (4.2.2 steps 2.4 to 2.8). */
static bool skip_separator(struct span *in)
{
    drop_ows(in);
    if (in->len == 0)
        return true;
    if (!take(in, ','))
        return false;
    drop_ows(in);
    return in->len > 0;
}

enum sfv_next sfv_dictionary_next(struct span *rest, struct sfv_member *member)
{
    bool ok;

    drop_spaces(rest);
    if (rest->len == 0)
        return SFV_END;
    if (!parse_key(rest, &member->key))
        return SFV_BAD;
    if (take(rest, '=')) {
        ok = parse_member_value(rest, &member->item);
    } else {
        member->item = (struct sfv_item){.kind = SFV_BOOLEAN, .boolean = true};
        ok = skip_parameters(rest);
    }
    return ok && skip_separator(rest) ? SFV_MEMBER : SFV_BAD;
}

enum sfv_find sfv_dictionary_find(struct span value, struct span key, struct sfv_item *item)
{
    enum sfv_find result = SFV_ABSENT;
    struct sfv_member member;
    enum sfv_next next;

    while ((next = sfv_dictionary_next(&value, &member)) == SFV_MEMBER) {
        if (span_equal(member.key, key)) {
            *item = member.item;
            result = SFV_FOUND;
        }
    }
    return next == SFV_BAD ? SFV_MALFORMED : result;
}

bool sfv_item_parse(struct span value, struct sfv_item *item)
{
    drop_spaces(&value);
    if (!parse_item(&value, item))
        return false;
    drop_spaces(&value);
    return value.len == 0;
}

bool sfv_boolean_parse(struct span value, bool *boolean)
{
    struct sfv_item item;
    if (!sfv_item_parse(value, &item) || item.kind != SFV_BOOLEAN)
        return false;
    *boolean = item.boolean;
    return true;
}

bool sfv_integer_parse(struct span value, int64_t *integer)
{
    struct sfv_item item;
    if (!sfv_item_parse(value, &item) || item.kind != SFV_INTEGER)
        return false;
    *integer = item.integer;
    return true;
}

bool sfv_bytes(const struct sfv_item *item, void *out, size_t cap, size_t *len)
{
    return item->kind == SFV_BYTES && base64_decode_loose(item->text, out, cap, len);
}

void sfv_text(const struct sfv_item *item, struct buffer *out)
{
    struct span s = item->text;
    for (size_t i = 0; i < s.len; i++) {
        if (item->kind == SFV_STRING && s.ptr[i] == '\\')
            i++;
        buffer_put_char(out, s.ptr[i]);
    }
}

void sfv_put_boolean(struct buffer *b, bool value)
{
    buffer_put(b, value ? "?1" : "?0", 2);
}

void sfv_put_integer(struct buffer *b, int64_t value)
{
    const int64_t limit = 999999999999999;
    if (value < -limit || value > limit) {
        b->overflowed = true;
        return;
    }
    if (value < 0)
        buffer_put_char(b, '-');
    buffer_put_u64(b, (uint64_t)(value < 0 ? -value : value));
}

void sfv_put_string(struct buffer *b, struct span value)
{
    buffer_put_char(b, '"');
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c < 0x20 || c > 0x7E) {
            b->overflowed = true;
            return;
        }
        if (c == '"' || c == '\\')
            buffer_put_char(b, '\\');
        buffer_put_char(b, (char)c);
    }
    buffer_put_char(b, '"');
}

void sfv_put_token(struct buffer *b, struct span value)
{
    int first = peek(value);
    if ((first != '*' && !is_alpha(first)) || run(value, is_token_rest) != value.len)
        b->overflowed = true;
    else
        buffer_put_span(b, value);
}

void sfv_put_bytes(struct buffer *b, const void *data, size_t len)
{
    if (base64_encoded_len(len) + 2 > buffer_free(b)) {
        b->overflowed = true;
        return;
    }
    buffer_put_char(b, ':');
    b->len += base64_encode(b->data + b->len, data, len);
    buffer_put_char(b, ':');
}

void sfv_put_key(struct buffer *b, bool first, struct span key)
{
    struct span rest = key, parsed;
    if (!parse_key(&rest, &parsed) || rest.len > 0) {
        b->overflowed = true;
        return;
    }
    if (!first)
        buffer_put_text(b, ", ");
    buffer_put_span(b, key);
    buffer_put_char(b, '=');
}
