#ifndef SERVER_STATUS_PAGE_H
#define SERVER_STATUS_PAGE_H

/* The short page that goes with a status which is not a success. Worker threads. */

#include "fs/result.h"
#include "server/answer.h"
#include "server/worker.h"

/*
 * Makes `answer` that status, with a page in the form the client likes best: HTML, JSON, or plain
 * text, by Accept; with Retry-After where it is a 503. `sentence` says what is wrong and what to
 * do; ptr NULL takes the status's own. `request` may be one that was refused half way. What the
 * answer owned is given up.
 */
void status_page_answer(struct worker *worker, const struct request *request, enum status status,
                        struct span sentence, struct answer *answer);

/* The same for a change that came to that, with a sentence that says what is in its way. */
void status_page_answer_write(struct worker *worker, const struct request *request,
                              enum fs_result result, struct answer *answer);

/* The one place where a file-system result becomes a status: of a request to read, and of one that
   wanted to change something, which can fail where the other finds nothing. */
enum status status_of_fs_result(enum fs_result result);
enum status status_of_write_result(enum fs_result result);

#endif
