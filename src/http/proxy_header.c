#include "http/proxy_header.h"

/*
 * Version 1:  PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n
 *
 * Version 2:  0            12       13      14     16
 *             [ signature  | version | family | length | addresses, extensions ]
 *                            command   transport
 */

enum {
    SIGNATURE_LEN = 12,
    FIXED_LEN = 16, /* signature, version and command, family and transport, length */
    COMMAND_LOCAL = 0x20,
    COMMAND_PROXY = 0x21,
    UNSPECIFIED = 0x00,
    TCP_IPV4 = 0x11,
    TCP_IPV6 = 0x21,
    UNIX_STREAM = 0x31,
    IPV4_LEN = 12, /* two addresses, two ports */
    IPV6_LEN = 36,
    UNIX_LEN = 216, /* two paths */
};

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

/* A place in a version 1 line. */
struct line {
    const char *bytes;
    size_t at, end;
};

static enum proxy_result take_text(struct line *line, const char *text)
{
    for (; *text != '\0'; text++, line->at++) {
        if (line->at == line->end)
            return PROXY_PARTIAL;
        if (line->bytes[line->at] != *text)
            return PROXY_BAD;
    }
    return PROXY_DONE;
}

static bool is_address_char(char c, enum proxy_family family)
{
    bool hex = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':';
    return (c >= '0' && c <= '9') || c == '.' || (family == PROXY_IPV6 && hex);
}

/* An address and the space behind it. */
static enum proxy_result take_address(struct line *line, enum proxy_family family,
                                      struct span *address)
{
    size_t begin = line->at;

    while (line->at < line->end && is_address_char(line->bytes[line->at], family))
        line->at++;
    *address = span_make(line->bytes + begin, line->at - begin);
    if (line->at == line->end)
        return PROXY_PARTIAL;
    return address->len > 0 ? take_text(line, " ") : PROXY_BAD;
}

/* A port, 0 to 65535 without leading zeros, and what must follow it. */
static enum proxy_result take_port(struct line *line, const char *behind, uint16_t *port)
{
    unsigned value = 0, digits = 0;

    for (; line->at < line->end; line->at++, digits++) {
        char c = line->bytes[line->at];
        if (c < '0' || c > '9')
            break;
        if (digits > 0 && value == 0)
            return PROXY_BAD;
        value = 10 * value + (unsigned)(c - '0');
        if (value > UINT16_MAX)
            return PROXY_BAD;
    }
    *port = (uint16_t)value;
    if (line->at == line->end)
        return PROXY_PARTIAL;
    return digits > 0 ? take_text(line, behind) : PROXY_BAD;
}

/* Whatever stands behind UNKNOWN is to be ignored, up to the line's end. */
static enum proxy_result skip_line(struct line *line)
{
    for (; line->at < line->end; line->at++) {
        char c = line->bytes[line->at];
        if (c == '\r')
            return take_text(line, "\r\n");
        if (c == '\n' || c == '\0')
            return PROXY_BAD;
    }
    return PROXY_PARTIAL;
}

static enum proxy_result take_line(struct line *line, struct proxy_header *header)
{
    struct span destination;
    uint16_t destination_port;
    enum proxy_result result = take_text(line, "PROXY ");

    if (result != PROXY_DONE)
        return result;
    if (line->at == line->end)
        return PROXY_PARTIAL;
    if (line->bytes[line->at] == 'U') {
        result = take_text(line, "UNKNOWN");
        return result == PROXY_DONE ? skip_line(line) : result;
    }
    if ((result = take_text(line, "TCP")) != PROXY_DONE)
        return result;
    if (line->at == line->end)
        return PROXY_PARTIAL;
    header->family = line->bytes[line->at] == '4' ? PROXY_IPV4 : PROXY_IPV6;
    if ((result = take_text(line, header->family == PROXY_IPV4 ? "4 " : "6 ")) != PROXY_DONE ||
        (result = take_address(line, header->family, &header->source)) != PROXY_DONE ||
        (result = take_address(line, header->family, &destination)) != PROXY_DONE ||
        (result = take_port(line, " ", &header->port)) != PROXY_DONE)
        return result;
    return take_port(line, "\r\n", &destination_port);
}

static enum proxy_result parse_text(struct proxy_header *header, const char *bytes, size_t len)
{
    struct line line = {bytes, 0, len < PROXY_LINE_LIMIT ? len : PROXY_LINE_LIMIT};
    enum proxy_result result = take_line(&line, header);

    header->text = true;
    header->len = line.at;
    return result == PROXY_PARTIAL && len >= PROXY_LINE_LIMIT ? PROXY_BAD : result;
}

/* The family of the addresses, and the bytes they take at least. */
static enum proxy_result addresses_of(unsigned kind, size_t *least, struct proxy_header *header)
{
    *least = 0;
    switch (kind) {
    case UNSPECIFIED: return PROXY_DONE;
    case TCP_IPV4:
        *least = IPV4_LEN;
        header->family = PROXY_IPV4;
        return PROXY_DONE;
    case TCP_IPV6:
        *least = IPV6_LEN;
        header->family = PROXY_IPV6;
        return PROXY_DONE;
    case UNIX_STREAM: *least = UNIX_LEN; return PROXY_DONE;
    default: return PROXY_BAD; /* unassigned, or datagrams, which no stream carries */
    }
}

static uint16_t read_u16(const char *bytes)
{
    return (uint16_t)((unsigned char)bytes[0] << 8 | (unsigned char)bytes[1]);
}

static enum proxy_result parse_binary(struct proxy_header *header, const char *bytes, size_t len)
{
    size_t least = 0;

    if (len > SIGNATURE_LEN && bytes[12] != COMMAND_LOCAL && bytes[12] != COMMAND_PROXY)
        return PROXY_BAD;
    /* LOCAL is the proxy's own connection, a health check: the family is to be ignored. */
    bool local = len > SIGNATURE_LEN && bytes[12] == COMMAND_LOCAL;
    if (len > SIGNATURE_LEN + 1 && !local &&
        addresses_of((unsigned char)bytes[13], &least, header) != PROXY_DONE)
        return PROXY_BAD;
    if (len < FIXED_LEN)
        return PROXY_PARTIAL;
    size_t rest = read_u16(bytes + 14);
    if (rest < least || rest > PROXY_HEADER_LIMIT - FIXED_LEN)
        return PROXY_BAD;
    header->len = FIXED_LEN + rest;
    if (len < header->len)
        return PROXY_PARTIAL;
    if (header->family == PROXY_IPV4) {
        header->source = span_make(bytes + FIXED_LEN, 4);
        header->port = read_u16(bytes + FIXED_LEN + 8);
    } else if (header->family == PROXY_IPV6) {
        header->source = span_make(bytes + FIXED_LEN, 16);
        header->port = read_u16(bytes + FIXED_LEN + 32);
    }
    return PROXY_DONE;
}

enum proxy_result proxy_header_parse(struct proxy_header *header, const char *bytes, size_t len)
{
    size_t seen = len < SIGNATURE_LEN ? len : SIGNATURE_LEN;

    *header = (struct proxy_header){.family = PROXY_UNKNOWN};
    if (len == 0)
        return PROXY_PARTIAL;
    if (bytes[0] != signature[0])
        return parse_text(header, bytes, len);
    if (memcmp(bytes, signature, seen) != 0)
        return PROXY_BAD;
    return parse_binary(header, bytes, len);
}
