/* Content-Disposition, and what becomes of the name in it, or of the input itself as a name. */

#include "fuzz/fuzz.h"

#include "http/content_disposition.h"
#include "http/file_name.h"

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

/* What every component must be, whatever the client said. */
static void check_component(struct span s)
{
    FUZZ_CHECK(s.len > 0 && s.len <= FILE_NAME_LIMIT);
    FUZZ_CHECK(s.ptr[0] != '.' && s.ptr[0] != ' ' && s.ptr[s.len - 1] != ' ');
    for (size_t i = 0; i < s.len; i++)
        FUZZ_CHECK(!is_control(s.ptr[i]) && s.ptr[i] != '/' && s.ptr[i] != '\\');
}

static void check_name(struct span name)
{
    char out[FILE_NAME_LIMIT], again[FILE_NAME_LIMIT];
    struct span safe = file_name_safe(name, out);
    if (safe.len == 0)
        return;
    check_component(safe);
    FUZZ_CHECK(span_equal(file_name_safe(safe, again), safe));
    struct span numbered = file_name_numbered(safe, 4294967295U, again);
    check_component(numbered);
    FUZZ_CHECK(!span_equal(numbered, safe));
}

static void check_path(struct span path)
{
    size_t cap = 64 + path.len;
    char *memory = calloc(2, cap);
    struct buffer out = buffer_make(memory, cap), again = buffer_make(memory + cap, cap);

    FUZZ_CHECK(memory != NULL);
    if (file_name_safe_path(path, &out)) {
        struct span rest = buffer_span(&out);
        FUZZ_CHECK(file_name_safe_path(rest, &again));
        FUZZ_CHECK(span_equal(buffer_span(&again), rest));
        while (rest.len > 0) {
            size_t len = span_find(rest, '/');
            check_component(span_make(rest.ptr, len));
            FUZZ_CHECK(len == rest.len || len + 1 < rest.len);
            rest = span_from(rest, len + 1);
        }
    } else {
        FUZZ_CHECK(out.len == 0 && !out.overflowed);
    }
    free(memory);
}

static bool within(struct span s, const char *memory, size_t len)
{
    return s.ptr >= memory && s.ptr + s.len <= memory + len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size), *text = fuzz_copy(data, size);
    struct content_disposition d;
    struct span value = span_make(copy, size);

    if (content_disposition_parse(value, &d, text)) {
        const struct span said[] = {d.type, d.name, d.filename};
        FUZZ_CHECK(d.type.len > 0);
        for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
            FUZZ_CHECK(said[i].ptr == NULL || within(said[i], copy, size) ||
                       within(said[i], text, size));
            check_name(said[i]);
        }
    }
    check_name(value);
    check_path(value);
    free(copy);
    free(text);
    return 0;
}
