#include "server/form_fields.h"

/*
 * bytes:  | lengths | name | value | lengths | name | value | ...
 *
 * Eight bytes of lengths for each also pay for the punctuation in FORM_FIELDS_JSON_LIMIT.
 */
struct lengths {
    uint32_t name, value;
};

struct field_at {
    struct span name, value;
    size_t next;
};

static struct field_at field_read(const struct form_fields *f, size_t at)
{
    struct lengths lengths;
    const char *name = f->bytes + at + sizeof lengths;

    memcpy(&lengths, f->bytes + at, sizeof lengths);
    return (struct field_at){
        .name = {name, lengths.name},
        .value = {name + lengths.name, lengths.value},
        .next = at + sizeof lengths + lengths.name + lengths.value,
    };
}

void form_fields_begin(struct form_fields *f, struct span name)
{
    struct lengths lengths = {(uint32_t)name.len, 0};

    if (f->overflowed || sizeof lengths + name.len > sizeof f->bytes - f->len) {
        f->overflowed = true;
        return;
    }
    memcpy(f->bytes + f->len, &lengths, sizeof lengths);
    memcpy(f->bytes + f->len + sizeof lengths, name.ptr, name.len);
    f->value_at = f->len;
    f->len += sizeof lengths + name.len;
    f->count++;
}

void form_fields_add(struct form_fields *f, struct span data)
{
    struct lengths lengths;

    if (f->overflowed || data.len > sizeof f->bytes - f->len) {
        f->overflowed = true;
        return;
    }
    memcpy(&lengths, f->bytes + f->value_at, sizeof lengths);
    lengths.value += (uint32_t)data.len;
    memcpy(f->bytes + f->value_at, &lengths, sizeof lengths);
    memcpy(f->bytes + f->len, data.ptr, data.len);
    f->len += data.len;
}

/* The first field of that name in [at, end); `end` when there is none. */
static size_t find_name(const struct form_fields *f, size_t at, size_t end, struct span name)
{
    while (at < end) {
        struct field_at field = field_read(f, at);
        if (span_equal(field.name, name))
            return at;
        at = field.next;
    }
    return end;
}

static void put_string(struct buffer *out, struct span s)
{
    buffer_put_char(out, '"');
    buffer_put_json(out, s);
    buffer_put_char(out, '"');
}

/* All values of the name of the field at `at`, which is the first of that name. */
static void put_values(const struct form_fields *f, size_t at, struct buffer *out)
{
    struct field_at field = field_read(f, at);
    bool several = find_name(f, field.next, f->len, field.name) < f->len;

    if (several)
        buffer_put_char(out, '[');
    for (;;) {
        put_string(out, field.value);
        at = find_name(f, field.next, f->len, field.name);
        if (at == f->len)
            break;
        field = field_read(f, at);
        buffer_put_char(out, ',');
    }
    if (several)
        buffer_put_char(out, ']');
}

void form_fields_json(const struct form_fields *f, struct buffer *out)
{
    buffer_put_char(out, '{');
    for (size_t at = 0; at < f->len;) {
        struct field_at field = field_read(f, at);
        if (find_name(f, 0, at, field.name) == at) {
            if (at > 0)
                buffer_put_char(out, ',');
            put_string(out, field.name);
            buffer_put_char(out, ':');
            put_values(f, at, out);
        }
        at = field.next;
    }
    buffer_put_text(out, "}\n");
}
