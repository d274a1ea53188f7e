#ifndef HTTP_DIGEST_FIELD_H
#define HTTP_DIGEST_FIELD_H

/* Repr-Digest, Content-Digest and the fields that ask for them (RFC 9530). Pure; any thread. */

#include "base/buffer.h"

enum { DIGEST_FIELD_SHA256_LEN = 32 };

struct digest_field {
    bool has_sha256;
    bool has_unknown; /* digests of other algorithms stood there too, and go unchecked */
    uint8_t sha256[DIGEST_FIELD_SHA256_LEN];
};

/*
 * Reads a Repr-Digest or Content-Digest value. False when it is not a dictionary (RFC 9651 3.2), or
 * its sha-256 is not a byte sequence of 32 bytes. Other algorithms may be ignored (RFC 9530 2, 3).
 */
bool digest_field_parse(struct span value, struct digest_field *field);

/*
 * How much a Want-Repr-Digest or Want-Content-Digest value asks for sha-256 (4): 1 to 10, or 0 for
 * not at all. That is also what a malformed value asks for, an absent one, and a weight out of
 * range, since such fields are ignored.
 */
unsigned digest_field_want_sha256(struct span value);

/* Appends `sha-256=:...:`. */
void digest_field_put(struct buffer *b, const uint8_t sha256[static DIGEST_FIELD_SHA256_LEN]);

#endif
