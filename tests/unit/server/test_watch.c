#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/protocol.h"
#include "server/watch.h"

#include <stdlib.h>
#include <unistd.h>

/* A table, a watch set over it, and one connection whose other end is `peer`. */
struct fixture {
    struct connection_table table;
    struct watch watch;
    struct connection *c;
    int peer;
};

static const struct protocol no_protocol = {.name = "none"};

static struct connection *add(struct fixture *f, int *peer)
{
    int ends[2];
    struct address nobody = {.len = 0};

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    *peer = ends[1];
    return connection_open(&f->table, ends[0], &nobody, &no_protocol);
}

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;

    assert_int_equal(connection_table_init(&f->table, 1000), 0);
    assert_int_equal(watch_init(&f->watch, &f->table), 0);
    f->c = add(f, &f->peer);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (f->c != NULL)
        connection_close(&f->table, f->c);
    close(f->peer);
    close(f->watch.epoll_fd);
    close(f->watch.kick_fd);
    assert_int_equal(connection_count(&f->table), 0);
    connection_table_free(&f->table);
    return 0;
}

static bool park(struct fixture *f)
{
    bool failed;
    bool parked = watch_park(&f->watch, f->c, &failed);
    assert_false(failed);
    return parked;
}

static void say(struct fixture *f)
{
    assert_int_equal(write(f->peer, "x", 1), 1);
}

/* Whether a wait, which must not find nothing to return for, claims just our connection. */
static bool wait_finds_it(struct fixture *f)
{
    struct connection *ready[WATCH_BATCH];

    watch_kick(&f->watch);
    unsigned n = watch_wait(&f->watch, ready, true);
    assert_in_range(n, 0, 1);
    return n == 1 && ready[0] == f->c;
}

static void bytes_wake_what_is_parked(void **state)
{
    struct fixture *f = *state;

    f->c->readable = false;
    assert_true(park(f));
    assert_false(wait_finds_it(f)); /* nothing has come, and room to send is not asked about */
    say(f);
    assert_true(wait_finds_it(f));
    assert_true(f->c->readable);
    assert_false(f->c->peer_ended);
}

static void bytes_before_the_first_park_are_not_lost(void **state)
{
    struct fixture *f = *state;

    say(f);
    assert_true(park(f));
    assert_true(wait_finds_it(f));
}

static void an_event_while_owned_makes_the_next_park_fail(void **state)
{
    struct fixture *f = *state;

    assert_true(park(f));
    say(f);
    assert_true(wait_finds_it(f));
    f->c->readable = false;
    say(f); /* a second edge, while we own it */
    assert_false(wait_finds_it(f));
    assert_false(park(f));
    assert_true(f->c->readable);
    assert_true(park(f)); /* once remembered, once told */
}

static void the_end_of_the_peer_is_told(void **state)
{
    struct fixture *f = *state;

    assert_true(park(f));
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
    assert_true(wait_finds_it(f));
    assert_true(f->c->peer_ended);
}

static void the_end_while_owned_is_told_at_the_park(void **state)
{
    struct fixture *f = *state;

    assert_true(park(f));
    say(f);
    assert_true(wait_finds_it(f));
    say(f);
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
    assert_false(wait_finds_it(f));
    assert_false(park(f));
    assert_true(f->c->peer_ended);
}

static void room_to_send_is_reported_once_a_send_is_parked(void **state)
{
    struct fixture *f = *state;

    assert_true(park(f));
    assert_true(watch_claim(f->c));
    connection_enter(f->c, PHASE_SEND, 0);
    /* The socket has room already: the park itself may notice, or the wait does. */
    assert_true(!park(f) || wait_finds_it(f));
}

static void an_event_of_a_former_connection_claims_nobody(void **state)
{
    struct fixture *f = *state;
    struct connection *former = f->c;
    int former_peer = f->peer;
    int fd = dup(former->fd); /* keeps the registration alive, as a fork or a slow close would */

    assert_true(park(f));
    assert_true(watch_claim(former));
    connection_close(&f->table, former);
    f->c = add(f, &f->peer);
    assert_ptr_equal(f->c, former); /* the same place, another generation */
    f->c->readable = false;
    assert_true(park(f));
    assert_int_equal(write(former_peer, "x", 1), 1);
    assert_false(wait_finds_it(f));
    assert_false(f->c->readable);
    assert_true(watch_claim(f->c));
    close(fd);
    close(former_peer);
}

static void deadlines_claim_once_and_only_what_is_due(void **state)
{
    struct fixture *f = *state;

    connection_set_deadline(f->c, 1000);
    assert_false(watch_claim_expired(f->c, 2000)); /* owned, not parked */
    assert_true(park(f));
    assert_false(watch_claim_expired(f->c, 999));
    assert_true(watch_claim_expired(f->c, 1000));
    assert_true(f->c->expired);
    assert_false(watch_claim_expired(f->c, 1000));
    assert_false(watch_claim(f->c));
}

static void looks_claim_once_and_change_no_deadline(void **state)
{
    struct fixture *f = *state;

    connection_set_deadline(f->c, 5000);
    connection_set_look(f->c, 1000);
    assert_false(watch_claim_due(f->c, 2000)); /* owned, not parked */
    assert_true(park(f));
    assert_false(watch_claim_due(f->c, 999));
    assert_true(watch_claim_due(f->c, 1000));
    assert_false(f->c->expired);
    assert_true(park(f));
    assert_false(watch_claim_due(f->c, 2000)); /* once */
    assert_false(watch_claim_expired(f->c, 4999));
    assert_true(watch_claim_expired(f->c, 5000));
}

static void a_request_is_as_old_as_it_can_be(void **state)
{
    struct fixture *f = *state;
    int64_t came = f->c->asked_us, waited, now;

    assert_true(came > 0);
    assert_true(connection_asked_us(f->c) == came); /* as old as the connection */
    connection_waits(f->c);                         /* the request comes after this, and at once */
    waited = f->c->asked_us;
    assert_true(waited >= came);
    assert_true(connection_asked_us(f->c) == waited);
    connection_waits(f->c);
    f->c->asked_us -= 1000000; /* it comes a second later */
    waited = f->c->asked_us;
    now = connection_asked_us(f->c);
    assert_true(now >= waited + 1000000);
    assert_true(connection_asked_us(f->c) == now); /* and stays as old as it was found */
    f->c->reused = true;
    f->c->asked_us = 0; /* a later request */
    connection_waits(f->c);
    assert_true(connection_asked_us(f->c) >= now);
}

static void the_table_holds_its_limit(void **state)
{
    struct fixture *f = *state;
    struct connection_table table;
    struct address nobody = {.len = 0};
    struct connection *first, *second;

    (void)f;
    assert_int_equal(connection_table_init(&table, 2), 0);
    first = connection_open(&table, dup(0), &nobody, &no_protocol);
    second = connection_open(&table, dup(0), &nobody, &no_protocol);
    assert_non_null(first);
    assert_non_null(second);
    assert_null(connection_open(&table, -1, &nobody, &no_protocol));
    connection_close(&table, first);
    assert_non_null(first = connection_open(&table, dup(0), &nobody, &no_protocol));
    connection_close(&table, first);
    connection_close(&table, second);
    assert_int_equal(connection_count(&table), 0);
    assert_null(connection_at(&table, CONNECTION_SLAB));
    connection_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_wake_what_is_parked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bytes_before_the_first_park_are_not_lost, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_event_while_owned_makes_the_next_park_fail, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_the_peer_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_while_owned_is_told_at_the_park, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_to_send_is_reported_once_a_send_is_parked, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_event_of_a_former_connection_claims_nobody, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(deadlines_claim_once_and_only_what_is_due, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(looks_claim_once_and_change_no_deadline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_is_as_old_as_it_can_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_table_holds_its_limit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
