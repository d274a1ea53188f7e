#include "server/cors.h"

#include "http/authority.h"
#include "http/response.h"

/* What a script needs to see of a response, beyond what it may always (Fetch, 2.2.2). */
#define EXPOSED                                                                                    \
    "ETag, Location, Content-Range, Accept-Ranges, Content-Disposition, Retry-After, "             \
    "WWW-Authenticate, Repr-Digest, Resume-Offset, Upload-Offset, Upload-Length, "                 \
    "Upload-Complete, Upload-Limit, Upload-Expires, Upload-Draft-Interop-Version, "                \
    "Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm"

enum {
    MAX_AGE_S = 7200,  /* the most that every browser keeps it */
    ECHO_LIMIT = 2048, /* bytes of field names that are repeated */
};

bool cors_is_origin(const char *text)
{
    struct span origin = span_of(text), host;
    struct authority authority;

    if (span_starts_with(origin, SPAN("http://")))
        host = span_from(origin, 7);
    else if (span_starts_with(origin, SPAN("https://")))
        host = span_from(origin, 8);
    else
        return false;
    return authority_parse(&authority, host);
}

/* A simple request of HTTP/0.9, and one that was refused before its head was whole, has no fields.
 */
static struct span origin_of(const struct request *request)
{
    return request->version == VERSION_0_9 || request->head_len == 0
               ? SPAN_EMPTY
               : request_field(request, FIELD_ORIGIN);
}

bool cors_allows(const struct server *server, const struct request *request)
{
    const char *allowed = server->options->cors_origin;

    return allowed != NULL && span_equal(origin_of(request), span_of(allowed));
}

bool cors_answer_preflight(const struct server *server, const struct request *request,
                           struct answer *answer)
{
    struct span headers;

    if (request->method != METHOD_OPTIONS || !cors_allows(server, request) ||
        request_field(request, FIELD_ACCESS_CONTROL_REQUEST_METHOD).ptr == NULL)
        return false;
    answer->status = STATUS_NO_CONTENT;
    response_field(&answer->fields, SPAN("Access-Control-Allow-Methods"),
                   server->read_only
                       ? SPAN("GET, HEAD, OPTIONS")
                       : SPAN("GET, HEAD, PUT, POST, PATCH, DELETE, MKCOL, MOVE, OPTIONS"));
    /* Whatever it wants to send: the page may use this server like one of its own. */
    headers = request_field(request, FIELD_ACCESS_CONTROL_REQUEST_HEADERS);
    if (headers.len > 0 && headers.len <= ECHO_LIMIT)
        response_field(&answer->fields, SPAN("Access-Control-Allow-Headers"), headers);
    response_field_u64(&answer->fields, SPAN("Access-Control-Max-Age"), MAX_AGE_S);
    return true;
}

void cors_put_fields(struct buffer *out, const struct server *server, const struct request *request)
{
    if (!cors_allows(server, request))
        return;
    response_field(out, SPAN("Access-Control-Allow-Origin"), span_of(server->options->cors_origin));
    buffer_put_text(out, "Access-Control-Allow-Credentials: true\r\n"
                         "Access-Control-Expose-Headers: " EXPOSED "\r\n");
}
