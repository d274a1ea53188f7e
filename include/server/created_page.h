#ifndef SERVER_CREATED_PAGE_H
#define SERVER_CREATED_PAGE_H

/* What a POST has made, as JSON for programs or as a page for people. Worker threads. */

#include "server/answer.h"
#include "server/member.h"
#include "server/worker.h"

/*
 * Answers 201 with links to all members, which are published and of one directory, in the form that
 * Accept prefers: JSON where it has no preference. With one member Location is its address. Takes
 * the members over; `first` is not NULL.
 */
void created_page_answer(struct worker *worker, const struct request *request, struct member *first,
                         struct answer *answer);

#endif
