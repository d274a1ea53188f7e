/*
 * The hand-over of connections between the main thread, the line, the workers and the watch set, as
 * src/server/queue.c and src/server/watch.c do it, small enough for every interleaving to be looked
 * at. `make model` does so; it shows that
 *
 *     a connection never has two owners, and an event of one that is long gone claims nobody
 *     a parked connection whose client has sent something has an event that says so
 *     while somebody stands in the line, or an event waits to be fetched, there is somebody who will
 *     look: a worker that is awake, or the main thread, whose tick wakes one
 *
 * and all that also when a worker is away for ever, in a disk that does not answer.
 *
 * -DBULK=1 is about bulk, which stands in a line of its own, and is served by one worker at a time and
 * only when a turn is due or all is calm. Then no connection ends, and clients send to who is parked
 * only, for both together are too many states. When it is calm is left open. It shows that
 *
 *     a turn that is due is waited for in vain for one tick at most, before somebody is woken for it
 *
 * One step here is what the code does in one atomic operation, in one system call, or under the
 * queue's lock, of which nobody sees the middle. Times are not in it: what takes long is what others
 * overtake.
 *
 * -DFAULT=n leaves out one of the things that it depends on, and `make model` looks that each of
 * these is found out.
 */

#ifndef BULK
#define BULK 0
#endif
#ifndef FAULT
#define FAULT 0
#endif
#define FAULT_PARK_BLINDLY 1         /* to park does not look whether an event came meanwhile */
#define FAULT_NO_GENERATION 2        /* an event is taken for one of whoever has the place now */
#define FAULT_NO_TICK_WHEN_PUSHED 3  /* who pushes to busy workers does not have the line looked at */
#define FAULT_NO_TICK_WHEN_TAKEN 4   /* nor does a worker that leaves the watch set unwatched */
#define FAULT_NO_KICK 5              /* the leader is not fetched for what stands in the line */
#define FAULT_TICK_WAKES_NO_LEADER 6 /* nor by the tick, when nobody else is left */

#define FAULT_NO_TICK_FOR_BULK 7     /* bulk that must wait does not have itself looked at */
#define FAULT_BULK_WAITS_FOR_EVER 8  /* a worker that is away with bulk is waited for */
#define FAULT_BULK_IS_NEVER_CALLED 9 /* whoever is awake is taken for one that comes by */

#define CONNECTIONS 2
#define WORKERS 2
#define DEAD 1 /* the connection whose worker may never come back */

mtype = { PARKED, OWNED, NOTIFIED };

/* Of each connection's place. */
mtype state[CONNECTIONS] = OWNED;
bit generation[CONNECTIONS];
bool used[CONNECTIONS];
byte owners[CONNECTIONS];   /* who holds it, the line included; what the code has no word for */
bool unread[CONNECTIONS];   /* the client has sent what nobody has read */
bool watched[CONNECTIONS];  /* its descriptor is in the epoll set */
bool is_bulk[CONNECTIONS];
bool event[CONNECTIONS];    /* and has an event there that nobody has fetched */

/* struct queue */
chan line = [CONNECTIONS] of { byte };
chan bulk = [CONNECTIONS] of { byte };
bool due, calm;          /* bulk may have a turn: a tick has passed; or as many as it likes */
byte served;             /* bulk connections that are being served, by workers that are counted: */
bool counted[WORKERS];   /* bulk_round of the code */
bool bulk_taken, waited_for; /* since the last tick; in vain, for a tick already */
bool hoped;                  /* nobody was woken for it at the last tick, for who comes by */
bool led;
byte sleeping, signals; /* followers asleep; how many of them have been woken */
bool ticking;
bool waited;             /* a worker has come back since the last tick */
byte taken, tick_length; /* taken since; how many stood in the line at the last tick */

bool kicked;      /* the watch set's eventfd */
bool main_kicked; /* the main thread's */
bool away;        /* a worker is, for ever */
bool watching;    /* the leader is in epoll_wait */
bool fetched[CONNECTIONS]; /* events it has fetched, and not yet done anything about */

#define MAY_TAKE_BULK (len(bulk) > 0 && served == 0 && (due || calm))

#define IDLE (sleeping - signals + led)

/* Workers that will come to the line by themselves. */
#define AWAKE (WORKERS - away - (sleeping - signals) - (watching && !kicked && !event[0] && !event[1]))

inline wake_follower() {
    if
    :: sleeping > signals -> signals++
    :: else
    fi
}

inline begin_ticking() {
    if
    :: !ticking -> ticking = true; main_kicked = true
    :: else
    fi
}

inline stand(c) {
    if
    :: is_bulk[c] -> bulk!c
    :: else -> line!c
    fi
}

/* queue_push_ready: `c` is the caller's, and the line's from here on. */
inline push(c) {
    stand(c);
    if
    :: IDLE < WORKERS ->
        if
        :: FAULT != FAULT_NO_TICK_WHEN_PUSHED -> begin_ticking()
        :: else
        fi
    :: else ->
        if
        :: led -> kicked = (FAULT != FAULT_NO_KICK)
        :: else -> wake_follower()
        fi
    fi
}

/* Claims a parked connection that moved: `got` says that the caller owns it now. Otherwise whoever
   owns it is told. */
inline take_hold(c, named, got) {
    atomic {
        got = false;
        fetched[c] = false;
        if
        :: generation[c] != named && FAULT != FAULT_NO_GENERATION
        :: else ->
            if
            :: state[c] == PARKED ->
                assert(owners[c] == 0 && used[c] && generation[c] == named);
                state[c] = OWNED;
                owners[c]++;
                got = true
            :: else -> state[c] = NOTIFIED
            fi
        fi
    }
}

/* watch_wait: fetches all events there are, then claims one after the other. */
inline fetch() {
    watching = false;
    kicked = false;
    fetched[0] = event[0]; fetched_of[0] = generation[0]; event[0] = false;
    fetched[1] = event[1]; fetched_of[1] = generation[1]; event[1] = false
}

inline claim_fetched() {
    if
    :: fetched[0] -> take_hold(0, fetched_of[0], claimed[0])
    :: else
    fi;
    if
    :: fetched[1] -> take_hold(1, fetched_of[1], claimed[1])
    :: else
    fi;
    atomic {
        led = false;
        if
        :: claimed[0] -> stand(0)
        :: else
        fi;
        if
        :: claimed[1] -> stand(1)
        :: else
        fi;
        claimed[0] = false; claimed[1] = false;
        fetched_of[0] = 0; fetched_of[1] = 0
    }
}

inline tick_for_bulk() {
    if
    :: len(bulk) > 0 && FAULT != FAULT_NO_TICK_FOR_BULK -> begin_ticking()
    :: else
    fi
}

#define MUST_LOOK (!looked && len(line) == 0 && !led && MAY_TAKE_BULK)

/* queue_take: leaves with a connection in `c`. */
inline take() {
    atomic {
        waited = true;
        if
        :: counted[_pid] -> counted[_pid] = false; served--
        :: else
        fi
    };
    do
    :: atomic { MUST_LOOK -> looked = true; led = true; fetch() };
        claim_fetched()
    :: atomic { !MUST_LOOK && len(line) > 0 ->
            line?c;
            if
            :: taken < CONNECTIONS -> taken++
            :: else
            fi;
            calm = false;
            if
            :: FAULT != FAULT_NO_TICK_WHEN_TAKEN -> begin_ticking()
            :: else
            fi };
        break
    :: atomic { !MUST_LOOK && MAY_TAKE_BULK ->
            bulk?c;
            bulk_taken = true;
            served++;
            assert(served == 1);
            counted[_pid] = true;
            due = false;
            begin_ticking() };
        break
    :: atomic { len(line) == 0 && !MAY_TAKE_BULK && !led ->
            tick_for_bulk();
            led = true;
            watching = true };
        atomic { kicked || event[0] || event[1] -> fetch() };
        claim_fetched()
    :: atomic { len(line) == 0 && !MAY_TAKE_BULK && led -> tick_for_bulk(); sleeping++ };
        atomic { signals > 0 -> signals--; sleeping-- }
    od
}

inline close_connection(c) {
    atomic {
        assert(owners[c] == 1 && used[c]);
        used[c] = false;
        unread[c] = false;
        is_bulk[c] = false;
        watched[c] = false;
        event[c] = false; /* to close a descriptor takes it out of the epoll set */
        generation[c] = 1 - generation[c];
        state[c] = OWNED;
        owners[c] = 0
    }
}

/* watch_park: the connection goes to the watch set, unless something came meanwhile. */
inline park(c) {
    /* epoll_ctl reports at once what is there already. */
    atomic {
        if
        :: !watched[c] -> watched[c] = true; event[c] = unread[c]
        :: else
        fi
    };
    atomic {
        assert(owners[c] == 1);
        if
        :: state[c] == OWNED || FAULT == FAULT_PARK_BLINDLY ->
            owners[c]--;
            state[c] = PARKED;
            parked = true
        :: else -> state[c] = OWNED; parked = false
        fi
    }
}

active [WORKERS] proctype worker()
{
    byte c;
    bool parked, looked;
    bool claimed[CONNECTIONS];
    bit fetched_of[CONNECTIONS];

    do
    :: take();
        do
        :: atomic { c == DEAD && !away -> away = true };
            false
        :: true ->
            atomic {
                unread[c] = false; /* read, and answered or not all there */
                if
                :: BULK && !is_bulk[c] -> is_bulk[c] = true; calm = true
                :: else
                fi
            };
            if
            :: c != DEAD && !BULK -> close_connection(c); break
            :: atomic { true -> push(c) }; break /* others first */
            :: park(c);
                if
                :: parked -> break
                :: else
                fi
            fi
        od;
        atomic { parked = false; looked = false; c = 0 }
    od
}

/* A deadline: whoever is parked is claimed, and has a turn. */
inline expire(n) {
    atomic { !BULK && state[n] == PARKED && used[n] ->
        assert(owners[n] == 0);
        state[n] = OWNED;
        owners[n]++;
        push(n) }
}

/* A client comes, and gets a free place. */
inline accept(n) {
    atomic { !used[n] ->
        used[n] = true;
        owners[n] = 1;
        push(n);
        ticking = true;
        ticks = true }
}

active proctype main_thread()
{
    bool ticks, comes;

    do
    :: atomic { main_kicked -> main_kicked = false; ticks = true }
    :: atomic { ticks ->
            comes = IDLE < WORKERS && !calm && (!due || FAULT == FAULT_BULK_IS_NEVER_CALLED);
            due = true;
            if
            :: BULK -> calm = true
            :: true
            fi;
            if
            :: len(bulk) > 0 && served > 0 && !bulk_taken && FAULT != FAULT_BULK_WAITS_FOR_EVER ->
                if
                :: waited_for -> served = 0; counted[0] = false; counted[1] = false
                :: else
                fi;
                waited_for = !waited_for
            :: else -> assert(len(bulk) == 0 || served == 0 || bulk_taken); waited_for = false
            fi;
            assert(!(hoped && !bulk_taken && MAY_TAKE_BULK && comes));
            bulk_taken = false;
            if
            :: (taken < tick_length || (MAY_TAKE_BULK && !comes)) && led &&
                FAULT != FAULT_TICK_WAKES_NO_LEADER -> kicked = true
            :: ((taken < tick_length || (MAY_TAKE_BULK && !comes)) && !led) || (!led && !waited) ->
                wake_follower()
            :: else
            fi;
            /* Whoever has stood there for a tick does not stand for another in vain. */
            assert((taken >= tick_length && (!MAY_TAKE_BULK || comes)) || AWAKE > 0);
            hoped = MAY_TAKE_BULK && comes;
            comes = false;
            ticking = len(line) > 0 || len(bulk) > 0 || (IDLE < WORKERS && !led) || waited;
            waited = false;
            taken = 0;
            tick_length = len(line);
            ticks = ticking }
    :: expire(0)
    :: expire(1)
    :: accept(0)
    :: accept(1)
    od
}

/* Clients send when they like. Bytes behind others are no new edge that could be missed. */
active proctype clients()
{
    do
    :: atomic { used[0] && !unread[0] && (!BULK || state[0] == PARKED) -> unread[0] = true; event[0] = watched[0] }
    :: atomic { used[1] && !unread[1] && (!BULK || state[1] == PARKED) -> unread[1] = true; event[1] = watched[1] }
    od
}

#define IS_SEEN(n) (!unread[n] || !used[n] || state[n] != PARKED || event[n] || fetched[n])
#define SOMEBODY_LOOKS (AWAKE > 0 || ticking || main_kicked)

ltl right {
    [] (IS_SEEN(0) && IS_SEEN(1) &&
        ((len(line) == 0 && len(bulk) == 0 && !event[0] && !event[1]) || SOMEBODY_LOOKS))
}
