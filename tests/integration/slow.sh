#!/bin/bash
# alone: this one is timed
#
# slowhttptest in its four modes against -t 16: by its own verdict the service is available throughout,
# and fresh requests are answered as if nothing were: their p99 is at most 3 times that of a server in peace,
# or 1 ms. Then a crowd that rests, drips and stalls together: how much memory it takes.
#
# The p99 is the median of windows that cover the whole attack from its first moment. In make check, on a
# machine of which nothing is known, what a server in peace takes is asked meanwhile, in turn, of another one
# that nobody attacks: whatever else slows the machine down, slowhttptest itself to begin with, slows both.
# It may slow one of them more; so what is over the bound, and yet within what the other took at its worst, is
# said as a figure and counts as skipped.
# QUIET=1 (make slow) is the demand to the letter, for a machine with nothing else to do: in peace is before
# the attack then. CLIENTS=1000 SECONDS_EACH=30 belong to that form too.
. "$(dirname "$0")/lib.sh"

CLIENTS=${CLIENTS:-200}
SECONDS_EACH=${SECONDS_EACH:-4}
QUIET=${QUIET:-0}
WINDOW=$((QUIET ? 4000 : 1000)) # fresh requests: at 1,000 clients, what they send each second falls into each
TRIES=$((QUIET ? 1 : 3))        # something may happen to a machine once
[ $SLOW -eq 1 ] || WINDOW=300
numbers 1024 >"$ROOT/small.txt"
numbers 10000000 >"$ROOT/large.bin"
aged "$ROOT/small.txt"
aged "$ROOT/large.bin"
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] + 0 }'; }

# One window: its p99 is a line more in FILE; what was not answered, one in $TMP/unanswered.
window() { # window PORT FILE
    local said
    said=$("$CROWD" "$1" fresh $WINDOW /small.txt)
    sed -n 's/.* p99 \([0-9]*\).*/\1/p' <<<"$said" >>"$TMP/$2"
    grep -v "^answered $WINDOW of $WINDOW" <<<"$said" >>"$TMP/unanswered"
}

empty() { # empty FILE...
    local file
    for file; do : >"$file"; done
}

attack() { # attack WORDS : sets FRESH, PEACE and WORST (in peace), in µs; the tool's own reports are added to $TMP/slow
    local pid i
    empty "$TMP/fresh" "$TMP/peace" "$TMP/control"
    wait_for $((30 * SLOW)) no_connections
    for ((i = 0; i < 5; i++)); do window "$PORT" peace; done
    # One that the server answers at once is soon over: again, for a median.
    until [ "$(wc -l <"$TMP/fresh")" -ge 5 ]; do
        # shellcheck disable=SC2086
        slowhttptest $1 -c "$CLIENTS" -r "$CLIENTS" -l "$SECONDS_EACH" -p 3 >>"$TMP/slow" 2>&1 </dev/null &
        pid=$!
        HELPER_PIDS="${HELPER_PIDS:-} $pid"
        until gone_or_zombie "$pid"; do
            window "$PORT" fresh
            window "$CONTROL" control
        done
        wait "$pid"
    done
    sed -i 's/\x1b\[[0-9;]*m//g' "$TMP/slow"
    FRESH=$(median <"$TMP/fresh") PEACE=$(median <"$TMP/peace")
    note "p99 in µs, $(wc -l <"$TMP/fresh") windows: $FRESH ($(head -n 1 "$TMP/fresh") in the first, $(sort -n "$TMP/fresh" | tail -n 1) at most); in peace before it: $PEACE; in peace beside it: $(median <"$TMP/control")"
    WORST=$(sort -n "$TMP/peace" "$TMP/control" | tail -n 1)
    [ "$QUIET" -eq 1 ] || PEACE=$(median <"$TMP/control")
}

mode() { # mode WORDS WHAT
    local try limit
    empty "$TMP/slow" "$TMP/unanswered"
    for ((try = 0; try < TRIES; try++)); do
        attack "$1"
        limit=$((PEACE * 3 > 1000 ? PEACE * 3 : 1000))
        [ $SLOW -eq 1 ] && [ "$FRESH" -gt $limit ] || break
    done
    is "$(cat "$TMP/unanswered")" "" "$2: all fresh requests are answered"
    if [ $SLOW -ne 1 ]; then
        skip "$2: their p99" "a sanitizer's own time would be measured"
    elif [ "$QUIET" -eq 0 ] && [ "$FRESH" -gt $limit ] && [ "$FRESH" -le $((WORST * 3)) ]; then
        skip "$2: their p99" "it is $FRESH µs, and that of a server in peace at times $WORST: this machine is too busy to tell"
    else
        at_most "$FRESH" $limit "$2: their p99 in µs"
    fi
    isnt "$(grep -c 'service available: *YES' "$TMP/slow")" 0 "$2: available, says slowhttptest"
    is "$(grep 'service available: *NO' "$TMP/slow")" "" "$2: throughout"
}

if command -v slowhttptest >/dev/null; then
    ERR_MAY='the number of clients that can be served is exceeded|clients are served again'
    server_start -t 16
    CONTROL=$PORT CONTROL_PID=$SERVER_PID
    server_start -t 16
    HELPER_PIDS="${HELPER_PIDS:-} $CONTROL_PID"
    "$CROWD" "$PORT" fresh 1000 /small.txt >/dev/null
    mode "-H -i 1 -u $URL/small.txt" "slow headers"
    # As PUT: a POST there is refused at once, and then nobody is slow.
    mode "-B -i 1 -s 100000 -t PUT -u $URL/up" "slow body"
    [ "$(sed -n 's/.*Test ended on \([0-9]*\).*/\1/p' "$TMP/slow" | tail -n 1)" -ge $((SECONDS_EACH / 2)) ]
    ok "slow body: it lasts until the server's patience or the attack ends"
    mode "-R -a 1 -b 3000 -u $URL/large.bin" "ranges"
    mode "-R -a 1 -b 1000 -t GET -u $URL/large.bin" "ranges of a large file, not read"
    mode "-X -k 3 -n 1 -w 512 -y 1024 -z 32 -u $URL/large.bin" "slow reading"
    server_stop
    kill -TERM "$CONTROL_PID"
    wait "$CONTROL_PID"
    ok "the other server ends well"
else
    skip "slowhttptest in its four modes" "slowhttptest is not installed"
fi

# ---- a crowd, and what it takes ------------------------------------------------------------------

# Descriptors: one for each client, and one for each file that is being sent.
held=10000
[ $SLOW -eq 1 ] || held=1000
if [ "$(ulimit -Hn)" -lt $((held * 3 / 2)) ]; then
    skip "$held connections" "only $(ulimit -Hn) descriptors are allowed"
    done_testing
fi
ERR_MAY=
server_start -t 16 -q 10000 --head-timeout 300 --idle-timeout 300 --min-rate 1
for kind in "idle $((held * 4 / 10))" "half $((held * 3 / 10))" "stall $((held * 3 / 10)) /large.bin"; do
    # shellcheck disable=SC2086
    helper "$CROWD" "$PORT" $kind >"$TMP/crowd.${kind%% *}"
    wait_for $((60 * SLOW)) grep -q ready "$TMP/crowd.${kind%% *}"
    ok "there are ${kind%/*}"
done
all=$("$CROWD" "$PORT" fresh 300 /small.txt)
like "$all" '^answered 300 of 300' "beside $held connections fresh requests are answered: $all"
if [ $SLOW -eq 1 ]; then
    [ "$(sockets)" -gt "$held" ]
    ok "all are held ($(sockets) sockets)"
    at_most "$(awk '/^VmRSS:/ { print $2 }' "/proc/$SERVER_PID/status")" 40960 "resident memory of the server, in KB"
else
    skip "memory for $held connections" "a sanitizer's own memory would be counted"
fi
for pid in $HELPER_PIDS; do kill "$pid" 2>/dev/null; done
wait_for $((30 * SLOW)) no_connections
ok "and rests when they are gone"
server_stop
done_testing
