#ifndef SERVER_METRICS_H
#define SERVER_METRICS_H

/* The server's numbers in the form that Prometheus and its kind read. Pure; any thread. */

#include "base/buffer.h"
#include "server/snapshot.h"

enum metrics_form {
    METRICS_OPENMETRICS, /* OpenMetrics 1.0 */
    METRICS_PROMETHEUS,  /* the text format 0.0.4 before it */
};

/* The media type of a form, with its parameters. */
struct span metrics_media_type(enum metrics_form form);

void metrics_put(struct buffer *out, const struct snapshot *snapshot, enum metrics_form form);

#endif
