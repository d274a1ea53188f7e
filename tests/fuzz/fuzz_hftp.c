/*
 * The input is what a client of HFTP sends. Taken whole and byte by byte, its lines must be the
 * same commands; and what is understood must stand in the line.
 */

#include <stdlib.h>

#include "hftp/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* The next command, with its bytes given in pieces of `piece`. */
static bool take(struct hftp_command *command, struct span *input, size_t piece)
{
    hftp_command_begin(command);
    while (input->len > 0) {
        struct span part = span_make(input->ptr, piece < input->len ? piece : input->len);
        size_t len = part.len;
        bool whole = hftp_command_take(command, &part);
        require(whole || part.len == 0);
        *input = span_from(*input, len - part.len);
        if (whole)
            return true;
    }
    return false;
}

static void check(const struct hftp_command *command)
{
    struct span name = hftp_command_name(command);

    require(hftp_code_text(command->code).len > 0);
    if (command->code != HFTP_OK)
        return;
    require(command->verb != HFTP_VERB_NONE);
    if (name.len > HFTP_NAME_MAX)
        return;
    require(command->name_at + name.len <= HFTP_LINE_KEPT);
    for (size_t i = 0; i < name.len; i++)
        require(hftp_is_name_char(name.ptr[i]));
    bool names = command->verb == HFTP_GET_METADATA || command->verb == HFTP_GET_SLICE;
    require((name.len > 0) == names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span whole = span_make((const char *)data, size), bytes = whole;
    struct hftp_command a, b;

    for (;;) {
        bool more = take(&a, &whole, SIZE_MAX);
        require(take(&b, &bytes, 1) == more);
        require(whole.len == bytes.len && a.len == b.len);
        if (!more)
            return 0;
        require(a.code == b.code && a.verb == b.verb && a.offset == b.offset && a.size == b.size);
        require(a.raw == b.raw && a.name_len == b.name_len);
        require(a.name_len > HFTP_NAME_MAX ||
                span_equal(hftp_command_name(&a), hftp_command_name(&b)));
        check(&a);
        if (hftp_code_is_fatal(a.code))
            return 0;
    }
}
