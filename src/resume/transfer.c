#include "resume/transfer.h"

#include "base/distant.h"
#include "base/hex.h"
#include "base/random.h"
#include "base/sha256.h"
#include "base/siphash.h"
#include "base/whole.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The file:
 *
 *     0      state, even numbers      each in a disk sector of its own, so that a write of one
 *     512    state, odd numbers       cannot damage the other
 *     1024   path, then note          written once, before the first state
 */
enum {
    STATE_STRIDE = 512,
    TEXT_AT = 1024,
    HASH_LEN = 16, /* bytes of SHA-256 that name a path: 2^64 paths of one client for a collision */
    NAME_LEN = UUID_TEXT_LEN + 1 + 2 * HASH_LEN,
    FRESH_RANDOM = 8, /* bytes that make the name of an unfinished record its maker's own */
    FRESH_LEN = NAME_LEN + 1 + 2 * FRESH_RANDOM,
    CREATE_TRIES = 100, /* how often others may remove the client's directory meanwhile */
};

/* A container may have the machine's clock set to its own time (time_namespaces(7)): who seems
   younger by more than this is not. */
static const int64_t YOUNGER_MOST_US = 5000000;

static const char MAGIC[8] = "httpdtr3";

/* As it stands in the file, in the machine's byte order: the servers of one store are of one kind.
 */
struct state {
    char magic[8];
    uint64_t number; /* of this write; the higher of two counts */
    uint64_t generation, offset, length, inode, size;
    int64_t mtime_ns, touched_s;
    uint64_t holder, clock, writer;
    int64_t since_us;
    uint32_t kind, flags;
    uint16_t path_len, note_len;
    uint8_t length_known, complete, pad[2];
    uint64_t checksum; /* of everything before it */
};

_Static_assert(sizeof(struct state) <= STATE_STRIDE, "a state fits its sector");

/* Not a secret: it tells a whole write from a torn one. */
static uint64_t checksum_of(const struct state *state)
{
    static const uint8_t key[SIPHASH_KEY_LEN] = "httpd transfers";
    return siphash24(key, state, offsetof(struct state, checksum));
}

/* "<uuid>/<hash>" */
static void name_of(char name[static NAME_LEN + 1], const struct uuid *client, struct span path)
{
    uint8_t sum[SHA256_LEN];

    uuid_format(client, name);
    name[UUID_TEXT_LEN] = '/';
    sha256_of(path.ptr, path.len, sum);
    hex_encode(name + UUID_TEXT_LEN + 1, sum, HASH_LEN);
    name[NAME_LEN] = '\0';
}

static enum transfer_result result_of_errno(void)
{
    switch (errno) {
    case ENOENT:
    case ENOTDIR: return TRANSFER_NONE;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return TRANSFER_NO_SPACE;
    default: return TRANSFER_FAILED;
    }
}

static bool lock(int fd)
{
    int failed;

    do
        failed = flock(fd, LOCK_EX);
    while (failed == -1 && errno == EINTR);
    return failed == 0;
}

/* False when it cannot be told what stands there. *whole: a state, and no part of one. */
static bool read_state(int fd, unsigned place, struct state *state, bool *whole)
{
    if (!whole_read(fd, state, sizeof *state, (off_t)place * STATE_STRIDE))
        return false;
    *whole =
        memcmp(state->magic, MAGIC, sizeof MAGIC) == 0 && state->checksum == checksum_of(state);
    return true;
}

/* Makes the next read ask the file server, as far as that can be done from here: to open the file
   again is not enough (measured: of two GlusterFS mounts, neither saw what the other had written).
 */
static void refresh(const struct transfer *t)
{
    if (t->distant_)
        posix_fadvise(t->fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* Reads the state that counts. Both places have to be read: to go by the one while the other cannot
   be would be to go back in time. */
static enum transfer_result load(struct transfer *t)
{
    refresh(t);
    struct state even, odd;
    bool has_even, has_odd;

    if (!read_state(t->fd, 0, &even, &has_even) || !read_state(t->fd, 1, &odd, &has_odd))
        return TRANSFER_FAILED;
    if (!has_even && !has_odd) {
        errno = EBADMSG;
        return TRANSFER_FAILED;
    }
    const struct state *s = !has_odd || (has_even && even.number > odd.number) ? &even : &odd;
    t->number_ = s->number;
    t->path_len_ = s->path_len;
    t->note_len_ = s->note_len;
    t->record = (struct transfer_record){
        .kind = (enum transfer_kind)s->kind,
        .generation = s->generation,
        .offset = s->offset,
        .length = s->length,
        .length_known = s->length_known != 0,
        .complete = s->complete != 0,
        .flags = s->flags,
        .claim = {s->holder, s->clock, s->since_us},
        .writer = s->writer,
        .touched_s = s->touched_s,
        .inode = s->inode,
        .size = s->size,
        .mtime_ns = s->mtime_ns,
    };
    return TRANSFER_OK;
}

/* Writes t->record to the place that does not count, which makes it the one that does. */
static enum transfer_result save(struct transfer *t, int64_t now_s)
{
    struct transfer_record *r = &t->record;
    struct state s = {
        .number = t->number_ + 1,
        .generation = r->generation,
        .offset = r->offset,
        .length = r->length,
        .inode = r->inode,
        .size = r->size,
        .mtime_ns = r->mtime_ns,
        .touched_s = now_s,
        .kind = (uint32_t)r->kind,
        .flags = r->flags,
        .holder = r->claim.holder,
        .clock = r->claim.clock,
        .since_us = r->claim.since_us,
        .writer = r->writer,
        .path_len = t->path_len_,
        .note_len = t->note_len_,
        .length_known = r->length_known,
        .complete = r->complete,
    };

    memcpy(s.magic, MAGIC, sizeof MAGIC);
    s.checksum = checksum_of(&s);
    if (!whole_write(t->fd, &s, sizeof s, (off_t)(s.number % 2) * STATE_STRIDE))
        return result_of_errno();
    t->number_ = s.number;
    r->touched_s = now_s;
    return TRANSFER_OK;
}

enum transfer_result transfer_open(struct transfer *t, int store_fd, const struct uuid *client,
                                   struct span path)
{
    char name[NAME_LEN + 1];

    *t = TRANSFER_CLOSED;
    name_of(name, client, path);
    t->fd = openat(store_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (t->fd == -1)
        return result_of_errno();
    t->distant_ = is_distant(t->fd);
    enum transfer_result result = lock(t->fd) ? load(t) : TRANSFER_FAILED;
    flock(t->fd, LOCK_UN);
    if (result != TRANSFER_OK)
        transfer_close(t);
    return result;
}

/* Writes a new record into an open file without a name that counts yet. */
static enum transfer_result fill(struct transfer *t, struct span path, struct span note,
                                 int64_t now_s)
{
    if (!whole_write(t->fd, path.ptr, path.len, TEXT_AT) ||
        !whole_write(t->fd, note.ptr, note.len, TEXT_AT + (off_t)path.len))
        return result_of_errno();
    return save(t, now_s);
}

/*
 * Makes an empty file in the client's directory, under a name that nobody else has: nobody is to
 * find a record half written, and no other who makes it just now is to write into it. TRANSFER_NONE
 * when somebody removed the directory, which was empty still.
 */
static enum transfer_result open_fresh(struct transfer *t, int store_fd, char *name,
                                       char fresh[static FRESH_LEN + 1])
{
    unsigned char random[FRESH_RANDOM];

    if (!random_fill(random, sizeof random))
        return TRANSFER_FAILED;
    memcpy(fresh, name, NAME_LEN);
    fresh[NAME_LEN] = '.';
    hex_encode(fresh + NAME_LEN + 1, random, sizeof random);
    fresh[FRESH_LEN] = '\0';
    name[UUID_TEXT_LEN] = '\0';
    bool made = mkdirat(store_fd, name, 0700) == 0 || errno == EEXIST;
    name[UUID_TEXT_LEN] = '/';
    if (made)
        t->fd = openat(store_fd, fresh, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return t->fd != -1 ? TRANSFER_OK : result_of_errno();
}

enum transfer_result transfer_create(struct transfer *t, int store_fd, const struct uuid *client,
                                     struct span path, const struct transfer_record *record,
                                     struct span note, int64_t now_s)
{
    char name[NAME_LEN + 1], fresh[FRESH_LEN + 1];
    enum transfer_result result = TRANSFER_NONE;

    *t = TRANSFER_CLOSED;
    if (path.len > TRANSFER_PATH_MAX || note.len > TRANSFER_NOTE_MAX) {
        errno = ENAMETOOLONG;
        return TRANSFER_FAILED;
    }
    name_of(name, client, path);
    for (unsigned tries = 0; result == TRANSFER_NONE && tries < CREATE_TRIES; tries++)
        result = open_fresh(t, store_fd, name, fresh);
    if (result != TRANSFER_OK)
        return result == TRANSFER_NONE ? TRANSFER_FAILED : result;
    result = TRANSFER_FAILED;
    t->distant_ = is_distant(t->fd);
    t->path_len_ = (uint16_t)path.len;
    t->note_len_ = (uint16_t)note.len;
    t->record = *record;
    t->record.generation = t->generation = 1;
    if (lock(t->fd))
        result = fill(t, path, note, now_s);
    if (result == TRANSFER_OK && linkat(store_fd, fresh, store_fd, name, 0) == -1)
        result = errno == EEXIST ? TRANSFER_EXISTS : result_of_errno();
    unlinkat(store_fd, fresh, 0);
    flock(t->fd, LOCK_UN);
    if (result != TRANSFER_OK)
        transfer_close(t);
    return result;
}

static bool is_younger(const struct transfer_claim *held, const struct transfer_claim *claim)
{
    return held->holder != 0 && held->clock == claim->clock && held->since_us > claim->since_us &&
           held->since_us - claim->since_us < YOUNGER_MOST_US;
}

enum transfer_result transfer_take(struct transfer *t, const struct transfer_claim *claim,
                                   uint64_t *former, int64_t now_s)
{
    enum transfer_result result = TRANSFER_FAILED;
    struct stat st;

    if (!lock(t->fd))
        return TRANSFER_FAILED;
    result = fstat(t->fd, &st) == -1 ? TRANSFER_FAILED : st.st_nlink == 0 ? TRANSFER_NONE : load(t);
    if (result == TRANSFER_OK && is_younger(&t->record.claim, claim))
        result = TRANSFER_EVICTED;
    if (result == TRANSFER_OK) {
        *former = t->record.claim.holder;
        t->record.claim = *claim;
        t->generation = ++t->record.generation;
        result = save(t, now_s);
    }
    flock(t->fd, LOCK_UN);
    return result;
}

enum transfer_result transfer_store(struct transfer *t, int64_t now_s)
{
    struct transfer_record wanted = t->record;
    enum transfer_result result;

    if (!lock(t->fd))
        return TRANSFER_FAILED;
    result = load(t);
    if (result == TRANSFER_OK && t->record.generation != t->generation)
        result = TRANSFER_EVICTED;
    if (result == TRANSFER_OK) {
        wanted.generation = t->generation;
        t->record = wanted;
        result = save(t, now_s);
    }
    flock(t->fd, LOCK_UN);
    return result;
}

bool transfer_is_held(struct transfer *t)
{
    struct transfer seen = *t;

    /* Without the lock a torn read looks like a bad checksum: the other place counts then, and it
       is the one from before. What cannot be read names nobody else. */
    return load(&seen) != TRANSFER_OK || seen.record.generation == t->generation;
}

bool transfer_keep(struct transfer *t, int64_t age_s, int64_t now_s)
{
    if (now_s - t->record.touched_s < age_s)
        return transfer_is_held(t);
    /* A full disk is no reason to end what is under way. */
    return transfer_store(t, now_s) != TRANSFER_EVICTED;
}

size_t transfer_note(const struct transfer *t, char text[static TRANSFER_NOTE_MAX])
{
    return whole_read(t->fd, text, t->note_len_, TEXT_AT + (off_t)t->path_len_) ? t->note_len_ : 0;
}

enum transfer_result transfer_sync(const struct transfer *t)
{
    return fdatasync(t->fd) == 0 ? TRANSFER_OK : result_of_errno();
}

enum transfer_result transfer_remove(int store_fd, const struct uuid *client, struct span path)
{
    char name[NAME_LEN + 1];

    name_of(name, client, path);
    if (unlinkat(store_fd, name, 0) == -1)
        return result_of_errno();
    /* The client's directory goes with its last record; it is not empty otherwise. */
    name[UUID_TEXT_LEN] = '\0';
    unlinkat(store_fd, name, AT_REMOVEDIR);
    return TRANSFER_OK;
}

void transfer_close(struct transfer *t)
{
    if (t->fd != -1)
        close(t->fd);
    t->fd = -1;
    t->generation = 0;
}

/* Opens a directory for reading its names; NULL with errno set. */
static DIR *open_directory(int at_fd, const char *name)
{
    int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *directory = fd != -1 ? fdopendir(fd) : NULL;

    if (directory == NULL && fd != -1)
        close(fd);
    return directory;
}

/* Opens the record of that name in a client's directory, and reads its path. */
static bool open_named(struct transfer *t, int directory_fd, const char *name,
                       char path[static TRANSFER_PATH_MAX])
{
    *t = TRANSFER_CLOSED;
    t->fd = openat(directory_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (t->fd == -1)
        return false;
    t->distant_ = is_distant(t->fd);
    if (load(t) == TRANSFER_OK && t->path_len_ <= TRANSFER_PATH_MAX &&
        whole_read(t->fd, path, t->path_len_, TEXT_AT))
        return true;
    transfer_close(t);
    return false;
}

enum transfer_result transfer_each(int store_fd, const struct uuid *client,
                                   void (*each)(void *context, struct span path,
                                                struct transfer *transfer),
                                   void *context)
{
    char name[UUID_TEXT_LEN + 1], path[TRANSFER_PATH_MAX];
    struct dirent *entry;

    uuid_format(client, name);
    name[UUID_TEXT_LEN] = '\0';
    DIR *directory = open_directory(store_fd, name);
    if (directory == NULL)
        return result_of_errno();
    while ((entry = readdir(directory)) != NULL) {
        struct transfer t;
        if (strlen(entry->d_name) != (size_t)2 * HASH_LEN ||
            !open_named(&t, dirfd(directory), entry->d_name, path))
            continue;
        each(context, span_make(path, t.path_len_), &t);
        transfer_close(&t);
    }
    closedir(directory);
    return TRANSFER_OK;
}

struct sweep {
    int64_t expired_s;
    void (*before)(void *context, const struct uuid *client, struct span path,
                   const struct transfer_record *record);
    bool (*go_on)(void *context);
    void *context;
    unsigned *removed;
};

/* Removes one name from a client's directory, if its time is over. */
static void sweep_record(const struct sweep *sweep, int directory_fd, const struct uuid *client,
                         const char *name)
{
    char path[TRANSFER_PATH_MAX];
    struct stat st;
    struct transfer t;

    /* The file's own time is that of its last write; whoever writes it now makes it young. */
    if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
        st.st_mtime >= sweep->expired_s)
        return;
    if (open_named(&t, directory_fd, name, path)) {
        bool young =
            !lock(t.fd) || load(&t) != TRANSFER_OK || t.record.touched_s >= sweep->expired_s;
        if (!young && sweep->before != NULL)
            sweep->before(sweep->context, client, span_make(path, t.path_len_), &t.record);
        if (!young && unlinkat(directory_fd, name, 0) == 0)
            ++*sweep->removed;
        transfer_close(&t);
    } else if (unlinkat(directory_fd, name, 0) == 0) {
        ++*sweep->removed;
    }
}

static bool goes_on(const struct sweep *sweep)
{
    return sweep->go_on == NULL || sweep->go_on(sweep->context);
}

static void sweep_client(const struct sweep *sweep, int store_fd, const char *name)
{
    struct dirent *entry;
    struct uuid client;

    if (!uuid_parse(span_of(name), &client))
        return;
    DIR *directory = open_directory(store_fd, name);
    if (directory == NULL)
        return;
    while (goes_on(sweep) && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.')
            sweep_record(sweep, dirfd(directory), &client, entry->d_name);
    closedir(directory);
    unlinkat(store_fd, name, AT_REMOVEDIR);
}

void transfer_sweep(int store_fd, int64_t expired_s,
                    void (*before)(void *context, const struct uuid *client, struct span path,
                                   const struct transfer_record *record),
                    bool (*go_on)(void *context), void *context, unsigned *removed)
{
    const struct sweep sweep = {expired_s, before, go_on, context, removed};
    struct dirent *entry;
    DIR *store = open_directory(store_fd, ".");

    if (store == NULL)
        return;
    while (goes_on(&sweep) && (entry = readdir(store)) != NULL)
        sweep_client(&sweep, store_fd, entry->d_name);
    closedir(store);
}
