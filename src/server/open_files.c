#include "server/open_files.h"

#include <unistd.h>

int open_files_init(struct open_files *files, unsigned limit)
{
    files->limit = limit;
    atomic_init(&files->count, 0);
    for (unsigned i = 0; i < files->limit; i++)
        files->places[i] = (struct open_place){.fd = -1};
    return pthread_mutex_init(&files->lock, NULL);
}

/* Not the bits that choose a shard of the cache, so that a shard's entries have several places. */
static struct open_place *place_of(struct open_files *files, const struct cache_entry *entry)
{
    return &files->places[entry->key.hash / CACHE_SHARDS % files->limit];
}

/* Frees a place, with the lock held; what was in it is the caller's to end without the lock. */
static struct open_place vacate(struct open_files *files, struct open_place *place)
{
    struct open_place was = *place;

    if (was.entry != NULL)
        atomic_fetch_sub(&files->count, 1);
    *place = (struct open_place){.fd = -1};
    return was;
}

static void end(const struct open_place *place)
{
    if (place->entry == NULL)
        return;
    close(place->fd);
    cache_release(place->entry);
}

int open_files_take(struct open_files *files, const struct cache_entry *entry)
{
    struct open_place was = {.fd = -1};

    if (files->limit == 0)
        return -1;
    struct open_place *place = place_of(files, entry);

    pthread_mutex_lock(&files->lock);
    if (place->entry == entry)
        was = vacate(files, place);
    pthread_mutex_unlock(&files->lock);
    cache_release(was.entry);
    return was.fd;
}

void open_files_give(struct open_files *files, struct cache_entry *entry, int fd)
{
    if (files->limit == 0) {
        end(&(struct open_place){.entry = entry, .fd = fd});
        return;
    }
    struct open_place *place = place_of(files, entry);
    pthread_mutex_lock(&files->lock);
    struct open_place was = vacate(files, place);
    *place = (struct open_place){.entry = entry, .fd = fd};
    atomic_fetch_add(&files->count, 1);
    pthread_mutex_unlock(&files->lock);
    end(&was);
}

/* Closes all, or what was here at the last call already. */
static void clear(struct open_files *files, bool all)
{
    if (!open_files_any(files))
        return;
    for (unsigned i = 0; i < files->limit; i++) {
        struct open_place *place = &files->places[i];
        struct open_place was = {.entry = NULL};

        pthread_mutex_lock(&files->lock);
        if (all || place->rested)
            was = vacate(files, place);
        else
            place->rested = true;
        pthread_mutex_unlock(&files->lock);
        end(&was);
    }
}

void open_files_tend(struct open_files *files)
{
    clear(files, false);
}

void open_files_close(struct open_files *files)
{
    clear(files, true);
}
