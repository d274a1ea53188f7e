#ifndef CLIENT_SIDECAR_H
#define CLIENT_SIDECAR_H

/*
 * What is kept beside the file of an unfinished transfer, so that another run of the program can go
 * on with it: a small text, and a lock that keeps a second program from the same transfer.
 *
 *     httpclient 1
 *     host example.org:8080
 *     path /big.iso
 *     id 6ba7b810-9dad-81d1-80b4-00c04fd430c8      (the rest of the line is empty: none)
 *     version "5f3-1a2b-17c"                       (the same: not known)
 *     digest 9f86d0...                             (the same)
 *     end
 *
 * The text is written over in one call, and what stands behind its last line counts for nothing, so
 * that a program that is killed leaves the old text or the new one. One thread at a time.
 */

#include "base/sha256.h"
#include "base/uuid.h"
#include "client/failure.h"
#include "client/url.h"

enum {
    SIDECAR_VERSION_LIMIT = 256,
    SIDECAR_LIMIT = URL_HOST_LIMIT + URL_TARGET_LIMIT + SIDECAR_VERSION_LIMIT + 256,
};

struct sidecar {
    char host[URL_HOST_LIMIT + 16];      /* as in the Host field */
    char path[URL_TARGET_LIMIT];         /* the target, without an id */
    char id[UUID_TEXT_LEN + 1];          /* "": none */
    char version[SIDECAR_VERSION_LIMIT]; /* "": not known. Download: what If-Range takes; upload:
                                            whatever tells one state of the file from another */
    char digest[2 * SHA256_LEN + 1];     /* SHA-256 of the whole, in hexadecimal; "": not known */
};

/* Pure. False when the text does not begin with a whole sidecar; *sidecar is useless then. */
bool sidecar_parse(struct sidecar *sidecar, struct span text);
void sidecar_put(struct buffer *out, const struct sidecar *sidecar);

struct sidecar_file {
    int fd; /* -1: closed */
    char *path;
};

#define SIDECAR_FILE_NONE ((struct sidecar_file){.fd = -1})

enum sidecar_found {
    SIDECAR_OPENED,  /* *sidecar is what it says */
    SIDECAR_FRESH,   /* it is new, or empty */
    SIDECAR_FOREIGN, /* it has something else in it */
    SIDECAR_BUSY,    /* another program has it */
    SIDECAR_FAILED,  /* errno says why */
};

/*
 * Opens the file, making it if there is none, and locks it. Open after OPENED and FRESH. `path` is
 * copied.
 */
enum sidecar_found sidecar_open(struct sidecar_file *file, const char *path,
                                struct sidecar *sidecar);

/* Does nothing for a file that is closed: then nothing is kept. */
bool sidecar_store(const struct sidecar_file *file, const struct sidecar *sidecar,
                   struct failure *failure);

/* Unlocks, and removes it if there is nothing to keep. May be called when it is closed. */
void sidecar_close(struct sidecar_file *file, bool keep);

#endif
