#ifndef SERVER_BYTERANGES_H
#define SERVER_BYTERANGES_H

/* multipart/byteranges (RFC 9110 14.6): several parts of one file. Worker threads. */

#include "http/range.h"
#include "server/answer.h"

/*
 * Makes the content of a 206 with several parts out of answer->file, which the producer takes over.
 * Sets the producer, the exact length, and the Content-Type line; `media_type` is that of the file.
 * False when there is no memory or no randomness for it; the answer is as it was then.
 */
bool byteranges_answer(struct answer *answer, const struct range_set *set, uint64_t size,
                       struct span media_type, bool utf8);

#endif
