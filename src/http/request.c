#include "http/request.h"

#include "http/authority.h"
#include "http/chars.h"

/*
 * The head is read once, from left to right, and is refused at the first byte that cannot be
 * right. So the answer does not depend on how the bytes arrived: what is refused as a whole is
 * refused by the shortest prefix that shows why.
 */
struct cursor {
    const char *head;
    size_t at;  /* bytes [0, at) are taken */
    size_t end; /* bytes [at, end) may be looked at */
    char major; /* digit of the version; 0 when there is none, in a simple request */
    enum status refusal;
};

static enum request_result refuse(struct cursor *cursor, enum status why)
{
    cursor->refusal = why;
    return REQUEST_REFUSED;
}

static enum request_result take_char(struct cursor *cursor, char c)
{
    if (cursor->at == cursor->end)
        return REQUEST_PARTIAL;
    if (cursor->head[cursor->at] != c)
        return refuse(cursor, STATUS_BAD_REQUEST);
    cursor->at++;
    return REQUEST_DONE;
}

static enum request_result take_method(struct request *request, struct cursor *cursor)
{
    size_t len = 0;
    while (len < cursor->end && char_is(cursor->head[len], CHAR_TOKEN))
        len++;
    cursor->at = len;
    if (len == cursor->end)
        return REQUEST_PARTIAL;
    if (len == 0)
        return refuse(cursor, STATUS_BAD_REQUEST);
    request->method_len = (uint16_t)len;
    request->method = (uint8_t)method_of(request_method_text(request));
    return take_char(cursor, ' ');
}

static enum request_result take_target(struct request *request, struct cursor *cursor)
{
    size_t begin = cursor->at;
    size_t len = chars_run(cursor->head + begin, cursor->end - begin, '!');
    cursor->at += len;
    if (cursor->at == cursor->end)
        return REQUEST_PARTIAL;
    if (len == 0)
        return refuse(cursor, STATUS_BAD_REQUEST);
    request->target_at = (uint16_t)begin;
    request->target_len = (uint16_t)len;
    return REQUEST_DONE;
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT, in capitals (RFC 9112 2.3). */
static enum request_result take_version(struct request *request, struct cursor *cursor)
{
    static const char form[] = "HTTP/0.0"; /* 0 stands for any digit */
    const char *text = cursor->head + cursor->at;

    if (cursor->end - cursor->at >= sizeof form - 1 &&
        memcmp(text, "HTTP/1.1", sizeof form - 1) == 0) {
        cursor->at += sizeof form - 1;
        cursor->major = '1';
        request->version = VERSION_1_1;
        return REQUEST_DONE;
    }
    for (size_t i = 0; i < sizeof form - 1; i++, cursor->at++) {
        if (cursor->at == cursor->end)
            return REQUEST_PARTIAL;
        if (form[i] == '0' ? !char_is(text[i], CHAR_DIGIT) : text[i] != form[i])
            return refuse(cursor, STATUS_BAD_REQUEST);
    }
    cursor->major = text[5];
    request->version = text[5] == '1' && text[7] == '0' ? VERSION_1_0 : VERSION_1_1;
    return REQUEST_DONE;
}

/* method SP request-target [ SP HTTP-version ], up to the CR that ends the line. */
static enum request_result take_words(struct request *request, struct cursor *cursor)
{
    enum request_result result = take_method(request, cursor);
    if (result == REQUEST_DONE)
        result = take_target(request, cursor);
    if (result == REQUEST_DONE && cursor->head[cursor->at] == ' ') {
        cursor->at++;
        result = take_version(request, cursor);
    }
    if (result != REQUEST_DONE)
        return result;
    if (cursor->at == cursor->end)
        return REQUEST_PARTIAL;
    return cursor->head[cursor->at] == '\r' ? REQUEST_DONE : refuse(cursor, STATUS_BAD_REQUEST);
}

/* The words may fill REQUEST_LINE_LIMIT bytes; the byte after these has to be the CR. */
static enum request_result take_line(struct request *request, struct cursor *cursor)
{
    size_t end = cursor->end;
    if (end > REQUEST_LINE_LIMIT + 1)
        cursor->end = REQUEST_LINE_LIMIT + 1;
    enum request_result result = take_words(request, cursor);
    if (result == REQUEST_PARTIAL && cursor->end > REQUEST_LINE_LIMIT)
        result = refuse(cursor, STATUS_URI_TOO_LONG);
    cursor->end = end;
    if (result == REQUEST_DONE)
        result = take_char(cursor, '\r');
    return result == REQUEST_DONE ? take_char(cursor, '\n') : result;
}

static bool is_scheme_char(char c)
{
    return char_is(c, CHAR_ALPHA) || char_is(c, CHAR_DIGIT) || c == '+' || c == '-' || c == '.';
}

/* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), and the colon after it (RFC 3986 3.1). */
static bool begins_with_scheme(struct span target)
{
    size_t len = span_find(target, ':');
    if (len == target.len || !char_is(target.ptr[0], CHAR_ALPHA))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_scheme_char(target.ptr[i]))
            return false;
    return true;
}

/* Which form the target has; false when it has none, or one that is not for this method. */
static bool find_form(enum method method, struct span target, enum target_form *form)
{
    if (method == METHOD_CONNECT) {
        struct authority authority;
        *form = TARGET_AUTHORITY;
        /* An empty port is refused here, by RFC 9110 9.3.6. */
        return authority_parse(&authority, target) && authority.port.len > 0;
    }
    if (target.ptr[0] == '/') {
        *form = TARGET_ORIGIN;
        return true;
    }
    if (span_equal(target, SPAN("*"))) {
        *form = TARGET_ASTERISK;
        return method == METHOD_OPTIONS;
    }
    *form = TARGET_ABSOLUTE;
    return begins_with_scheme(target);
}

static enum request_result judge_line(struct request *request, struct cursor *cursor)
{
    if (cursor->major == '\0') {
        if (request->method != METHOD_GET)
            return refuse(cursor, STATUS_BAD_REQUEST);
        request->version = VERSION_0_9;
    } else if (cursor->major != '1') {
        return refuse(cursor, STATUS_VERSION_NOT_SUPPORTED);
    }
    enum target_form form;
    if (!find_form((enum method)request->method, request_target(request), &form))
        return refuse(cursor, STATUS_BAD_REQUEST);
    request->form = (uint8_t)form;
    return REQUEST_DONE;
}

/* RFC 9112 3.2: one and only one in 1.1; an empty one is what a target without authority gets. */
static enum status judge_host(const struct request *request)
{
    unsigned count = field_count(&request->fields, FIELD_HOST);
    if (count == 0)
        return request->version == VERSION_1_1 ? STATUS_BAD_REQUEST : STATUS_NONE;
    struct authority authority;
    struct span host = request_field(request, FIELD_HOST);
    if (count > 1 || (host.len > 0 && !authority_parse(&authority, host)))
        return STATUS_BAD_REQUEST;
    return STATUS_NONE;
}

/*
 * The list of a Transfer-Encoding. Chunked has to be the last coding, once, and has no parameters
 * (RFC 9112 6.1, 7.1): else nobody can tell where the body ends. Elements that are empty or no
 * codings are doubts of the same kind. Codings under it are well-formed but unknown here.
 */
static enum status judge_codings(struct span list)
{
    bool chunked = false, others = false;

    while (list.ptr != NULL) {
        struct span coding = span_cut(&list, ',');
        struct span name = span_trim(span_make(coding.ptr, span_find(coding, ';')));
        if (chunked || !field_is_token(name))
            return STATUS_BAD_REQUEST;
        chunked = span_equal_nocase(name, SPAN("chunked"));
        others = others || !chunked;
        if (chunked && name.len != coding.len)
            return STATUS_BAD_REQUEST;
    }
    if (!chunked)
        return STATUS_BAD_REQUEST;
    return others ? STATUS_NOT_IMPLEMENTED : STATUS_NONE;
}

static enum status judge_transfer_encoding(struct request *request)
{
    char join[256]; /* of several fields; more than this is no honest list of codings */

    /* RFC 9112 6.1: a 1.0 message with it, or one with both, has been tampered with. */
    if (request->version == VERSION_1_0 || field_count(&request->fields, FIELD_CONTENT_LENGTH) > 0)
        return STATUS_BAD_REQUEST;
    request->framing = FRAMING_CHUNKED;
    struct span list =
        field_list(&request->fields, request->head, FIELD_TRANSFER_ENCODING, join, sizeof join);
    return judge_codings(list);
}

/* RFC 9112 6.3. A repeated Content-Length is refused even where all say the same. */
static enum status judge_framing(struct request *request)
{
    if (field_count(&request->fields, FIELD_TRANSFER_ENCODING) > 0)
        return judge_transfer_encoding(request);
    unsigned count = field_count(&request->fields, FIELD_CONTENT_LENGTH);
    if (count == 0)
        return STATUS_NONE;
    if (count > 1 ||
        !span_to_u64(request_field(request, FIELD_CONTENT_LENGTH), &request->content_length) ||
        request->content_length > INT64_MAX)
        return STATUS_BAD_REQUEST;
    request->framing = FRAMING_LENGTH;
    return STATUS_NONE;
}

/* RFC 9110 10.1.1. The expectation of a 1.0 client is ignored, but not one that nobody knows. */
static enum status judge_expect(struct request *request)
{
    const struct field_section *fields = &request->fields;

    for (unsigned i = fields->first[FIELD_EXPECT]; i != 0; i = fields->fields[i - 1].next) {
        const struct field *field = &fields->fields[i - 1];
        struct span rest = span_make(request->head + field->value_at, field->value_len);
        while (rest.ptr != NULL) {
            struct span expectation = span_cut(&rest, ',');
            if (expectation.len == 0)
                continue;
            if (!span_equal_nocase(expectation, SPAN("100-continue")))
                return STATUS_EXPECTATION_FAILED;
            request->expects_continue = request->version == VERSION_1_1;
        }
    }
    return STATUS_NONE;
}

static bool connection_has(const struct request *request, struct span option)
{
    const struct field_section *fields = &request->fields;

    for (unsigned i = fields->first[FIELD_CONNECTION]; i != 0; i = fields->fields[i - 1].next) {
        const struct field *field = &fields->fields[i - 1];
        if (span_list_has(span_make(request->head + field->value_at, field->value_len), option))
            return true;
    }
    return false;
}

/* RFC 9112 9.3. */
static bool is_persistent(const struct request *request)
{
    return !connection_has(request, SPAN("close")) &&
           (request->version == VERSION_1_1 || connection_has(request, SPAN("keep-alive")));
}

static enum request_result judge_fields(struct request *request, struct cursor *cursor)
{
    enum status status = judge_host(request);
    if (status == STATUS_NONE)
        status = judge_framing(request);
    if (status == STATUS_NONE)
        status = judge_expect(request);
    if (status != STATUS_NONE)
        return refuse(cursor, status);
    request->persistent = is_persistent(request);
    return REQUEST_DONE;
}

static enum request_result take_fields(struct request *request, struct cursor *cursor)
{
    size_t used = 0;

    switch (field_section_parse(&request->fields, cursor->head, cursor->at, cursor->end, &used)) {
    case FIELD_PARTIAL: return REQUEST_PARTIAL;
    case FIELD_BAD: return refuse(cursor, STATUS_BAD_REQUEST);
    case FIELD_TOO_MANY: return refuse(cursor, STATUS_FIELDS_TOO_LARGE);
    case FIELD_OK: break;
    }
    cursor->at += used;
    return judge_fields(request, cursor);
}

static enum request_result take_head(struct request *request, struct cursor *cursor)
{
    /* Half an empty line, which may still become one. */
    if (cursor->end == 1 && cursor->head[0] == '\r')
        return REQUEST_PARTIAL;
    enum request_result result = take_line(request, cursor);
    if (result == REQUEST_DONE)
        result = judge_line(request, cursor);
    if (result == REQUEST_DONE && request->version != VERSION_0_9)
        result = take_fields(request, cursor);
    if (result == REQUEST_DONE)
        request->head_len = (uint16_t)cursor->at;
    return result;
}

/* The fields' places are left as they are: what has not been written is not read. */
static void request_clear(struct request *request, const char *head)
{
    request->head = head;
    request->head_len = 0;
    request->method_len = 0;
    request->target_at = 0;
    request->target_len = 0;
    request->method = METHOD_UNKNOWN;
    request->version = VERSION_1_1; /* the form of answer for what is not understood */
    request->form = TARGET_ORIGIN;
    request->framing = FRAMING_NONE;
    request->persistent = false;
    request->expects_continue = false;
    request->content_length = 0;
    field_section_clear(&request->fields);
}

enum request_result request_parse(struct request *request, const char *bytes, size_t len,
                                  size_t *skipped, enum status *refusal)
{
    size_t seen = len < REQUEST_HEAD_LIMIT ? len : REQUEST_HEAD_LIMIT;
    size_t empty = 0;
    while (seen - empty >= 2 && bytes[empty] == '\r' && bytes[empty + 1] == '\n')
        empty += 2;
    *skipped = empty;

    struct cursor cursor = {.head = bytes + empty, .end = seen - empty};
    request_clear(request, cursor.head);
    enum request_result result = take_head(request, &cursor);
    /* Empty lines count here, so that REQUEST_PARTIAL always leaves room in a buffer of the limit.
     */
    if (result == REQUEST_PARTIAL && len >= REQUEST_HEAD_LIMIT)
        result = refuse(&cursor, STATUS_FIELDS_TOO_LARGE);
    *refusal = cursor.refusal;
    return result;
}

struct span request_method_text(const struct request *request)
{
    return span_make(request->head, request->method_len);
}

struct span request_target(const struct request *request)
{
    return span_make(request->head + request->target_at, request->target_len);
}
