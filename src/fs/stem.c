#include "fs/stem.h"

#include "base/span.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

static bool is_compressed_name(struct span name)
{
    return span_ends_with(name, SPAN(".br")) || span_ends_with(name, SPAN(".gz")) ||
           span_ends_with(name, SPAN(".zst"));
}

/*
 * Looks through the directory for the only "stem.*" and copies what follows the stem to
 * ext[0..cap). How many there are: 0, 1, or 2 for more. The descriptor is closed.
 */
static unsigned find_extension(int directory_fd, struct span stem, char *ext, size_t cap)
{
    unsigned matches = 0;
    struct dirent *entry;
    DIR *directory = fdopendir(directory_fd);

    if (directory == NULL) {
        close(directory_fd);
        return 2; /* as far as we know */
    }
    while (matches < 2 && (entry = readdir(directory)) != NULL) {
        struct span name = span_of(entry->d_name);
        if (name.len <= stem.len + 1 || name.ptr[stem.len] != '.' ||
            !span_starts_with(name, stem) || is_compressed_name(name) || name.len - stem.len >= cap)
            continue;
        memcpy(ext, name.ptr + stem.len, name.len - stem.len + 1);
        matches++;
    }
    closedir(directory);
    return matches;
}

static bool join(char *found, size_t cap, struct span path, const char *ext)
{
    size_t ext_len = strlen(ext);

    if (path.len + ext_len + 1 > cap)
        return false;
    memcpy(found, path.ptr, path.len);
    memcpy(found + path.len, ext, ext_len + 1);
    return true;
}

/* Opens `found`, if it is a file. */
static enum fs_result lookup_file(const struct docroot *root, const char *found, struct file *file)
{
    enum fs_result result = docroot_lookup(root, found, file);

    if (result == FS_OK && file->directory) {
        close(file->fd);
        *file = FILE_NONE;
        return FS_NOT_FOUND;
    }
    return result;
}

enum fs_result stem_lookup(const struct docroot *root, const char *path, char *found, size_t cap,
                           struct file *file)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    struct file directory = FILE_NONE;
    enum fs_result result;
    char ext[256];

    *file = FILE_NONE;
    found[0] = '\0';
    if (name[0] == '\0' || strchr(name, '.') != NULL)
        return FS_NOT_FOUND;
    if (join(found, cap, span_of(path), ".html") && lookup_file(root, found, file) == FS_OK)
        return FS_OK;

    /* The directory's own path stands in `found` for the while. */
    size_t parent_len = slash != NULL ? (size_t)(slash - path) : 0;
    if (!join(found, cap, span_make(path, parent_len), ""))
        return FS_NOT_FOUND;
    result = docroot_lookup(root, found, &directory);
    if (result != FS_OK) {
        if (result == FS_NOT_FOUND)
            found[0] = '\0';
        return FS_NOT_FOUND;
    }
    unsigned matches = find_extension(directory.fd, span_of(name), ext, sizeof ext);
    if (matches == 0)
        found[0] = '\0';
    if (matches != 1 || !join(found, cap, span_of(path), ext))
        return FS_NOT_FOUND;
    return lookup_file(root, found, file);
}
