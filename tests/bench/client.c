/*
 * The clients of the benchmark that no load generator has.
 *
 *   client latency PORT PATH SECONDS  one keep-alive connection, request after request, blocking
 *   client fresh PORT PATH N          N requests, each on a new connection, a few ms apart
 *   client hold PORT N                the same while 500 clients drip half a head, 200 ask for
 *                                     /10m and read nothing and 2000 sit idle on keep-alive
 *   client idle PORT N                holds N idle keep-alive connections until stdin ends
 *
 * Each prints one line of JSON. Times are in microseconds.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    DRIPPERS = 500,
    DEAF = 200,
    IDLE = 2000,
    DRIP_TICK_MS = 10,
    DRIP_EVERY_TICKS = 100, /* so each dripper sends one byte a second */
    FRESH_GAP_MS = 5,
    ANSWER_WAIT_S = 2, /* a request unanswered for this long counts as lost */
    LOST_MAX = 20,     /* and after so many there is no point in waiting for more */
    SAMPLES_MAX = 4 * 1024 * 1024,
    ANSWER_SIZE_MAX = 256 * 1024,
};

struct samples {
    double *us;
    size_t count;
    size_t lost;
};

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void sleep_ms(long ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&pause, NULL);
}

static int connect_to(in_port_t port, int receive_buffer)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = ANSWER_WAIT_S};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (receive_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool ask(int fd, const char *path, bool keep)
{
    char head[512];
    int len = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
                       keep ? "" : "Connection: close\r\n");
    return send(fd, head, (size_t)len, MSG_NOSIGNAL) == len;
}

/* The whole length of the answer in `bytes`, or 0 while its head is not complete. */
static size_t answer_len(const char *bytes, size_t len)
{
    static const char FIELD[] = "\r\ncontent-length:";
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    for (const char *at = bytes; at < end; at++)
        if (strncasecmp(at, FIELD, sizeof(FIELD) - 1) == 0)
            return (size_t)(end - bytes) + 4 + strtoul(at + sizeof(FIELD) - 1, NULL, 10);
    return (size_t)(end - bytes) + 4;
}

/* Reads exactly one answer; true when it is whole and a 200. */
static bool read_answer(int fd, char *bytes)
{
    size_t len = 0;
    size_t whole = 0;
    while (whole == 0 || len < whole) {
        ssize_t got = recv(fd, bytes + len, ANSWER_SIZE_MAX - len, 0);
        if (got <= 0)
            return false;
        len += (size_t)got;
        if (whole == 0)
            whole = answer_len(bytes, len);
        if (whole > ANSWER_SIZE_MAX)
            return false;
    }
    return len == whole && strncmp(bytes, "HTTP/1.1 200", 12) == 0;
}

static int ascending(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

static double percentile(const struct samples *samples, double part)
{
    if (samples->count == 0)
        return 0.0;
    return samples->us[(size_t)((double)(samples->count - 1) * part + 0.5)];
}

static void report(struct samples *samples, double seconds, const char *more)
{
    qsort(samples->us, samples->count, sizeof(samples->us[0]), ascending);
    printf("{\"requests\": %zu, \"seconds\": %.6f, \"errors\": %zu, \"p50\": %.2f, \"p99\": %.2f, "
           "\"max\": %.2f%s}\n",
           samples->count, seconds, samples->lost, percentile(samples, 0.50),
           percentile(samples, 0.99), percentile(samples, 1.0), more);
    fflush(stdout);
}

static void run_latency(in_port_t port, const char *path, double seconds, struct samples *samples,
                        char *bytes)
{
    int fd = connect_to(port, 0);
    double began = now_us();
    double last = began;
    while (fd != -1 && last - began < seconds * 1e6 && samples->count < SAMPLES_MAX) {
        if (!ask(fd, path, true) || !read_answer(fd, bytes)) {
            samples->lost++;
            break;
        }
        double now = now_us();
        samples->us[samples->count++] = now - last;
        last = now;
    }
    report(samples, (last - began) / 1e6, "");
    if (fd != -1)
        close(fd);
}

static void run_fresh(in_port_t port, const char *path, size_t count, struct samples *samples,
                      char *bytes)
{
    for (size_t i = 0; i < count && samples->lost < LOST_MAX; i++) {
        double began = now_us();
        int fd = connect_to(port, 0);
        if (fd != -1 && ask(fd, path, false) && read_answer(fd, bytes))
            samples->us[samples->count++] = now_us() - began;
        else
            samples->lost++;
        if (fd != -1)
            close(fd);
        sleep_ms(FRESH_GAP_MS);
    }
}

/* The crowd that must not be in anybody's way. */
struct crowd {
    in_port_t port;
    _Atomic bool over;
    int drippers[DRIPPERS];
    int deaf[DEAF];
    int idle[IDLE];
    size_t reopened; /* drippers that the server had closed and that came back */
};

static const char HALF_HEAD[] = "GET /1k HTTP/1.1\r\nHost: localhost\r\nX-Half: ";

static int open_dripper(in_port_t port)
{
    int fd = connect_to(port, 0);
    if (fd != -1)
        send(fd, HALF_HEAD, sizeof(HALF_HEAD) - 1, MSG_NOSIGNAL);
    return fd;
}

static int open_deaf(in_port_t port)
{
    int fd = connect_to(port, 4096);
    if (fd != -1)
        ask(fd, "/10m", true);
    return fd;
}

static int open_idle(in_port_t port, char *bytes)
{
    int fd = connect_to(port, 0);
    if (fd == -1 || !ask(fd, "/1k", true) || !read_answer(fd, bytes))
        return -1;
    return fd;
}

static void *drip(void *context)
{
    struct crowd *crowd = context;
    for (size_t tick = 0; !crowd->over; tick++) {
        for (size_t i = tick % DRIP_EVERY_TICKS; i < DRIPPERS; i += DRIP_EVERY_TICKS) {
            if (send(crowd->drippers[i], "x", 1, MSG_NOSIGNAL) == 1)
                continue;
            close(crowd->drippers[i]);
            crowd->drippers[i] = open_dripper(crowd->port);
            crowd->reopened++;
        }
        sleep_ms(DRIP_TICK_MS);
    }
    return NULL;
}

/* How many of these the server has neither closed nor sent anything more. */
static size_t still_open(const int *fds, size_t count)
{
    size_t open = 0;
    for (size_t i = 0; i < count; i++) {
        char byte;
        if (recv(fds[i], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -1 && errno == EAGAIN)
            open++;
    }
    return open;
}

static size_t hold_crowd(struct crowd *crowd, char *bytes)
{
    size_t missing = 0;
    for (size_t i = 0; i < IDLE && missing < LOST_MAX; i++)
        missing += (crowd->idle[i] = open_idle(crowd->port, bytes)) == -1;
    for (size_t i = 0; i < DEAF && missing < LOST_MAX; i++)
        missing += (crowd->deaf[i] = open_deaf(crowd->port)) == -1;
    for (size_t i = 0; i < DRIPPERS && missing < LOST_MAX; i++)
        missing += (crowd->drippers[i] = open_dripper(crowd->port)) == -1;
    return missing;
}

static int run_hold(in_port_t port, size_t count, struct samples *samples, char *bytes)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    pthread_t dripping;
    char more[128];

    if (crowd == NULL)
        return 1;
    crowd->port = port;
    size_t missing = hold_crowd(crowd, bytes);
    if (pthread_create(&dripping, NULL, drip, crowd) != 0) {
        free(crowd);
        return 1;
    }
    double began = now_us();
    run_fresh(port, "/1k", count, samples, bytes);
    double seconds = (now_us() - began) / 1e6;
    crowd->over = true;
    pthread_join(dripping, NULL);
    snprintf(more, sizeof(more),
             ", \"missing\": %zu, \"idle_left\": %zu, \"drippers_left\": %zu, \"reopened\": %zu",
             missing, still_open(crowd->idle, IDLE), still_open(crowd->drippers, DRIPPERS),
             crowd->reopened);
    report(samples, seconds, more);
    free(crowd);
    return 0;
}

static int run_idle(in_port_t port, size_t count, char *bytes)
{
    size_t held = 0;
    for (size_t i = 0; i < count && i - held < LOST_MAX; i++)
        held += open_idle(port, bytes) != -1;
    printf("{\"held\": %zu}\n", held);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: client latency PORT PATH SECONDS | fresh PORT PATH N | hold PORT N | "
                    "idle PORT N\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return usage();
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    in_port_t port = (in_port_t)strtoul(argv[2], NULL, 10);
    struct samples samples = {.us = malloc(SAMPLES_MAX * sizeof(double))};
    char *bytes = malloc(ANSWER_SIZE_MAX);
    if (samples.us == NULL || bytes == NULL)
        return 1;
    if (strcmp(argv[1], "latency") == 0 && argc == 5) {
        run_latency(port, argv[3], strtod(argv[4], NULL), &samples, bytes);
        return 0;
    }
    if (strcmp(argv[1], "fresh") == 0 && argc == 5) {
        double began = now_us();
        run_fresh(port, argv[3], strtoul(argv[4], NULL, 10), &samples, bytes);
        report(&samples, (now_us() - began) / 1e6, "");
        return 0;
    }
    if (strcmp(argv[1], "hold") == 0)
        return run_hold(port, strtoul(argv[3], NULL, 10), &samples, bytes);
    if (strcmp(argv[1], "idle") == 0)
        return run_idle(port, strtoul(argv[3], NULL, 10), bytes);
    return usage();
}
