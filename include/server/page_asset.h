#ifndef SERVER_PAGE_ASSET_H
#define SERVER_PAGE_ASSET_H

/*
 * The style sheet, the script and the icon of the server's own pages: the files of
 * src/server/page/, part of the program, served as /.listing.css and so on. Worker threads.
 */

#include "http/target.h"
#include "server/answer.h"
#include "server/worker.h"

/* Whether `path` (as in struct target) is one of theirs. */
bool page_asset_is(struct span path);

/* Answers a GET or HEAD of one of them. False: it is none, and the answer is untouched. */
bool page_asset_answer(struct worker *worker, const struct request *request,
                       const struct target *target, struct answer *answer);

/* The elements of a page's head that fetch style and, if wanted, script. Their addresses change
   with the files' content, so that a browser may keep what it has for good. */
void page_asset_put_links(struct buffer *out, bool script);

/* Content-Security-Policy for a page that needs nothing else: no markup that somebody else got
   into it can run or send anything. */
void page_asset_put_policy(struct buffer *fields);

#endif
