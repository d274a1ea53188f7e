/*
 * raw: sends exact bytes to a server and prints what comes back.
 *
 *   raw [-t SECONDS] [-r BYTES] HOST PORT STEP...
 *   raw [-t SECONDS] -l STEP...       is the server: prints its port, and does the steps to who
 * comes raw -p                            prints a port on which nothing listens
 *
 *   send TEXT        TEXT with \r \n \t \0 \\ and \xHH as the bytes they stand for
 *   repeat N TEXT    the same, N times
 *   bytewise TEXT    the same, each byte in a segment of its own
 *   file PATH        the bytes of a file
 *   wait MS          a pause
 *   until TEXT       reads until TEXT has been seen in what came (the search goes on behind it)
 *   take N           reads N bytes
 *   half             no more will be sent (FIN), reading goes on
 *   close            ends here, without reading
 *   reset            ends here with a reset (RST)
 *   accept           as a server: closes, and goes on with the next who comes
 *
 * After the last step it reads until the server closes. What came goes to standard output; how it
 * ended, to standard error in a word: closed, reset, timeout. -t is the limit on each wait (10 s);
 * -r the size of the receive buffer. Exit status: 0, or 1 when a step could not be done, or 2 when
 * this program was used wrongly.
 */

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct session {
    int fd;
    int timeout_ms;
    int listener; /* -1: we are the client */
    char *seen;   /* all that came */
    size_t seen_len, seen_room;
    size_t matched; /* where the next `until` begins to look */
};

enum outcome { OPEN, CLOSED, RESET, TIMEOUT };

static _Noreturn void usage(const char *problem)
{
    fprintf(stderr, "raw: %s\nusage: raw [-t SECONDS] [-r BYTES] HOST PORT STEP...\n", problem);
    exit(2);
}

static unsigned long number(const char *text)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        usage(text);
    return value;
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c | 0x20) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Replaces the escapes of text in place; returns the length. */
static size_t unescape(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0'; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        switch (*++in) {
        case 'r': *out++ = '\r'; break;
        case 'n': *out++ = '\n'; break;
        case 't': *out++ = '\t'; break;
        case '0': *out++ = '\0'; break;
        case '\\': *out++ = '\\'; break;
        case 'x':
            if (hex(in[1]) < 0 || hex(in[2]) < 0)
                usage("\\x wants two hexadecimal digits");
            *out++ = (char)(hex(in[1]) * 16 + hex(in[2]));
            in += 2;
            break;
        default: usage("unknown escape");
        }
    }
    return (size_t)(out - text);
}

static int connect_to(const char *host, const char *port, int receive_buffer)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV}, *list;
    int error = getaddrinfo(host, port, &hints, &list);
    if (error != 0)
        usage(gai_strerror(error));
    int fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1)
        usage("no socket");
    /* Before connect, or the window has been promised already. */
    if (receive_buffer > 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, list->ai_addr, list->ai_addrlen) == -1) {
        perror("raw: connect");
        exit(1);
    }
    freeaddrinfo(list);
    return fd;
}

static enum outcome receive_some(struct session *s, size_t at_most)
{
    struct pollfd ready = {.fd = s->fd, .events = POLLIN};
    if (poll(&ready, 1, s->timeout_ms) == 0)
        return TIMEOUT;
    if (s->seen_len == s->seen_room) {
        s->seen_room = s->seen_room * 2 + 65536;
        s->seen = realloc(s->seen, s->seen_room);
        if (s->seen == NULL)
            abort();
    }
    size_t room = s->seen_room - s->seen_len;
    ssize_t got = recv(s->fd, s->seen + s->seen_len, room < at_most ? room : at_most, 0);
    if (got == 0)
        return CLOSED;
    if (got == -1)
        return RESET;
    s->seen_len += (size_t)got;
    return OPEN;
}

/* A server that refuses may close while we still send. That is no failure here: what it said
 * matters.
 */
static void send_all(struct session *s, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(s->fd, bytes, len, MSG_NOSIGNAL);
        if (sent == -1)
            return;
        bytes += sent;
        len -= (size_t)sent;
    }
}

static void send_file(struct session *s, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        usage(path);
    char block[65536];
    size_t len;
    while ((len = fread(block, 1, sizeof block, file)) > 0)
        send_all(s, block, len);
    fclose(file);
}

static enum outcome read_until(struct session *s, const char *text, size_t len)
{
    for (;;) {
        char *found = s->seen_len > s->matched
                          ? memmem(s->seen + s->matched, s->seen_len - s->matched, text, len)
                          : NULL;
        if (found != NULL) {
            s->matched = (size_t)(found - s->seen) + len;
            return OPEN;
        }
        enum outcome outcome = receive_some(s, SIZE_MAX);
        if (outcome != OPEN)
            return outcome;
    }
}

static enum outcome read_count(struct session *s, size_t count)
{
    size_t end = s->seen_len + count;
    while (s->seen_len < end) {
        enum outcome outcome = receive_some(s, end - s->seen_len);
        if (outcome != OPEN)
            return outcome;
    }
    return OPEN;
}

static void report(const struct session *s, enum outcome outcome)
{
    static const char *const words[] = {"open", "closed", "reset", "timeout"};
    fwrite(s->seen, 1, s->seen_len, stdout);
    fprintf(stderr, "%s\n", words[outcome]);
}

static void reset(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(fd);
}

/* Waits for the next client; nobody in time is the end. */
static enum outcome accept_next(struct session *s)
{
    struct pollfd ready = {.fd = s->listener, .events = POLLIN};
    if (s->fd != -1)
        close(s->fd);
    s->fd = -1;
    if (poll(&ready, 1, s->timeout_ms) != 1)
        return TIMEOUT;
    s->fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
    return s->fd == -1 ? RESET : OPEN;
}

/* Listens on a free port of loopback, and says which it is before anybody has come. */
static int listen_and_tell(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, len) == -1 || listen(fd, 16) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &len) == -1)
        usage("cannot listen");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

/* Does the step at words[0]; returns how many words it took, and 0 when the connection is over. */
static int step(struct session *s, char **words, enum outcome *outcome)
{
    const char *verb = words[0];
    *outcome = OPEN;
    if (strcmp(verb, "half") == 0) {
        shutdown(s->fd, SHUT_WR);
        return 1;
    }
    if (strcmp(verb, "accept") == 0) {
        *outcome = accept_next(s);
        return *outcome == OPEN ? 1 : 0;
    }
    if (strcmp(verb, "close") == 0 || strcmp(verb, "reset") == 0) {
        verb[0] == 'c' ? (void)close(s->fd) : reset(s->fd);
        *outcome = CLOSED;
        return 0;
    }
    if (words[1] == NULL)
        usage(verb);
    if (strcmp(verb, "send") == 0) {
        send_all(s, words[1], unescape(words[1]));
    } else if (strcmp(verb, "bytewise") == 0) {
        size_t len = unescape(words[1]);
        for (size_t i = 0; i < len; i++) {
            send_all(s, words[1] + i, 1);
            usleep(500);
        }
    } else if (strcmp(verb, "repeat") == 0 && words[2] != NULL) {
        size_t len = unescape(words[2]);
        for (unsigned long n = number(words[1]); n > 0; n--)
            send_all(s, words[2], len);
        return 3;
    } else if (strcmp(verb, "file") == 0) {
        send_file(s, words[1]);
    } else if (strcmp(verb, "wait") == 0) {
        usleep((useconds_t)number(words[1]) * 1000);
    } else if (strcmp(verb, "until") == 0) {
        *outcome = read_until(s, words[1], unescape(words[1]));
    } else if (strcmp(verb, "take") == 0) {
        *outcome = read_count(s, number(words[1]));
    } else {
        usage(verb);
    }
    return *outcome == OPEN ? 2 : 0;
}

static int print_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, len) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &len) == -1)
        return 1;
    printf("%d\n", ntohs(address.sin_port));
    return 0;
}

int main(int argc, char **argv)
{
    struct session s = {.timeout_ms = 10000, .listener = -1, .fd = -1};
    int receive_buffer = 0, option;
    while ((option = getopt(argc, argv, "+t:r:pl")) != -1) {
        switch (option) {
        case 't': s.timeout_ms = (int)number(optarg) * 1000; break;
        case 'r': receive_buffer = (int)number(optarg); break;
        case 'l': s.listener = listen_and_tell(); break;
        case 'p': return print_free_port();
        default: usage("unknown option");
        }
    }
    enum outcome outcome = OPEN;
    char **words = argv + optind;
    if (s.listener != -1) {
        outcome = accept_next(&s);
    } else {
        if (argc - optind < 2)
            usage("no host and port");
        s.fd = connect_to(words[0], words[1], receive_buffer);
        words += 2;
    }
    while (outcome == OPEN && *words != NULL) {
        int used = step(&s, words, &outcome);
        if (used == 0)
            break;
        words += used;
    }
    bool all_done = *words == NULL || outcome == CLOSED;
    /* A client reads until we close; a server that has said all closes. */
    if (s.listener != -1 && outcome == OPEN)
        shutdown(s.fd, SHUT_WR);
    while (outcome == OPEN)
        outcome = receive_some(&s, SIZE_MAX);
    report(&s, outcome);
    free(s.seen);
    return all_done ? 0 : 1;
}
