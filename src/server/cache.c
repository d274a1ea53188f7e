#include "server/cache.h"

#include "base/random.h"

#include <errno.h>
#include <stdlib.h>

enum {
    BYTES_PER_BUCKET = 4096, /* a guess at a small entry, so that buckets hold one or so */
    BUCKETS_LIMIT = 1 << 16, /* of one shard */
};

int cache_init(struct cache *cache, uint64_t bytes)
{
    int error = 0;

    memset(cache, 0, sizeof *cache);
    if (bytes == 0)
        return 0;
    if (!random_fill(cache->hash_key, sizeof cache->hash_key))
        return EIO;
    cache->buckets = 1;
    while (cache->buckets < BUCKETS_LIMIT &&
           cache->buckets * BYTES_PER_BUCKET * CACHE_SHARDS < bytes)
        cache->buckets *= 2;
    for (unsigned i = 0; i < CACHE_SHARDS && error == 0; i++) {
        struct cache_shard *shard = &cache->shards[i];

        shard->buckets = calloc(cache->buckets, sizeof(struct cache_entry *));
        error = shard->buckets == NULL ? ENOMEM : pthread_mutex_init(&shard->lock, NULL);
    }
    cache->limit = bytes / CACHE_SHARDS;
    return error;
}

void cache_free(struct cache *cache)
{
    for (unsigned i = 0; i < CACHE_SHARDS; i++) {
        struct cache_shard *shard = &cache->shards[i];
        struct cache_entry *next;

        for (struct cache_entry *entry = shard->newest; entry != NULL; entry = next) {
            next = entry->older;
            cache_release(entry);
        }
        free(shard->buckets);
        *shard = (struct cache_shard){.buckets = NULL};
    }
    cache->limit = 0;
}

struct cache_key cache_key_of(const struct cache *cache, struct span text)
{
    return (struct cache_key){text, siphash24(cache->hash_key, text.ptr, text.len)};
}

/* The low bits choose the shard, those above them the bucket. */
static struct cache_shard *shard_of(struct cache *cache, uint64_t hash)
{
    return &cache->shards[hash % CACHE_SHARDS];
}

static struct cache_entry **bucket_of(const struct cache *cache, struct cache_shard *shard,
                                      uint64_t hash)
{
    return &shard->buckets[hash / CACHE_SHARDS & (cache->buckets - 1)];
}

static bool has_key(const struct cache_entry *entry, const struct cache_key *key)
{
    return entry->key.hash == key->hash && span_equal(entry->key.text, key->text);
}

struct cache_entry *cache_find(struct cache *cache, const struct cache_key *key)
{
    struct cache_shard *shard = shard_of(cache, key->hash);
    struct cache_entry *entry;

    pthread_mutex_lock(&shard->lock);
    entry = *bucket_of(cache, shard, key->hash);
    while (entry != NULL && !has_key(entry, key))
        entry = entry->next;
    if (entry != NULL)
        atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
    pthread_mutex_unlock(&shard->lock);
    return entry;
}

bool cache_has_room(const struct cache *cache, uint64_t bytes)
{
    /* One entry does not push out more than a quarter of its shard. */
    return bytes + sizeof(struct cache_entry) + CACHE_KEY_LIMIT <= cache->limit / 4;
}

struct cache_entry *cache_entry_new(const struct cache_key *key, size_t room)
{
    size_t bytes = sizeof(struct cache_entry) + key->text.len + room;
    struct cache_entry *entry = malloc(bytes);

    if (entry == NULL)
        return NULL;
    memset(entry, 0, sizeof *entry);
    atomic_init(&entry->references, 1);
    entry->bytes = bytes;
    entry->room_len = key->text.len + room;
    entry->representation.file = FILE_NONE;
    char *text = cache_entry_take(entry, key->text.len);
    memcpy(text, key->text.ptr, key->text.len);
    entry->key = (struct cache_key){span_make(text, key->text.len), key->hash};
    return entry;
}

char *cache_entry_take(struct cache_entry *entry, size_t len)
{
    char *taken = entry->room + entry->room_at;

    if (len > entry->room_len - entry->room_at)
        abort(); /* whoever made it has counted wrong */
    entry->room_at += len;
    return taken;
}

/* Takes the entry from its shard, whose lock is held. The table's reference is the caller's now. */
static void unlink_entry(const struct cache *cache, struct cache_shard *shard,
                         struct cache_entry *entry)
{
    struct cache_entry **at = bucket_of(cache, shard, entry->key.hash);

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    *(entry->newer != NULL ? &entry->newer->older : &shard->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &shard->oldest) = entry->newer;
    entry->next = entry->newer = entry->older = NULL;
    shard->bytes -= entry->bytes;
}

static void link_entry(const struct cache *cache, struct cache_shard *shard,
                       struct cache_entry *entry)
{
    struct cache_entry **bucket = bucket_of(cache, shard, entry->key.hash);

    entry->next = *bucket;
    *bucket = entry;
    entry->older = shard->newest;
    *(entry->older != NULL ? &entry->older->newer : &shard->oldest) = entry;
    shard->newest = entry;
    shard->bytes += entry->bytes;
}

/*
 * Takes old entries out until the shard keeps its limit; the lock is held. An entry that was used
 * since it was last looked at gets a second chance. Returns a list, by `next`, for release without
 * the lock.
 */
static struct cache_entry *evict(const struct cache *cache, struct cache_shard *shard)
{
    struct cache_entry *evicted = NULL;

    while (shard->bytes > cache->limit && shard->oldest != NULL) {
        struct cache_entry *entry = shard->oldest;

        unlink_entry(cache, shard, entry);
        if (atomic_exchange_explicit(&entry->used, false, memory_order_relaxed)) {
            link_entry(cache, shard, entry);
        } else {
            entry->next = evicted;
            evicted = entry;
        }
    }
    return evicted;
}

void cache_add(struct cache *cache, struct cache_entry *entry)
{
    struct cache_shard *shard = shard_of(cache, entry->key.hash);
    struct cache_entry *old, *evicted, *next;

    atomic_fetch_add_explicit(&entry->references, 1, memory_order_relaxed);
    pthread_mutex_lock(&shard->lock);
    old = *bucket_of(cache, shard, entry->key.hash);
    while (old != NULL && !has_key(old, &entry->key))
        old = old->next;
    if (old != NULL)
        unlink_entry(cache, shard, old);
    link_entry(cache, shard, entry);
    evicted = evict(cache, shard);
    pthread_mutex_unlock(&shard->lock);
    cache_release(old);
    for (; evicted != NULL; evicted = next) {
        next = evicted->next;
        cache_release(evicted);
    }
}

void cache_drop(struct cache *cache, struct cache_entry *entry)
{
    struct cache_shard *shard = shard_of(cache, entry->key.hash);
    struct cache_entry *found;

    pthread_mutex_lock(&shard->lock);
    found = *bucket_of(cache, shard, entry->key.hash);
    while (found != NULL && found != entry)
        found = found->next;
    if (found != NULL)
        unlink_entry(cache, shard, found);
    pthread_mutex_unlock(&shard->lock);
    cache_release(found);
    cache_release(entry);
}

void cache_release(struct cache_entry *entry)
{
    if (entry == NULL ||
        atomic_fetch_sub_explicit(&entry->references, 1, memory_order_acq_rel) != 1)
        return;
    free(entry);
}

bool cache_entry_holds(struct cache_entry *entry, const struct docroot *root, uint64_t fetch)
{
    /* Not stored without need: the line is shared by all workers. */
    if (!atomic_load_explicit(&entry->used, memory_order_relaxed))
        atomic_store_explicit(&entry->used, true, memory_order_relaxed);
    if (fetch != 0 && atomic_load_explicit(&entry->seen, memory_order_relaxed) >= fetch)
        return true;
    for (unsigned i = 0; i < entry->witness_count; i++)
        if (!docroot_still(root, entry->witnesses[i].path.ptr, &entry->witnesses[i].file))
            return false;
    if (fetch != 0)
        atomic_store_explicit(&entry->seen, fetch, memory_order_relaxed);
    return true;
}
