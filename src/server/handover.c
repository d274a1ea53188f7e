#include "server/handover.h"

#include "base/clock.h"
#include "base/log.h"
#include "server/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    HELPER_FD = 3, /* all that the helper keeps open, beside the standard ones */
    NEW_FDS = 3,   /* where a new server finds its sockets (SD_LISTEN_FDS_START) */
    PARKING_FDS = NEW_FDS + GATE_LIMIT + 1, /* above them: where descriptors wait for their place */
    START_MS = 60000,                       /* a server that does not serve by then never will */
    END_MS = 2000,        /* one that has closed all that it had open has ended by then */
    END_LOOK_MS = 10,     /* how often that is looked at */
    PROGRAM_LIMIT = 4096, /* PATH_MAX */
    NAMES_LIMIT = 256,    /* GATE_LIMIT short words */
    EXIT_NO_PROGRAM = 127,
};

/* The helper's answer. */
struct answer {
    int32_t process; /* that serves; 0: none */
    int32_t status;  /* how the one that was to ended, as wait says it; -1: it had to be killed */
};

/* What is handed over. */
struct order {
    int fds[GATE_LIMIT];
    unsigned count;
    char names[NAMES_LIMIT]; /* of the protocols, with colons between them, ended by NUL */
};

/* --- In the helper and in what it starts
 * --------------------------------------------------------------------------- */

/* Puts a descriptor where the new program looks for it, and lets it live on there. */
static bool place(int fd, int at)
{
    return dup2(fd, at) != -1;
}

static bool set_number(const char *variable, int64_t value)
{
    char text[32];

    snprintf(text, sizeof text, "%lld", (long long)value);
    return setenv(variable, text, 1) == 0;
}

/* Becomes the new server. */
static _Noreturn void run(const char *program, char **argv, struct order *order, int ready_fd,
                          const sigset_t *signals)
{
    int last = NEW_FDS + (int)order->count;
    bool done = (ready_fd = fcntl(ready_fd, F_DUPFD_CLOEXEC, PARKING_FDS)) != -1;

    for (unsigned i = 0; i < order->count && done; i++)
        done = (order->fds[i] = fcntl(order->fds[i], F_DUPFD_CLOEXEC, PARKING_FDS)) != -1;
    for (unsigned i = 0; i < order->count && done; i++)
        done = place(order->fds[i], NEW_FDS + (int)i);
    done = done && place(ready_fd, last) && set_number("LISTEN_PID", getpid()) &&
           set_number("LISTEN_FDS", order->count) &&
           setenv("LISTEN_FDNAMES", order->names, 1) == 0 &&
           set_number(ACTIVATION_READY_VARIABLE, last);
    if (done) {
        sigprocmask(SIG_SETMASK, signals, NULL);
        execv(program, argv);
    }
    log_error("cannot run '%s': %m", program);
    _exit(EXIT_NO_PROGRAM);
}

/* How the child ended, which is about to; -1 when it has to be killed, as it does not. */
static int status_of_ended(pid_t child)
{
    int status = 0;

    for (int waited_ms = 0; waited_ms < END_MS; waited_ms += END_LOOK_MS) {
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child)
            return status;
        if (ended == -1 && errno != EINTR)
            return -1;
        poll(NULL, 0, END_LOOK_MS);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -1;
}

/* Waits until the new server says that it serves, or is gone, or has taken too long. One that has
   closed its pipe and said nothing is on its way out; were it to stay, two would serve for ever. */
static struct answer wait_for_server(pid_t child, int ready_fd)
{
    struct answer answer = {.status = -1};
    struct pollfd ready = {.fd = ready_fd, .events = POLLIN};
    int64_t end = clock_ms() + START_MS;
    ssize_t n;
    int polled;

    do
        polled = poll(&ready, 1, (int)(end - clock_ms()));
    while (polled == -1 && errno == EINTR);
    if (polled != 1)
        kill(child, SIGKILL);
    do
        n = polled == 1 ? read(ready_fd, &answer.process, sizeof answer.process) : 0;
    while (n == -1 && errno == EINTR);
    if (n != (ssize_t)sizeof answer.process) {
        int status = status_of_ended(child);
        answer = (struct answer){.status = polled == 1 ? status : -1};
    }
    return answer;
}

static struct answer start_server(const char *program, char **argv, struct order *order,
                                  const sigset_t *signals)
{
    struct answer answer = {.status = -1};
    int ready[2];
    pid_t child;

    if (pipe2(ready, O_CLOEXEC) == -1)
        return answer;
    child = fork();
    if (child == 0)
        run(program, argv, order, ready[1], signals);
    close(ready[1]);
    if (child != -1)
        answer = wait_for_server(child, ready[0]);
    close(ready[0]);
    return answer;
}

/* Reads an order. False when the server is gone. */
static bool receive_order(struct order *order)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof order->fds)];
    } control;
    struct iovec text = {order->names, sizeof order->names - 1};
    struct msghdr message = {.msg_iov = &text,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t n;

    memset(order, 0, sizeof *order);
    do
        n = recvmsg(HELPER_FD, &message, MSG_CMSG_CLOEXEC);
    while (n == -1 && errno == EINTR);
    if (n <= 0)
        return false;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
        order->count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        memcpy(order->fds, CMSG_DATA(c), order->count * sizeof(int));
    }
    return true;
}

static _Noreturn void help(const char *program, char **argv, const sigset_t *signals)
{
    struct order order;

    prctl(PR_SET_NAME, "httpd-restart");
    while (receive_order(&order)) {
        struct answer answer = start_server(program, argv, &order, signals);
        for (unsigned i = 0; i < order.count; i++)
            close(order.fds[i]);
        if (send(HELPER_FD, &answer, sizeof answer, MSG_NOSIGNAL) == -1)
            break;
    }
    _exit(0);
}

/* Keeps nothing of what the server has or will have: it must not hold a socket or a terminal open
   that the server has closed. */
static bool leave_all_but(int fd, bool detached)
{
    int null = detached ? open("/dev/null", O_RDWR | O_CLOEXEC) : -1;

    for (int i = 0; i <= 2 && null != -1; i++)
        if (dup2(null, i) == -1)
            return false;
    return dup2(fd, HELPER_FD) != -1 && fcntl(HELPER_FD, F_SETFD, FD_CLOEXEC) != -1 &&
           syscall(SYS_close_range, HELPER_FD + 1, ~0U, 0) != -1;
}

/* --- In the server
 * --------------------------------------------------------------------------- */

/* Where the program is found again. A path says so itself, and may be a link that by then leads to
   another version; for a bare name the kernel knows where it was found. */
static bool find_program(const char *word, char path[static PROGRAM_LIMIT])
{
    size_t len = strlen(word);

    if (strchr(word, '/') == NULL) {
        ssize_t n = readlink("/proc/self/exe", path, PROGRAM_LIMIT - 1);
        path[n > 0 ? n : 0] = '\0';
        return n > 0;
    }
    if (len >= PROGRAM_LIMIT) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(path, word, len + 1);
    return true;
}

bool handover_prepare(struct handover *handover, char **argv, bool detached)
{
    char program[PROGRAM_LIMIT];
    sigset_t all, before;
    int ends[2];

    *handover = HANDOVER_NONE;
    if (!find_program(argv[0], program) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1)
        return false;
    /* A signal for the whole group, as Ctrl-C sends it, is for the server: the helper ends when
       that does. */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    handover->helper = fork();
    if (handover->helper == 0) {
        if (leave_all_but(ends[1], detached))
            help(program, argv, &before);
        _exit(EXIT_NO_PROGRAM);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (handover->helper == -1) {
        close(ends[0]);
        return false;
    }
    handover->fd = ends[0];
    return true;
}

void handover_begin(struct handover *handover, const struct gate *gate)
{
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(GATE_LIMIT * sizeof(int))];
    } control;
    char names[NAMES_LIMIT];
    struct buffer text = BUFFER_OVER(names);
    struct iovec vector;
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};

    if (handover->running) {
        log_notice("restarting already");
        return;
    }
    memset(&control, 0, sizeof control);
    message.msg_control = control.bytes;
    message.msg_controllen = (socklen_t)CMSG_SPACE(gate->count * sizeof(int));
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = (socklen_t)CMSG_LEN(gate->count * sizeof(int));
    for (unsigned i = 0; i < gate->count; i++) {
        memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &gate->listeners[i].fd, sizeof(int));
        if (i > 0)
            buffer_put_char(&text, ':');
        buffer_put_span(&text, span_of(gate->listeners[i].protocol->name));
    }
    vector = (struct iovec){text.data, text.len};
    if (handover->fd == -1 || sendmsg(handover->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == -1) {
        log_error("cannot restart: %m; this server goes on");
        return;
    }
    handover->running = true;
    log_notice("restarting: starting the new server");
}

static void say_failure(const struct answer *answer)
{
    if (answer->status == -1)
        log_error("the new server was not ready within %d s and was ended: this one goes on",
                  START_MS / 1000);
    else if (WIFSIGNALED(answer->status))
        log_error("the new server was killed by signal %d before it was ready: this one goes on",
                  WTERMSIG(answer->status));
    else
        log_error("the new server ended with status %d before it was ready: this one goes on",
                  WEXITSTATUS(answer->status));
}

pid_t handover_result(struct handover *handover)
{
    struct answer answer;
    ssize_t n = recv(handover->fd, &answer, sizeof answer, MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return 0;
    handover->running = false;
    if (n != (ssize_t)sizeof answer) {
        log_error("the process that restarts the server is gone: SIGUSR2 does nothing any more");
        handover_close(handover);
        return 0;
    }
    if (answer.process > 0)
        return answer.process;
    say_failure(&answer);
    return 0;
}

void handover_close(struct handover *handover)
{
    if (handover->fd == -1)
        return;
    close(handover->fd);
    /* It ends by itself, unless it waits for a new server, for which nobody here needs to wait. */
    waitpid(handover->helper, NULL, WNOHANG);
    *handover = HANDOVER_NONE;
}
