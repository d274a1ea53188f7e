#include "fs/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Arrays begin at this size and double. */
enum { FIRST_ENTRIES = 64, FIRST_NAME_BYTES = 2048 };

/* A listing being read, and what is needed to follow its links. */
struct reading {
    const struct docroot *root;
    const char *path;
    int directory_fd;
    struct listing *listing;
    size_t entries_cap;
    size_t names_cap;
};

/* Makes room for `needed` items of `size` bytes; false when there is no memory. */
static bool make_room(void **array, size_t *cap, size_t needed, size_t size, size_t first)
{
    size_t wanted = *cap == 0 ? first : *cap;
    void *moved;

    if (needed <= *cap)
        return true;
    while (wanted < needed)
        wanted *= 2;
    moved = reallocarray(*array, wanted, size);
    if (moved == NULL)
        return false;
    *array = moved;
    *cap = wanted;
    return true;
}

static enum fs_result append(struct reading *r, const char *name, const struct file *file)
{
    struct listing *l = r->listing;
    size_t len = strlen(name);
    void *entries = l->entries;
    void *names = l->names;
    bool room;

    if (l->names_len + len >= UINT32_MAX)
        return FS_NO_MEMORY;
    room = make_room(&entries, &r->entries_cap, l->count + 1, sizeof(*l->entries), FIRST_ENTRIES);
    l->entries = entries;
    room = room && make_room(&names, &r->names_cap, l->names_len + len + 1, 1, FIRST_NAME_BYTES);
    l->names = names;
    if (!room)
        return FS_NO_MEMORY;

    l->entries[l->count++] = (struct listing_entry){
        .name_at = (uint32_t)l->names_len,
        .name_len = (uint16_t)len,
        .directory = file->directory,
        .size = file->size,
        .mtime_s = file->mtime_s,
    };
    memcpy(l->names + l->names_len, name, len + 1);
    l->names_len += len + 1;
    return FS_OK;
}

/* What a link leads to, asked of the docroot, which knows how far links may lead. */
static enum fs_result describe_link(const struct reading *r, const char *name, struct file *file)
{
    char path[PATH_MAX];
    size_t dir_len = strlen(r->path);
    size_t name_len = strlen(name);

    if (dir_len == 0)
        return docroot_stat(r->root, name, file);
    if (dir_len + 1 + name_len >= sizeof(path))
        return FS_NAME_TOO_LONG;
    memcpy(path, r->path, dir_len);
    path[dir_len] = '/';
    memcpy(path + dir_len + 1, name, name_len + 1);
    return docroot_stat(r->root, path, file);
}

static enum fs_result describe_member(const struct reading *r, const char *name, struct file *file)
{
    struct stat st;

    if (fstatat(r->directory_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return fs_result_of_errno(errno);
    if (S_ISLNK(st.st_mode))
        return describe_link(r, name, file);
    return file_describe(file, &st);
}

static bool may_be_listed(const struct dirent *entry)
{
    switch (entry->d_type) {
    case DT_REG:
    case DT_DIR:
    case DT_LNK:
    case DT_UNKNOWN: return entry->d_name[0] != '.';
    default: return false;
    }
}

static enum fs_result read_entries(struct reading *r, DIR *directory)
{
    for (;;) {
        const struct dirent *entry;
        enum fs_result result;
        struct file file;

        errno = 0;
        entry = readdir(directory);
        if (entry == NULL)
            return fs_result_of_errno(errno);
        if (!may_be_listed(entry))
            continue;
        result = describe_member(r, entry->d_name, &file);
        if (result == FS_OK)
            result = append(r, entry->d_name, &file);
        /* What is broken is left out, be it a disk or a dead mount: the others can be had. What we
           lack is no property of the member, and the next list has it again. */
        if (result == FS_NO_MEMORY || result == FS_NO_DESCRIPTORS)
            return result;
    }
}

/* Opens the directory once more, so that the caller's descriptor keeps its position. */
static enum fs_result read_directory(struct reading *r)
{
    int fd = openat(r->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum fs_result result;
    DIR *directory;

    if (fd == -1)
        return errno == ENOTDIR ? FS_NOT_DIRECTORY : fs_result_of_errno(errno);
    directory = fdopendir(fd);
    if (directory == NULL) {
        close(fd);
        return FS_NO_MEMORY;
    }
    result = read_entries(r, directory);
    closedir(directory);
    return result;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at the front of *s, which moves behind them; *len counts those after leading zeros. */
static const char *cut_number(const char **s, size_t *len)
{
    const char *digits = *s;
    const char *end;

    while (*digits == '0')
        digits++;
    for (end = digits; is_digit(*end); end++)
        ;
    *len = (size_t)(end - digits);
    *s = end;
    return digits;
}

/*
 * An order on names that are sequences of numbers and other bytes. Names that differ in leading
 * zeros alone are equal in it, and then the bytes decide.
 */
static int compare_names(const char *a, const char *b)
{
    const char *whole_a = a;
    const char *whole_b = b;

    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) && is_digit(*b)) {
            size_t a_len;
            size_t b_len;
            const char *a_digits = cut_number(&a, &a_len);
            const char *b_digits = cut_number(&b, &b_len);
            int order;

            if (a_len != b_len)
                return a_len < b_len ? -1 : 1;
            order = memcmp(a_digits, b_digits, a_len);
            if (order != 0)
                return order;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    if (*a != *b)
        return *a == '\0' ? -1 : 1;
    return strcmp(whole_a, whole_b);
}

/* An order on the entries whose names lie at `names`. */
struct sorting {
    const char *names;
    enum listing_order order;
    bool descending;
};

static int compare_values(const struct listing_entry *a, const struct listing_entry *b,
                          const struct sorting *s)
{
    if (s->order == LISTING_BY_SIZE && !a->directory)
        return (a->size > b->size) - (a->size < b->size);
    if (s->order == LISTING_BY_TIME)
        return (a->mtime_s > b->mtime_s) - (a->mtime_s < b->mtime_s);
    return 0;
}

static int compare_entries(const void *left, const void *right, void *sorting)
{
    const struct listing_entry *a = left;
    const struct listing_entry *b = right;
    const struct sorting *s = sorting;
    int by_name;
    int by_value;

    if (a->directory != b->directory)
        return a->directory ? -1 : 1;
    by_value = compare_values(a, b, s);
    if (by_value != 0)
        return s->descending ? -by_value : by_value;
    by_name = compare_names(s->names + a->name_at, s->names + b->name_at);
    return s->descending && s->order == LISTING_BY_NAME ? -by_name : by_name;
}

void listing_sort(struct listing *listing, enum listing_order order, bool descending)
{
    struct sorting sorting = {listing->names, order, descending};

    if (listing->count > 1)
        qsort_r(listing->entries, listing->count, sizeof(*listing->entries), compare_entries,
                &sorting);
}

enum fs_result listing_read(struct listing *listing, const struct docroot *root, const char *path,
                            int directory_fd)
{
    struct reading r = {
        .root = root, .path = path, .directory_fd = directory_fd, .listing = listing};
    enum fs_result result;

    *listing = LISTING_EMPTY;
    result = read_directory(&r);
    if (result != FS_OK)
        listing_free(listing);
    else
        listing_sort(listing, LISTING_BY_NAME, false);
    return result;
}

void listing_free(struct listing *listing)
{
    free(listing->entries);
    free(listing->names);
    *listing = LISTING_EMPTY;
}
