#include "server/storage.h"

#include "base/log.h"
#include "base/random.h"
#include "resume/secret.h"
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int storage_find_docroot(struct server *server)
{
    struct stat st;
    const char *root = server->options->root;

    server->docroot_path = realpath(root, NULL);
    if (server->docroot_path == NULL) {
        log_error("cannot serve '%s': %m", root);
        return EXIT_USAGE;
    }
    if (stat(server->docroot_path, &st) == -1 || !S_ISDIR(st.st_mode)) {
        log_error("cannot serve '%s': it is not a directory", root);
        return EXIT_USAGE;
    }
    if (access(server->docroot_path, R_OK | X_OK) == -1) {
        log_error("cannot serve '%s': %m", root);
        return EXIT_USAGE;
    }
    return 0;
}

/* As realpath, but the last name need not exist yet. NULL when the rest does not. For free(). */
static char *real_path(const char *path)
{
    char *real = realpath(path, NULL);

    if (real != NULL || errno != ENOENT)
        return real;
    char *way = strdup(path), *last = strdup(path); /* dirname and basename write into theirs */
    char *parent = way != NULL && last != NULL ? realpath(dirname(way), NULL) : NULL;
    if (parent != NULL && asprintf(&real, "%s/%s", parent, basename(last)) == -1)
        real = NULL;
    free(parent);
    free(last);
    free(way);
    return real;
}

bool storage_is_served(const struct server *server, const char *path)
{
    struct span root = span_of(strcmp(server->docroot_path, "/") == 0 ? "" : server->docroot_path);
    char *real = real_path(path);
    bool inside = real != NULL && span_starts_with(span_of(real), root) &&
                  (real[root.len] == '/' || real[root.len] == '\0');
    bool hidden = inside && strstr(real + root.len, "/.") != NULL &&
                  !span_starts_with(span_of(real + root.len), SPAN("/.well-known/"));

    free(real);
    return inside && !hidden;
}

/* Reads the secret. One that is damaged can only be replaced: the ids made with it are forgotten,
   and better they than the service. */
static bool load_secret(int directory_fd, uint8_t secret[static CLIENT_ID_SECRET_LEN])
{
    if (secret_load(directory_fd, secret))
        return true;
    if (errno != EBADMSG)
        return false;
    log_warning(
        "the secret in the state directory (key) is damaged: making a new one, so client ids "
        "given before are not known any more; the old one is key.damaged");
    return renameat(directory_fd, "key", directory_fd, "key.damaged") == 0 &&
           secret_load(directory_fd, secret);
}

/* A number for this boot of the machine, the same in all its processes; a random one where the
   kernel does not tell, which is then nobody else's. */
static bool name_boot(uint64_t *boot)
{
    static const uint8_t key[SIPHASH_KEY_LEN] = "httpd boot";
    char id[64];
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd != -1 ? read(fd, id, sizeof id) : -1;

    if (fd != -1)
        close(fd);
    if (n <= 0)
        return random_fill(boot, sizeof *boot);
    *boot = siphash24(key, id, (size_t)n);
    return true;
}

/* Opens the server's own directory, and reads the secret there. FS_OK, or why it cannot be used. */
static enum fs_result open_state_directory(struct server *server)
{
    uint8_t secret[CLIENT_ID_SECRET_LEN];
    struct docroot root;
    enum fs_result result = docroot_open(&root, server->docroot_path);

    if (result != FS_OK)
        return result;
    result = state_open(&server->state, &root, server->state_path);
    server->state_inode = root.inode;
    docroot_close(&root);
    if (result != FS_OK)
        return result;
    if (!load_secret(server->state.fd, secret) || !name_boot(&server->boot) ||
        !random_fill(&server->instance, sizeof server->instance)) {
        result = fs_result_of_errno(errno);
        state_close(&server->state);
        return result;
    }
    client_id_key_derive(&server->ids, secret);
    server->resumes = true;
    return FS_OK;
}

int storage_open_state(struct server *server)
{
    const struct options *o = server->options;
    const char *place = o->state != NULL ? o->state : o->root;

    if (server->state_path != NULL && storage_is_served(server, server->state_path)) {
        log_error("--state: '%s' would be served with the other files: keep it elsewhere", place);
        return EXIT_USAGE;
    }
    enum fs_result result = open_state_directory(server);
    if (result == FS_READ_ONLY || result == FS_DENIED) {
        log_notice("read-only, and downloads cannot be resumed by id: cannot write in %s (%s)",
                   place, fs_result_text(result));
        server->read_only = true;
    } else if (result != FS_OK) {
        log_error("cannot use the state directory in %s: %s", place, fs_result_text(result));
        return EXIT_USAGE;
    }
    return 0;
}
