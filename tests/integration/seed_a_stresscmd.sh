#!/bin/bash
# stresscmd: any command in many clients at once, and a table that agrees with the server's own log.
. "$(dirname "$0")/lib.sh"

PROGRAMS=$(realpath "${PROGRAMS:-$LIB_TOP/build}")
STRESS=$PROGRAMS/stresscmd
SECONDS_UP=$((5 * SLOW))

# stress ARGUMENT... : sets CODE; the report is in $OUT, what was said in $SAID.
OUT=$TMP/report
stress() {
    timeout $((60 * SLOW)) "$STRESS" "$@" >"$OUT" 2>"$TMP/stress.err" </dev/null
    CODE=$?
    SAID=$(cat "$TMP/stress.err")
}
# A number of the JSON report: json served
json() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p" "$OUT" | head -n 1; }
# A number of the table: row 'timed out'
row() { sed -n "s/^  $1  *\([0-9]*\).*/\1/p" "$OUT"; }
# How many requests with this status the server has logged; after server_stop.
logged() { grep -c "\" $1 " "$LOG"; }

# ---- the command line ----------------------------------------------------------------------------

stress --help
like "$CODE $(cat "$OUT")" '^0 usage: stresscmd' "--help"
stress -V
like "$CODE $(cat "$OUT")" '^0 stresscmd [0-9]' "-V"
for arguments in '' '-n 5' 'true' '-n 0 true' '-n x true' '-n 5 -z true' '-n' '-n 5 httpclient' \
    '-n 5 httpclient -h localhost GET / -d @-' '--ramp -c 5 true' '-n 5 -k true' '-n 5 --timeout 0 true'; do
    stress $arguments
    is "$CODE $(wc -l <"$TMP/stress.err")" "2 1" "usage, in one line: $arguments"
done
stress -n 1 httpclient -h 192.0.2.1 GET /
like "$CODE $SAID" '^2 .*not this machine.*--target-is-mine' "another machine is not aimed at"
stress -n 1 httpclient -h 127.0.0.1 'GET /' 'GET http://192.0.2.1/'
like "$CODE $SAID" '^2 .*not this machine' "nor in a second command"
stress -n 1 curl -s http://192.0.2.1:80/x
like "$CODE $SAID" '^2 .*not this machine' "nor as a URL for another program"
own=$(hostname -I 2>/dev/null | cut -d ' ' -f 1)
if [ -n "$own" ]; then
    stress -n 1 -c 1 -t 3 --timeout 1 --target-is-mine httpclient -h "$own:$(free_port)" GET /
    is "$CODE $(row total)" "1 1" "unless it is said to be mine"
else
    skip "unless it is said to be mine" "this machine has no other address"
fi

# ---- counts --------------------------------------------------------------------------------------

echo hello >"$ROOT/index.html"
numbers 100000 >"$ROOT/file"
server_start -t 16 -q 1024
stress -n 20 -c 50 -t 60 "$PROGRAMS/httpclient" -h "$HOST_PORT" GET /index.html
is "$CODE $(row served) $(row total)" "0 1000 1000" "20 clients, 50 times each: 1000 served"
like "$(cat "$OUT")" 'p50 +p90 +p99 +p99.9 +max' "with percentiles"
like "$(cat "$OUT")" '[0-9.]+ requests/s' "a rate"
like "$(cat "$OUT")" 'orrected for coordinated omission' "a word on how they are corrected"
like "$(cat "$OUT")" '[0-9] (us|ms|s) +[0-9]+ #+' "and a histogram"
is "$SAID" "" "nothing is said in a pipe"
stress -n 7 -c 10 -t 60 --json httpclient -h "$HOST_PORT" 'GET /file' 'GET /nothing' 'HEAD /file'
is "$CODE $(json served) $(json http_error) $(json content_bytes | cut -c 1-2)" "1 140 70 70" \
    "three commands, one of them a 404, as JSON"
if command -v python3 >/dev/null; then
    python3 -c 'import json, sys
r = json.load(sys.stdin)
assert sum(r["outcomes"].values()) == 210, r
assert r["latency_us"]["count"] == 140 <= r["corrected_latency_us"]["count"], r
q = [r["latency_us"][k] for k in ("p50", "p90", "p99", "p99_9", "max")]
assert q == sorted(q), r
assert r["command"][1:3] == ["-h", sys.argv[1]], r' "$HOST_PORT" <"$OUT" 2>"$TMP/json.err"
    ok "which it is" || note "$(cat "$TMP/json.err")"
else
    skip "which it is" "python3 is not installed"
fi
stress -n 4 -t 1 httpclient -h "$HOST_PORT" GET /index.html
served=$(row served)
is "$CODE $(row total)" "0 $served" "for a second: all served"
server_stop
is "$(logged 200)" "$((1000 + 140 + served))" "the server has logged as many 200"
is "$(logged 404)" 70 "and as many 404"

# ---- thousands -----------------------------------------------------------------------------------

: >"$LOG"
if [ "$SLOW" -eq 1 ] && [ "$(ulimit -Hn)" -ge 3000 ]; then
    server_start -t 4 -q 4096 -c 4096
    stress -n 2000 -c 2 -t 60 -k --timeout 60 httpclient -h "$HOST_PORT" GET /index.html
    is "$CODE $(row served)" "0 4000" "2000 clients at once, two requests each over one connection"
    server_stop
    is "$(logged 200)" 4000 "as the server says too"
else
    skip "2000 clients at once" "a sanitised build, or too few descriptors"
fi

# ---- a ramp --------------------------------------------------------------------------------------

# A directory that takes a while to list keeps a worker busy, so that there is something to saturate.
mkdir "$ROOT/many" && (cd "$ROOT/many" && seq -f 'entry-%06.0f' 1 3000 | xargs touch)
ERR_MAY='the number of clients that can be served is exceeded|clients are served again'
: >"$LOG"
server_start -t 4 -q 8
stress --ramp -t $((30 * SLOW)) --timeout 20 httpclient -h "$HOST_PORT" GET /many/
is "$CODE" 0 "--ramp against -t 4 -q 8"
like "$(head -n 1 "$OUT")" 'can serve [0-9]+ clients at once: with [0-9]+, the first was refused \(503\)' "finds where it ends"
reached=$(sed -n '1s/.*with \([0-9]*\),.*/\1/p' "$OUT")
[ "${reached:-0}" -ge 5 ] && [ "$reached" -le 64 ]
ok "at a number that four workers and a queue of eight explain (${reached:-none})"
served=$(row served) refused=$(row 'refused (503)')
[ "${refused:-0}" -gt 0 ]
ok "with refusals ($refused) in the table"
is "$(grep -c 'number of clients that can be served is exceeded' "$ERR")" 1 "the server says so once"
sleep 1 # what is promised is: normal again one second later
fetch /index.html
is "$STATUS $(body)" "200 hello" "and serves normally one second later"
server_stop
is "$(logged 200)" "$((served + 1))" "it has logged as many 200 as the table says"
turned=$(sed -n 's/.*clients are served again; \([0-9]*\) were turned away.*/\1/p' "$ERR")
[ -z "$turned" ] || is "$turned" "$refused" "and has turned away as many"

ERR_MAY=
server_start -t 16 -q 1024
stress --ramp -n 24 -t $((20 * SLOW)) --json httpclient -h "$HOST_PORT" GET /index.html
like "$CODE $(grep '"ramp"' "$OUT")" '^0 .*"served": 24, "refused_at": null' "--ramp -n 24 against -t 16 -q 1024: it was not the end"
server_stop

# ---- outcomes of other kinds ---------------------------------------------------------------------

canned() { # as in httpclient.sh
    : >"$TMP/canned"
    helper "$RAW" -t $((10 * SLOW)) -l "$@" >"$TMP/canned" 2>"$TMP/canned.err"
    CANNED_PID=$HELPER
    wait_for $SECONDS_UP grep -q '^port ' "$TMP/canned"
    CANNED=127.0.0.1:$(sed -n 's/^port \([0-9]*\)$/\1/p' "$TMP/canned" | head -n 1)
}
canned_end() { kill "$CANNED_PID" 2>/dev/null; wait "$CANNED_PID" 2>/dev/null; }
HEAD_READ=(until '\r\n\r\n')
OK='HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

stress -n 3 -c 2 -t 20 httpclient -h "127.0.0.1:$(free_port)" GET /
is "$CODE $(row 'connection refused')" "1 6" "connection refused"
like "$(cat "$OUT")" 'first trouble was: .*Connection refused' "and what it was"
canned until never
# One client: the canned server ends with its first, and would reset a second that still waits.
stress -n 1 -c 1 -t 20 --timeout 0.5 httpclient -h "$CANNED" GET /
is "$CODE $(row 'timed out')" "1 1" "timed out"
canned_end
canned "${HEAD_READ[@]}" send 'SSH-2.0\r\n'
stress -n 1 -c 1 -t 20 httpclient -h "$CANNED" GET /
is "$CODE $(row 'protocol error')" "1 1" "protocol error"
canned_end
canned "${HEAD_READ[@]}" send "${OK%ok}"
stress -n 1 -c 1 -t 20 httpclient -h "$CANNED" GET /
is "$CODE $(row 'connection lost')" "1 1" "connection lost"
canned_end
canned "${HEAD_READ[@]}" send 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'
stress -n 1 -c 1 -t 20 httpclient -h "$CANNED" GET /
is "$CODE $(row 'refused (503)')" "1 1" "503"
canned_end
canned "${HEAD_READ[@]}" send "$OK" "${HEAD_READ[@]}" send "$OK"
stress -n 1 -c 2 -k -t 20 httpclient -h "$CANNED" GET /
is "$CODE $(row served)" "0 2" "-k: one connection"
canned_end
canned "${HEAD_READ[@]}" send "$OK" accept "${HEAD_READ[@]}" send "$OK"
stress -n 1 -c 2 -t 20 httpclient -h "$CANNED" GET /
is "$CODE $(row served)" "0 2" "without: one for each run"
canned_end
is "$(tr -d '\r' <"$TMP/canned" | grep -c '^Connection: close$')" 2 "and it is said that no more will come"
canned until never
stress -n 2 -t 1 --timeout 60 httpclient -h "$CANNED" GET /
is "$(row 'cut off at the end')" 2 "what does not end is cut off"
canned_end

# ---- any command ---------------------------------------------------------------------------------

stress -n 3 -c 4 true
is "$CODE $(row served)" "0 12" "processes that end with 0"
stress -n 3 -c 4 sh -c 'exit 7'
is "$CODE $(row 'command failed')" "1 12" "with another code"
like "$(cat "$OUT")" 'ended with code 7' "which is told"
stress -n 2 -c 1 no-such-program-anywhere
is "$CODE $(row 'failed on this side')" "1 2" "that do not exist"
stress -n 2 -c 1 --timeout 0.3 sh -c 'sleep 4711.5; true'
is "$CODE $(row 'timed out')" "1 2" "that take too long"
is "$(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' ' ' | grep -c 'sleep 4711[.]5')" 0 "and are ended, with what they started"

# ---- Ctrl-C, and the live line -------------------------------------------------------------------

server_start
"$STRESS" -n 4 -t 60 httpclient -h "$HOST_PORT" GET /index.html >"$OUT" 2>"$TMP/stress.err" &
pid=$!
sleep 1
start=$(now_ms)
kill -INT "$pid"
wait "$pid"
is "$? $(row total)" "0 $(row served)" "Ctrl-C: the table all the same"
like "$(cat "$OUT")" 'interrupted' "which says that it was interrupted"
at_most $(($(now_ms) - start)) $((2500 * SLOW)) "at once"
if command -v script >/dev/null; then
    script -qec "$STRESS -n 2 -t 1 httpclient -h $HOST_PORT GET /index.html" /dev/null >"$OUT" </dev/null
    like "$(tr '\r' '\n' <"$OUT")" '[0-9.]+ s  2 clients  [0-9]+ served  [0-9]+/s' "a live line on a terminal"
else
    skip "a live line on a terminal" "there is no script(1)"
fi
server_stop
done_testing
