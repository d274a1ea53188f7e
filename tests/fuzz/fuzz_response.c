/* Response heads and the places they send a client to: any bytes, whole and as they would arrive.
 */

#include "fuzz/fuzz.h"

#include "client/url.h"
#include "http/response_parse.h"

struct outcome {
    enum response_result result;
    enum response_fault fault;
    struct response_head response;
};

static struct outcome parse(const char *bytes, size_t len, enum response_to to)
{
    struct outcome outcome = {.fault = RESPONSE_NOT_HTTP};
    outcome.result = response_parse(&outcome.response, bytes, len, to, &outcome.fault);
    return outcome;
}

/* What must never be in doubt: where the body ends (RFC 9112 6.3). */
static void check_framing(const struct response_head *response)
{
    unsigned lengths = field_count(&response->fields, FIELD_CONTENT_LENGTH);
    unsigned codings = field_count(&response->fields, FIELD_TRANSFER_ENCODING);

    FUZZ_CHECK(lengths == 0 || codings == 0);
    FUZZ_CHECK(response->has_length == (lengths > 0));
    FUZZ_CHECK(response->content_length <= INT64_MAX);
    FUZZ_CHECK(codings == 0 || response->minor_1);
    switch (response->framing) {
    case RESPONSE_BODY_NONE: break;
    case RESPONSE_BODY_LENGTH: FUZZ_CHECK(lengths > 0); break;
    case RESPONSE_BODY_CHUNKED: FUZZ_CHECK(codings == 1); break;
    case RESPONSE_BODY_TO_CLOSE:
        FUZZ_CHECK(lengths == 0 && codings == 0 && !response->persistent);
        break;
    default: FUZZ_CHECK(response->framing <= RESPONSE_BODY_TO_CLOSE);
    }
    if (response_is_interim(response) || response->status == 204 || response->status == 304)
        FUZZ_CHECK(response->framing == RESPONSE_BODY_NONE);
}

/* Wherever a Location leads, what would be sent there is one clean request line. */
static void check_location(const struct response_head *response)
{
    static const struct origin base = {"localhost", "8080"};
    char memory[URL_TARGET_LIMIT];
    struct buffer target = BUFFER_OVER(memory);
    struct origin to;
    struct span location = response_field_value(response, FIELD_LOCATION);

    if (location.ptr == NULL ||
        url_resolve(location, &base, SPAN("/a/b?c"), &to, &target) != URL_OK)
        return;
    FUZZ_CHECK(target.len > 0 && target.data[0] == '/');
    for (size_t i = 0; i < target.len; i++)
        FUZZ_CHECK(target.data[i] > ' ' && target.data[i] < 0x7F && target.data[i] != '#');
    FUZZ_CHECK(strlen(to.host) > 0 && strpbrk(to.host, "/?#@ \r\n") == NULL);
    FUZZ_CHECK(strlen(to.port) > 0 && strspn(to.port, "0123456789") == strlen(to.port));
}

static void check_done(const struct outcome *whole, const char *bytes, size_t len)
{
    const struct response_head *response = &whole->response;
    struct span reason = response_reason(response);

    FUZZ_CHECK(response->head == bytes && response->head_len >= 16 && response->head_len <= len);
    FUZZ_CHECK(memcmp(bytes + response->head_len - 4, "\r\n\r\n", 4) == 0);
    FUZZ_CHECK(response->status <= 999);
    FUZZ_CHECK(reason.ptr > bytes && reason.ptr + reason.len < bytes + response->head_len);
    /* Nothing that a terminal would obey. */
    for (size_t i = 0; i < response->head_len; i++)
        FUZZ_CHECK((unsigned char)bytes[i] >= ' ' || strchr("\t\r\n", bytes[i]) != NULL);
    check_framing(response);
    check_location(response);
}

/* The answer is the same however the bytes arrive, and once given stays. */
static void check_prefix(const struct outcome *whole, const char *bytes, size_t cut, bool *decided)
{
    char *copy = fuzz_copy(bytes, cut);
    struct outcome part = parse(copy, cut, RESPONSE_TO_OTHER);

    if (whole->result == RESPONSE_DONE)
        FUZZ_CHECK(part.result ==
                   (cut < whole->response.head_len ? RESPONSE_PARTIAL : RESPONSE_DONE));
    else
        FUZZ_CHECK(part.result == RESPONSE_PARTIAL || part.result == whole->result);
    if (part.result == RESPONSE_REFUSED)
        FUZZ_CHECK(part.fault == whole->fault && response_fault_text(part.fault)[0] != '\0');
    FUZZ_CHECK(!*decided || part.result != RESPONSE_PARTIAL);
    *decided = part.result != RESPONSE_PARTIAL;
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct outcome whole = parse(bytes, size, RESPONSE_TO_OTHER);
    struct outcome head = parse(bytes, size, RESPONSE_TO_HEAD);
    struct outcome tunnel = parse(bytes, size, RESPONSE_TO_CONNECT);
    bool decided = false;

    FUZZ_CHECK(whole.result == head.result && whole.result == tunnel.result);
    if (whole.result == RESPONSE_DONE) {
        check_done(&whole, bytes, size);
        FUZZ_CHECK(head.response.framing == RESPONSE_BODY_NONE);
        FUZZ_CHECK(head.response.head_len == whole.response.head_len);
        FUZZ_CHECK(tunnel.response.head_len == whole.response.head_len);
    } else if (whole.result == RESPONSE_PARTIAL) {
        FUZZ_CHECK(size < RESPONSE_HEAD_LIMIT);
    }

    /* All prefixes of a short input; of a long one as many as leave the fuzzer fast. */
    size_t step = 1 + size / 128;
    for (size_t cut = 0; cut <= size; cut += step)
        check_prefix(&whole, bytes, cut, &decided);
    free(bytes);
    return 0;
}
