#!/bin/bash
# Deadlines are absolute: no drip of bytes renews them.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
truncate -s 64M "$ROOT/large.bin"
server_start --head-timeout 2 --idle-timeout 1 --min-rate 100000 -t 2

elapsed() { # elapsed COMMAND... : sets TOOK (ms) and GOT
    local start
    start=$(now_ms)
    GOT=$("$@")
    TOOK=$(($(now_ms) - start))
}
between() { # between LOW HIGH WHAT : TOOK, in ms
    [ "$TOOK" -ge "$1" ] && [ "$TOOK" -le $(($2 + 1000 * SLOW)) ]
    ok "$3 (after $TOOK ms)"
}

elapsed raw wait 1
between 900 2500 "a connection on which nothing was ever sent is closed by the idle or the head timeout"
is "$GOT" "" "without a word (nothing was asked)"

elapsed raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n'
between 900 2000 "a connection that rests after a request is closed by the idle timeout"
is "$(grep -c '^HTTP/1.1' <<<"$GOT")" 1 "with no second answer"

elapsed raw send 'GET /a.txt HTTP/1.1\r\nHost:'
between 1900 3000 "half a head is given up after the head timeout"
like "$(status_of "$GOT")" '^(408|none)$' "with 408 or nothing"

steps=(send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nX: ')
for ((i = 0; i < 60; i++)); do steps+=(wait 100 send 'x'); done
start=$(now_ms)
RAW_SECONDS=5 raw "${steps[@]}" send '\r\n\r\n' >"$TMP/got"
unlike "$(cat "$TMP/got")" '^HTTP/1.1 200' "a head that drips for six seconds is not waited for"

steps=(send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX: ')
for ((i = 0; i < 10; i++)); do steps+=(wait 50 send 'x'); done
is "$(status_of "$(raw "${steps[@]}" send '\r\n\r\n')")" 200 "one that drips for half a second is"

# The rate: 100000 bytes a second are asked for, in a body and in reading an answer.
elapsed raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc'
between 0 20000 "a body that does not come is given up"
unlike "$GOT" '^HTTP/1.1 200' "and was not answered as if it had"

stalled() { # a reader that reads nothing: when does the server close? Seen from the descriptors.
    HELPER=
    helper "$CROWD" "$PORT" stall 1 /large.bin
}
wait_for 5 no_connections
start_descriptors=$(descriptors)
stalled >"$TMP/crowd"
wait_for 5 grep -q ready "$TMP/crowd"
wait_for $((30 + 10 * SLOW)) descriptors_are "$start_descriptors"
ok "a reader that reads nothing is given up, descriptors and all"
kill "$HELPER"

# One that reads slowly but not too slowly gets everything.
(
    exec 3<>"/dev/tcp/127.0.0.1/$PORT"
    printf 'GET /large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    for ((i = 0; i < 8; i++)); do
        head -c 8388608 <&3 | wc -c
        sleep 0.3
    done
    cat <&3 | wc -c
) | awk '{ n += $1 } END { print n }' >"$TMP/slow"
[ "$(cat "$TMP/slow")" -gt 67108864 ]
ok "a slow reader gets it all"

fetch /a.txt
is "$STATUS" 200 "the server is well"

done_testing
