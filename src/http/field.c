#include "http/field.h"

#include "base/buffer.h"
#include "http/chars.h"

static const struct span texts[FIELD_COUNT] = {
#define FIELD_TEXT(name, text) [FIELD_##name] = SPAN(text),
    FIELD_TABLE(FIELD_TEXT)
#undef FIELD_TEXT
};

/*
 * A name's place in the table below, from its length, its middle letter and its last but one. The
 * factors were searched for, so that no two names of FIELD_TABLE share a place; where a name added
 * later does, the compiler warns of an initialiser given twice, and others are to be searched for.
 * Only five bits of a letter count, which makes both cases one.
 */
#define SLOT(len, middle, penultimate)                                                             \
    ((7 * (size_t)(len) + LETTER(middle) + 8 * LETTER(penultimate)) & 255)
#define LETTER(c) ((size_t)(unsigned char)(c)&31)

static const uint8_t slots[256] = {
    [SLOT(6, 'e', 'p')] = FIELD_ACCEPT,
    [SLOT(15, 'e', 'n')] = FIELD_ACCEPT_ENCODING,
    [SLOT(30, 'r', 'r')] = FIELD_ACCESS_CONTROL_REQUEST_HEADERS,
    [SLOT(29, '-', 'o')] = FIELD_ACCESS_CONTROL_REQUEST_METHOD,
    [SLOT(13, 'i', 'o')] = FIELD_AUTHORIZATION,
    [SLOT(10, 'c', 'o')] = FIELD_CONNECTION,
    [SLOT(14, '-', 's')] = FIELD_CONTENT_DIGEST,
    [SLOT(19, 'i', 'o')] = FIELD_CONTENT_DISPOSITION,
    [SLOT(16, 'e', 'n')] = FIELD_CONTENT_ENCODING,
    [SLOT(14, '-', 't')] = FIELD_CONTENT_LENGTH,
    [SLOT(13, 't', 'g')] = FIELD_CONTENT_RANGE,
    [SLOT(12, 't', 'p')] = FIELD_CONTENT_TYPE,
    [SLOT(4, 't', 't')] = FIELD_DATE,
    [SLOT(11, 'n', 'o')] = FIELD_DESTINATION,
    [SLOT(4, 'a', 'a')] = FIELD_ETAG,
    [SLOT(6, 'e', 'c')] = FIELD_EXPECT,
    [SLOT(9, 'a', 'e')] = FIELD_FORWARDED,
    [SLOT(4, 's', 's')] = FIELD_HOST,
    [SLOT(8, 'a', 'c')] = FIELD_IF_MATCH,
    [SLOT(17, 'i', 'c')] = FIELD_IF_MODIFIED_SINCE,
    [SLOT(13, 'e', 'c')] = FIELD_IF_NONE_MATCH,
    [SLOT(8, 'a', 'g')] = FIELD_IF_RANGE,
    [SLOT(19, 'f', 'c')] = FIELD_IF_UNMODIFIED_SINCE,
    [SLOT(10, 'a', 'v')] = FIELD_KEEP_ALIVE,
    [SLOT(13, 'o', 'e')] = FIELD_LAST_MODIFIED,
    [SLOT(8, 't', 'o')] = FIELD_LOCATION,
    [SLOT(6, 'g', 'i')] = FIELD_ORIGIN,
    [SLOT(9, 'w', 't')] = FIELD_OVERWRITE,
    [SLOT(5, 'n', 'g')] = FIELD_RANGE,
    [SLOT(7, 'e', 'e')] = FIELD_REFERER,
    [SLOT(11, 'd', 's')] = FIELD_REPR_DIGEST,
    [SLOT(11, '-', 'e')] = FIELD_RETRY_AFTER,
    [SLOT(14, 'c', 't')] = FIELD_SEC_FETCH_SITE,
    [SLOT(4, 'u', 'u')] = FIELD_SLUG,
    [SLOT(2, 'e', 't')] = FIELD_TE,
    [SLOT(7, 'i', 'e')] = FIELD_TRAILER,
    [SLOT(17, '-', 'n')] = FIELD_TRANSFER_ENCODING,
    [SLOT(13, 's', 'l')] = FIELD_TUS_RESUMABLE,
    [SLOT(7, 'r', 'd')] = FIELD_UPGRADE,
    [SLOT(15, 'c', 'u')] = FIELD_UPLOAD_CHECKSUM,
    [SLOT(15, 'c', 't')] = FIELD_UPLOAD_COMPLETE,
    [SLOT(13, '-', 'a')] = FIELD_UPLOAD_CONCAT,
    [SLOT(19, 'f', 't')] = FIELD_UPLOAD_DEFER_LENGTH,
    [SLOT(28, 'n', 'o')] = FIELD_UPLOAD_DRAFT_INTEROP_VERSION,
    [SLOT(13, '-', 't')] = FIELD_UPLOAD_LENGTH,
    [SLOT(15, 'm', 't')] = FIELD_UPLOAD_METADATA,
    [SLOT(13, '-', 'e')] = FIELD_UPLOAD_OFFSET,
    [SLOT(10, 'a', 'n')] = FIELD_USER_AGENT,
    [SLOT(16, 'r', 's')] = FIELD_WANT_REPR_DIGEST,
    [SLOT(15, 'r', 'o')] = FIELD_X_FORWARDED_FOR,
    [SLOT(22, 'o', 'd')] = FIELD_X_HTTP_METHOD_OVERRIDE,
    [SLOT(14, 'e', 'g')] = FIELD_X_UPDATE_RANGE,
};

enum field_name field_name_of(struct span name)
{
    if (name.len < 2)
        return FIELD_OTHER;
    unsigned candidate = slots[SLOT(name.len, name.ptr[name.len / 2], name.ptr[name.len - 2])];
    /* Most clients write a name as it is registered, and memcmp is the faster one. */
    bool same = span_equal(name, texts[candidate]) || span_equal_nocase(name, texts[candidate]);
    return same ? (enum field_name)candidate : FIELD_OTHER;
}

struct span field_name_text(enum field_name name)
{
    return name > FIELD_OTHER && name < FIELD_COUNT ? texts[name] : SPAN("");
}

/* Adds the field in the next place to the section, and to the chain of those with its name. */
static void section_add(struct field_section *section, const char *head)
{
    struct field *field = &section->fields[section->count++];
    enum field_name known = field_name_of(span_make(head + field->name_at, field->name_len));

    field->known = (uint8_t)known;
    field->next = 0;
    if (known == FIELD_OTHER)
        return;
    uint8_t *link = &section->first[known];
    while (*link != 0)
        link = &section->fields[*link - 1].next;
    *link = section->count;
}

/* Offset of the first byte at or after `at` that a field value cannot hold. */
static size_t value_end(const char *head, size_t at, size_t len)
{
    for (;;) {
        at += chars_run(head + at, len - at, ' ');
        if (at == len || head[at] != '\t')
            return at;
        at++;
    }
}

/* Takes the two bytes that end a line. */
static enum field_result take_crlf(const char *head, size_t *at, size_t len)
{
    if (*at == len)
        return FIELD_PARTIAL;
    if (head[*at] != '\r')
        return FIELD_BAD;
    if (*at + 1 == len)
        return FIELD_PARTIAL;
    if (head[*at + 1] != '\n')
        return FIELD_BAD;
    *at += 2;
    return FIELD_OK;
}

/* field-line = field-name ":" OWS field-value OWS (RFC 9112 5), and its CRLF. */
static enum field_result take_line(struct field *field, const char *head, size_t *at, size_t len)
{
    size_t colon = *at;
    while (colon < len && char_is(head[colon], CHAR_TOKEN))
        colon++;
    if (colon == len)
        return FIELD_PARTIAL;
    /* Also where space stands before the colon (RFC 9112 5.1) or the line is folded (5.2). */
    if (head[colon] != ':' || colon == *at)
        return FIELD_BAD;

    size_t end = value_end(head, colon + 1, len);
    struct span value = span_trim(span_make(head + colon + 1, end - colon - 1));
    field->name_at = (uint16_t)*at;
    field->name_len = (uint16_t)(colon - *at);
    field->value_at = (uint16_t)(value.ptr - head);
    field->value_len = (uint16_t)value.len;
    *at = end;
    return take_crlf(head, at, len);
}

enum field_result field_section_parse(struct field_section *section, const char *head, size_t at,
                                      size_t len, size_t *used)
{
    size_t begin = at;
    field_section_clear(section);

    while (at < len && head[at] != '\r') {
        if (section->count == FIELD_LIMIT)
            return FIELD_TOO_MANY;
        enum field_result result = take_line(&section->fields[section->count], head, &at, len);
        if (result != FIELD_OK)
            return result;
        section_add(section, head);
    }
    enum field_result result = take_crlf(head, &at, len);
    if (result == FIELD_OK)
        *used = at - begin;
    return result;
}

static struct span value_of(const struct field *field, const char *head)
{
    return span_make(head + field->value_at, field->value_len);
}

struct span field_value(const struct field_section *section, const char *head, enum field_name name)
{
    unsigned i = section->first[name];
    return i != 0 ? value_of(&section->fields[i - 1], head) : SPAN_EMPTY;
}

struct span field_list(const struct field_section *section, const char *head, enum field_name name,
                       char *join, size_t join_cap)
{
    unsigned i = section->first[name];
    if (i == 0 || section->fields[i - 1].next == 0)
        return field_value(section, head, name);

    struct buffer joined = buffer_make(join, join_cap);
    while (i != 0) {
        const struct field *field = &section->fields[i - 1];
        buffer_put_span(&joined, value_of(field, head));
        i = field->next;
        if (i != 0)
            buffer_put_text(&joined, ", ");
    }
    return joined.overflowed ? SPAN_EMPTY : buffer_span(&joined);
}

bool field_is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!char_is(s.ptr[i], CHAR_TOKEN))
            return false;
    return s.len > 0;
}
