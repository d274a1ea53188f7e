#ifndef HTTP_CONTENT_DISPOSITION_H
#define HTTP_CONTENT_DISPOSITION_H

/*
 * Content-Disposition: of a request that says what its body is to be called (RFC 6266), and of a
 * part of multipart/form-data (RFC 7578 4.2). Pure; any thread.
 */

#include "base/span.h"

struct content_disposition {
    struct span type;     /* "attachment", "inline", "form-data", as sent */
    struct span name;     /* decoded; ptr NULL when absent */
    struct span filename; /* decoded; of filename* when that is there and valid, else of filename;
                             ptr NULL when absent. What a client says: see http/file_name.h */
};

/*
 * False when malformed, or a parameter comes twice (RFC 6266 4.1): what such a field means depends
 * on who reads it. `text` has room for value.len bytes and takes what had to be decoded; the
 * results point into it or into the value.
 *
 * Taken besides the grammar, because senders do it and it can mean one thing only: a ';' at the
 * end, and a bare value with bytes that a token has not, but no space, quote or semicolon.
 *
 * A backslash stands for itself but before '"' and '\': browsers do not escape it, and some send
 * whole Windows paths. In form-data %22, %0D and %0A are decoded as well, which is what browsers
 * make of a quote and of line breaks; other percent signs stand for themselves. filename* takes
 * UTF-8 alone (RFC 8187 3.2.1); one that is not valid is ignored (RFC 6266 4.3).
 */
bool content_disposition_parse(struct span value, struct content_disposition *disposition,
                               char *text);

#endif
