#ifndef SERVER_OPEN_FILES_H
#define SERVER_OPEN_FILES_H

/*
 * The files that were sent a moment ago and are too large for the cache to hold their content: they
 * stay open for the next request, since to open and close one is a seventh of what it costs to send
 * 100 KB. Whoever takes one has found the names of its entry to mean the same file still
 * (cache_entry_holds), so nothing old is sent.
 *
 * An open file that was removed still takes room on the disk, and its file system cannot be
 * unmounted. So there are few, they are not large, none rests here for longer than half a second,
 * and what removes or replaces a file by way of this server closes all that rest.
 */

#include "server/cache.h"

enum {
    OPEN_FILES_PLACES = 64,       /* at most; each is for the entries of some hashes */
    OPEN_FILES_SHARE = 16,        /* and no more than one of so many descriptors */
    OPEN_FILES_LARGEST = 1 << 20, /* bytes: beyond, what opening costs does not show */
};

struct open_files {
    pthread_mutex_t lock;
    unsigned limit;    /* how many of the places are used */
    atomic_uint count; /* how many are taken */
    struct open_place {
        struct cache_entry *entry; /* a reference; NULL: the place is free */
        int fd;
        bool rested; /* it has been here since before the last open_files_tend */
    } places[OPEN_FILES_PLACES];
};

/* How many there may be in a process that may have so many descriptors. */
static inline unsigned open_files_limit(uint64_t descriptors)
{
    uint64_t share = descriptors / OPEN_FILES_SHARE;
    return share < OPEN_FILES_PLACES ? (unsigned)share : OPEN_FILES_PLACES;
}

/* For as many files; 0 keeps none open. 0, or an errno. */
int open_files_init(struct open_files *files, unsigned limit);

/* A descriptor of the file of this entry, which is the caller's then; -1: there is none. Any
   thread. */
int open_files_take(struct open_files *files, const struct cache_entry *entry);

/* Keeps the descriptor, or closes it. It and the reference are not the caller's any more. Any
   thread. */
void open_files_give(struct open_files *files, struct cache_entry *entry, int fd);

/* Whether there is anything to tend. Any thread. */
static inline bool open_files_any(const struct open_files *files)
{
    return atomic_load(&files->count) > 0;
}

/* Closes what has rested since the last call. Main thread, a few times a second. */
void open_files_tend(struct open_files *files);

/* Closes all. Any thread. */
void open_files_close(struct open_files *files);

#endif
