#ifndef SERVER_MEMBER_H
#define SERVER_MEMBER_H

/*
 * A new member of a directory, as POST makes it: what it is called, and how it gets there without
 * replacing anything. Any thread.
 */

#include "fs/publish.h"
#include "http/file_name.h"

enum { MEMBER_ROOM = FILE_NAME_LIMIT }; /* what a path may grow by when its name gets a number */

/* One of several, in the order in which they came. */
struct member {
    struct member *next;
    struct stage stage; /* the member's bytes, until they are published */
    struct file file;   /* what stands at the path, once they are */
    bool published;
    char path[]; /* the wish, then the fact; MEMBER_ROOM bytes behind it */
};

/* One that wishes for `name` in `directory` ("" for the root), with no stage yet. NULL: no memory.
 */
struct member *member_make(struct span directory, struct span name);

/* Frees this one and all that follow, and the bytes of those that were not published. */
void member_free_all(struct member *first);

/*
 * What a body is to be called: `wish`, made safe (http/file_name.h), or, where nothing of that is
 * left, a name that nobody can guess, with the extension of its Content-Type. Empty when there is
 * no randomness for one. Points into `out`.
 */
struct span member_name(struct span wish, struct span content_type,
                        char out[static FILE_NAME_LIMIT]);

/*
 * The same for the value of a Slug field (RFC 5023 9.7): percent-encoded, and a title rather than a
 * file name, so that it gets an extension where it would not lead to the type that the body has.
 */
struct span member_name_of_slug(struct span slug, struct span content_type,
                                char out[static FILE_NAME_LIMIT]);

/*
 * Publishes the stage at `path`, whose last component is a name that member_name gave, or at the
 * first of "name (2).ext", "name (3).ext", … that is free; `path`, which has MEMBER_ROOM bytes
 * behind it, then says which. FS_NAME_TOO_LONG also where no target could name it. As
 * publish_stage otherwise.
 */
enum fs_result member_publish(struct stage *stage, const struct docroot *root, char *path,
                              bool sync, struct published *published);

#endif
