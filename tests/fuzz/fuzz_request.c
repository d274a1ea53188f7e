/* Request heads: any bytes, whole and as they would arrive. */

#include "fuzz/fuzz.h"

#include "http/request.h"

struct outcome {
    enum request_result result;
    enum status refusal;
    size_t skipped;
    struct request request;
};

static struct outcome parse(const char *bytes, size_t len)
{
    struct outcome outcome = {.refusal = STATUS_NONE};
    outcome.result =
        request_parse(&outcome.request, bytes, len, &outcome.skipped, &outcome.refusal);
    return outcome;
}

/* Lines end in CRLF and neither byte stands alone; there is no NUL. */
static void check_lines(const char *head, size_t len)
{
    FUZZ_CHECK(len >= 2 && head[len - 2] == '\r' && head[len - 1] == '\n');
    for (size_t i = 0; i < len; i++) {
        FUZZ_CHECK(head[i] != '\0');
        FUZZ_CHECK(head[i] != '\r' || head[i + 1] == '\n');
        FUZZ_CHECK(head[i] != '\n' || (i > 0 && head[i - 1] == '\r'));
    }
}

static void check_fields(const struct request *request)
{
    const struct field_section *section = &request->fields;
    size_t end = request->target_at + (size_t)request->target_len;

    FUZZ_CHECK(section->count <= FIELD_LIMIT);
    for (unsigned i = 0; i < section->count; i++) {
        const struct field *field = &section->fields[i];
        FUZZ_CHECK(field->name_at > end && field->name_len > 0);
        FUZZ_CHECK(field->value_at > field->name_at + field->name_len);
        end = field->value_at + (size_t)field->value_len;
        FUZZ_CHECK(end < request->head_len);
        FUZZ_CHECK(field_is_token(span_make(request->head + field->name_at, field->name_len)));
    }
}

/* What must never be in doubt: where the body ends (RFC 9112 6.3). */
static void check_framing(const struct request *request)
{
    unsigned lengths = field_count(&request->fields, FIELD_CONTENT_LENGTH);
    unsigned codings = field_count(&request->fields, FIELD_TRANSFER_ENCODING);
    struct span coding = request_field(request, FIELD_TRANSFER_ENCODING);

    switch (request->framing) {
    case FRAMING_NONE: FUZZ_CHECK(lengths == 0 && codings == 0); break;
    case FRAMING_LENGTH:
        FUZZ_CHECK(lengths == 1 && codings == 0 && request->content_length <= INT64_MAX);
        break;
    case FRAMING_CHUNKED:
        FUZZ_CHECK(lengths == 0 && codings == 1 && request->version == VERSION_1_1);
        FUZZ_CHECK(span_equal_nocase(coding, SPAN("chunked")));
        break;
    default: FUZZ_CHECK(request->framing <= FRAMING_CHUNKED);
    }
}

static void check_done(const struct outcome *whole, const char *bytes, size_t len)
{
    const struct request *request = &whole->request;

    FUZZ_CHECK(request->head == bytes + whole->skipped);
    FUZZ_CHECK(request->head_len > 0 && whole->skipped + request->head_len <= len);
    FUZZ_CHECK(whole->skipped + request->head_len <= REQUEST_HEAD_LIMIT);
    FUZZ_CHECK(request->method_len > 0 && request->target_len > 0);
    FUZZ_CHECK(request->target_at == request->method_len + 1);
    FUZZ_CHECK(method_of(request_method_text(request)) == (enum method)request->method);
    check_lines(request->head, request->head_len);
    check_fields(request);
    check_framing(request);
    if (request->version == VERSION_0_9)
        FUZZ_CHECK(request->method == METHOD_GET && request->fields.count == 0 &&
                   !request->persistent && request->framing == FRAMING_NONE);
    if (request->version == VERSION_1_1)
        FUZZ_CHECK(field_count(&request->fields, FIELD_HOST) == 1);
}

/* The answer is the same however the bytes arrive, and once given stays. */
static void check_prefix(const struct outcome *whole, const char *bytes, size_t cut, bool *decided)
{
    char *copy = fuzz_copy(bytes, cut);
    struct outcome part = parse(copy, cut);

    if (whole->result == REQUEST_DONE) {
        size_t end = whole->skipped + whole->request.head_len;
        FUZZ_CHECK(part.result == (cut < end ? REQUEST_PARTIAL : REQUEST_DONE));
        FUZZ_CHECK(cut < end || part.request.head_len == whole->request.head_len);
    } else {
        FUZZ_CHECK(part.result == REQUEST_PARTIAL || part.result == whole->result);
    }
    if (part.result == REQUEST_REFUSED) {
        FUZZ_CHECK(part.refusal == whole->refusal);
        FUZZ_CHECK(part.request.target_len == whole->request.target_len);
        FUZZ_CHECK(part.request.version == whole->request.version);
    }
    FUZZ_CHECK(!*decided || part.result != REQUEST_PARTIAL);
    *decided = part.result != REQUEST_PARTIAL;
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = fuzz_copy(data, size);
    struct outcome whole = parse(bytes, size);
    bool decided = false;

    FUZZ_CHECK(whole.skipped <= size && whole.skipped % 2 == 0);
    if (whole.result == REQUEST_DONE)
        check_done(&whole, bytes, size);
    else if (whole.result == REQUEST_PARTIAL)
        FUZZ_CHECK(size < REQUEST_HEAD_LIMIT);
    else
        FUZZ_CHECK(whole.refusal >= 400);

    /* All prefixes of a short input; of a long one as many as leave the fuzzer fast. */
    size_t step = 1 + size / 128;
    for (size_t cut = 0; cut <= size; cut += step)
        check_prefix(&whole, bytes, cut, &decided);
    free(bytes);
    return 0;
}
