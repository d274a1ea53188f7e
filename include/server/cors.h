#ifndef SERVER_CORS_H
#define SERVER_CORS_H

/*
 * What pages of another origin may do here (Fetch standard, 3.2 "CORS protocol"): nothing, unless
 * --cors names their origin. Worker threads.
 */

#include "http/request.h"
#include "server/answer.h"
#include "server/server.h"

/* Whether `text` is an origin as browsers send it: "https://example.org", "http://localhost:3000".
 */
bool cors_is_origin(const char *text);

/* Whether a page of the origin that may use this server is behind the request. */
bool cors_allows(const struct server *server, const struct request *request);

/*
 * Whether the request is such a page's question beforehand, whether it may send another request;
 * then the answer is made. Needs no account: browsers ask it without credentials.
 */
bool cors_answer_preflight(const struct server *server, const struct request *request,
                           struct answer *answer);

/* The fields by which a browser knows what the page may see: on every response, whatever it is. */
void cors_put_fields(struct buffer *out, const struct server *server,
                     const struct request *request);

#endif
