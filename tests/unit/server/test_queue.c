#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/protocol.h"
#include "server/queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

enum { WORKERS = 3, PATIENCE_S = 10 };

/* A queue, and what two of its workers know. Nothing here may wait: an alarm ends what does. */
struct fixture {
    struct connection_table table;
    struct watch watch;
    struct queue queue;
    int kick_fd;
    struct queue_turn a, b;
};

static const struct protocol no_protocol = {.name = "none"};

static int set_up(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;

    *f = (struct fixture){.kick_fd = eventfd(0, EFD_NONBLOCK)};
    assert_int_equal(connection_table_init(&f->table, 1000), 0);
    assert_int_equal(watch_init(&f->watch, &f->table), 0);
    assert_int_equal(queue_init(&f->queue, &f->watch, 10, WORKERS, f->kick_fd), 0);
    f->queue.bulk_most = 1;
    for (int i = 0; i < WORKERS; i++)
        queue_join(&f->queue);
    alarm(PATIENCE_S);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    alarm(0);
    connection_table_free(&f->table);
    close(f->watch.epoll_fd);
    close(f->watch.kick_fd);
    close(f->kick_fd);
    return 0;
}

/* One more that stands in a line. */
static struct connection *push(struct fixture *f, bool bulk)
{
    struct address nobody = {.len = 0};
    struct connection *c =
        connection_open(&f->table, eventfd(0, EFD_NONBLOCK), &nobody, &no_protocol);

    assert_non_null(c);
    c->bulk = bulk;
    queue_push_ready(&f->queue, c);
    return c;
}

static struct connection *take(struct fixture *f, struct queue_turn *turn)
{
    return queue_take(&f->queue, turn);
}

/* So many others are served that bulk has to give way for `ticks`. */
static void stir(struct fixture *f, unsigned ticks)
{
    for (unsigned i = 0; i < ticks + QUEUE_CALM_TICKS; i += QUEUE_OTHER_TICKS) {
        struct connection *c = push(f, false);
        assert_ptr_equal(take(f, &f->a), c);
    }
    assert_false(queue_is_calm(&f->queue));
}

/* Whether the leader has been called away from the watch set. */
static bool is_leader_kicked(struct fixture *f)
{
    uint64_t kicks;

    return read(f->watch.kick_fd, &kicks, sizeof kicks) == sizeof kicks;
}

static void who_is_ready_goes_first(void **state)
{
    struct fixture *f = *state;
    struct connection *bulk = push(f, true), *ready = push(f, false);

    assert_ptr_equal(take(f, &f->a), ready);
    assert_true(queue_has_waiting(&f->queue));
    assert_ptr_equal(take(f, &f->a), bulk);
    assert_false(queue_has_waiting(&f->queue));
}

static void bulk_has_its_turn_in_a_tick_however_many_are_ready(void **state)
{
    struct fixture *f = *state;
    struct connection *ready[4], *first, *second;

    stir(f, 2 * QUEUE_OTHER_TICKS);
    first = push(f, true);
    second = push(f, true);
    for (int i = 0; i < 4; i++)
        ready[i] = push(f, false);
    assert_ptr_equal(take(f, &f->a), ready[0]);
    queue_tick(&f->queue);
    assert_ptr_equal(take(f, &f->a), first);
    assert_ptr_equal(take(f, &f->a), ready[1]); /* and no more than one */
    assert_ptr_equal(take(f, &f->a), ready[2]);
    queue_tick(&f->queue);
    assert_ptr_equal(take(f, &f->a), second);
    assert_ptr_equal(take(f, &f->a), ready[3]);
}

static void bulk_alone_has_one_turn_after_the_other(void **state)
{
    struct fixture *f = *state;
    struct connection *first = push(f, true), *second = push(f, true);

    assert_ptr_equal(take(f, &f->a), first);
    queue_push_ready(&f->queue, first);
    assert_ptr_equal(take(f, &f->a), second);
    assert_ptr_equal(take(f, &f->a), first);
}

static void a_request_now_and_then_leaves_it_calm(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 10; i++) {
        struct connection *other = push(f, false);
        assert_ptr_equal(take(f, &f->a), other);
        for (int tick = 0; tick < QUEUE_OTHER_TICKS; tick++)
            queue_tick(&f->queue);
        assert_true(queue_is_calm(&f->queue));
    }
}

static void it_is_calm_again_when_the_others_have_gone(void **state)
{
    struct fixture *f = *state;
    unsigned ticks = 0;

    stir(f, 100 * QUEUE_OTHER_TICKS);
    for (; !queue_is_calm(&f->queue); ticks++)
        queue_tick(&f->queue);
    assert_int_equal(ticks, QUEUE_STIR_TICKS - QUEUE_CALM_TICKS);
}

static void the_starts_of_uploads_leave_it_calm(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 100; i++) {
        struct connection *upload = push(f, false);
        assert_ptr_equal(take(f, &f->a), upload);
        queue_begin_bulk(&f->queue, upload);
        assert_true(upload->bulk);
        assert_true(queue_is_calm(&f->queue));
    }
}

/* It would be one more that wants a core. */
static void nobody_is_called_for_turns_that_others_come_for(void **state)
{
    struct fixture *f = *state;
    struct connection *first, *second, *other;

    stir(f, 10 * QUEUE_OTHER_TICKS);
    first = push(f, true);
    queue_tick(&f->queue);
    assert_ptr_equal(take(f, &f->a), first);
    second = push(f, true);
    other = push(f, false);
    assert_ptr_equal(take(f, &f->a), other);
    atomic_store(&f->queue.led, true); /* by a worker that is not here */
    assert_false(is_leader_kicked(f));
    queue_tick(&f->queue);
    assert_false(is_leader_kicked(f));
    queue_tick(&f->queue); /* but nobody has come */
    assert_true(is_leader_kicked(f));
    atomic_store(&f->queue.led, false);
    assert_ptr_equal(take(f, &f->b), second);
}

static void no_more_of_bulk_is_served_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct connection *first = push(f, true), *second = push(f, true);

    assert_ptr_equal(take(f, &f->a), first);
    struct connection *ready = push(f, false);
    queue_tick(&f->queue); /* a turn is due */
    assert_ptr_equal(take(f, &f->b), ready);
    queue_tick(&f->queue);
    assert_ptr_equal(take(f, &f->a), second); /* whoever has served it may go on with it */
}

static void who_does_not_come_back_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    struct connection *first = push(f, true), *second = push(f, true), *third = push(f, true);

    assert_ptr_equal(take(f, &f->a), first);
    for (int i = 0; i <= QUEUE_BULK_PATIENCE; i++)
        assert_true(queue_tick(&f->queue)); /* it ticks as long as somebody waits */
    assert_ptr_equal(take(f, &f->b), second);
    assert_int_equal(f->queue.bulk_served, 1);
    /* It comes back after all: the place is the other's. */
    struct connection *ready = push(f, false);
    queue_tick(&f->queue);
    assert_ptr_equal(take(f, &f->a), ready);
    assert_int_equal(f->queue.bulk_served, 1);
    queue_tick(&f->queue);
    assert_ptr_equal(take(f, &f->b), third);
    assert_int_equal(f->queue.bulk_served, 1);
}

static void a_closed_queue_gives_out_all_that_waits(void **state)
{
    struct fixture *f = *state;
    struct connection *ready = push(f, false), *first = push(f, true), *second = push(f, true);

    queue_close(&f->queue);
    assert_ptr_equal(take(f, &f->a), ready);
    assert_ptr_equal(take(f, &f->a), first);
    assert_ptr_equal(take(f, &f->b), second);
    assert_null(take(f, &f->a));
    assert_null(take(f, &f->b));
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(who_is_ready_goes_first),
        ROW(bulk_has_its_turn_in_a_tick_however_many_are_ready),
        ROW(bulk_alone_has_one_turn_after_the_other),
        ROW(a_request_now_and_then_leaves_it_calm),
        ROW(it_is_calm_again_when_the_others_have_gone),
        ROW(the_starts_of_uploads_leave_it_calm),
        ROW(nobody_is_called_for_turns_that_others_come_for),
        ROW(no_more_of_bulk_is_served_at_a_time),
        ROW(who_does_not_come_back_is_not_waited_for),
        ROW(a_closed_queue_gives_out_all_that_waits),
    };
#undef ROW

    return cmocka_run_group_tests(tests, NULL, NULL);
}
