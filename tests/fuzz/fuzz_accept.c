/* The input is a value of Accept or Accept-Encoding, a newline, and what is asked about. */

#include <stdlib.h>

#include "base/buffer.h"
#include "http/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* The value as it is, between empty elements, and in capital letters must weigh the same. */
static void check(struct span value, struct span wanted,
                  unsigned (*weigh)(struct span value, struct span wanted))
{
    unsigned weight = weigh(value, wanted);
    size_t cap = value.len + 3;
    char *memory = malloc(cap);

    require(weight <= 1000);
    if (memory == NULL)
        return;
    struct buffer padded = buffer_make(memory, cap);
    buffer_put_text(&padded, ", ,");
    buffer_put_span(&padded, value);
    if (span_trim(value).len > 0)
        require(weigh(buffer_span(&padded), wanted) == weight);
    for (size_t i = 0; i < padded.len; i++)
        if (memory[i] >= 'a' && memory[i] <= 'z')
            memory[i] = (char)(memory[i] - 'a' + 'A');
    require(weigh(span_make(memory + 3, value.len), wanted) == weight);
    free(memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span wanted = span_make((const char *)data, size);
    struct span value = span_make(wanted.ptr, span_find(wanted, '\n'));
    wanted = span_from(wanted, value.len + 1);

    check(value, wanted, accept_weight);
    check(value, wanted, accept_encoding_weight);
    check(value, SPAN("text/html"), accept_weight);
    check(value, SPAN("gzip"), accept_encoding_weight);
    require(accept_encoding_weight(value, SPAN("gzip")) ==
            accept_encoding_weight(value, SPAN("x-gzip")));
    return 0;
}
