#ifndef SERVER_LISTING_PAGE_H
#define SERVER_LISTING_PAGE_H

/* A directory as a page for people or as JSON for programs. Worker threads. */

#include "server/answer.h"
#include "server/worker.h"

/*
 * Answers with the listing of the directory open in `directory`, whose path is `path` ("" for the
 * root), in the form that Accept prefers. The page is made while it is sent. `directory->fd` stays
 * the caller's.
 */
void listing_page_answer(struct worker *worker, const struct request *request, const char *path,
                         const struct file *directory, struct answer *answer);

#endif
