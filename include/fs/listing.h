#ifndef FS_LISTING_H
#define FS_LISTING_H

/* The members of a directory, read once, sorted, and described. Owned by one thread. */

#include "base/span.h"
#include "fs/docroot.h"

struct listing_entry {
    uint32_t name_at; /* offset in listing->names, NUL-terminated there */
    uint16_t name_len;
    bool directory;
    uint64_t size;
    int64_t mtime_s;
};

struct listing {
    struct listing_entry *entries; /* owned */
    size_t count;
    char *names; /* owned */
    size_t names_len;
};

#define LISTING_EMPTY ((struct listing){NULL, 0, NULL, 0})

/*
 * Reads, from its beginning, the directory open at `directory_fd` (which stays the caller's), which
 * is inside `root`. Left out: names that begin with a dot (".well-known" too), whatever is neither
 * regular file nor directory after following links, links that leave the docroot, and what vanished
 * meanwhile or cannot be looked at. For want of memory or descriptors it fails rather than leave
 * something out. `path` is the directory's path, for following links. Sorted: directories first,
 * then by name, digits in names compared as numbers ("a9" before "a10"), bytes otherwise. FS_OK or
 * why not; on failure *listing is empty.
 */
enum fs_result listing_read(struct listing *listing, const struct docroot *root, const char *path,
                            int directory_fd);

enum listing_order {
    LISTING_BY_NAME, /* as listing_read leaves it */
    LISTING_BY_SIZE, /* directories, which have none, by name */
    LISTING_BY_TIME,
};

/* Sorts anew, the other way round if `descending`; directories stay first in any case, and what is
   equal stands by name. */
void listing_sort(struct listing *listing, enum listing_order order, bool descending);

static inline struct span listing_name(const struct listing *listing, size_t i)
{
    const struct listing_entry *e = &listing->entries[i];
    return (struct span){listing->names + e->name_at, e->name_len};
}

void listing_free(struct listing *listing);

#endif
