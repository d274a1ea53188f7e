#ifndef HTTP_TUS_METADATA_H
#define HTTP_TUS_METADATA_H

/* Values of tus 1.0 that have a grammar of their own. Pure; any thread. */

#include "base/span.h"

enum { TUS_METADATA_LIMIT = 64 }; /* pairs in one field: looking for a key twice stays cheap */

struct tus_pair {
    struct span key;
    struct span value; /* base64 as sent; may be empty */
};

enum tus_next {
    TUS_PAIR, /* *pair is the next one */
    TUS_END,  /* that was all */
    TUS_BAD,
};

/*
 * Walks an Upload-Metadata value: `key base64, key base64, key`. *rest is the value at first.
 * Spaces around a pair are passed over. A key has one or more printable ASCII characters, without
 * space and comma. Whether base64 is base64 and keys are unique, tus_metadata_check says.
 */
enum tus_next tus_metadata_next(struct span *rest, struct tus_pair *pair);

/* Whether all of a value is well-formed, its keys are unique, and not more than TUS_METADATA_LIMIT.
   An empty value is. */
bool tus_metadata_check(struct span value);

/*
 * Decodes the value of a key to `out`, which has room for `cap` bytes, and sets *len. False when
 * the key is absent, or its value does not fit or is not base64.
 */
bool tus_metadata_find(struct span value, struct span key, void *out, size_t cap, size_t *len);

enum tus_concat {
    TUS_CONCAT_PARTIAL, /* "partial": this upload is a piece of another */
    TUS_CONCAT_FINAL,   /* "final;url url": put the pieces together */
    TUS_CONCAT_BAD,
};

/* Reads an Upload-Concat value. For TUS_CONCAT_FINAL, *urls is its list, of one or more. */
enum tus_concat tus_concat_parse(struct span value, struct span *urls);

/* Takes the next URL, absolute or a path, off the list; false at its end. */
bool tus_concat_next(struct span *urls, struct span *url);

enum tus_algorithm { TUS_SHA1, TUS_SHA256 };

enum { TUS_DIGEST_LIMIT = 32 };

struct tus_checksum {
    enum tus_algorithm algorithm;
    size_t len; /* 20 or 32, as the algorithm wants it */
    uint8_t digest[TUS_DIGEST_LIMIT];
};

enum tus_checksum_result {
    TUS_CHECKSUM_OK,
    TUS_CHECKSUM_UNKNOWN, /* an algorithm that we have not; 400 like the next */
    TUS_CHECKSUM_BAD,
};

/* Reads an Upload-Checksum value: `sha1 base64`. */
enum tus_checksum_result tus_checksum_parse(struct span value, struct tus_checksum *checksum);

#endif
