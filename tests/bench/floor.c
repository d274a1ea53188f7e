/*
 * The floor of `make bench`: what this machine charges for an HTTP request when the server does
 * nothing at all. One thread, one epoll loop, no file, no log, no parsing beyond the path: it finds
 * the prepared answer by name, sends it, and goes on. Nobody should run this; it only says how much
 * of a server's figure is the kernel's.
 *
 *   floor PORT DOCROOT     answers /1k, /100k and /many/... as files of that size would be answered
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_SIZE_MAX = 4096,
    EVENTS_MAX = 512,
};

enum ending {
    ENDING_KEEP,
    ENDING_CLOSE,
    ENDINGS,
};

struct answer {
    const char *path; /* a request whose target starts with this gets the answer */
    const char *status;
    size_t body_len;
    char *bytes[ENDINGS];
    size_t len[ENDINGS];
};

static const char FIELDS[] = "Server: floor\r\n"
                             "Date: Sat, 21 Nov 2026 00:00:00 GMT\r\n"
                             "Content-Type: application/octet-stream\r\n"
                             "Last-Modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n"
                             "ETag: \"0123456789abcdef\"\r\n"
                             "Accept-Ranges: bytes\r\n";

static const char CLOSE[] = "Connection: close";

static bool prepare(struct answer *answer, enum ending ending)
{
    char *bytes = calloc(1, HEAD_SIZE_MAX + answer->body_len);
    if (bytes == NULL)
        return false;
    int head_len =
        snprintf(bytes, HEAD_SIZE_MAX, "HTTP/1.1 %s\r\n%s%s%sContent-Length: %zu\r\n\r\n",
                 answer->status, FIELDS, ending == ENDING_CLOSE ? CLOSE : "",
                 ending == ENDING_CLOSE ? "\r\n" : "", answer->body_len);
    memset(bytes + head_len, 'x', answer->body_len);
    answer->bytes[ending] = bytes;
    answer->len[ending] = (size_t)head_len + answer->body_len;
    return true;
}

static bool mentions(const char *head, size_t len, const char *word)
{
    return memmem(head, len, word, strlen(word)) != NULL;
}

static const struct answer *find(const struct answer *answers, const char *head, size_t len)
{
    const char *path = head + strlen("GET ");
    const struct answer *answer = answers;

    while (answer->path[0] != '\0' && strncmp(path, answer->path, strlen(answer->path)) != 0)
        answer++;
    /* The row before the first is the 304, for whoever sends a condition. */
    return mentions(head, len, "If-None-Match:") ? answers - 1 : answer;
}

/* Sends all of it, waiting in the call when the socket is full: a floor has no slow clients. */
static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

/* False when the connection is at its end. A request arrives whole, as the load generators send it.
 */
static bool serve(int fd, const struct answer *answers)
{
    char head[HEAD_SIZE_MAX];
    ssize_t len = recv(fd, head, sizeof(head) - 1, MSG_DONTWAIT);
    if (len == -1)
        return errno == EAGAIN;
    if (len < (ssize_t)strlen("GET / HTTP/1.1\r\n\r\n"))
        return false;
    head[len] = '\0';
    const struct answer *answer = find(answers, head, (size_t)len);
    enum ending ending = mentions(head, (size_t)len, CLOSE) ? ENDING_CLOSE : ENDING_KEEP;
    return send_all(fd, answer->bytes[ending], answer->len[ending]) && ending == ENDING_KEEP;
}

static int listen_on(in_port_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 || listen(fd, SOMAXCONN) == -1)
        return -1;
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
        close(fd);
}

static void accept_all(int epoll, int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, 0);
        if (fd == -1)
            return;
        watch(epoll, fd);
    }
}

int main(int argc, char **argv)
{
    struct answer answers[] = {
        {.path = "", .status = "304 Not Modified", .body_len = 0},
        {.path = "/100k", .status = "200 OK", .body_len = 102400},
        {.path = "/1k", .status = "200 OK", .body_len = 1024},
        {.path = "/many/", .status = "200 OK", .body_len = 4096},
        {.path = "", .status = "404 Not Found", .body_len = 150},
    };
    if (argc != 3) {
        fprintf(stderr, "usage: floor PORT DOCROOT\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        if (!prepare(&answers[i], ENDING_KEEP) || !prepare(&answers[i], ENDING_CLOSE))
            return 1;
    int listener = listen_on((in_port_t)strtoul(argv[1], NULL, 10));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (listener == -1 || epoll == -1) {
        perror("floor");
        return 1;
    }
    watch(epoll, listener);
    for (;;) {
        struct epoll_event events[EVENTS_MAX];
        int ready = epoll_wait(epoll, events, EVENTS_MAX, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == listener)
                accept_all(epoll, listener);
            else if (!serve(events[i].data.fd, answers + 1))
                close(events[i].data.fd);
        }
    }
}
