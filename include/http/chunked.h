#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

/* The chunked transfer coding (RFC 9112 7.1). Pure; any thread. */

#include "base/span.h"

/* A decoder; zero it to begin. */
struct chunked {
    bool reports_trailer; /* the caller's wish: CHUNKED_TRAILER, where it is else skipped */
    uint8_t state_;
    uint16_t line_;   /* bytes of the current size line or of the trailer section so far */
    uint32_t excess_; /* bytes of size lines that no data was worth */
    uint64_t left_;   /* bytes of the current chunk still to come */
};

enum {
    CHUNKED_LINE_LIMIT = 4096,    /* a size line with its extensions */
    CHUNKED_TRAILER_LIMIT = 8192, /* the whole trailer section */
    CHUNKED_EXCESS_LIMIT = 16384, /* extensions beyond twice the data they stand with: a body that
                                     is all size lines costs reading and yields nothing */
};

enum chunked_result {
    CHUNKED_MORE,    /* all input was used, the body goes on */
    CHUNKED_DATA,    /* *data is a run of the body, inside the input */
    CHUNKED_TRAILER, /* *data is a run of the trailer section, inside the input: all runs together
                        are what field_section_parse takes */
    CHUNKED_DONE,    /* the last chunk and the trailer section have been read */
    CHUNKED_BAD,     /* 400: no way to tell where the next request begins */
};

/*
 * Takes bytes off the front of *input and says what they were. Call until the result is not
 * CHUNKED_DATA or CHUNKED_TRAILER; on CHUNKED_DONE *input holds what follows the body. CHUNKED_DONE
 * and CHUNKED_BAD stay. Sizes are hexadecimal, at least one digit, at most 2^63-1; lines end in
 * CRLF, never a bare LF; extensions are skipped, and so are trailer fields, each to be a
 * well-formed line.
 */
enum chunked_result chunked_decode(struct chunked *decoder, struct span *input, struct span *data);

/* How many bytes of the current chunk's data are still to come: these may be moved past the decoder
   (by splice), and then are told to it by chunked_skip. */
uint64_t chunked_left(const struct chunked *decoder);
void chunked_skip(struct chunked *decoder, uint64_t len);

#endif
