#include "http/authorization.h"

#include "base/base64.h"
#include "http/chars.h"
#include "http/field.h"

static bool has_control(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7F)
            return true;
    return false;
}

static enum authorization_result parse_basic(struct span encoded, struct authorization *credentials,
                                             char *text)
{
    size_t len;
    if (!base64_decode(encoded, text, AUTHORIZATION_LIMIT, &len))
        return AUTHORIZATION_MALFORMED;
    struct span both = span_make(text, len);
    size_t colon = span_find(both, ':');
    if (colon == len || has_control(both))
        return AUTHORIZATION_MALFORMED;
    credentials->user = span_make(text, colon);
    credentials->password = span_make(text + colon + 1, len - colon - 1);
    return AUTHORIZATION_BASIC;
}

/* b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=" (RFC 6750 2.1) */
static enum authorization_result parse_bearer(struct span token, struct authorization *credentials)
{
    size_t at = 0;
    while (at < token.len &&
           (char_is(token.ptr[at], CHAR_ALPHA) || char_is(token.ptr[at], CHAR_DIGIT) ||
            span_find(SPAN("-._~+/"), token.ptr[at]) < 6))
        at++;
    if (at == 0)
        return AUTHORIZATION_MALFORMED;
    while (at < token.len && token.ptr[at] == '=')
        at++;
    if (at < token.len)
        return AUTHORIZATION_MALFORMED;
    credentials->token = token;
    return AUTHORIZATION_BEARER;
}

enum authorization_result authorization_parse(struct span value, struct authorization *credentials,
                                              char text[static AUTHORIZATION_LIMIT])
{
    *credentials = (struct authorization){0};
    if (value.ptr == NULL)
        return AUTHORIZATION_NONE;

    /* credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ] (RFC 9110 11.4) */
    size_t space = span_find(value, ' ');
    struct span scheme = span_make(value.ptr, space);
    struct span rest = span_from(value, space);
    while (rest.len > 0 && rest.ptr[0] == ' ')
        rest = span_make(rest.ptr + 1, rest.len - 1);

    if (!field_is_token(scheme))
        return AUTHORIZATION_MALFORMED;
    if (span_equal_nocase(scheme, SPAN("Basic")))
        return parse_basic(rest, credentials, text);
    if (span_equal_nocase(scheme, SPAN("Bearer")))
        return parse_bearer(rest, credentials);
    return AUTHORIZATION_UNSUPPORTED;
}
