/*
 * The main of a fuzz target without a fuzzer: hands it every file named, and every file below every
 * directory named, once. For any compiler, and for a crash under a debugger.
 */

#include "fuzz/fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t replayed;

static void replay_file(int fd, size_t size, const char *path)
{
    uint8_t *data = malloc(size > 0 ? size : 1);
    size_t len = 0;

    if (data == NULL) {
        perror("replay");
        exit(1);
    }
    while (len < size) {
        ssize_t n = read(fd, data + len, size - len);
        if (n <= 0) {
            perror(path);
            exit(1);
        }
        len += (size_t)n;
    }
    /* The last line tells which input it was, when it is the last. */
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
}

static void replay(const char *path);

static void replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;

    if (directory == NULL) {
        perror(path);
        exit(1);
    }
    while ((entry = readdir(directory)) != NULL) {
        char below[4096];
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int)sizeof below)
            replay(below);
    }
    closedir(directory);
}

static void replay(const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY);

    if (fd == -1 || fstat(fd, &info) == -1) {
        perror(path);
        exit(1);
    }
    if (S_ISDIR(info.st_mode))
        replay_directory(path);
    else
        replay_file(fd, (size_t)info.st_size, path);
    close(fd);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%zu inputs\n", replayed);
    return replayed > 0 ? 0 : 1;
}
