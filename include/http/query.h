#ifndef HTTP_QUERY_H
#define HTTP_QUERY_H

/* The query of a target as a form sends it: "a=1&b=two+words" (URL Standard 5.1). Pure; any
   thread. */

#include "base/span.h"

/*
 * The value of the first `key`, decoded into `out` ('+' is a space, %XX a byte, "%" before anything
 * else itself). ptr NULL when the key is not there or its value does not fit. Keys are compared as
 * sent. `query` may be SPAN_EMPTY.
 */
struct span query_find(struct span query, struct span key, char *out, size_t cap);

#endif
