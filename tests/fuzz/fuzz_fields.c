/* Header and trailer sections, and the look-up of names, against a slow and plain reading. */

#include "fuzz/fuzz.h"

#include "base/buffer.h"
#include "http/field.h"

static enum field_name name_by_walking(struct span name)
{
#define COMPARE(field, text)                                                                       \
    if (span_equal_nocase(name, SPAN(text)))                                                       \
        return FIELD_##field;
    FIELD_TABLE(COMPARE)
#undef COMPARE
    return FIELD_OTHER;
}

static struct span name_of(const struct field *field, const char *head)
{
    return span_make(head + field->name_at, field->name_len);
}

static struct span value_of(const struct field *field, const char *head)
{
    return span_make(head + field->value_at, field->value_len);
}

static void check_field(const struct field *field, const char *head, size_t begin, size_t end)
{
    struct span value = value_of(field, head);

    FUZZ_CHECK(field->name_at >= begin && field->value_at > field->name_at + field->name_len);
    FUZZ_CHECK((size_t)field->value_at + field->value_len + 2 <= end);
    FUZZ_CHECK(field_is_token(name_of(field, head)));
    FUZZ_CHECK(field->known == name_by_walking(name_of(field, head)));
    FUZZ_CHECK(span_trim(value).len == value.len);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        FUZZ_CHECK(c == '\t' || (c >= ' ' && c != 0x7F));
    }
}

/* Count, first value and list of a name, against a walk over all fields. */
static void check_name(const struct field_section *section, const char *head, enum field_name name)
{
    static char expected[65536], join[65536];
    struct buffer all = BUFFER_OVER(expected);
    struct span first = SPAN_EMPTY;
    unsigned count = 0;

    for (unsigned i = 0; i < section->count; i++) {
        const struct field *field = &section->fields[i];
        if (field->known != name)
            continue;
        if (count++ == 0)
            first = value_of(field, head);
        else
            buffer_put_text(&all, ", ");
        buffer_put_span(&all, value_of(field, head));
    }
    FUZZ_CHECK(field_count(section, name) == count);
    FUZZ_CHECK(field_value(section, head, name).ptr == first.ptr);
    struct span list = field_list(section, head, name, join, sizeof join);
    FUZZ_CHECK((list.ptr != NULL) == (count > 0) && span_equal(list, buffer_span(&all)));
}

static enum field_result parse(const char *head, size_t len, size_t *used)
{
    struct field_section section;
    enum field_result result = field_section_parse(&section, head, 0, len, used);

    if (result != FIELD_OK)
        return result;
    FUZZ_CHECK(*used >= 2 && *used <= len);
    size_t begin = 0;
    for (unsigned i = 0; i < section.count; i++) {
        check_field(&section.fields[i], head, begin, *used);
        begin = (size_t)section.fields[i].value_at + section.fields[i].value_len;
    }
    for (unsigned name = FIELD_OTHER + 1; name < FIELD_COUNT; name++)
        check_name(&section, head, (enum field_name)name);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = size < 65535 ? size : 65535, used = 0;
    char *head = fuzz_copy(data, len);
    enum field_result whole = parse(head, len, &used);
    size_t step = 1 + len / 64;

    FUZZ_CHECK(field_name_of(span_make(head, len)) == name_by_walking(span_make(head, len)));
    for (size_t cut = 0; cut < len; cut += step) {
        char *copy = fuzz_copy(head, cut);
        size_t part_used = 0;
        enum field_result part = parse(copy, cut, &part_used);
        if (part == FIELD_PARTIAL)
            FUZZ_CHECK(whole != FIELD_OK || cut < used);
        else
            FUZZ_CHECK(part == whole && part_used == used);
        free(copy);
    }
    free(head);
    return 0;
}
