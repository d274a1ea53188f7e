#!/bin/bash
# A body that comes in drips: the server is not woken for each, and yet nothing that is whole waits, nothing
# is lost, and what has come counts when the time is over.
. "$(dirname "$0")/lib.sh"

numbers 12000 >"$TMP/whole"
echo hello >"$ROOT/a.txt"
server_start -t 2 --min-rate 50

# A request whose body, the first BYTES of $TMP/whole, comes in pieces of EACH bytes; further steps may follow.
drip() { # drip OUTPUT BYTES EACH PAUSE_MS HEAD [STEP...]
    local steps=(send "$5") pieces piece
    pieces=$(mktemp -d "$TMP/pieces.XXXXXX")
    head -c "$2" "$TMP/whole" | split -a 4 -b "$3" - "$pieces/"
    for piece in "$pieces"/*; do steps+=(wait "$4" file "$piece"); done
    RAW_SECONDS=60 raw "${steps[@]}" "${@:6}" >"$1"
}
put() { echo "PUT /$1 HTTP/1.1\r\nHost: localhost\r\nConnection: ${3:-close}\r\nContent-Length: $2\r\n\r\n"; }
stored() { # stored NAME BYTES WHAT
    head -c "$2" "$TMP/whole" >"$TMP/wanted"
    same_bytes "$ROOT/$1" "$TMP/wanted" "$3"
}

# These take longer than the twenty seconds that a transfer may rest: in the background, until the end.
drip "$TMP/kept" 2400 100 1000 "$(put kept 2400)" &
kept=$!
drip "$TMP/given-up" 40 1 1000 "$(put given-up 40)" &
given_up=$!
HELPER_PIDS="$kept $given_up"

for case in "60 1" "5000 50" "12000 100" "12000 3000" "4097 4096"; do
    read -r bytes each <<<"$case"
    start=$(now_ms)
    drip "$TMP/got" "$bytes" "$each" 10 "$(put "file-$bytes-$each" "$bytes")"
    is "$(status_of "$(cat "$TMP/got")")" 201 "$bytes bytes, $each at a time"
    at_most $(($(now_ms) - start - bytes / each * 10)) $((3000 * SLOW)) "are answered when the last has come, in ms"
    stored "file-$bytes-$each" "$bytes" "and are stored"
done

# ---- what follows, and how it ends ---------------------------------------------------------------

drip "$TMP/got" 300 10 10 "$(put followed 300 keep-alive)" send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' \
    until hello send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n' wait 200 send 'Connection: close\r\n\r\n'
is "$(grep -a '^HTTP/1.1' "$TMP/got" | cut -d ' ' -f 2 | tr '\n' ' ')" "201 200 200 " "requests that follow are answered, in pieces too"

chunk() { printf '%x\\r\\n%s\\r\\n' "$1" "$(head -c "$1" /dev/zero | tr '\0' "$2")"; }
head='PUT /chunks HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n'
steps=(send "$head")
for ((i = 0; i < 20; i++)); do steps+=(wait 10 send "$(chunk 5 a)"); done
steps+=(send '1000\r\n')
for ((i = 0; i < 64; i++)); do steps+=(wait 10 repeat 64 b); done
is "$(status_of "$(raw "${steps[@]}" send '\r\n' wait 10 send '0\r\n' wait 10 send '\r\n')")" 201 "in chunks, small ones and one in pieces"
is "$(wc -c <"$ROOT/chunks") $(tr -d a <"$ROOT/chunks" | wc -c)" "4196 4096" "each byte of them"

for end in half reset; do
    drip "$TMP/got" 300 10 10 "$(put "cut-$end" 100000)" $end
    [ ! -e "$ROOT/cut-$end" ]
    ok "a body that ends early with $end is no file"
done

# By id each byte counts at once: the client may ask how far it is on another connection.
id=$(curl -sS "$URL/.uuid")
drip "$TMP/upload" 700 10 10 "$(put "$id/resumed" 12000)" wait 20000 &
upload=$!
all_sent() { find "$ROOT/.httpd/uploads" -type f -size 700c | grep -q .; }
wait_for $((20 * SLOW)) all_sent
ok "an upload that can be resumed is stored as it drips"
fetch -I "/$id/resumed"
is "$(field Upload-Offset)" 700 "and its offset is exact"
wait "$upload"
ok "the older connection is closed"

# ---- what it costs -------------------------------------------------------------------------------

wakes() {
    local task sum=0
    for task in "/proc/$SERVER_PID/task"/*; do
        [ "$(cat "$task/comm")" = httpd-worker ] || continue
        sum=$((sum + $(awk '/^voluntary_ctxt_switches/ { print $2 }' "$task/status")))
    done
    echo $sum
}
before=$(wakes)
drip "$TMP/got" 400 1 5 "$(put cheap 400)"
is "$(status_of "$(cat "$TMP/got")")" 201 "four hundred bytes, one at a time"
at_most $(($(wakes) - before)) 100 "wake the workers far less often, two other clients included"

# ---- the deadline --------------------------------------------------------------------------------

wait "$kept"
is "$(status_of "$(cat "$TMP/kept")")" 201 "twice the minimum rate: served to its end, though none of it was worth a turn"
stored kept 2400 "with each byte"
wait "$given_up"
is "$(status_of "$(cat "$TMP/given-up")")" 408 "a byte a second: given up"
[ ! -e "$ROOT/given-up" ]
ok "and nothing is stored"

wait_for $((30 * SLOW)) no_connections
ok "nobody is left"
done_testing
