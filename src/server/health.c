#include "server/health.h"

bool health_is_asked(const struct request *request, const struct target *target)
{
    return (request->method == METHOD_GET || request->method == METHOD_HEAD) &&
           span_equal(target->path, SPAN(".health"));
}

void health_answer(struct worker *worker, struct answer *answer)
{
    struct file top;
    struct span word = SPAN("ok\n");

    if (atomic_load_explicit(&worker->server->draining, memory_order_relaxed))
        word = SPAN("stopping\n");
    else if (docroot_stat(&worker->docroot, "", &top) != FS_OK)
        word = SPAN("no files\n");
    answer->status = span_equal(word, SPAN("ok\n")) ? STATUS_OK : STATUS_SERVICE_UNAVAILABLE;
    answer->media_type = SPAN("text/plain");
    answer->utf8 = true;
    answer->cache = SPAN("no-store");
    answer->memory = word;
    answer->length = word.len;
}
