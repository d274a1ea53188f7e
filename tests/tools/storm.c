/*
 * storm: clients that come and go in great numbers, and not all of them in order.
 *
 *   storm PORT churn N     N connections, each with a request, its whole answer, and an orderly end
 *   storm PORT open N      N connections that send nothing and are closed
 *   storm PORT reset N     N connections that are reset at once
 *   storm PORT half N      N connections with half a head, then closed, or reset, in turn
 *   storm PORT cut N       N downloads of /big, each reset after some kilobytes
 *   storm PORT pipe N      N requests over 8 connections, 500 in one piece
 *   storm PORT mixed N [SEED]
 *                          N requests of all kinds over 8 connections at a time, of which many die
 * in the middle of something
 *
 * The files /small (1,000 bytes) and /big (1,000,000 or more) must be there, and nothing named
 * /none; /put-0 to /put-7 are written and removed. Prints "answered A wrong W died D connections
 * C": requests whose answer had the status that belongs to it and came whole, those with another,
 * those whose client did not wait for it. Ends with status 0 when none was wrong. Everything goes
 * to 127.0.0.1.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    THREADS = 8,
    PIPELINED = 500, /* requests in one piece */
    BATCH = 16,      /* at most, of mixed kinds */
    TEXT_LIMIT = 64 * 1024,
    BUFFER = 256 * 1024,
    REPLY_LIMIT_S = 60,
};

struct kind {
    const char *text; /* # is the client's number */
    unsigned weight;
    int status, or_status; /* what is right */
    bool no_body;          /* the answer has none, whatever its Content-Length says */
};

static const struct kind kinds[] = {
    {"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n", 60, 200, 200, false},
    {"HEAD /small HTTP/1.1\r\nHost: localhost\r\n\r\n", 20, 200, 200, true},
    {"GET /small HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: *\r\n\r\n", 20, 304, 304, true},
    {"GET /small HTTP/1.1\r\nHost: localhost\r\nRange: bytes=10-19\r\n\r\n", 20, 206, 206, false},
    {"GET /small HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-1,5-9,-3\r\n\r\n", 5, 206, 206,
     false},
    {"GET /small HTTP/1.1\r\nHost: localhost\r\nRange: bytes=5000-\r\n\r\n", 5, 416, 416, false},
    {"GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n", 20, 404, 404, false},
    {"GET /sm%61ll?x=# HTTP/1.1\r\nHost: localhost\r\nX-Long: "
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n",
     10, 200, 200, false},
    {"OPTIONS /small HTTP/1.1\r\nHost: localhost\r\n\r\n", 5, 204, 200, false},
    {"BREW /small HTTP/1.1\r\nHost: localhost\r\n\r\n", 2, 501, 405, false},
    {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 2, 200, 200, false},
    {"GET /.uuid HTTP/1.1\r\nHost: localhost\r\n\r\n", 5, 200, 200, false},
    {"GET /big HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-99999\r\n\r\n", 1, 206, 206, false},
    {"PUT /put-# HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello world", 1, 201, 204,
     false},
    {"DELETE /put-# HTTP/1.1\r\nHost: localhost\r\n\r\n", 1, 204, 404, false},
};

enum { KINDS = sizeof kinds / sizeof *kinds };

struct client {
    pthread_t thread;
    uint16_t port;
    const char *mode;
    unsigned number;
    uint64_t wanted; /* requests or connections */
    uint64_t random;
    uint64_t answered, wrong, died, connections;
    char text[TEXT_LIMIT];
    char in[BUFFER];
    size_t at, len; /* of `in`: what was received and not looked at */
};

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "storm: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t next_random(struct client *c)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return c->random;
}

static int dial(struct client *c)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(c->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = REPLY_LIMIT_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

    if (fd == -1)
        fail("socket");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* Ports that the last ones left in TIME_WAIT run out when many come. */
    while (connect(fd, (struct sockaddr *)&address, sizeof address) == -1) {
        if (errno != EADDRNOTAVAIL)
            fail("connect");
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    c->at = c->len = 0;
    c->connections++;
    return fd;
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

static bool receive(struct client *c, int fd)
{
    if (c->at == c->len)
        c->at = c->len = 0;
    if (c->len == sizeof c->in) {
        memmove(c->in, c->in + c->at, c->len - c->at);
        c->len -= c->at;
        c->at = 0;
    }
    ssize_t n = recv(fd, c->in + c->len, sizeof c->in - c->len, 0);
    if (n <= 0)
        return false;
    c->len += (size_t)n;
    return true;
}

/* Reads up to the last chunk, behind which there is no trailer. */
static bool read_chunks(struct client *c, int fd)
{
    static const char last[] = "\r\n0\r\n\r\n";
    const char *end;

    while ((end = memmem(c->in + c->at, c->len - c->at, last, sizeof last - 1)) == NULL)
        if (!receive(c, fd))
            return false;
    c->at = (size_t)(end - c->in) + sizeof last - 1;
    return true;
}

/* One whole answer. Its status, or 0 when it did not come whole. */
static int read_answer(struct client *c, int fd, bool no_body)
{
    char *end;
    size_t seen = 0;

    while ((end = memmem(c->in + c->at + seen, c->len - c->at - seen, "\r\n\r\n", 4)) == NULL) {
        seen = c->len - c->at > 3 ? c->len - c->at - 3 : 0;
        if (!receive(c, fd))
            return 0;
    }
    const char *head = c->in + c->at;
    size_t head_len = (size_t)(end - head) + 4;
    int status = head_len > 12 ? (int)strtol(head + 9, NULL, 10) : 0;
    const char *length = memmem(head, head_len, "\r\nContent-Length: ", 18);
    uint64_t body = length != NULL && !no_body ? strtoull(length + 18, NULL, 10) : 0;
    bool chunked = memmem(head, head_len, "\r\nTransfer-Encoding: chunked", 28) != NULL;
    c->at += head_len;
    if (chunked && !no_body)
        return read_chunks(c, fd) ? status : 0;
    for (;;) {
        uint64_t here = c->len - c->at < body ? c->len - c->at : body;
        body -= here;
        c->at += (size_t)here;
        if (body == 0)
            return status;
        if (!receive(c, fd))
            return 0;
    }
}

static void judge(struct client *c, const struct kind *kind, int status)
{
    if (status == kind->status || status == kind->or_status) {
        c->answered++;
        return;
    }
    c->wrong++;
    if (c->wrong <= 3)
        fprintf(stderr, "storm: %d instead of %d for: %.40s\n", status, kind->status, kind->text);
}

static void churn(struct client *c)
{
    int fd = dial(c);
    int status = send_all(fd, kinds[0].text, strlen(kinds[0].text))
                     ? read_answer(c, fd, kinds[0].no_body)
                     : 0;

    judge(c, &kinds[0], status);
    close(fd);
}

static void come_and_go(struct client *c)
{
    static const char half[] = "GET /small HTTP/1.1\r\nHost: loc";
    static const char whole[] = "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = dial(c);
    bool in_order = strcmp(c->mode, "open") == 0;

    if (strcmp(c->mode, "half") == 0) {
        send_all(fd, half, sizeof half - 1);
        in_order = c->connections % 2 == 0;
    } else if (strcmp(c->mode, "cut") == 0) {
        send_all(fd, whole, sizeof whole - 1);
        receive(c, fd);
    }
    c->died++;
    if (in_order)
        close(fd);
    else
        reset(fd);
}

static void pipeline(struct client *c)
{
    const struct kind *kind = &kinds[c->connections % 2 == 0 ? 0 : 2];
    size_t one = strlen(kind->text), len = 0;
    int fd = dial(c);

    for (unsigned i = 0; i < PIPELINED; i++, len += one)
        memcpy(c->text + len, kind->text, one);
    /* The answers to all of them fit into the buffers between, so nobody waits for anybody. */
    if (!send_all(fd, c->text, len))
        c->wrong++;
    for (unsigned i = 0; i < PIPELINED; i++)
        judge(c, kind, read_answer(c, fd, kind->no_body));
    close(fd);
}

static const struct kind *draw(struct client *c)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < KINDS; i++)
        sum += kinds[i].weight;
    unsigned at = (unsigned)(next_random(c) % sum);
    for (unsigned i = 0;; at -= kinds[i++].weight)
        if (at < kinds[i].weight)
            return &kinds[i];
}

static size_t put_request(struct client *c, size_t len, const char *text)
{
    for (; *text != '\0' && len < sizeof c->text; text++)
        c->text[len++] = *text == '#' ? (char)('0' + c->number) : *text;
    return len;
}

/* Dies in the middle of the batch that was composed: after part of it was sent, or of the answers
 * read. */
static void die(struct client *c, int fd, size_t len, unsigned count)
{
    unsigned way = (unsigned)(next_random(c) % 4);

    send_all(fd, c->text, way < 2 && len > 0 ? next_random(c) % len : len);
    if (way == 3)
        receive(c, fd);
    c->died += count;
    if (next_random(c) % 2 == 0)
        reset(fd);
    else
        close(fd);
}

/* A connection with some batches of requests, whose client waits for all answers or dies. */
static void live(struct client *c)
{
    int fd = dial(c);
    unsigned batches = 1 + (unsigned)(next_random(c) % 60);
    bool dies = next_random(c) % 2 == 0;

    for (unsigned b = 0; b < batches; b++) {
        const struct kind *batch[BATCH];
        unsigned count = 1 + (unsigned)(next_random(c) % BATCH);
        size_t len = 0;
        for (unsigned i = 0; i < count; i++) {
            batch[i] = draw(c);
            len = put_request(c, len, batch[i]->text);
        }
        if (dies && b + 1 == batches) {
            die(c, fd, len, count);
            return;
        }
        if (!send_all(fd, c->text, len))
            c->wrong++;
        for (unsigned i = 0; i < count; i++)
            judge(c, batch[i], read_answer(c, fd, batch[i]->no_body));
    }
    close(fd);
}

static void *run(void *argument)
{
    struct client *c = argument;
    void (*act)(struct client *) = strcmp(c->mode, "churn") == 0   ? churn
                                   : strcmp(c->mode, "pipe") == 0  ? pipeline
                                   : strcmp(c->mode, "mixed") == 0 ? live
                                                                   : come_and_go;

    while (c->answered + c->wrong + c->died < c->wanted && c->wrong < 1000)
        act(c);
    return NULL;
}

int main(int argc, char **argv)
{
    uint64_t answered = 0, wrong = 0, died = 0, connections = 0;

    if (argc < 4) {
        fprintf(stderr, "usage: storm PORT churn|open|reset|half|cut|pipe|mixed N [SEED]\n");
        return 2;
    }
    uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    struct client *clients = calloc(THREADS, sizeof *clients);
    if (clients == NULL)
        fail("memory");
    for (unsigned i = 0; i < THREADS; i++) {
        struct client *c = &clients[i];
        c->port = (uint16_t)strtoul(argv[1], NULL, 10);
        c->mode = argv[2];
        c->number = i;
        c->wanted = (strtoull(argv[3], NULL, 10) + THREADS - 1) / THREADS;
        c->random = 0x9E3779B97F4A7C15u * (seed * THREADS + i + 1);
        if (pthread_create(&c->thread, NULL, run, c) != 0)
            fail("thread");
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(clients[i].thread, NULL);
        answered += clients[i].answered;
        wrong += clients[i].wrong;
        died += clients[i].died;
        connections += clients[i].connections;
    }
    free(clients);
    printf("answered %llu wrong %llu died %llu connections %llu\n", (unsigned long long)answered,
           (unsigned long long)wrong, (unsigned long long)died, (unsigned long long)connections);
    return wrong == 0 ? 0 : 1;
}
