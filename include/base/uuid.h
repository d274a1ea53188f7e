#ifndef BASE_UUID_H
#define BASE_UUID_H

/* UUIDs (RFC 9562). Pure; any thread. */

#include "base/span.h"

enum { UUID_LEN = 16, UUID_TEXT_LEN = 36 };

struct uuid {
    uint8_t bytes[UUID_LEN]; /* in the order of the text */
};

/* Reads "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", with digits of either case (4). False, and *id
   untouched, when text is anything else; any version and variant will do. */
bool uuid_parse(struct span text, struct uuid *id);

/* Writes the text in lower case, no NUL. */
void uuid_format(const struct uuid *id, char text[static UUID_TEXT_LEN]);

/* 1 to 8, or what else stands there (4.2), where the variant is that of RFC 9562 (4.1); else 0. */
unsigned uuid_version(const struct uuid *id);

/* Overwrites the six bits that tell version and variant. */
void uuid_set_version(struct uuid *id, unsigned version);

#endif
