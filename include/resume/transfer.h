#ifndef RESUME_TRANSFER_H
#define RESUME_TRANSFER_H

/*
 * The record of a transfer: how far one client has come with one path, so that it can lose its
 * connection, and the server its life, and go on.
 *
 *     <store>/<client id>/<hash of the path>
 *
 * A record is a small file of its own, so that any number of servers that share the store agree on
 * it: every change is made under an advisory lock of the file. Its state is written alternately to
 * two places in it, each with a number and a checksum; the valid one with the higher number counts,
 * so that neither a kill nor a power cut in the middle of a write loses more than that write.
 *
 * A transfer has one holder. Whoever takes it makes the generation one higher, and the former
 * holder learns at its next change that it has been evicted. On one machine the newest is to have
 * it, whichever came first to take it: so the holder says since when it wants it, and one that has
 * wanted it for longer, as that of a client which is gone already, is turned away. Of what another
 * machine says nothing is compared, since no two clocks are alike: there whoever takes it has it.
 * A handle is owned by one thread at a time.
 */

#include "base/span.h"
#include "base/uuid.h"

enum {
    TRANSFER_PATH_MAX = 4096,
    TRANSFER_NOTE_MAX = 8192,
    TRANSFER_AGE_SHARE = 4, /* of the time until it expires: so old a record in use may grow */
};

enum transfer_kind {
    TRANSFER_DOWNLOAD = 1,
    TRANSFER_UPLOAD = 2,
};

/* Who wants a transfer, or has it, and since when. */
struct transfer_claim {
    uint64_t holder;  /* the caller's: for finding him; 0: nobody */
    uint64_t clock;   /* names the clock of since_us: only times of the same one are compared */
    int64_t since_us; /* when the request came for which he wants it */
};

struct transfer_record {
    enum transfer_kind kind;
    uint64_t generation; /* how often it was taken */
    uint64_t offset;     /* download: bytes the client has for certain; upload: bytes on disk */
    uint64_t length;     /* of the whole; with length_known */
    bool length_known;
    bool complete;
    uint32_t flags;              /* the caller's */
    struct transfer_claim claim; /* of whoever holds it */
    uint64_t writer;             /* the caller's: in whose memory bytes past the offset may be */
    int64_t touched_s;           /* when it was last changed, seconds since 1970 */
    uint64_t inode; /* the version of the file: that a download's offset is about, that an upload
                       is to replace */
    uint64_t size;
    int64_t mtime_ns;
};

struct transfer {
    int fd;                        /* -1: closed */
    uint64_t generation;           /* under which we hold it, 0: we do not */
    struct transfer_record record; /* as last read or written */
    bool distant_;                 /* others may write it from other machines */
    uint64_t number_;              /* of the place that was last read or written */
    uint16_t note_len_, path_len_;
};

#define TRANSFER_CLOSED ((struct transfer){.fd = -1})

enum transfer_result {
    TRANSFER_OK,
    TRANSFER_NONE,     /* there is no such record */
    TRANSFER_EXISTS,   /* there is one already */
    TRANSFER_EVICTED,  /* somebody else has taken it, or has the better right to it */
    TRANSFER_NO_SPACE, /* the disk is full */
    TRANSFER_FAILED,   /* errno says why */
};

/* Opens the record of (client, path) in the store, a directory. Changes nothing in it. */
enum transfer_result transfer_open(struct transfer *transfer, int store_fd,
                                   const struct uuid *client, struct span path);

/*
 * Makes a record with this state and takes it: generation 1. `note` is kept with it as it is, for
 * the caller; TRANSFER_NOTE_MAX bytes at most. TRANSFER_EXISTS when there is one.
 */
enum transfer_result transfer_create(struct transfer *transfer, int store_fd,
                                     const struct uuid *client, struct span path,
                                     const struct transfer_record *record, struct span note,
                                     int64_t now_s);

/*
 * Takes an open record: from now on it is ours, and whoever had it is evicted; *former is that
 * holder, or 0. TRANSFER_EVICTED when somebody on this machine holds it for a younger request;
 * TRANSFER_NONE when it was removed since it was opened.
 */
enum transfer_result transfer_take(struct transfer *transfer, const struct transfer_claim *claim,
                                   uint64_t *former, int64_t now_s);

/* Writes transfer->record, which the caller changed, while it is still ours. */
enum transfer_result transfer_store(struct transfer *transfer, int64_t now_s);

/* Whether it is still ours, as far as can be seen: a look without a lock. Whoever writes then is
   told for certain. */
bool transfer_is_held(struct transfer *transfer);

/* The same, and keeps the record from growing old: it is written anew once it is age_s seconds old.
 */
bool transfer_keep(struct transfer *transfer, int64_t age_s, int64_t now_s);

/* Copies the note to text[0..TRANSFER_NOTE_MAX) and returns its length, 0 on failure. */
size_t transfer_note(const struct transfer *transfer, char text[static TRANSFER_NOTE_MAX]);

/* Makes what was stored survive a power cut. */
enum transfer_result transfer_sync(const struct transfer *transfer);

/* Removes the record from the store; the handle stays open. */
enum transfer_result transfer_remove(int store_fd, const struct uuid *client, struct span path);

void transfer_close(struct transfer *transfer);

/*
 * Calls `each` for every record of a client, with its path. TRANSFER_NONE when it has none. The
 * handle is open, not ours, and closed after the call.
 */
enum transfer_result transfer_each(int store_fd, const struct uuid *client,
                                   void (*each)(void *context, struct span path,
                                                struct transfer *transfer),
                                   void *context);

/*
 * Removes records that were last changed before `expired_s`, whatever cannot be read among those
 * that are as old, and directories that are empty. `before` is called ahead of each removal, so
 * that what belongs to it can go first, and `go_on` before each record: it may rest a while, and
 * ends the sweep with false. Either may be NULL. Adds to *removed. Takes long, and holds no lock
 * for long.
 */
void transfer_sweep(int store_fd, int64_t expired_s,
                    void (*before)(void *context, const struct uuid *client, struct span path,
                                   const struct transfer_record *record),
                    bool (*go_on)(void *context), void *context, unsigned *removed);

#endif
