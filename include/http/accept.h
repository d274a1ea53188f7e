#ifndef HTTP_ACCEPT_H
#define HTTP_ACCEPT_H

/* Proactive negotiation (RFC 9110 12). Pure; any thread. */

#include "base/span.h"

/*
 * Weight, in thousandths, that an Accept-Encoding value gives to a coding ("gzip", "br", "zstd",
 * "identity"): its own, else that of "*", else 0. Identity that is not named is acceptable all the
 * same (12.5.3), but after whatever is named: 1. "x-gzip" stands for gzip. An absent field (ptr
 * NULL) takes identity only. A malformed weight counts as 0.
 */
unsigned accept_encoding_weight(struct span value, struct span coding);

/*
 * Weight, in thousandths, that an Accept value gives to a media type ("text/html"): that of the
 * most specific range that matches (12.5.1). 1000 when the field is absent (ptr NULL) or empty.
 */
unsigned accept_weight(struct span value, struct span media_type);

#endif
