#include "http/multipart.h"

#include "http/chars.h"
#include "http/content_disposition.h"
#include "http/field.h"

/*
 *   PREAMBLE --delimiter--> BOUNDARY --CRLF--> HEAD --empty line--> DATA --delimiter--> BOUNDARY
 *                              |                                                           |
 *                              +--"--"--> EPILOGUE <-----------------------"--"------------+
 *
 * Anything else where a delimiter or a head is due leads to FAILED.
 */
enum state { PREAMBLE, BOUNDARY, DASH, PADDING, PADDING_CR, HEAD, DATA, EPILOGUE, FAILED };

static bool is_boundary_char(char c)
{
    return char_is(c, CHAR_ALPHA) || char_is(c, CHAR_DIGIT) ||
           (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

static bool is_boundary(struct span s)
{
    if (s.len == 0 || s.len > MULTIPART_BOUNDARY_LIMIT || s.ptr[s.len - 1] == ' ')
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!is_boundary_char(s.ptr[i]))
            return false;
    return true;
}

/* s without the quotes around it; escapes inside need no thought, for no boundary has a backslash.
 */
static struct span unquote(struct span s)
{
    if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
        return span_make(s.ptr + 1, s.len - 2);
    return s;
}

bool multipart_boundary(struct span content_type, struct span type, struct span *boundary)
{
    struct span rest = content_type, found = SPAN_EMPTY;

    if (rest.ptr == NULL || !span_equal_nocase(span_cut(&rest, ';'), type))
        return false;
    while (rest.ptr != NULL) {
        struct span parameter = span_cut(&rest, ';');
        size_t equals = span_find(parameter, '=');
        if (!span_equal_nocase(span_make(parameter.ptr, equals), SPAN("boundary")))
            continue;
        if (found.ptr != NULL)
            return false;
        found = unquote(span_from(parameter, equals + 1));
        if (!is_boundary(found))
            return false;
    }
    *boundary = found;
    return found.ptr != NULL;
}

/*
 * The CRLF before a delimiter belongs to it (RFC 2046 5.1.1), but the first one may stand at the
 * very front, and the empty line that ends a head may do for a part without a body. So these two
 * begin with the CRLF counted as seen, and not as data.
 */
static void expect_delimiter(struct multipart *m, enum state state)
{
    m->state_ = (uint8_t)state;
    m->matched_ = 2;
    m->not_data_ = 2;
}

void multipart_init(struct multipart *m, struct span boundary)
{
    memcpy(m->delimiter_, "\r\n--", 4);
    memcpy(m->delimiter_ + 4, boundary.ptr, boundary.len);
    m->delimiter_len_ = (uint8_t)(4 + boundary.len);
    m->in_part_ = false;
    m->head_len_ = 0;
    expect_delimiter(m, PREAMBLE);
}

static void drop(struct span *input, size_t len)
{
    *input = span_make(input->ptr + len, input->len - len);
}

/*
 * Goes on with a delimiter that has begun. When the input shows that it is none, what was taken for
 * its beginning is data after all: these bytes are gone with an input before, but they are the
 * delimiter's own first bytes, so they are handed out from there. CR stands in a delimiter only at
 * its front, so nothing inside what had matched can begin another.
 */
static bool match_delimiter(struct multipart *m, struct span *input, struct span *data)
{
    while (input->len > 0 && m->matched_ < m->delimiter_len_ &&
           input->ptr[0] == m->delimiter_[m->matched_]) {
        m->matched_++;
        drop(input, 1);
    }
    if (input->len == 0 || m->matched_ == m->delimiter_len_) {
        if (m->matched_ == m->delimiter_len_)
            m->state_ = BOUNDARY;
        return false;
    }
    *data = span_make(m->delimiter_ + m->not_data_, (size_t)(m->matched_ - m->not_data_));
    m->matched_ = 0;
    m->not_data_ = 0;
    return data->len > 0;
}

/*
 * How many bytes at the front of input cannot belong to a delimiter. Data full of line ends, or of
 * CR alone, must not cost much more than other data, or it would be a weapon: only the last of
 * several CR is a candidate, and four bytes are compared on the spot before a call is spent on the
 * rest.
 */
static size_t data_run(const struct multipart *m, struct span input)
{
    size_t at = 0;
    for (;;) {
        at += span_find(span_from(input, at), '\r');
        while (at + 1 < input.len && input.ptr[at + 1] == '\r')
            at++;
        if (at >= input.len)
            return input.len;
        size_t left = input.len - at;
        size_t compared = left < m->delimiter_len_ ? left : m->delimiter_len_;
        if ((left < 4 || memcmp(input.ptr + at, "\r\n--", 4) == 0) &&
            memcmp(input.ptr + at, m->delimiter_, compared) == 0)
            return at;
        at++;
    }
}

/* Takes data, or a delimiter or a part of one. True when there is data to tell. */
static bool take_data(struct multipart *m, struct span *input, struct span *data)
{
    if (m->matched_ > 0)
        return match_delimiter(m, input, data);
    size_t len = data_run(m, *input);
    if (len == 0)
        return match_delimiter(m, input, data);
    *data = span_make(input->ptr, len);
    drop(input, len);
    return true;
}

/*
 * What follows a delimiter on its line. A line that merely begins like one is refused, for RFC 2046
 * 5.1.1 says that the boundary must not begin any line of the data, and others would see a
 * boundary.
 */
static void take_boundary_rest(struct multipart *m, struct span *input)
{
    char c = input->ptr[0];
    enum state next = FAILED;

    if (m->state_ == BOUNDARY && c == '-')
        next = DASH;
    else if (m->state_ == DASH && c == '-')
        next = EPILOGUE;
    else if ((m->state_ == BOUNDARY || m->state_ == PADDING) && (c == ' ' || c == '\t'))
        next = PADDING;
    else if ((m->state_ == BOUNDARY || m->state_ == PADDING) && c == '\r')
        next = PADDING_CR;
    else if (m->state_ == PADDING_CR && c == '\n')
        next = HEAD;
    m->state_ = (uint8_t)next;
    drop(input, 1);
}

/*
 * The name of a file may hold any byte but NUL and the slash, and browsers send those that a field
 * cannot hold as they are, but for CR, LF and the quote (HTML, "multipart form data"). None of them
 * stays in a name here, so they become tabs, which a field can hold.
 */
static void soften(char *line, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((line[i] > '\0' && line[i] < ' ' && line[i] != '\r' && line[i] != '\n') ||
            line[i] == 0x7F)
            line[i] = '\t';
}

/* Takes one line, or what there is of it. False when the head is too long, or a line's LF alone. */
static bool take_head_line(struct multipart *m, struct span *input)
{
    size_t len = span_find(*input, '\n');
    if (len < input->len)
        len++;
    if (len > (size_t)(MULTIPART_HEAD_LIMIT - m->head_len_))
        return false;
    memcpy(m->head_ + m->head_len_, input->ptr, len);
    soften(m->head_ + m->head_len_, len);
    m->head_len_ = (uint16_t)(m->head_len_ + len);
    drop(input, len);
    struct span head = span_make(m->head_, m->head_len_);
    return !span_ends_with(head, SPAN("\n")) || span_ends_with(head, SPAN("\r\n"));
}

static bool head_is_whole(const struct multipart *m)
{
    struct span head = span_make(m->head_, m->head_len_);
    return span_equal(head, SPAN("\r\n")) || span_ends_with(head, SPAN("\r\n\r\n"));
}

static bool parse_head(struct multipart *m, struct multipart_part *part)
{
    struct field_section section;
    struct content_disposition disposition = {0};
    size_t used;

    if (field_section_parse(&section, m->head_, 0, m->head_len_, &used) != FIELD_OK ||
        used != m->head_len_ || field_count(&section, FIELD_CONTENT_DISPOSITION) > 1 ||
        field_count(&section, FIELD_CONTENT_TYPE) > 1)
        return false;
    struct span value = field_value(&section, m->head_, FIELD_CONTENT_DISPOSITION);
    if (value.ptr != NULL && !content_disposition_parse(value, &disposition, m->text_))
        return false;
    part->name = disposition.name;
    part->filename = disposition.filename;
    part->content_type = field_value(&section, m->head_, FIELD_CONTENT_TYPE);
    return true;
}

/* MULTIPART_PART when a head is whole, MULTIPART_MORE when there is more to take. */
static enum multipart_event take_head(struct multipart *m, struct span *input,
                                      struct multipart_part *part)
{
    if (!take_head_line(m, input))
        return MULTIPART_BAD;
    if (!head_is_whole(m))
        return MULTIPART_MORE;
    if (!parse_head(m, part))
        return MULTIPART_BAD;
    m->in_part_ = true;
    m->head_len_ = 0;
    expect_delimiter(m, DATA);
    return MULTIPART_PART;
}

/* One step; MULTIPART_MORE when it had nothing to tell. *input is not empty. */
static enum multipart_event step(struct multipart *m, struct span *input, struct span *data,
                                 struct multipart_part *part)
{
    switch ((enum state)m->state_) {
    case PREAMBLE: take_data(m, input, data); return MULTIPART_MORE;
    case DATA: return take_data(m, input, data) ? MULTIPART_DATA : MULTIPART_MORE;
    case BOUNDARY:
    case DASH:
    case PADDING:
    case PADDING_CR: take_boundary_rest(m, input); return MULTIPART_MORE;
    case HEAD: return take_head(m, input, part);
    case EPILOGUE: drop(input, input->len); return MULTIPART_MORE;
    case FAILED: break;
    }
    return MULTIPART_BAD;
}

enum multipart_event multipart_next(struct multipart *m, struct span *input, struct span *data,
                                    struct multipart_part *part)
{
    for (;;) {
        if (m->in_part_ && (m->state_ == HEAD || m->state_ == EPILOGUE)) {
            m->in_part_ = false;
            return MULTIPART_PART_END;
        }
        if (m->state_ == FAILED)
            return MULTIPART_BAD;
        if (input->len == 0)
            return m->state_ == EPILOGUE ? MULTIPART_DONE : MULTIPART_MORE;
        enum multipart_event event = step(m, input, data, part);
        if (event == MULTIPART_BAD)
            m->state_ = FAILED;
        if (event != MULTIPART_MORE)
            return event;
    }
}
