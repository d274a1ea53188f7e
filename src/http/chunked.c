#include "http/chunked.h"

#include "http/chars.h"

/*
 *                 hex   SP HTAB     ;          CR        LF          tchar  :      other text
 * SIZE_START      SIZE
 * SIZE            SIZE  SIZE_SPACE  EXTENSION  SIZE_LF
 * SIZE_SPACE            SIZE_SPACE  EXTENSION
 * EXTENSION       EXT.  EXT.        EXT.       SIZE_LF               EXT.   EXT.   EXT.
 * SIZE_LF                                                DATA, or TRAILER_START when the size is 0
 * DATA            any byte; DATA_CR after the last of them
 * DATA_CR                                      DATA_LF
 * DATA_LF                                                SIZE_START
 * TRAILER_START   NAME                         END_LF                NAME
 * TRAILER_NAME    NAME                                               NAME   VALUE
 * TRAILER_VALUE   VALUE VALUE       VALUE      TR._LF                VALUE  VALUE  VALUE
 * TRAILER_LF                                             TRAILER_START
 * END_LF                                                 DONE
 *
 * What is left blank leads to BAD. DONE and BAD stay.
 */
enum state {
    SIZE_START, /* 0: a zeroed decoder begins here */
    SIZE,
    SIZE_SPACE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
    BAD,
};

/* SP, HTAB, VCHAR or obs-text: what an extension or a field value holds. A bare LF in an extension
   is what request smuggling through chunked bodies is made of, so nothing else passes. */
static bool is_text(char c)
{
    unsigned char u = (unsigned char)c;
    return u == '\t' || (u >= ' ' && u != 0x7F);
}

static enum state take_digit(struct chunked *decoder, char digit)
{
    if (decoder->left_ > (uint64_t)INT64_MAX >> 4)
        return BAD;
    decoder->left_ = decoder->left_ << 4 | char_hex(digit);
    return SIZE;
}

static enum state step_size(struct chunked *decoder, char c)
{
    if (char_is(c, CHAR_HEX))
        return take_digit(decoder, c);
    switch (c) {
    case '\r': return SIZE_LF;
    case ';': return EXTENSION;
    case ' ':
    case '\t': return SIZE_SPACE;
    default: return BAD;
    }
}

/* Whitespace before an extension is "bad", but to be taken (RFC 9112 7.1.1); before CRLF it is no
   part of the grammar. */
static enum state step_size_space(char c)
{
    if (c == ' ' || c == '\t')
        return SIZE_SPACE;
    return c == ';' ? EXTENSION : BAD;
}

/* The size line is whole. Its first bytes are free with any chunk; what is more, the data pays. */
static enum state begin_chunk(struct chunked *decoder)
{
    enum { FREE = 20 }; /* sixteen digits, CRLF, and a little */
    uint64_t worth = decoder->left_ < CHUNKED_LINE_LIMIT ? decoder->left_ : CHUNKED_LINE_LIMIT;
    uint64_t paid = FREE + 2 * worth;
    uint64_t excess = (uint64_t)decoder->excess_ + decoder->line_;

    excess = excess > paid ? excess - paid : 0;
    if (excess > CHUNKED_EXCESS_LIMIT)
        return BAD;
    decoder->excess_ = (uint32_t)excess;
    decoder->line_ = 0;
    return decoder->left_ > 0 ? DATA : TRAILER_START;
}

/* A trailer field is a field line (RFC 9112 7.1.2): token, colon, value. No obs-fold. */
static enum state step_trailer_name(char c, bool first)
{
    if (char_is(c, CHAR_TOKEN))
        return TRAILER_NAME;
    return c == ':' && !first ? TRAILER_VALUE : BAD;
}

static enum state expect(char c, char wanted, enum state then)
{
    return c == wanted ? then : BAD;
}

/* The state after one byte that is not data. */
static enum state step(struct chunked *decoder, char c)
{
    switch ((enum state)decoder->state_) {
    case SIZE_START: return char_is(c, CHAR_HEX) ? take_digit(decoder, c) : BAD;
    case SIZE: return step_size(decoder, c);
    case SIZE_SPACE: return step_size_space(c);
    case EXTENSION:
        if (is_text(c))
            return EXTENSION;
        return expect(c, '\r', SIZE_LF);
    case SIZE_LF: return c == '\n' ? begin_chunk(decoder) : BAD;
    case DATA_CR: return expect(c, '\r', DATA_LF);
    case DATA_LF: return expect(c, '\n', SIZE_START);
    case TRAILER_START: return c == '\r' ? END_LF : step_trailer_name(c, true);
    case TRAILER_NAME: return step_trailer_name(c, false);
    case TRAILER_VALUE:
        if (is_text(c))
            return TRAILER_VALUE;
        return expect(c, '\r', TRAILER_LF);
    case TRAILER_LF: return expect(c, '\n', TRAILER_START);
    case END_LF: return expect(c, '\n', DONE);
    case DATA:
    case DONE:
    case BAD: break;
    }
    return BAD;
}

/* Counts the bytes of a size line or of the trailer section; false when it has too many. */
static bool count_line(struct chunked *decoder)
{
    bool trailer = decoder->state_ >= TRAILER_START;
    if (decoder->state_ == DATA_CR || decoder->state_ == DATA_LF)
        return true;
    return ++decoder->line_ <= (trailer ? CHUNKED_TRAILER_LIMIT : CHUNKED_LINE_LIMIT);
}

/* Reads what there is of the trailer section, and reports it. The reader is told of DONE, or of
   what is wrong, when he comes back. */
static enum chunked_result report_trailer(struct chunked *decoder, struct span *input,
                                          struct span *data)
{
    size_t len = 0;

    while (len < input->len && decoder->state_ != DONE && decoder->state_ != BAD) {
        char c = input->ptr[len++];
        decoder->state_ = (uint8_t)(count_line(decoder) ? step(decoder, c) : BAD);
    }
    *data = span_make(input->ptr, len);
    *input = span_make(input->ptr + len, input->len - len);
    return decoder->state_ == BAD ? CHUNKED_BAD : CHUNKED_TRAILER;
}

enum chunked_result chunked_decode(struct chunked *decoder, struct span *input, struct span *data)
{
    *data = SPAN_EMPTY;
    while (decoder->state_ != DONE && decoder->state_ != BAD) {
        if (input->len == 0)
            return CHUNKED_MORE;
        if (decoder->state_ == DATA) {
            size_t len = decoder->left_ < input->len ? (size_t)decoder->left_ : input->len;
            *data = span_make(input->ptr, len);
            *input = span_make(input->ptr + len, input->len - len);
            chunked_skip(decoder, len);
            return CHUNKED_DATA;
        }
        if (decoder->state_ >= TRAILER_START && decoder->reports_trailer)
            return report_trailer(decoder, input, data);
        char c = input->ptr[0];
        *input = span_make(input->ptr + 1, input->len - 1);
        decoder->state_ = (uint8_t)(count_line(decoder) ? step(decoder, c) : BAD);
    }
    return decoder->state_ == DONE ? CHUNKED_DONE : CHUNKED_BAD;
}

uint64_t chunked_left(const struct chunked *decoder)
{
    return decoder->state_ == DATA ? decoder->left_ : 0;
}

void chunked_skip(struct chunked *decoder, uint64_t len)
{
    decoder->left_ -= len;
    if (decoder->state_ == DATA && decoder->left_ == 0)
        decoder->state_ = DATA_CR;
}
