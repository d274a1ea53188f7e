#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

/*
 * Bodies of multipart/form-data (RFC 7578, RFC 2046 5.1) and their like, as they arrive. Pure; any
 * thread, one thread per parser at a time.
 *
 *     preamble CRLF                            passed over
 *     --boundary CRLF
 *     Content-Disposition: form-data; ...      MULTIPART_PART
 *     CRLF
 *     bytes                                    MULTIPART_DATA, any number of times
 *     CRLF --boundary CRLF                     MULTIPART_PART_END, then the next MULTIPART_PART
 *     ...
 *     CRLF --boundary-- epilogue               MULTIPART_PART_END, MULTIPART_DONE
 */

#include "base/span.h"

enum {
    MULTIPART_BOUNDARY_LIMIT = 70, /* RFC 2046 5.1.1 */
    MULTIPART_HEAD_LIMIT = 4096,   /* header section of one part: a name of 255 bytes, each sent as
                                      %XX, twice, and room for the rest */
};

struct multipart_part {
    struct span name;         /* of the form field; ptr NULL when absent */
    struct span filename;     /* as the client said it (http/file_name.h); ptr NULL when the part is
                                 no file, empty when the browser's user chose none */
    struct span content_type; /* as sent; ptr NULL when absent */
};

/* A parser. All it remembers is in here: about 8 KB, however large the body. */
struct multipart {
    uint8_t state_;
    uint8_t delimiter_len_;
    uint8_t matched_;  /* bytes of the delimiter that the input has just shown */
    uint8_t not_data_; /* that many of them are no data, whatever follows */
    bool in_part_;     /* MULTIPART_PART was told, its end was not */
    uint16_t head_len_;
    char delimiter_[4 + MULTIPART_BOUNDARY_LIMIT]; /* CRLF "--" boundary */
    char head_[MULTIPART_HEAD_LIMIT];
    char text_[MULTIPART_HEAD_LIMIT]; /* decoded names */
};

/*
 * The boundary parameter of a Content-Type value: 1 to 70 of the characters that RFC 2046 5.1.1
 * allows, the last not a space, quoted or, though some of them would want quotes, not. False when
 * the type is not `type`, "multipart/form-data" or the like, or there is not exactly one such
 * parameter. Points into the value.
 */
bool multipart_boundary(struct span content_type, struct span type, struct span *boundary);

/* `boundary` is one that multipart_boundary gave. */
void multipart_init(struct multipart *m, struct span boundary);

enum multipart_event {
    MULTIPART_MORE,     /* all input was used, the body goes on */
    MULTIPART_PART,     /* *part is set; it lives in *m until the next part begins */
    MULTIPART_DATA,     /* *data is the next run of the part's bytes, at least one */
    MULTIPART_PART_END, /* the part is whole: the boundary line after it has been read */
    MULTIPART_DONE,     /* the last boundary has been read; input after it is passed over */
    MULTIPART_BAD,      /* 400: nothing more is said after this */
};

/*
 * Takes bytes off the front of *input and says what they were. Call until MULTIPART_MORE,
 * MULTIPART_DONE or MULTIPART_BAD, then with the next input. A body that ends without
 * MULTIPART_DONE is cut off, and its last part with it.
 *
 * *data points into the input, or into *m where the input before ended in what might have been a
 * boundary. Every byte is looked at a fixed number of times, wherever the input is cut.
 *
 * Strict: lines end in CRLF, a part's header section is one that http/field.h takes, of at most
 * MULTIPART_HEAD_LIMIT bytes, with at most one Content-Disposition and Content-Type that parse; the
 * boundary line holds nothing else but spaces. A part without Content-Disposition is told (7578 4.2
 * wants one, with a name; what to do without is the caller's to say).
 */
enum multipart_event multipart_next(struct multipart *m, struct span *input, struct span *data,
                                    struct multipart_part *part);

#endif
