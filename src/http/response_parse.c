#include "http/response_parse.h"

enum {
    VERSION_LEN = sizeof "HTTP/1.1" - 1,
    STATUS_AT = VERSION_LEN + 1,
    STATUS_LEN = 3,
    REASON_AT = STATUS_AT + STATUS_LEN + 1,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum response_result refuse(enum response_fault *fault, enum response_fault why)
{
    *fault = why;
    return RESPONSE_REFUSED;
}

/*
 * "HTTP/1." digit, as far as the bytes reach. Garbage is told from a slow server at its first byte,
 * so that a client connected to something else does not wait for the end of a head.
 */
static enum response_result parse_version(struct response_head *response, struct span s,
                                          enum response_fault *fault)
{
    static const char pattern[] = "HTTP/#.# ";
    for (size_t i = 0; i < s.len && i < STATUS_AT; i++) {
        if (pattern[i] == '#' ? !is_digit(s.ptr[i]) : s.ptr[i] != pattern[i])
            return refuse(fault, RESPONSE_NOT_HTTP);
        if (i == sizeof "HTTP/" - 1 && s.ptr[i] != '1')
            return refuse(fault, RESPONSE_WRONG_VERSION);
    }
    if (s.len < STATUS_AT)
        return RESPONSE_PARTIAL;
    response->minor_1 = s.ptr[7] != '0';
    return RESPONSE_DONE;
}

static enum response_result parse_status(struct response_head *response, struct span s,
                                         enum response_fault *fault)
{
    unsigned status = 0;
    for (size_t i = STATUS_AT; i < s.len && i < STATUS_AT + STATUS_LEN; i++) {
        if (!is_digit(s.ptr[i]))
            return refuse(fault, RESPONSE_BAD_STATUS);
        status = status * 10 + (unsigned)(s.ptr[i] - '0');
    }
    if (s.len < REASON_AT)
        return RESPONSE_PARTIAL;
    char after = s.ptr[REASON_AT - 1];
    if (after != ' ' && after != '\r')
        return refuse(fault, RESPONSE_BAD_STATUS);
    response->status = (uint16_t)status;
    return RESPONSE_DONE;
}

/* The reason phrase up to CRLF: HTAB, SP, VCHAR and obs-text (RFC 9112 4). *used: the whole line.
 */
static enum response_result parse_reason(struct response_head *response, struct span s,
                                         size_t *used, enum response_fault *fault)
{
    /* "HTTP/1.1 200" CRLF: the phrase and the space before it are both missing. */
    size_t at = s.ptr[REASON_AT - 1] == '\r' ? REASON_AT - 1 : REASON_AT;
    size_t end = at;
    while (end < s.len && s.ptr[end] != '\r') {
        unsigned char c = (unsigned char)s.ptr[end++];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return refuse(fault, RESPONSE_BAD_REASON);
    }
    if (s.len - end < 2)
        return RESPONSE_PARTIAL;
    if (s.ptr[end + 1] != '\n')
        return refuse(fault, RESPONSE_BAD_REASON);
    response->reason_at = (uint16_t)at;
    response->reason_len = (uint16_t)(end - at);
    *used = end + 2;
    return RESPONSE_DONE;
}

/* All Content-Length fields, and lists in them, must say the same number (RFC 9112 6.3 rule 5). */
static bool parse_length(struct response_head *response, enum response_fault *fault)
{
    const struct field_section *fields = &response->fields;
    for (uint8_t i = fields->first[FIELD_CONTENT_LENGTH]; i != 0; i = fields->fields[i - 1].next) {
        const struct field *field = &fields->fields[i - 1];
        struct span rest = span_make(response->head + field->value_at, field->value_len);
        do {
            uint64_t length;
            if (!span_to_u64(span_cut(&rest, ','), &length) || length > INT64_MAX) {
                *fault = RESPONSE_BAD_LENGTH;
                return false;
            }
            if (response->has_length && length != response->content_length) {
                *fault = RESPONSE_LENGTHS_DIFFER;
                return false;
            }
            response->has_length = true;
            response->content_length = length;
        } while (rest.ptr != NULL);
    }
    return true;
}

/*
 * A length beside a coding is how responses are smuggled (RFC 9112 6.3 rule 3), and a coding other
 * than chunked was never asked for, since this client sends no TE: both are refused, not guessed.
 */
static bool parse_coding(const struct response_head *response, enum response_fault *fault)
{
    if (field_count(&response->fields, FIELD_TRANSFER_ENCODING) == 0)
        return true;
    if (!response->minor_1)
        *fault = RESPONSE_CODED_1_0;
    else if (response->has_length)
        *fault = RESPONSE_LENGTH_AND_CODED;
    else if (field_count(&response->fields, FIELD_TRANSFER_ENCODING) > 1 ||
             !span_equal_nocase(response_field_value(response, FIELD_TRANSFER_ENCODING),
                                SPAN("chunked")))
        *fault = RESPONSE_UNKNOWN_CODING;
    else
        return true;
    return false;
}

/* RFC 9112 6.3, in the order of its rules. */
static enum response_framing framing_of(const struct response_head *response, enum response_to to)
{
    if (to == RESPONSE_TO_HEAD || response_is_interim(response) || response->status == 204 ||
        response->status == 304)
        return RESPONSE_BODY_NONE;
    if (to == RESPONSE_TO_CONNECT && response->status >= 200 && response->status < 300)
        return RESPONSE_BODY_NONE;
    if (field_count(&response->fields, FIELD_TRANSFER_ENCODING) > 0)
        return RESPONSE_BODY_CHUNKED;
    return response->has_length ? RESPONSE_BODY_LENGTH : RESPONSE_BODY_TO_CLOSE;
}

/* Whether one of the Connection fields has the option. */
static bool connection_has(const struct response_head *response, struct span option)
{
    const struct field_section *fields = &response->fields;
    for (uint8_t i = fields->first[FIELD_CONNECTION]; i != 0; i = fields->fields[i - 1].next) {
        const struct field *field = &fields->fields[i - 1];
        if (span_list_has(span_make(response->head + field->value_at, field->value_len), option))
            return true;
    }
    return false;
}

/* RFC 9112 9.3. After a tunnel is open (CONNECT, 2xx) the connection speaks no HTTP any more. */
static bool is_persistent(const struct response_head *response, enum response_to to)
{
    if (response->framing == RESPONSE_BODY_TO_CLOSE)
        return false;
    if (to == RESPONSE_TO_CONNECT && response->status >= 200 && response->status < 300)
        return false;
    if (connection_has(response, SPAN("close")))
        return false;
    return response->minor_1 || connection_has(response, SPAN("keep-alive"));
}

static enum response_result parse_fields(struct response_head *response, struct span s, size_t at,
                                         enum response_fault *fault)
{
    size_t used = 0;
    switch (field_section_parse(&response->fields, s.ptr, at, s.len, &used)) {
    case FIELD_OK: break;
    case FIELD_PARTIAL: return RESPONSE_PARTIAL;
    case FIELD_TOO_MANY: return refuse(fault, RESPONSE_TOO_MANY_FIELDS);
    case FIELD_BAD: return refuse(fault, RESPONSE_BAD_FIELD);
    }
    response->head_len = (uint16_t)(at + used);
    if (!parse_length(response, fault) || !parse_coding(response, fault))
        return RESPONSE_REFUSED;
    return RESPONSE_DONE;
}

enum response_result response_parse(struct response_head *response, const char *bytes, size_t len,
                                    enum response_to to, enum response_fault *fault)
{
    struct span s = span_make(bytes, len < RESPONSE_HEAD_LIMIT ? len : RESPONSE_HEAD_LIMIT);
    size_t line = 0;
    response->head = bytes;
    response->has_length = false;
    response->content_length = 0;

    enum response_result result = parse_version(response, s, fault);
    if (result == RESPONSE_DONE)
        result = parse_status(response, s, fault);
    if (result == RESPONSE_DONE)
        result = parse_reason(response, s, &line, fault);
    if (result == RESPONSE_DONE)
        result = parse_fields(response, s, line, fault);
    if (result == RESPONSE_PARTIAL && len >= RESPONSE_HEAD_LIMIT)
        return refuse(fault, RESPONSE_TOO_LONG);
    if (result == RESPONSE_DONE) {
        response->framing = (uint8_t)framing_of(response, to);
        response->persistent = is_persistent(response, to);
    }
    return result;
}

const char *response_fault_text(enum response_fault fault)
{
    switch (fault) {
    case RESPONSE_NOT_HTTP: return "it is not HTTP";
    case RESPONSE_WRONG_VERSION: return "it is not HTTP/1";
    case RESPONSE_BAD_STATUS: return "its status is not three digits";
    case RESPONSE_BAD_REASON: return "its status line is malformed";
    case RESPONSE_BAD_FIELD: return "a header field is malformed";
    case RESPONSE_TOO_MANY_FIELDS: return "it has too many header fields";
    case RESPONSE_TOO_LONG: return "its head does not end";
    case RESPONSE_BAD_LENGTH: return "its Content-Length is not a length";
    case RESPONSE_LENGTHS_DIFFER: return "its Content-Length fields contradict each other";
    case RESPONSE_LENGTH_AND_CODED: return "it has both Content-Length and Transfer-Encoding";
    case RESPONSE_UNKNOWN_CODING: return "it has a transfer coding that was not asked for";
    case RESPONSE_CODED_1_0: return "it has a Transfer-Encoding, which HTTP/1.0 does not know";
    }
    return "it is malformed";
}

struct span response_reason(const struct response_head *response)
{
    return span_make(response->head + response->reason_at, response->reason_len);
}
