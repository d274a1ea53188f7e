#ifndef HTTP_MEDIA_TYPE_H
#define HTTP_MEDIA_TYPE_H

/* Media types by file name (RFC 9110 8.3). Pure. */

#include "base/span.h"

/*
 * A set of types: the built-in table, with those read from a mime.types file above it. The file's
 * bytes stay the caller's and must outlive the set. Reading a set is for any thread once it is
 * made.
 */
struct media_types {
    struct media_type_entry {
        struct span extension, type;
    } * entries;   /* open addressing, ptr NULL marks a free place; the caller's memory */
    size_t places; /* power of two, 0: built-in table only */
};

/* How many places a set over such a file needs (a power of two, at most half filled). */
size_t media_types_places(struct span mime_types);

/* Fills set->entries, which the caller allocated, zeroed, with set->places. Lines are
   "type ext ext # comment"; malformed lines are skipped. The first type for an extension stays. */
void media_types_read(struct media_types *set, struct span mime_types);

/*
 * The type for a file name ("a.tar.gz" is application/gzip), "application/octet-stream" when the
 * extension is unknown or missing. Extensions match without regard to case. Text types of the
 * built-in table, JavaScript among them, come with "; charset=utf-8"; for text types from a file
 * *charset is set to true and the caller adds it. `set` may be NULL.
 */
struct span media_type_of(const struct media_types *set, struct span file_name, bool *charset);

/* Whether two types, each as in a Content-Type, are the same but for parameters: without regard to
   case (RFC 9110 8.3.1). A missing one (ptr NULL) is like an empty one. */
bool media_type_equal(struct span a, struct span b);

/* An extension with its dot (".jpg") for a media type as in Content-Type, parameters ignored;
   ".bin" for an unknown one. For naming a body that was posted without a name. */
struct span media_type_extension(struct span content_type);

#endif
