/* Request targets, in origin-form and absolute-form. */

#include "fuzz/fuzz.h"

#include "base/buffer.h"
#include "http/target.h"

/* A path that names something below the docroot and nothing else. */
static void check_path(const struct target *target, const char *buffer)
{
    struct span rest = target->path;
    bool hidden = false;

    FUZZ_CHECK(rest.ptr == buffer && rest.len < TARGET_PATH_LIMIT && buffer[rest.len] == '\0');
    FUZZ_CHECK(rest.len == 0 || memchr(rest.ptr, '\0', rest.len) == NULL);
    FUZZ_CHECK(rest.len > 0 || target->directory);
    for (bool first = true; rest.len > 0; first = false) {
        size_t len = span_find(rest, '/');
        struct span segment = span_make(rest.ptr, len);
        FUZZ_CHECK(len > 0 && len <= 255);
        FUZZ_CHECK(!span_equal(segment, SPAN(".")) && !span_equal(segment, SPAN("..")));
        FUZZ_CHECK(len != rest.len - 1); /* no slash at the end */
        if (segment.ptr[0] == '.' && !(first && span_equal(segment, SPAN(".well-known"))))
            hidden = true;
        rest = span_from(rest, len + 1);
    }
    FUZZ_CHECK(target->hidden == hidden);
}

static void check_inside(struct span part, struct span raw)
{
    if (part.ptr != NULL)
        FUZZ_CHECK(part.ptr >= raw.ptr && part.ptr + part.len <= raw.ptr + raw.len);
}

/* What has been decoded, once encoded again, is the same path. */
static void check_round_trip(const struct target *target)
{
    static char encoded[3 * TARGET_PATH_LIMIT + 2];
    static char buffer[TARGET_PATH_LIMIT];
    struct buffer out = BUFFER_OVER(encoded);
    struct target again;

    buffer_put_text(&out, "/");
    buffer_put_url_path(&out, target->path);
    if (target->directory && target->path.len > 0)
        buffer_put_text(&out, "/");
    FUZZ_CHECK(!out.overflowed);
    FUZZ_CHECK(target_parse(&again, buffer_span(&out), buffer) == TARGET_OK);
    FUZZ_CHECK(span_equal(again.path, target->path));
    FUZZ_CHECK(again.directory == target->directory && again.hidden == target->hidden);
    FUZZ_CHECK(again.query.ptr == NULL && again.authority.ptr == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct target target;

    char *copy = fuzz_copy(data, size);
    struct span raw = span_make(copy, size);
    char *buffer = malloc(TARGET_PATH_LIMIT);
    FUZZ_CHECK(buffer != NULL);

    if (target_parse(&target, raw, buffer) == TARGET_OK) {
        check_path(&target, buffer);
        check_inside(target.query, raw);
        check_inside(target.authority, raw);
        FUZZ_CHECK(raw.len > 0 && memchr(raw.ptr, '#', raw.len) == NULL);
        check_round_trip(&target);
    }
    free(buffer);
    free(copy);
    return 0;
}
