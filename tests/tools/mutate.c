/*
 * mutate: valid requests, damaged, in great number.
 *
 *   mutate [-s SEED] [-j CLIENTS] [-i INDEX] PORT COUNT PATH
 *
 * Sends COUNT requests to 127.0.0.1:PORT, CLIENTS (8) at a time. Each is made from a few valid ones
 * by flipped bits, splices, cuts, repeats and bytes that a parser stumbles over, and depends on
 * SEED and its own number alone: `-i INDEX` prints that one and sends nothing. Each connection is
 * ended in one of the ways in which clients end them; one that closed its sending side must be
 * closed by the server too. After every 500 requests PATH is asked for as an honest client would,
 * and must be answered with 200.
 *
 * Prints "sent N hung N unanswered N seed S"; exit status 0 when none hung and all were answered.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST_ROOM = 65536,
    PROBE_EVERY = 500,
    CLOSE_LIMIT_MS = 60000, /* longer than any deadline of the server: a hang, not a slow answer */
    CLIENTS_LIMIT = 64,
};

/* What browsers and tools send, and the forms that few of them do. */
static const char *const valid[] = {
    "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: mutate/1\r\nAccept: text/html,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, br;q=0.5, zstd\r\nConnection: keep-alive\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nRange: bytes=0-9,20-29,-5\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: [::1]\r\nRange: bytes=100-\r\nIf-Range: "
    "\"1-2-3\"\r\nIf-None-Match: W/\"a\", \"b,c\", *\r\n\r\n",
    "HEAD /dir/ HTTP/1.1\r\nHost: localhost\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
    "If-Unmodified-Since: Sunday, 06-Nov-94 08:49:37 GMT\r\nIf-Match: \"x\"\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nMax-Forwards: 0\r\n\r\n",
    "GET http://localhost/dir/%7Euser/%41b?x=1&y=%20 HTTP/1.1\r\nHost: localhost\r\nTE: "
    "trailers\r\n\r\n",
    "POST /dir HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\nContent-Type: "
    "application/json\r\n\r\n{\"a\": \"b\"}\n",
    "PUT /put.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n"
    "Expect: 100-continue\r\n\r\n5;a=\"b\"\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nX-Sum: "
    "1\r\n\r\n",
    "GET /dir HTTP/1.0\r\nConnection: Keep-Alive, close\r\nReferer: "
    "http://localhost/\"quoted\"\r\n\r\n",
    "GET /a.txt\r\n",
    "DELETE /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n",
    "POST /dir/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; "
    "boundary=xyz\r\nContent-Length: 118\r\n\r\n--xyz\r\nContent-Disposition: form-data; "
    "name=\"f\"; filename=\"n.txt\"\r\nContent-Type: text/plain\r\n\r\nhello world\r\n--xyz--\r\n",
    "PATCH /up HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: 3\r\n"
    "Content-Type: application/offset+octet-stream\r\nContent-Length: 3\r\n\r\nabc",
    "GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nCookie: a=b; c=d\r\n"
    "Authorization: Basic dXNlcjpwYXNz\r\n\r\n",
};
enum { VALID_COUNT = sizeof valid / sizeof valid[0] };

/* What a parser stumbles over. */
static const struct {
    const char *bytes;
    size_t len;
} thorns[] = {
#define THORN(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }
    THORN("\r\n"),
    THORN("\r"),
    THORN("\n"),
    THORN("\0"),
    THORN(" "),
    THORN("\t"),
    THORN(":"),
    THORN("%"),
    THORN("%00"),
    THORN("%2e%2e%2f"),
    THORN("/../"),
    THORN("//"),
    THORN("\r\n\r\n"),
    THORN("\xff"),
    THORN("\x7f"),
    THORN("\""),
    THORN(","),
    THORN("-"),
    THORN("HTTP/1.1"),
    THORN("HTTP/9.9"),
    THORN("99999999999999999999"),
    THORN("Content-Length: 5\r\n"),
    THORN("Transfer-Encoding: chunked\r\n"),
    THORN("Transfer-Encoding: gzip\r\n"),
    THORN("Host: x\r\n"),
    THORN("Connection: close\r\n"),
    THORN("Range: bytes=0-0,2-2,4-4,6-6\r\n"),
    THORN("Expect: 100-continue\r\n"),
    THORN("0\r\n\r\n"),
    THORN("ffffffffffffffff\r\n"),
#undef THORN
};
enum { THORN_COUNT = sizeof thorns / sizeof thorns[0] };

struct job {
    uint16_t port;
    uint64_t seed, count;
    const char *path;
    atomic_ullong next, hung, unanswered;
};

struct text {
    size_t len;
    char bytes[REQUEST_ROOM];
};

/* SplitMix64: every seed is a good one, so each request can have its own. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t limit)
{
    return limit == 0 ? 0 : (size_t)(next_random(state) % limit);
}

static void insert(struct text *text, size_t at, const char *bytes, size_t len)
{
    if (text->len + len > REQUEST_ROOM)
        return;
    memmove(text->bytes + at + len, text->bytes + at, text->len - at);
    memcpy(text->bytes + at, bytes, len);
    text->len += len;
}

static void remove_bytes(struct text *text, size_t at, size_t len)
{
    memmove(text->bytes + at, text->bytes + at + len, text->len - at - len);
    text->len -= len;
}

static void mutate_once(struct text *text, uint64_t *random)
{
    size_t at = below(random, text->len), rest = text->len - at;
    const char *other = valid[below(random, VALID_COUNT)];
    char copy[2048];
    switch (below(random, 8)) {
    case 0: /* a bit flipped */
        if (rest > 0)
            text->bytes[at] = (char)(text->bytes[at] ^ (1 << below(random, 8)));
        break;
    case 1: /* any byte */
        if (rest > 0)
            text->bytes[at] = (char)next_random(random);
        break;
    case 2: /* a hole */ remove_bytes(text, at, below(random, rest < 40 ? rest + 1 : 40)); break;
    case 3: /* cut short */
        if (below(random, 4) == 0)
            text->len = at;
        break;
    case 4: /* a piece of another request */
        rest = strlen(other);
        other += below(random, rest);
        insert(text, at, other, below(random, strlen(other) + 1));
        break;
    case 5: { /* a piece again, now and then very often */
        size_t len = below(random, rest < sizeof copy ? rest + 1 : sizeof copy);
        size_t times = below(random, 20) == 0 ? 200 : 1;
        memcpy(copy, text->bytes + at, len);
        while (times-- > 0)
            insert(text, at, copy, len);
        break;
    }
    default: { /* twice as likely as the others */
        size_t i = below(random, THORN_COUNT);
        insert(text, at, thorns[i].bytes, thorns[i].len);
    }
    }
}

static void make_request(struct text *text, uint64_t seed, uint64_t index, uint64_t *random)
{
    *random = seed ^ (index * 0xd1342543de82ef95u);
    text->len = 0;
    for (size_t requests = 1 + (below(random, 4) == 0) * below(random, 4); requests > 0;
         requests--) {
        const char *request = valid[below(random, VALID_COUNT)];
        insert(text, text->len, request, strlen(request));
    }
    for (size_t changes = 1 + below(random, 5); changes > 0; changes--)
        mutate_once(text, random);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd != -1 && connect(fd, (struct sockaddr *)&address, sizeof address) == -1) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Reads to the end of the connection, or until the time is over. True when it ended. */
static bool drain(int fd)
{
    char block[65536];
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    for (;;) {
        if (poll(&ready, 1, CLOSE_LIMIT_MS) == 0)
            return false;
        if (recv(fd, block, sizeof block, 0) <= 0)
            return true;
    }
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

static bool send_request(struct job *job, const struct text *text, uint64_t *random)
{
    bool ended = true;
    int fd = connect_to(job->port);
    if (fd == -1)
        return false;
    /* In two segments, cut anywhere: the server sees a half and then the rest. */
    size_t cut = below(random, 3) == 0 ? below(random, text->len + 1) : text->len;
    if (send(fd, text->bytes, cut, MSG_NOSIGNAL) == (ssize_t)cut && cut < text->len)
        (void)send(fd, text->bytes + cut, text->len - cut, MSG_NOSIGNAL);
    switch (below(random, 8)) {
    case 0: reset(fd); break;
    case 1: break;
    default: shutdown(fd, SHUT_WR); ended = drain(fd);
    }
    close(fd);
    return ended;
}

static bool answers(struct job *job)
{
    char request[512], answer[13] = "";
    int fd = connect_to(job->port), len;
    if (fd == -1)
        return false;
    len = snprintf(request, sizeof request,
                   "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", job->path);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    bool good = send(fd, request, (size_t)len, MSG_NOSIGNAL) == len &&
                poll(&ready, 1, CLOSE_LIMIT_MS) > 0 &&
                recv(fd, answer, sizeof answer - 1, MSG_WAITALL) == sizeof answer - 1 &&
                strcmp(answer, "HTTP/1.1 200") == 0;
    close(fd);
    return good;
}

static void *client(void *argument)
{
    struct job *job = argument;
    struct text *text = malloc(sizeof *text);
    uint64_t random, index;
    while (text != NULL && (index = atomic_fetch_add(&job->next, 1)) < job->count) {
        make_request(text, job->seed, index, &random);
        if (!send_request(job, text, &random)) {
            atomic_fetch_add(&job->hung, 1);
            fprintf(stderr, "mutate: request %llu of seed %llu was never ended by the server\n",
                    (unsigned long long)index, (unsigned long long)job->seed);
        }
        if (index % PROBE_EVERY == PROBE_EVERY - 1 && !answers(job))
            atomic_fetch_add(&job->unanswered, 1);
        if (job->hung + job->unanswered > 20)
            break; /* the server is lost; more would say no more */
    }
    free(text);
    return NULL;
}

int main(int argc, char **argv)
{
    struct job job = {.seed = (uint64_t)time(NULL)};
    unsigned clients = 8;
    bool print = false;
    uint64_t index = 0;
    int option;
    while ((option = getopt(argc, argv, "s:j:i:")) != -1) {
        switch (option) {
        case 's': job.seed = strtoull(optarg, NULL, 10); break;
        case 'j': clients = (unsigned)strtoul(optarg, NULL, 10); break;
        case 'i': print = true, index = strtoull(optarg, NULL, 10); break;
        default: return 2;
        }
    }
    if (print) {
        static struct text text;
        uint64_t random;
        make_request(&text, job.seed, index, &random);
        return fwrite(text.bytes, 1, text.len, stdout) == text.len ? 0 : 1;
    }
    if (argc - optind != 3 || clients == 0 || clients > CLIENTS_LIMIT) {
        fprintf(stderr, "usage: mutate [-s SEED] [-j CLIENTS] [-i INDEX] PORT COUNT PATH\n");
        return 2;
    }
    job.port = (uint16_t)strtoul(argv[optind], NULL, 10);
    job.count = strtoull(argv[optind + 1], NULL, 10);
    job.path = argv[optind + 2];

    pthread_t threads[CLIENTS_LIMIT];
    unsigned started = 0;
    while (started < clients && pthread_create(&threads[started], NULL, client, &job) == 0)
        started++;
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (!answers(&job))
        atomic_fetch_add(&job.unanswered, 1);
    uint64_t sent = job.next < job.count ? job.next : job.count;
    printf("sent %llu hung %llu unanswered %llu seed %llu\n", (unsigned long long)sent,
           (unsigned long long)job.hung, (unsigned long long)job.unanswered,
           (unsigned long long)job.seed);
    return job.hung + job.unanswered == 0 && sent == job.count ? 0 : 1;
}
