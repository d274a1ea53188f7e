#!/bin/bash
# alone: this one is timed
#
# slowhttptest in its four modes against -t 16: by its own verdict the service is available throughout,
# and fresh requests are answered as if nothing were. CLIENTS=1000 SECONDS_EACH=30 is the long form
# (make slow). Then a crowd that rests, drips and stalls together: how much memory it takes.
. "$(dirname "$0")/lib.sh"

CLIENTS=${CLIENTS:-200}
SECONDS_EACH=${SECONDS_EACH:-4}
numbers 1024 >"$ROOT/small.txt"
numbers 10000000 >"$ROOT/large.bin"
aged "$ROOT/small.txt"
aged "$ROOT/large.bin"
percentile() { sed -n "s/.* $1 \([0-9]*\).*/\1/p" <<<"$2"; }

# As in parking: the demand is 3 times the unloaded p99 or 1 ms; a machine that is shared adds its own.
NOISE_US=${NOISE_US:-20000}

mode() { # mode WORDS WHAT : in the background; its own reports are in $TMP/slow
    # shellcheck disable=SC2086
    slowhttptest $1 -c "$CLIENTS" -r "$CLIENTS" -l "$SECONDS_EACH" -p 3 >"$TMP/slow" 2>&1 </dev/null &
    local pid=$! all p99s=() i
    HELPER_PIDS="${HELPER_PIDS:-} $pid"
    sleep 1.5 # its clients come within the first second
    for ((i = 0; i < 5; i++)); do
        all=$("$CROWD" "$PORT" fresh 300 /small.txt)
        p99s+=("$(percentile p99 "$all")")
        like "$all" '^answered 300 of 300' "$2: fresh requests: $all"
    done
    wait "$pid"
    sed -i 's/\x1b\[[0-9;]*m//g' "$TMP/slow"
    at_most "$(printf '%s\n' "${p99s[@]}" | sort -n | sed -n 3p)" $((limit + NOISE_US * SLOW)) "$2: their p99 in µs, the median of five"
    isnt "$(grep -c 'service available: *YES' "$TMP/slow")" 0 "$2: available, says slowhttptest"
    is "$(grep 'service available: *NO' "$TMP/slow")" "" "$2: throughout"
}

if command -v slowhttptest >/dev/null; then
    ERR_MAY='the number of clients that can be served is exceeded|clients are served again'
    server_start -t 16
    "$CROWD" "$PORT" fresh 300 /small.txt >/dev/null
    unloaded=$("$CROWD" "$PORT" fresh 300 /small.txt)
    like "$unloaded" '^answered 300 of 300' "unloaded: $unloaded"
    limit=$(($(percentile p99 "$unloaded") * 3))
    [ $limit -ge 1000 ] || limit=1000
    mode "-H -i 1 -u $URL/small.txt" "slow headers"
    # As PUT: a POST there is refused at once, and then nobody is slow.
    mode "-B -i 1 -s 100000 -t PUT -u $URL/up" "slow body"
    [ "$(sed -n 's/.*Test ended on \([0-9]*\).*/\1/p' "$TMP/slow")" -ge $((SECONDS_EACH / 2)) ]
    ok "slow body: it lasts until the server's patience or the attack ends"
    mode "-R -a 1 -b 3000 -u $URL/large.bin" "ranges"
    mode "-R -a 1 -b 1000 -t GET -u $URL/large.bin" "ranges of a large file, not read"
    mode "-X -k 3 -n 1 -w 512 -y 1024 -z 32 -u $URL/large.bin" "slow reading"
    server_stop
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
