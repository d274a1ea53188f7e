#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/auth.h"
#include "server/throttle.h"

#include "base/base64.h"
#include "base/clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SECRET                                                                                     \
    "pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg==$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8="
#define OTHER                                                                                      \
    "pbkdf2-sha256$2000$ZmVkY2JhOTg3NjU0MzIxMA==$ytbIk/23hy6qoBmxfw+LxXm++0xX1bze96pElN7mqas="

static char path[64];
static struct address peer;

static void write_file(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static int setup(void **state)
{
    struct buffer name = BUFFER_OVER(path);

    (void)state;
    buffer_put_text(&name, "/tmp/test_auth.XXXXXX");
    path[name.len] = '\0';
    int fd = mkstemp(path);
    if (fd == -1)
        return -1;
    close(fd);
    /* What goes wrong on purpose is said on standard error: not in the test's report. */
    fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return address_parse(&peer, "192.0.2.1", 1) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static enum auth_result ask_from(struct auth *auth, const char *user, const char *password,
                                 const char *where, bool writes, int64_t now_ms)
{
    char pair[200], text[300] = "Basic ";
    struct auth_verdict verdict;
    int len = snprintf(pair, sizeof pair, "%s:%s", user, password);
    size_t encoded = base64_encode(text + 6, pair, (size_t)len);
    struct auth_question question = {.authorization = span_make(text, 6 + encoded),
                                     .path = span_of(where),
                                     .writes = writes,
                                     .peer = &peer,
                                     .now_ms = now_ms};
    enum auth_result result = auth_decide(auth, &question, &verdict);

    if (result == AUTH_ALLOWED || result == AUTH_FORBIDDEN)
        assert_true(span_equal(span_make(verdict.user, verdict.user_len), span_of(user)));
    else
        assert_int_equal(verdict.user_len, 0);
    return result;
}

static enum auth_result ask(struct auth *auth, const char *user, const char *password,
                            const char *where, bool writes)
{
    return ask_from(auth, user, password, where, writes, 0);
}

static enum auth_result ask_field(struct auth *auth, const char *field)
{
    struct auth_verdict verdict;
    struct auth_question question = {.authorization = field != NULL ? span_of(field) : SPAN_EMPTY,
                                     .peer = &peer};

    return auth_decide(auth, &question, &verdict);
}

static void test_decisions(void **state)
{
    static const struct {
        const char *user, *password, *where;
        bool writes;
        enum auth_result result;
    } rows[] = {
        {"ana", "secret", "x", true, AUTH_ALLOWED},
        {"ana", "secret", "x", false, AUTH_ALLOWED},
        {"ana", "wrong", "x", true, AUTH_UNKNOWN},
        {"ana", "secret", "x", true, AUTH_ALLOWED}, /* a failure between changes nothing */
        {"eve", "secret", "x", true, AUTH_UNKNOWN},
        {"bob",
         "contrase\xC3\xB1"
         "a",
         "bob/x", true, AUTH_ALLOWED},
        {"bob",
         "contrase\xC3\xB1"
         "a",
         "x", true, AUTH_FORBIDDEN},
        {"bob",
         "contrase\xC3\xB1"
         "a",
         "pub/x", true, AUTH_FORBIDDEN},
        {"bob",
         "contrase\xC3\xB1"
         "a",
         "pub/x", false, AUTH_ALLOWED},
    };

    (void)state;
    write_file("ana:" SECRET "\nbob:" OTHER ":/bob\nbob::/pub:r\n");
    struct auth *auth = auth_open(path, 4);
    assert_non_null(auth);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ask(auth, rows[i].user, rows[i].password, rows[i].where, rows[i].writes) !=
            rows[i].result)
            fail_msg("row %zu: %s at %s", i, rows[i].user, rows[i].where);
    auth_close(auth);
}

static void test_schemes(void **state)
{
    static const struct {
        const char *field;
        enum auth_result result;
        const char *why;
    } rows[] = {
        {NULL, AUTH_UNKNOWN, "no credentials"},
        {"Basic YW5hOnNlY3JldA==", AUTH_ALLOWED, "ana:secret"},
        {"basic YW5hOnNlY3JldA==", AUTH_ALLOWED, "schemes have no case (RFC 9110 11.1)"},
        {"Bearer ana~secret", AUTH_ALLOWED, "name and password in a token"},
        {"Bearer ana~wrong", AUTH_UNKNOWN, "the wrong one"},
        {"Bearer secret", AUTH_UNKNOWN, "a token without a name"},
        {"Digest username=ana", AUTH_UNKNOWN, "a scheme that is not spoken here"},
        {"Basic YW5h", AUTH_MALFORMED, "no colon"},
        {"Basic !", AUTH_MALFORMED, "not base64"},
    };

    (void)state;
    write_file("ana:" SECRET "\n");
    struct auth *auth = auth_open(path, 1);
    assert_non_null(auth);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ask_field(auth, rows[i].field) != rows[i].result)
            fail_msg("%s: %s", rows[i].field, rows[i].why);
    auth_close(auth);
}

/* An account with costly iterations: the first request pays them, those after it do not. */
static void test_checked_once(void **state)
{
    enum { ITERATIONS = 100000, REQUESTS = 1000 };
    char bytes[256];
    struct buffer line = BUFFER_OVER(bytes);
    struct auth_verdict verdict;

    (void)state;
    account_put(&line, SPAN("ana"), SPAN("secret"), SPAN("salt"), ITERATIONS);
    buffer_put_char(&line, '\0');
    write_file(bytes);
    struct auth *auth = auth_open(path, 2);
    assert_non_null(auth);
    auth_recall(auth, SPAN("Basic YW5hOnNlY3JldA=="), &verdict);
    assert_int_equal(verdict.user_len, 0);

    int64_t start = clock_us();
    assert_int_equal(ask(auth, "ana", "secret", "x", true), AUTH_ALLOWED);
    int64_t first = clock_us() - start;
    start = clock_us();
    for (unsigned i = 0; i < REQUESTS; i++)
        assert_int_equal(ask(auth, "ana", "secret", "x", true), AUTH_ALLOWED);
    assert_in_range((clock_us() - start) / REQUESTS, 0, (uint64_t)first / 4);

    auth_recall(auth, SPAN("Basic YW5hOnNlY3JldA=="), &verdict);
    assert_int_equal(verdict.user_len, 3);
    auth_recall(auth, SPAN("Basic YW5hOnNlY3JldB=="), &verdict);
    assert_int_equal(verdict.user_len, 0);
    auth_close(auth);
}

static void test_read_again(void **state)
{
    (void)state;
    write_file("ana:" SECRET "\n");
    struct auth *auth = auth_open(path, 2);
    assert_non_null(auth);
    assert_int_equal(ask(auth, "ana", "secret", "x", true), AUTH_ALLOWED);

    write_file("ana:secret\n");
    auth_reload(auth);
    assert_int_equal(ask(auth, "ana", "secret", "x", true), AUTH_ALLOWED);

    write_file("ana:" OTHER "\n");
    auth_reload(auth);
    assert_int_equal(ask(auth, "ana", "secret", "x", true), AUTH_UNKNOWN);
    assert_int_equal(ask(auth, "ana",
                         "contrase\xC3\xB1"
                         "a",
                         "x", true),
                     AUTH_ALLOWED);

    write_file("# nobody\n");
    auth_reload(auth);
    assert_int_equal(ask(auth, "ana",
                         "contrase\xC3\xB1"
                         "a",
                         "x", true),
                     AUTH_UNKNOWN);
    auth_close(auth);
}

static void test_slowed(void **state)
{
    (void)state;
    write_file("ana:" SECRET "\nbob:" OTHER "\n");
    struct auth *auth = auth_open(path, 2);
    assert_non_null(auth);
    assert_int_equal(ask(auth, "ana", "secret", "x", true), AUTH_ALLOWED);
    for (unsigned i = 0; i < THROTTLE_FAILURES; i++)
        assert_int_equal(ask(auth, "ana", "guess", "x", true), AUTH_UNKNOWN);
    assert_int_equal(ask(auth, "ana", "guess", "x", true), AUTH_SLOWED);
    assert_int_equal(ask(auth, "eve", "guess", "x", true), AUTH_SLOWED);
    /* Who was let in before goes on; who was not has to wait, even with the right password. */
    assert_int_equal(ask(auth, "ana", "secret", "x", true), AUTH_ALLOWED);
    assert_int_equal(ask(auth, "bob",
                         "contrase\xC3\xB1"
                         "a",
                         "x", true),
                     AUTH_SLOWED);
    assert_int_equal(ask_from(auth, "bob",
                              "contrase\xC3\xB1"
                              "a",
                              "x", true, THROTTLE_WINDOW_MS),
                     AUTH_ALLOWED);
    auth_close(auth);
}

static void test_files_that_cannot_be_used(void **state)
{
    (void)state;
    write_file("ana:secret\n");
    assert_null(auth_open(path, 2));
    assert_null(auth_open("/nowhere/at/all", 2));
    assert_null(auth_open("/tmp", 2));
    assert_null(auth_open("/dev/zero", 2));
}

/* More users than the cache has places: none is refused for it. */
static void test_more_users_than_places(void **state)
{
    enum { USERS = 600 };
    char *text = malloc(USERS * 200);
    size_t len = 0;

    (void)state;
    assert_non_null(text);
    for (unsigned i = 0; i < USERS; i++)
        len += (size_t)snprintf(text + len, 200, "user%u:" SECRET "\n", i);
    write_file(text);
    free(text);
    struct auth *auth = auth_open(path, 2);
    assert_non_null(auth);
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = 0; i < USERS; i++) {
            char user[16];
            snprintf(user, sizeof user, "user%u", i);
            assert_int_equal(ask(auth, user, "secret", "x", true), AUTH_ALLOWED);
        }
    auth_close(auth);
}

struct crowd {
    struct auth *auth;
    atomic_uint allowed, busy, other;
    bool same;
    atomic_uint turn;
};

static void *come(void *argument)
{
    struct crowd *crowd = argument;
    char user[16] = "ana";

    if (!crowd->same)
        snprintf(user, sizeof user, "user%u", atomic_fetch_add(&crowd->turn, 1));
    switch (ask(crowd->auth, user, "secret", "x", true)) {
    case AUTH_ALLOWED: atomic_fetch_add(&crowd->allowed, 1); break;
    case AUTH_BUSY: atomic_fetch_add(&crowd->busy, 1); break;
    default: atomic_fetch_add(&crowd->other, 1); break;
    }
    return NULL;
}

/* Many at once with the same credentials wait for one check, and all are let in. With different
   ones, what is more than half of the workers is turned away, and nobody is let in wrongly. */
static void test_crowds(void **state)
{
    enum { THREADS = 8 };
    char bytes[THREADS * 200];
    struct buffer text = BUFFER_OVER(bytes);

    (void)state;
    account_put(&text, SPAN("ana"), SPAN("secret"), SPAN("salt"), 20000);
    buffer_put_char(&text, '\n');
    for (unsigned i = 0; i < THREADS; i++) {
        char user[16];
        snprintf(user, sizeof user, "user%u", i);
        account_put(&text, span_of(user), SPAN("secret"), SPAN("salt"), 20000);
        buffer_put_char(&text, '\n');
    }
    buffer_put_char(&text, '\0');
    assert_false(text.overflowed);
    write_file(bytes);
    for (unsigned same = 0; same < 2; same++) {
        struct crowd crowd = {.auth = auth_open(path, THREADS / 2), .same = same == 1};
        pthread_t threads[THREADS];
        assert_non_null(crowd.auth);
        for (unsigned i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, come, &crowd), 0);
        auth_reload(crowd.auth); /* in the middle of it */
        for (unsigned i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        assert_int_equal(crowd.other, 0);
        assert_int_equal(crowd.allowed + crowd.busy, THREADS);
        assert_true(crowd.allowed >= 2);
        auth_close(crowd.auth);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_schemes),
        cmocka_unit_test(test_checked_once),
        cmocka_unit_test(test_read_again),
        cmocka_unit_test(test_slowed),
        cmocka_unit_test(test_files_that_cannot_be_used),
        cmocka_unit_test(test_more_users_than_places),
        cmocka_unit_test(test_crowds),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
