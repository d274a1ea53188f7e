#include "server/arrival.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

void arrival_begin(struct arrival *a, uint64_t base, uint64_t length,
                   const struct arrival_look *look)
{
    *a = (struct arrival){
        .base = base,
        .length = length,
        .window = look->window,
        .window_limit = look->window_limit,
        .acknowledged = look->acknowledged,
        .finished = look->finished,
        /* Who closes before there is anything to read does not close because it was read. */
        .half = look->finished,
        .reset = look->reset,
    };
}

void arrival_see(struct arrival *a, const struct arrival_look *look)
{
    if (look->acknowledged > a->acknowledged) {
        a->blind = larger(a->blind, look->acknowledged - a->acknowledged);
        a->acknowledged = look->acknowledged;
    }
    a->on_its_way = look->sent > look->acknowledged;
    a->window = larger(a->window, look->window);
    a->window_limit = look->window_limit;
    if (look->finished && !a->finished) {
        a->finished = true;
        a->finish_acknowledged = look->acknowledged;
        a->finish_window = look->window;
    }
    if (a->finished && a->acknowledged > a->finish_acknowledged)
        a->half = true;
    /* A client that is gone resets what still comes. When nothing came, it was something else:
       bytes that it had not read. */
    if (look->reset && !a->reset) {
        a->reset = true;
        if (a->finished && look->sent == a->finish_acknowledged)
            a->half = true;
    }
}

static uint64_t content(const struct arrival *a, uint64_t position)
{
    if (position <= a->base)
        return 0;
    return position - a->base < a->length ? position - a->base : a->length;
}

uint64_t arrival_acknowledged(const struct arrival *a)
{
    return content(a, a->acknowledged);
}

uint64_t arrival_least(const struct arrival *a)
{
    uint64_t unread = 2 * a->window + a->blind;

    if (unread > a->window_limit)
        unread = a->window_limit;
    return content(a, a->acknowledged > unread ? a->acknowledged - unread : 0);
}

bool arrival_is_exact(const struct arrival *a)
{
    if (!a->finished || a->half)
        return false;
    /* A client that is gone would reset what is on its way: as long as it has not, it may be there.
     */
    if (a->on_its_way && !a->reset)
        return false;
    /* Without a reset it is as good as certain; a buffer that shrank a little is no objection. */
    return a->finish_window >= (a->reset ? a->window : a->window - a->window / 4);
}
