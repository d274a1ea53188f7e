#include "server/prepared.h"

#include "base/distant.h"
#include "base/whole.h"
#include "server/compose.h"
#include "server/open_files.h"

#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_LIMIT = 1024 }; /* of the field lines that describe a representation */

struct cache_key prepared_key(const struct cache *cache, const struct target *target,
                              struct span accept_encoding, char text[static CACHE_KEY_LIMIT])
{
    struct buffer key = buffer_make(text, CACHE_KEY_LIMIT);

    /* No path holds a NUL, so what follows it cannot be taken for a part of the path. */
    buffer_put_span(&key, target->path);
    buffer_put_char(&key, '\0');
    buffer_put_char(&key, target->directory ? '/' : '.');
    buffer_put_char(&key, accept_encoding.ptr != NULL ? '+' : '-');
    buffer_put_span(&key, accept_encoding);
    if (key.overflowed)
        return (struct cache_key){.text = SPAN_EMPTY};
    return cache_key_of(cache, buffer_span(&key));
}

static struct span copy(struct cache_entry *entry, struct span bytes)
{
    char *place = cache_entry_take(entry, bytes.len);

    memcpy(place, bytes.ptr, bytes.len);
    return span_make(place, bytes.len);
}

/* The paths are copied with a NUL behind each. */
static void copy_witnesses(struct cache_entry *entry, const struct selection *selection)
{
    for (unsigned i = 0; i < selection->witness_count; i++) {
        const struct witness *from = &selection->witnesses[i];

        entry->witnesses[i] = (struct witness){copy(entry, from->path), from->file};
        *cache_entry_take(entry, 1) = '\0';
    }
    entry->witness_count = selection->witness_count;
}

static bool describe_fd(int fd, struct file *file)
{
    struct stat st;

    return fstat(fd, &st) == 0 && file_describe(file, &st) == FS_OK;
}

/* Reads all of the file. False when it was changed before it was read. */
static bool read_body(struct cache_entry *entry, const struct file *file)
{
    char *body = cache_entry_take(entry, (size_t)file->size);
    struct file after;

    if (!whole_read(file->fd, body, (size_t)file->size, 0))
        return false;
    entry->body = span_make(body, (size_t)file->size);
    return describe_fd(file->fd, &after) && file_is_unchanged(&after, file);
}

static size_t room_for_witnesses(const struct selection *selection)
{
    size_t room = 0;

    for (unsigned i = 0; i < selection->witness_count; i++)
        room += selection->witnesses[i].path.len + 1;
    return room;
}

/* That nothing is there. */
static struct cache_entry *make_absent(const struct worker *worker, const struct cache_key *key,
                                       const struct selection *selection)
{
    struct cache_entry *entry = cache_entry_new(key, room_for_witnesses(selection));

    if (entry == NULL)
        return NULL;
    entry->result = FS_NOT_FOUND;
    atomic_init(&entry->seen, worker->fetch);
    copy_witnesses(entry, selection);
    return entry;
}

/* The field lines for an answer of that status. */
static void put_head(struct buffer *out, const struct worker *worker,
                     const struct representation *representation, enum status status)
{
    struct answer answer;

    answer_init(&answer, buffer_make(NULL, 0));
    answer_describe(&answer, representation);
    answer.status = status;
    compose_representation(out, worker->server, &answer, false);
}

struct cache_entry *prepared_make(const struct worker *worker, const struct cache_key *key,
                                  enum fs_result result, const struct selection *selection)
{
    const struct cache *cache = &worker->server->cache;
    const struct representation *r = &selection->representation;
    uint64_t size = r->file.size;
    struct cache_entry *entry;
    char head_bytes[HEAD_LIMIT], head_304_bytes[HEAD_LIMIT];
    struct buffer head = BUFFER_OVER(head_bytes), head_304 = BUFFER_OVER(head_304_bytes);

    if (result == FS_NOT_FOUND)
        return make_absent(worker, key, selection);
    if (result != FS_OK)
        return NULL;
    put_head(&head, worker, r, STATUS_OK);
    put_head(&head_304, worker, r, STATUS_NOT_MODIFIED);
    if (head.overflowed || head_304.overflowed)
        return NULL;

    bool whole = size <= WORKER_INLINE && cache_has_room(cache, size);
    entry = cache_entry_new(key, room_for_witnesses(selection) + head.len + head_304.len +
                                     (whole ? (size_t)size : 0));
    if (entry == NULL)
        return NULL;
    entry->result = FS_OK;
    entry->representation = *r;
    entry->representation.file.fd = -1;
    entry->stays_open = !whole && size <= OPEN_FILES_LARGEST && !is_distant(r->file.fd);
    atomic_init(&entry->seen, worker->fetch);
    entry->head = copy(entry, buffer_span(&head));
    entry->head_304 = copy(entry, buffer_span(&head_304));
    copy_witnesses(entry, selection);
    if (whole && !read_body(entry, &r->file)) {
        cache_release(entry);
        return NULL;
    }
    return entry;
}

bool prepared_open(const struct worker *worker, const struct cache_entry *entry, int *fd)
{
    if (entry->stays_open) {
        *fd = open_files_take(&worker->server->open_files, entry);
        if (*fd != -1)
            return true;
    }
    /* What is sent is what was seen last. */
    const struct witness *content = &entry->witnesses[entry->witness_count - 1];
    struct file file;

    if (docroot_lookup(&worker->docroot, content->path.ptr, &file) != FS_OK)
        return false;
    if (!file_is_unchanged(&file, &entry->representation.file)) {
        close(file.fd);
        return false;
    }
    *fd = file.fd;
    return true;
}
