#ifndef SERVER_TRANSFER_UPLOAD_H
#define SERVER_TRANSFER_UPLOAD_H

/*
 * An upload that can lose its connection, and the server its life, and go on: a record
 * (resume/transfer.h) that says how far it is, and a stage (fs/stage.h) with its bytes. What the
 * protocols for such uploads have in common: PUT by id, tus, the IETF draft. Worker threads.
 *
 * What a client is told. Bytes are appended to the stage as they come; the record's offset follows
 * when they are on the disk (with --no-fsync: when they are in the stage), and only that offset is
 * told. So the stage may be longer than the record says: after a broken connection that nobody
 * could tidy up, after a kill. Whoever takes the upload next uses those bytes too, once it has
 * synced them, if they were written since this machine was booted (record.writer): then they lie in
 * the memory of this very kernel, in the order in which they came. After a power cut nothing is
 * known of them, and the stage is cut down to what the record says.
 *
 * Who holds it. The newest request: it takes the record, which evicts whoever had it. A connection
 * that is parked with it is closed on the spot; one that a worker serves notices soon, and here or
 * in another process gives up its lock on the stage, for which the newer one waits a moment.
 *
 * How it ends. When all bytes are there the record says so (UPLOAD_DUE) before the file is
 * published, and that it is complete after. Whoever meets it in between finishes it: if the stage
 * is gone, it was published. The record of a complete upload stays until it expires, so that a
 * client that missed the answer learns of its success.
 */

#include "fs/publish.h"
#include "resume/transfer.h"
#include "server/answer.h"
#include "server/worker.h"

/* record.flags */
enum {
    UPLOAD_NEW_MEMBER = 1, /* where the path is taken, the name gets a number, as with POST */
    UPLOAD_IF_ABSENT = 2,  /* what must hold when it is published; neither: nothing */
    UPLOAD_IF_SAME = 4,    /* record.inode, .size, .mtime_ns still stand there */
    UPLOAD_PARTIAL = 8,    /* tus: a piece of another, never published itself */
    UPLOAD_FINAL = 16,     /* tus: was put together from pieces */
    UPLOAD_WHEN_TOLD = 32, /* complete when the client says so, not when its length is reached */
    UPLOAD_UNCHECKED = 64, /* bytes past the offset are of no use unless their checksum is right */
    UPLOAD_DUE = 128,      /* all bytes are there: publish it */
};

/* One that is held. */
struct transfer_upload {
    struct server *server;
    struct transfer transfer; /* taken by us; transfer.record is what counts */
    struct stage stage;       /* fd -1 when complete and published */
    struct uuid client;
    struct span path; /* behind place: with client, what it is addressed by */
    char place[];     /* where it is published: the path, its name with a number if it was taken */
};

/*
 * Takes the upload of (client, path). STATUS_NONE: it is held, tidied up, and published if that was
 * due. Else nothing is held: 404 when there is none, 410 when it has expired, 503 when the former
 * holder did not let go in time, and others for what can go wrong with disks and publishing.
 */
enum status transfer_upload_take(struct transfer_upload **upload, struct worker *worker,
                                 const struct uuid *client, struct span path);

/*
 * Makes an upload as `record` says (kind, holder and writer are set here) and holds it. With
 * `afresh` one that is there is forgotten first; else that is a 409.
 */
enum status transfer_upload_create(struct transfer_upload **upload, struct worker *worker,
                                   const struct uuid *client, struct span path,
                                   const struct transfer_record *record, struct span note,
                                   bool afresh);

/* Makes record.offset say what the stage has, on the disk. STATUS_CONFLICT when it was evicted. */
enum status transfer_upload_store(struct transfer_upload *upload);

/* All bytes are there: publishes them (not a piece) and says so in the record. *published is set
   when it was published by this call. Errors leave it as it was. */
enum status transfer_upload_complete(struct transfer_upload *upload, struct worker *worker,
                                     const struct write_terms *terms, struct published *published);

/* Lets go of it: it stays for the next request. NULL is allowed. */
void transfer_upload_release(struct transfer_upload *upload);

/* Removes record and stage. */
void transfer_upload_forget(struct transfer_upload *upload);

/* What must hold when it is published, as its record has it, and the other way round. */
struct write_terms transfer_upload_terms(const struct transfer_upload *upload);
void transfer_upload_set_terms(struct transfer_record *record, const struct write_terms *terms);

#endif
