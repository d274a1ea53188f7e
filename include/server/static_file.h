#ifndef SERVER_STATIC_FILE_H
#define SERVER_STATIC_FILE_H

/* GET and HEAD of what stands in the docroot. Worker threads. */

#include "server/answer.h"
#include "server/worker.h"

/*
 * Decides what to answer: the file, a part of it, a compressed sibling, the directory's index.html
 * or its listing, a redirect to the right name, or why not. Preconditions and ranges are honoured.
 */
void static_file_answer(struct worker *worker, const struct request *request,
                        const struct target *target, struct answer *answer);

/*
 * The same for a file that is open already, at `path`: its type, validators, preconditions, range.
 * No compressed siblings. The descriptor becomes the answer's.
 */
void static_file_answer_open(struct worker *worker, const struct request *request, const char *path,
                             const struct file *file, struct answer *answer);

#endif
