#ifndef HFTP_CODE_H
#define HFTP_CODE_H

/* The codes that HFTP answers begin with. Pure; any thread. */

#include "base/buffer.h"

enum hftp_code {
    HFTP_OK = 0,
    HFTP_BAD_EOL = 100,
    HFTP_BAD_REQUEST = 101,
    HFTP_INTERNAL_ERROR = 199,
    HFTP_NO_SUCH_COMMAND = 200,
    HFTP_INVALID_ARGUMENTS = 201,
    HFTP_FILE_NOT_FOUND = 202,
    HFTP_OFFSET_EXCEEDS_SIZE = 203,
};

/* "FILE NOT FOUND". Static. */
struct span hftp_code_text(enum hftp_code code);

/* The line that an answer begins with: "202 FILE NOT FOUND" CRLF. */
void hftp_code_put(struct buffer *out, enum hftp_code code);

/* Whether the server closes after it: the two may not agree any more on where a command begins. */
static inline bool hftp_code_is_fatal(enum hftp_code code)
{
    return code >= 100 && code < 200;
}

#endif
