/*
 * A whole connection: any bytes from a client, in pieces, through the same turns that a worker
 * takes, over a socket whose other end is ours. The directory is a real one, and requests may
 * change it; what they made is removed after each input, so that an input means the same whenever
 * it comes.
 *
 * The first byte says how the rest is cut: 0 in one piece, otherwise into so many bytes each.
 */

#include "fuzz/fuzz.h"

#include "base/clock.h"
#include "server/exchange.h"
#include "server/worker.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TURNS = 20000, /* no input of a fuzzer's length needs more */
    PIECES = 64,   /* the last is the longest */
    ANSWER_LIMIT = 1 << 16,
};

static char directory[] = "/tmp/httpd-fuzz.XXXXXX";
static int root_fd;
static struct server server;
static struct worker *worker;

static void make_file(const char *name, const char *bytes, size_t len)
{
    int fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    FUZZ_CHECK(fd != -1 && write(fd, bytes, len) == (ssize_t)len);
    close(fd);
}

static bool is_kept(const char *path)
{
    static const char *const kept[] = {"",
                                       "/a.txt",
                                       "/b",
                                       "/b/c.html",
                                       "/.httpd",
                                       "/.httpd/key",
                                       "/.httpd/uploads",
                                       "/.httpd/transfers"};

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (strcmp(path + sizeof directory - 1, kept[i]) == 0)
            return true;
    return false;
}

static int remove_stranger(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    if (!is_kept(path))
        remove(path);
    return 0;
}

static int remove_any(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_directory(void)
{
    nftw(directory, remove_any, 16, FTW_DEPTH | FTW_PHYS);
}

static void furnish(void)
{
    static const char text[] = "0123456789 a file that is served";
    static bool made;

    if (!made) {
        FUZZ_CHECK(mkdtemp(directory) != NULL);
        root_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        atexit(remove_directory);
        made = true;
    }
    nftw(directory, remove_stranger, 16, FTW_DEPTH | FTW_PHYS);
    mkdirat(root_fd, "b", 0755);
    make_file("a.txt", text, sizeof text - 1);
    make_file("b/c.html", text, sizeof text - 1);
}

static void start(void)
{
    static const char *const nowhere[] = {"/dev/null"};
    static const uint8_t secret[CLIENT_ID_SECRET_LEN] = "not a secret";
    static struct options options;
    static char *words[] = {(char *)"httpd", (char *)"--no-fsync", (char *)"-t", (char *)"1", NULL};
    struct docroot root;

    furnish();
    FUZZ_CHECK(options_parse(&options, 4, words) == OPTIONS_RUN);
    server = (struct server){.options = &options,
                             .docroot_path = directory,
                             .loopback_only = true,
                             .sandbox = {.off = "this is no server"}};
    FUZZ_CHECK(docroot_open(&root, directory) == FS_OK);
    FUZZ_CHECK(state_open(&server.state, &root, NULL) == FS_OK);
    docroot_close(&root);
    server.resumes = true;
    client_id_key_derive(&server.ids, secret);
    FUZZ_CHECK(connection_table_init(&server.connections, 4) == 0);
    FUZZ_CHECK(watch_init(&server.watch, &server.connections) == 0);
    FUZZ_CHECK(queue_init(&server.queue, &server.watch, 4, 1, eventfd(0, EFD_NONBLOCK)) == 0);
    FUZZ_CHECK(access_log_open(&server.log, LOG_FORMAT_JSON, nowhere, 1) == NULL);
    FUZZ_CHECK(access_log_start(&server.log, &server.sandbox) == 0);
    FUZZ_CHECK(cache_init(&server.cache, options.cache) == 0);
    server.counters = aligned_alloc(128, 2 * sizeof *server.counters);
    worker = calloc(1, sizeof *worker);
    FUZZ_CHECK(server.counters != NULL && worker != NULL);
    memset(server.counters, 0, 2 * sizeof *server.counters);
    FUZZ_CHECK(worker_prepare(worker, &server, 0));
}

/* Takes what has been answered, of which the beginning is kept. */
static void read_answers(int peer, char *answer, size_t *len)
{
    char more[4096];
    ssize_t n;

    while ((n = recv(peer, more, sizeof more, MSG_DONTWAIT)) > 0) {
        size_t room = ANSWER_LIMIT - *len, taken = (size_t)n < room ? (size_t)n : room;
        memcpy(answer + *len, more, taken);
        *len += taken;
    }
}

/* Takes turns until the client has to move. Whether it is over. */
static bool take_turns(struct connection *c, int peer, char *answer, size_t *len)
{
    for (unsigned i = 0; i < TURNS; i++) {
        worker->now_us = clock_us();
        worker->now_ms = clock_ms();
        worker->connection = c;
        enum turn turn = c->expired ? c->protocol->expire(worker, c) : c->protocol->turn(worker, c);
        size_t before = *len;
        read_answers(peer, answer, len);
        if (turn == TURN_CLOSE || turn == TURN_LINGER)
            return true;
        if (turn == TURN_PARK && *len == before)
            return false;
    }
    FUZZ_CHECK(!"it comes to an end");
    return true;
}

static bool say(struct connection *c, int peer, const char *bytes, size_t len)
{
    ssize_t n = send(peer, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    c->readable = true;
    return n == (ssize_t)len;
}

static void converse(struct connection *c, int peer, const uint8_t *data, size_t size, char *answer,
                     size_t *len)
{
    size_t step = data[0] > 0 ? data[0] : size, at = 1;

    for (unsigned i = 0; at < size; i++) {
        size_t piece = i + 1 == PIECES || step > size - at ? size - at : step;
        if (!say(c, peer, (const char *)data + at, piece))
            return;
        at += piece;
        if (take_turns(c, peer, answer, len))
            return;
    }
    shutdown(peer, SHUT_WR);
    c->readable = c->peer_ended = true;
    if (take_turns(c, peer, answer, len))
        return;
    /* It still waits for something: its time is over. */
    c->expired = true;
    c->deadline = 0;
    take_turns(c, peer, answer, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char answer[ANSWER_LIMIT];
    static bool started;
    size_t len = 0;
    int ends[2];

    if (size == 0 || size > 60000)
        return 0;
    if (!started)
        start();
    started = true;
    FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    struct address nobody = {.len = sizeof nobody.v4};
    nobody.v4.sin_family = AF_INET;
    nobody.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct connection *c = connection_open(&server.connections, ends[0], &nobody, &http_protocol);
    FUZZ_CHECK(c != NULL);
    connection_enter(c, PHASE_IDLE, clock_ms());
    connection_set_deadline(c, clock_ms() + 1000);
    converse(c, ends[1], data, size, answer, &len);
    connection_close(&server.connections, c);
    close(ends[1]);
    FUZZ_CHECK(connection_count(&server.connections) == 0);

    /* An answer of HTTP, or the bare content of a simple request, which is a GET. */
    bool simple = size > 4 && memmem(data + 1, size - 1, "GET ", 4) != NULL;
    FUZZ_CHECK(len == 0 || simple || (len > 9 && memcmp(answer, "HTTP/1.1 ", 9) == 0));
    if (len > 9 && memmem(answer, len, " 20", 3) != NULL)
        furnish();
    return 0;
}
