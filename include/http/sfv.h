#ifndef HTTP_SFV_H
#define HTTP_SFV_H

/*
 * Structured field values (RFC 9651): items and dictionaries. A field that stands on several lines
 * is joined with ", " before it comes here (4.2). Pure; any thread.
 *
 * The whole grammar is checked, since a value that breaks it anywhere is to be ignored as a whole;
 * parameters, and the contents of the kinds nobody here asks for, are passed over. The one thing
 * not looked at is whether a display string is UTF-8.
 */

#include "base/buffer.h"

enum sfv_kind {
    SFV_BOOLEAN,
    SFV_INTEGER,
    SFV_STRING,
    SFV_TOKEN,
    SFV_BYTES,
    SFV_DECIMAL,        /* 1.5: no value is given, a caller that wants an integer refuses it */
    SFV_DATE,           /* @1659578233: likewise */
    SFV_DISPLAY_STRING, /* %"f%c3%bc": likewise */
    SFV_INNER_LIST,     /* (1 2): likewise, only as a member of a dictionary */
};

struct sfv_item {
    enum sfv_kind kind;
    bool boolean;
    int64_t integer;  /* at most 15 digits either way (3.3.1) */
    struct span text; /* string: between the quotes, escapes as sent; token: all of it; bytes: the
                         base64 between the colons. Points into the input */
};

/* An item as a whole field value; false when malformed. */
bool sfv_item_parse(struct span value, struct sfv_item *item);

/* An item of that kind as a whole field value; false when malformed or another kind. */
bool sfv_boolean_parse(struct span value, bool *boolean);
bool sfv_integer_parse(struct span value, int64_t *integer);

/* Decodes a SFV_BYTES item; false when it does not fit `cap` or base64 fails (the parser has looked
   at the characters only). */
bool sfv_bytes(const struct sfv_item *item, void *out, size_t cap, size_t *len);

/* Appends a SFV_STRING item without its escapes, or a SFV_TOKEN. */
void sfv_text(const struct sfv_item *item, struct buffer *out);

struct sfv_member {
    struct span key;
    struct sfv_item item; /* true for a key alone */
};

enum sfv_next {
    SFV_MEMBER, /* *member is the next one */
    SFV_END,    /* that was all of a well-formed dictionary */
    SFV_BAD,    /* malformed: what was seen before is to be forgotten as well */
};

/*
 * Walks a dictionary; *rest is its value at first. A key that comes twice comes twice here: the
 * last one counts (3.2). After SFV_END and SFV_BAD there is nothing to ask for.
 */
enum sfv_next sfv_dictionary_next(struct span *rest, struct sfv_member *member);

enum sfv_find { SFV_FOUND, SFV_ABSENT, SFV_MALFORMED };

/* The member of that key; looks at the whole value. */
enum sfv_find sfv_dictionary_find(struct span value, struct span key, struct sfv_item *item);

/*
 * Writing (4.1). What the type cannot hold counts as overflow of the buffer, as does what does not
 * fit. Dictionaries are written member by member: the key, then its item.
 */
void sfv_put_boolean(struct buffer *b, bool value);
void sfv_put_integer(struct buffer *b, int64_t value);
void sfv_put_string(struct buffer *b, struct span value); /* printable ASCII only */
void sfv_put_token(struct buffer *b, struct span value);
void sfv_put_bytes(struct buffer *b, const void *data, size_t len);

/* `key=`, after ", " when it is not the first. */
void sfv_put_key(struct buffer *b, bool first, struct span key);

#endif
