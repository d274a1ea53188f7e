#!/bin/bash
# Does the count of open descriptors return to where it was, whatever clients did? And what happens when
# there are none left?
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
mkdir "$ROOT/dir"
mkfifo "$ROOT/fifo"
ln -s loop "$ROOT/loop"
gzip -k "$ROOT/a.txt"
numbers 2000000 >"$ROOT/large.bin"
server_start -t 4 --idle-timeout 2 --head-timeout 2
fetch /a.txt
rested() { descriptors_are "$before"; }
before=$(descriptors)

for ((i = 0; i < 10; i++)); do
    fetch /a.txt
    fetch --compressed /a.txt
    fetch /dir/
    fetch /dir
    fetch /fifo
    fetch /loop
    fetch /none
    fetch -I /large.bin
    fetch -H 'Range: bytes=0-1,5-6' /large.bin
    fetch -H 'Range: bytes=9999999-' /large.bin
    fetch -H 'If-None-Match: *' /large.bin
    fetch -H 'If-Match: "x"' /large.bin
    fetch -X TRACE /a.txt
    raw send 'GET / HTTP/1.1\r\nHost : x\r\n\r\n' half >/dev/null
    raw send 'GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n' take 1000 close >/dev/null
    raw send 'GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n' take 1000 reset >/dev/null
    raw send 'GET /large.bin HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-900000,1000000-1900000\r\n\r\n' reset >/dev/null
    raw send 'GET /a.txt HT' close >/dev/null
    raw send 'GET /a.txt HT' reset >/dev/null
    raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc' reset >/dev/null
    raw reset >/dev/null
    raw close >/dev/null
done
wait_for $((10 * SLOW)) rested
ok "after everything that can go wrong: as before ($before)"

helper "$CROWD" "$PORT" stall 50 /large.bin >"$TMP/crowd"
wait_for $((10 * SLOW)) grep -q ready "$TMP/crowd"
kill "$HELPER"
wait_for $((15 * SLOW)) rested
ok "after fifty readers that left in the middle ($before)"
helper "$CROWD" "$PORT" half 50 >"$TMP/crowd"
wait_for $((10 * SLOW)) grep -q ready "$TMP/crowd"
wait_for $((15 * SLOW)) rested
ok "after fifty half heads ran into their deadline ($before)"
kill "$HELPER"
server_stop

# Out of descriptors: it stops accepting until one closes; it neither spins nor ends.
LAUNCH=(prlimit --nofile=64)
ERR_MAY='out of descriptors|--connections|clients are served again|the number of clients'
server_start -t 2 --idle-timeout 60
# Those that were turned away are closed already when we write. (After the start: the server has to
# manage without this.)
trap '' PIPE
held=()
for fd in {100..160}; do
    eval "exec $fd<>/dev/tcp/127.0.0.1/$PORT" 2>/dev/null && held+=("$fd")
done
for fd in "${held[@]}"; do
    { printf 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n'; } >&"$fd" # what could not be written does not matter
done
# Those that fit are answered; the rest waits in the backlog or is refused.
answered=0
for fd in "${held[@]}"; do
    IFS= read -r -t 0.2 -u "$fd" line && [[ $line == 'HTTP/1.1 200'* ]] && answered=$((answered + 1))
done
[ $answered -ge 5 ]
ok "with 64 descriptors, $answered of ${#held[@]} connections are answered"
alive
ok "and the server lives"
ticks() { awk '{ print $14 + $15 }' "/proc/$SERVER_PID/stat"; }
t1=$(ticks)
sleep 1
at_most $(($(ticks) - t1)) 30 "it does not spin: ticks of CPU in a second"
for fd in "${held[@]}"; do
    eval "exec $fd<&- $fd>&-"
done
served() { fetch --max-time 3 /a.txt && [ "$STATUS" = 200 ]; }
wait_for $((20 * SLOW)) served
ok "once they close, everybody is served again"

done_testing
