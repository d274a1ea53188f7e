#ifndef SERVER_FORM_FIELDS_H
#define SERVER_FORM_FIELDS_H

/*
 * The fields of a form that are no files. A form that has nothing else, as a page without script
 * sends it, is stored as the JSON object that a script would have sent. Pure; any thread, one at a
 * time.
 */

#include "base/buffer.h"

enum {
    FORM_FIELDS_LIMIT = 16384, /* bytes of names and values; what people type, not what they have */
    FORM_FIELDS_JSON_LIMIT = 6 * FORM_FIELDS_LIMIT, /* form_fields_json never writes more */
};

struct form_fields {
    bool overflowed; /* there were more, and not all of them are here */
    size_t count;
    size_t len;
    size_t value_at; /* where the value of the last field begins in `bytes` */
    char bytes[FORM_FIELDS_LIMIT];
};

/* A field begins; its value is what is added until the next one does. */
void form_fields_begin(struct form_fields *fields, struct span name);
void form_fields_add(struct form_fields *fields, struct span data);

/*
 * {"name":"value",...} in the order in which they came; a name that came several times has an array
 * of its values, at the place of the first (RFC 8259 4 wants names that differ).
 */
void form_fields_json(const struct form_fields *fields, struct buffer *out);

#endif
