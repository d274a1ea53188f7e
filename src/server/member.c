#include "server/member.h"

#include "base/hex.h"
#include "base/random.h"
#include "http/media_type.h"
#include "http/target.h"

#include <stdlib.h>

enum {
    NAME_RANDOM = 16, /* bytes of a made-up name: as many as a random UUID has */

    /* Numbers are tried in turn, up to this one, so that a person finds them as expected; a name
       that has been wished for more often gets a random number, for each try costs a look. */
    NUMBERS_IN_TURN = 100,
    NUMBERS_RANDOM = 10,
};

struct member *member_make(struct span directory, struct span name)
{
    struct member *member =
        calloc(1, sizeof *member + directory.len + 1 + name.len + MEMBER_ROOM + 1);

    if (member == NULL)
        return NULL;
    struct buffer path = buffer_make(member->path, directory.len + 1 + name.len);
    buffer_put_span(&path, directory);
    if (directory.len > 0)
        buffer_put_char(&path, '/');
    buffer_put_span(&path, name);
    member->stage = STAGE_NONE;
    member->file = FILE_NONE;
    return member;
}

void member_free_all(struct member *first)
{
    while (first != NULL) {
        struct member *next = first->next;
        stage_discard(&first->stage);
        free(first);
        first = next;
    }
}

static struct span make_up(struct span content_type, char out[static FILE_NAME_LIMIT])
{
    unsigned char random[NAME_RANDOM];
    struct buffer name = buffer_make(out, FILE_NAME_LIMIT);

    if (!random_fill(random, sizeof random))
        return SPAN_EMPTY;
    hex_encode(out, random, sizeof random);
    name.len = 2 * sizeof random;
    buffer_put_span(&name, media_type_extension(content_type));
    return buffer_span(&name);
}

struct span member_name(struct span wish, struct span content_type,
                        char out[static FILE_NAME_LIMIT])
{
    struct span name = file_name_safe(wish, out);

    return name.len > 0 ? name : make_up(content_type, out);
}

/* Decodes as much as fits into a name anyway. "%" that is not followed by two digits stays. */
static struct span decode(struct span s, char *out, size_t cap)
{
    size_t len = 0;

    for (size_t i = 0; i < s.len && len < cap; i++) {
        unsigned char byte;
        if (s.ptr[i] == '%' && i + 2 < s.len && hex_decode(span_make(s.ptr + i + 1, 2), &byte, 1)) {
            out[len++] = (char)byte;
            i += 2;
        } else {
            out[len++] = s.ptr[i];
        }
    }
    return span_make(out, len);
}

struct span member_name_of_slug(struct span slug, struct span content_type,
                                char out[static FILE_NAME_LIMIT])
{
    char text[4 * FILE_NAME_LIMIT], safe[FILE_NAME_LIMIT];
    struct span extension = media_type_extension(content_type);
    /* A title may have a slash in it, which says nothing about where the file is to be. */
    struct span wish = decode(slug, text, sizeof text);
    bool charset;

    for (size_t i = 0; i < wish.len; i++)
        if (text[i] == '/' || text[i] == '\\')
            text[i] = '-';
    struct span name = file_name_safe(wish, safe);
    if (name.len == 0)
        return make_up(content_type, out);
    if (content_type.ptr == NULL || span_equal(extension, SPAN(".bin")) ||
        media_type_equal(media_type_of(NULL, name, &charset), content_type))
        return file_name_safe(name, out);
    struct buffer longer = BUFFER_OVER(text);
    buffer_put_span(&longer, name);
    buffer_put_span(&longer, extension);
    return file_name_safe(buffer_span(&longer), out);
}

/* A path that no target can hold would lead to a file that nobody can ask for. */
static enum fs_result publish_reachable(struct stage *stage, const struct docroot *root,
                                        const char *path, const struct write_terms *terms,
                                        struct published *published)
{
    *published = (struct published){.file = FILE_NONE};
    if (strlen(path) >= TARGET_PATH_LIMIT)
        return FS_NAME_TOO_LONG;
    return publish_stage(stage, root, path, terms, published);
}

/* Whether something stands in the way that has that name, and another name would do. */
static bool is_taken(enum fs_result result)
{
    /* The last two: a FIFO or the like, and a link that leads nowhere. */
    return result == FS_EXISTS || result == FS_NOT_SERVED || result == FS_NOT_FOUND;
}

enum fs_result member_publish(struct stage *stage, const struct docroot *root, char *path,
                              bool sync, struct published *published)
{
    const struct write_terms terms = {.condition = WRITE_IF_ABSENT, .sync = sync};
    char *slash = strrchr(path, '/');
    char *name = slash != NULL ? slash + 1 : path;
    char wish[FILE_NAME_LIMIT], numbered[FILE_NAME_LIMIT];
    size_t wish_len = strlen(name);
    enum fs_result result = publish_reachable(stage, root, path, &terms, published);

    if (wish_len > sizeof wish)
        return result;
    memcpy(wish, name, wish_len);
    for (unsigned i = 2; i <= NUMBERS_IN_TURN + NUMBERS_RANDOM && is_taken(result); i++) {
        unsigned n = i;
        if (i > NUMBERS_IN_TURN && !random_fill(&n, sizeof n))
            break;
        struct span next = file_name_numbered(span_make(wish, wish_len), n, numbered);
        memcpy(name, next.ptr, next.len);
        name[next.len] = '\0';
        result = publish_reachable(stage, root, path, &terms, published);
    }
    return result;
}
