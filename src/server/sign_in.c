#include "server/sign_in.h"

#include "http/response.h"
#include "server/status_page.h"

bool sign_in_is(struct span path)
{
    return span_equal(path, SPAN(".sign-in"));
}

bool sign_in_answer(struct worker *worker, const struct request *request,
                    const struct target *target, struct answer *answer)
{
    struct target to;

    if (!sign_in_is(target->path))
        return false;
    /* The way back is made of a path that was taken apart, so it cannot lead to another host. */
    if (target->query.ptr == NULL ||
        target_parse(&to, target->query, worker->found_path) != TARGET_OK ||
        to.authority.ptr != NULL)
        to = (struct target){0};
    status_page_answer(worker, request, STATUS_SEE_OTHER, SPAN_EMPTY, answer);
    response_location(&answer->fields, to.path, to.directory);
    return true;
}

void sign_in_put_link(struct buffer *out, struct span path)
{
    buffer_put_text(out, "<a class=\"sign-in\" href=\"/.sign-in?/");
    buffer_put_url_path(out, path);
    buffer_put_span(out, path.len > 0 ? SPAN("/\">Sign in</a>") : SPAN("\">Sign in</a>"));
}
