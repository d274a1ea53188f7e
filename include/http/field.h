#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

/* Names of header fields that the code asks about. Pure; any thread. */

#include "base/span.h"

#define FIELD_TABLE(_)                                                                             \
    _(ACCEPT, "Accept")                                                                            \
    _(ACCEPT_ENCODING, "Accept-Encoding")                                                          \
    _(ACCESS_CONTROL_REQUEST_HEADERS, "Access-Control-Request-Headers")                            \
    _(ACCESS_CONTROL_REQUEST_METHOD, "Access-Control-Request-Method")                              \
    _(AUTHORIZATION, "Authorization")                                                              \
    _(CONNECTION, "Connection")                                                                    \
    _(CONTENT_DIGEST, "Content-Digest")                                                            \
    _(CONTENT_DISPOSITION, "Content-Disposition")                                                  \
    _(CONTENT_ENCODING, "Content-Encoding")                                                        \
    _(CONTENT_LENGTH, "Content-Length")                                                            \
    _(CONTENT_RANGE, "Content-Range")                                                              \
    _(CONTENT_TYPE, "Content-Type")                                                                \
    _(DATE, "Date")                                                                                \
    _(DESTINATION, "Destination")                                                                  \
    _(ETAG, "ETag")                                                                                \
    _(EXPECT, "Expect")                                                                            \
    _(FORWARDED, "Forwarded")                                                                      \
    _(HOST, "Host")                                                                                \
    _(IF_MATCH, "If-Match")                                                                        \
    _(IF_MODIFIED_SINCE, "If-Modified-Since")                                                      \
    _(IF_NONE_MATCH, "If-None-Match")                                                              \
    _(IF_RANGE, "If-Range")                                                                        \
    _(IF_UNMODIFIED_SINCE, "If-Unmodified-Since")                                                  \
    _(KEEP_ALIVE, "Keep-Alive")                                                                    \
    _(LAST_MODIFIED, "Last-Modified")                                                              \
    _(LOCATION, "Location")                                                                        \
    _(ORIGIN, "Origin")                                                                            \
    _(OVERWRITE, "Overwrite")                                                                      \
    _(RANGE, "Range")                                                                              \
    _(REFERER, "Referer")                                                                          \
    _(REPR_DIGEST, "Repr-Digest")                                                                  \
    _(RETRY_AFTER, "Retry-After")                                                                  \
    _(SEC_FETCH_SITE, "Sec-Fetch-Site")                                                            \
    _(SLUG, "Slug")                                                                                \
    _(TE, "TE")                                                                                    \
    _(TRAILER, "Trailer")                                                                          \
    _(TRANSFER_ENCODING, "Transfer-Encoding")                                                      \
    _(TUS_RESUMABLE, "Tus-Resumable")                                                              \
    _(UPGRADE, "Upgrade")                                                                          \
    _(UPLOAD_CHECKSUM, "Upload-Checksum")                                                          \
    _(UPLOAD_COMPLETE, "Upload-Complete")                                                          \
    _(UPLOAD_CONCAT, "Upload-Concat")                                                              \
    _(UPLOAD_DEFER_LENGTH, "Upload-Defer-Length")                                                  \
    _(UPLOAD_DRAFT_INTEROP_VERSION, "Upload-Draft-Interop-Version")                                \
    _(UPLOAD_LENGTH, "Upload-Length")                                                              \
    _(UPLOAD_METADATA, "Upload-Metadata")                                                          \
    _(UPLOAD_OFFSET, "Upload-Offset")                                                              \
    _(USER_AGENT, "User-Agent")                                                                    \
    _(WANT_REPR_DIGEST, "Want-Repr-Digest")                                                        \
    _(X_FORWARDED_FOR, "X-Forwarded-For")                                                          \
    _(X_HTTP_METHOD_OVERRIDE, "X-HTTP-Method-Override")                                            \
    _(X_UPDATE_RANGE, "X-Update-Range")

enum field_name {
    FIELD_OTHER, /* a field nobody here asks about */
#define FIELD_ENUM(name, text) FIELD_##name,
    FIELD_TABLE(FIELD_ENUM)
#undef FIELD_ENUM
        FIELD_COUNT
};

/*
 * Which field a name means, ignoring case; FIELD_OTHER when none of the table. Called for every
 * field of every request: it must not walk the table.
 */
enum field_name field_name_of(struct span name);

/* "If-Modified-Since"; empty for FIELD_OTHER. */
struct span field_name_text(enum field_name name);

/*
 * One line of a header section (RFC 9112 5), as offsets from the first byte of the head it was
 * found in, so that a head can be moved to other memory and its parse moves with it.
 */
struct field {
    uint16_t name_at, name_len;
    uint16_t value_at, value_len; /* without surrounding whitespace */
    uint8_t known;                /* enum field_name */
    uint8_t next;                 /* index+1 of the next field with the same known name, 0: none */
};

enum { FIELD_LIMIT = 100 }; /* fields in one head; nginx and Apache allow about as many */

/* All fields of a head, with the known ones found in one step. */
struct field_section {
    uint8_t count;
    uint8_t first[FIELD_COUNT]; /* index+1 of the first field of that name, 0: none */
    struct field fields[FIELD_LIMIT];
};

static inline void field_section_clear(struct field_section *section)
{
    section->count = 0;
    memset(section->first, 0, sizeof section->first);
}

enum field_result {
    FIELD_OK,       /* an empty line ended the section; *used counts it */
    FIELD_PARTIAL,  /* no empty line yet, and nothing wrong so far */
    FIELD_BAD,      /* 400 */
    FIELD_TOO_MANY, /* more than FIELD_LIMIT fields: 431 */
};

/*
 * Parses a header or trailer section, bytes [at, len) of `head`, up to and with its empty line.
 * Every line ends in CRLF. Strict (RFC 9112 5): no whitespace before the colon, no obs-fold, a name
 * is a token, a value holds no control byte but HTAB; obs-text (0x80-0xFF) passes. `len` is at most
 * 65535. On FIELD_OK, *used is the count of bytes of the section.
 */
enum field_result field_section_parse(struct field_section *section, const char *head, size_t at,
                                      size_t len, size_t *used);

/* How often the field stands in the section. */
static inline unsigned field_count(const struct field_section *section, enum field_name name)
{
    unsigned count = 0;

    for (unsigned i = section->first[name]; i != 0; i = section->fields[i - 1].next)
        count++;
    return count;
}

/*
 * Value of the first field of that name; ptr is NULL when there is none (an empty value has a ptr).
 * `head` is the memory that the section was parsed from, or moved to.
 */
struct span field_value(const struct field_section *section, const char *head,
                        enum field_name name);

/*
 * All values of a list field, joined by ", " (RFC 9110 5.3): the field's own bytes when it stands
 * once, else put together in `join`. ptr is NULL when there is none, or when it does not fit.
 */
struct span field_list(const struct field_section *section, const char *head, enum field_name name,
                       char *join, size_t join_cap);

/* Character classes of RFC 9110 5.6.2: tchar. */
bool field_is_token(struct span s);

#endif
