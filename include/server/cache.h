#ifndef SERVER_CACHE_H
#define SERVER_CACHE_H

/*
 * What targets turned out to mean: prepared representations, so that the next request for one costs
 * no open, read, or close.
 *
 * An entry is never believed. Whoever finds one asks the file system whether the names it was made
 * from still mean the same (cache_entry_holds), which is one fstatat for each, and drops it when
 * not. It is only made of files that had been at rest for longer than the grain of their times
 * (file_is_settled), so that any later change shows.
 *
 * Entries are counted references: one held by the table, one by each worker that uses it. Locks are
 * held for the look into the table, never over a system call or an allocation. All functions: any
 * thread.
 */

#include "base/siphash.h"
#include "base/span.h"
#include "server/representation.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    CACHE_SHARDS = 16,   /* power of two */
    CACHE_WITNESSES = 3, /* a directory, the file, its compressed sibling */
    CACHE_KEY_LIMIT = 512,
};

/* What stood at a name when an entry was made. */
struct witness {
    struct span path; /* with a NUL behind it, once in an entry */
    struct file file; /* fd unused */
};

/* What a request is looked up by. */
struct cache_key {
    struct span text; /* the caller's */
    uint64_t hash;
};

struct cache_entry {
    struct cache_entry *next;          /* in its bucket */
    struct cache_entry *newer, *older; /* in its shard */
    struct cache_key key;
    atomic_uint references;
    atomic_bool used;      /* since the last look for one to evict */
    _Atomic uint64_t seen; /* the last fetch (queue.h) after which it was found to hold */
    size_t bytes;          /* allocated */
    bool stays_open;       /* the file may rest in open_files.h between requests */

    enum fs_result result; /* FS_OK, or FS_NOT_FOUND: then nothing below means anything */
    struct representation representation; /* file.fd -1 */
    struct span head;     /* field lines that describe it in a 200, in the entry's memory */
    struct span head_304; /* and in a 304 */
    struct span body;     /* all of it; ptr NULL: to be read from the file */

    struct witness witnesses[CACHE_WITNESSES]; /* the last is the file that is sent */
    unsigned witness_count;
    size_t room_at; /* where the free part of `room` begins, while it is being made */
    size_t room_len;
    char room[]; /* key, paths, heads, body */
};

struct cache_shard {
    pthread_mutex_t lock;
    struct cache_entry **buckets;
    struct cache_entry *newest, *oldest;
    size_t bytes;
};

struct cache {
    size_t limit; /* bytes of one shard; 0: nothing is kept */
    size_t buckets;
    uint8_t hash_key[SIPHASH_KEY_LEN];
    struct cache_shard shards[CACHE_SHARDS];
};

/* 0, or an errno. `bytes` bounds what all entries take together; 0 keeps nothing. */
int cache_init(struct cache *cache, uint64_t bytes);

/* Frees the table and its references. A cache of zeroes is left alone. */
void cache_free(struct cache *cache);

static inline bool cache_is_on(const struct cache *cache)
{
    return cache->limit > 0;
}

/* The key of a text, which stays the caller's. */
struct cache_key cache_key_of(const struct cache *cache, struct span text);

/* The entry of that key, with a reference for the caller, or NULL. */
struct cache_entry *cache_find(struct cache *cache, const struct cache_key *key);

/* Whether a representation of so many bytes is worth keeping in memory. */
bool cache_has_room(const struct cache *cache, uint64_t bytes);

/* A new entry with its key and `room` bytes more, and one reference, the caller's; NULL: no memory.
 */
struct cache_entry *cache_entry_new(const struct cache_key *key, size_t room);

/* Takes `len` bytes of its room; there must be as many. */
char *cache_entry_take(struct cache_entry *entry, size_t len);

/* Puts it into the table, in the place of another of the same key; the oldest make room. The
   caller keeps its reference. Nothing of the entry may be changed any more, but for the atomics. */
void cache_add(struct cache *cache, struct cache_entry *entry);

/* Takes it from the table if it is there, and gives up the caller's reference. */
void cache_drop(struct cache *cache, struct cache_entry *entry);

/* Gives up a reference; NULL is allowed. */
void cache_release(struct cache_entry *entry);

/*
 * Whether all its names still mean what they meant. `fetch` is the number of the fetch that found
 * the request (worker.h), 0 for one that may be younger: an entry that somebody found to hold after
 * that fetch needs no look of its own, since the request had begun before.
 */
bool cache_entry_holds(struct cache_entry *entry, const struct docroot *root, uint64_t fetch);

#endif
