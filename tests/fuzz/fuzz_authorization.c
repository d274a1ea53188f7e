/* Credentials: what was decoded and is encoded again is what was sent. */

#include "fuzz/fuzz.h"

#include "base/base64.h"
#include "base/buffer.h"
#include "http/authorization.h"

static void check_basic(struct span value, const struct authorization *a)
{
    char encoded[2 * AUTHORIZATION_LIMIT];
    struct span both = span_make(a->user.ptr, a->user.len + 1 + a->password.len);

    FUZZ_CHECK(a->password.ptr == a->user.ptr + a->user.len + 1 && a->password.ptr[-1] == ':');
    FUZZ_CHECK(both.len <= AUTHORIZATION_LIMIT && span_find(a->user, ':') == a->user.len);
    for (size_t i = 0; i < both.len; i++)
        FUZZ_CHECK((unsigned char)both.ptr[i] >= 0x20 && both.ptr[i] != 0x7F);
    size_t len = base64_encode(encoded, both.ptr, both.len);
    FUZZ_CHECK(span_ends_with(value, span_make(encoded, len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size), *text = calloc(AUTHORIZATION_LIMIT, 1);
    struct span value = span_make(copy, size);
    struct authorization a;

    FUZZ_CHECK(text != NULL);
    switch (authorization_parse(value, &a, text)) {
    case AUTHORIZATION_BASIC:
        FUZZ_CHECK(span_starts_with_nocase(value, SPAN("basic ")));
        check_basic(value, &a);
        break;
    case AUTHORIZATION_BEARER:
        FUZZ_CHECK(span_starts_with_nocase(value, SPAN("bearer ")));
        FUZZ_CHECK(a.token.len > 0 && span_ends_with(value, a.token));
        FUZZ_CHECK(span_find(a.token, ' ') == a.token.len);
        break;
    case AUTHORIZATION_NONE: FUZZ_CHECK(copy == NULL); break;
    case AUTHORIZATION_UNSUPPORTED:
    case AUTHORIZATION_MALFORMED: break;
    }
    free(text);
    free(copy);
    return 0;
}
