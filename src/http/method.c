#include "http/method.h"

static const struct span names[METHOD_COUNT] = {
    [METHOD_GET] = SPAN("GET"),
    [METHOD_HEAD] = SPAN("HEAD"),
    [METHOD_POST] = SPAN("POST"),
    [METHOD_PUT] = SPAN("PUT"),
    [METHOD_DELETE] = SPAN("DELETE"),
    [METHOD_CONNECT] = SPAN("CONNECT"),
    [METHOD_OPTIONS] = SPAN("OPTIONS"),
    [METHOD_TRACE] = SPAN("TRACE"),
    [METHOD_PATCH] = SPAN("PATCH"),
    [METHOD_PROPFIND] = SPAN("PROPFIND"),
    [METHOD_PROPPATCH] = SPAN("PROPPATCH"),
    [METHOD_MKCOL] = SPAN("MKCOL"),
    [METHOD_COPY] = SPAN("COPY"),
    [METHOD_MOVE] = SPAN("MOVE"),
    [METHOD_LOCK] = SPAN("LOCK"),
    [METHOD_UNLOCK] = SPAN("UNLOCK"),
};

#define KEY(len, first) ((len) << 8 | (unsigned char)(first))

/* Length and first letter tell all methods apart: one is left, which is then compared. */
static enum method candidate(struct span token)
{
    switch (KEY(token.len, token.ptr[0])) {
    case KEY(3, 'G'): return METHOD_GET;
    case KEY(3, 'P'): return METHOD_PUT;
    case KEY(4, 'C'): return METHOD_COPY;
    case KEY(4, 'H'): return METHOD_HEAD;
    case KEY(4, 'L'): return METHOD_LOCK;
    case KEY(4, 'M'): return METHOD_MOVE;
    case KEY(4, 'P'): return METHOD_POST;
    case KEY(5, 'M'): return METHOD_MKCOL;
    case KEY(5, 'P'): return METHOD_PATCH;
    case KEY(5, 'T'): return METHOD_TRACE;
    case KEY(6, 'D'): return METHOD_DELETE;
    case KEY(6, 'U'): return METHOD_UNLOCK;
    case KEY(7, 'C'): return METHOD_CONNECT;
    case KEY(7, 'O'): return METHOD_OPTIONS;
    case KEY(8, 'P'): return METHOD_PROPFIND;
    case KEY(9, 'P'): return METHOD_PROPPATCH;
    default: return METHOD_UNKNOWN;
    }
}

enum method method_of(struct span token)
{
    if (token.len == 0)
        return METHOD_UNKNOWN;
    enum method method = candidate(token);
    return span_equal(token, names[method]) ? method : METHOD_UNKNOWN;
}

struct span method_name(enum method method)
{
    return method < METHOD_COUNT && method != METHOD_UNKNOWN ? names[method] : SPAN("");
}

bool method_is_safe(enum method method)
{
    return method == METHOD_GET || method == METHOD_HEAD || method == METHOD_OPTIONS ||
           method == METHOD_TRACE || method == METHOD_PROPFIND;
}
