#ifndef SERVER_LISTING_PAGE_H
#define SERVER_LISTING_PAGE_H

/*
 * A directory as a page for people or as JSON for programs. Worker threads.
 *
 * The query may say ?sort=name|size|time, ?order=desc, and ?filter=WORD, which leaves the names
 * that hold the word, whatever the case of its ASCII letters. How the page looks is in
 * server/listing_html.h.
 */

#include "http/target.h"
#include "server/answer.h"
#include "server/worker.h"

/*
 * Answers with the listing of the directory open in `directory`, which is at `target`, in the form
 * that Accept prefers. The page is made while it is sent, and offers what the client may do.
 * `directory->fd` stays the caller's.
 */
void listing_page_answer(struct worker *worker, const struct request *request,
                         const struct target *target, const struct file *directory,
                         struct answer *answer);

#endif
