/*
 * crowd: many clients at once.
 *
 *   crowd PORT idle N          N connections that asked once, were answered, and stay
 *   crowd PORT half N          N connections that sent half a head, and a byte more each second
 *   crowd PORT stall N PATH    N connections that ask for PATH and read nothing
 *   crowd PORT fresh N PATH    N requests for PATH one after the other, each on a connection of its
 * own
 *
 * The first three print "ready N" once all stand, and hold until they are ended (or five minutes
 * have passed). The last prints "answered A of N p50 US p99 US max US" and ends; an answer is a
 * whole 200. Everything goes to 127.0.0.1.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HOLD_S = 300, REPLY_LIMIT_S = 60 };

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int connect_to(uint16_t port, int receive_buffer)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        fail("socket");
    if (receive_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    struct timeval limit = {.tv_sec = REPLY_LIMIT_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == -1)
        fail("connect");
    return fd;
}

static void send_text(int fd, const char *text)
{
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        fail("send");
}

/* The head of an answer to HEAD: everything up to the empty line. */
static void read_head(int fd)
{
    char head[8192];
    size_t len = 0;
    while (len < sizeof head) {
        ssize_t got = recv(fd, head + len, sizeof head - len, 0);
        if (got <= 0)
            fail("an idle connection was not answered");
        len += (size_t)got;
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            return;
    }
}

static void drip_for_ever(const int *fds, int count)
{
    time_t end = time(NULL) + HOLD_S;
    while (time(NULL) < end) {
        sleep(1);
        /* One that the server gave up on is its right. */
        for (int i = 0; i < count; i++)
            (void)send(fds[i], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static void hold(uint16_t port, const char *mode, int count, const char *path)
{
    int *fds = calloc((size_t)count, sizeof *fds);
    char request[512];
    bool idle = strcmp(mode, "idle") == 0, half = strcmp(mode, "half") == 0;
    if (fds == NULL)
        fail("memory");
    snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\n%s",
             idle ? "HEAD" : "GET", path, half ? "X-Slow: " : "\r\n");
    for (int i = 0; i < count; i++) {
        /* A small window, so that a stalled reader is a stalled server early. */
        fds[i] = connect_to(port, idle || half ? 0 : 4096);
        send_text(fds[i], request);
        if (idle)
            read_head(fds[i]);
    }
    printf("ready %d\n", count);
    fflush(stdout);
    if (half)
        drip_for_ever(fds, count);
    else
        sleep(HOLD_S);
    free(fds);
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A whole answer of status 200: as many bytes behind the head as Content-Length says. */
static bool read_answer(int fd)
{
    static char answer[1 << 20];
    size_t len = 0;
    ssize_t got;
    while (len < sizeof answer - 1 &&
           (got = recv(fd, answer + len, sizeof answer - 1 - len, 0)) > 0)
        len += (size_t)got;
    answer[len] = '\0';
    const char *end = strstr(answer, "\r\n\r\n"),
               *length = strcasestr(answer, "\r\nContent-Length:");
    if (strncmp(answer, "HTTP/1.1 200 ", 13) != 0 || end == NULL || length == NULL)
        return false;
    return strtoull(length + 17, NULL, 10) == len - (size_t)(end + 4 - answer);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void ask_fresh(uint16_t port, int count, const char *path)
{
    int64_t *took = calloc((size_t)count, sizeof *took);
    int answered = 0;
    char request[512];
    if (took == NULL || count == 0)
        fail("memory");
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    for (int i = 0; i < count; i++) {
        int64_t start = now_us();
        int fd = connect_to(port, 0);
        send_text(fd, request);
        answered += read_answer(fd);
        close(fd);
        took[i] = now_us() - start;
    }
    qsort(took, (size_t)count, sizeof *took, by_value);
    printf("answered %d of %d p50 %lld p99 %lld max %lld\n", answered, count,
           (long long)took[count / 2], (long long)took[(count - 1) * 99 / 100],
           (long long)took[count - 1]);
    free(took);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: crowd PORT idle|half|stall|fresh N [PATH]\n");
        return 2;
    }
    uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
    int count = (int)strtol(argv[3], NULL, 10);
    const char *path = argc > 4 ? argv[4] : "/";
    raise_descriptor_limit();
    if (strcmp(argv[2], "fresh") == 0)
        ask_fresh(port, count, path);
    else
        hold(port, argv[2], count, path);
    return 0;
}
