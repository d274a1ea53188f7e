#!/bin/bash
# SIGTERM and SIGINT: no new connections, what is in flight is finished for up to 10 s, exit 0. A second
# signal ends it at once.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
numbers 30000000 >"$ROOT/large.bin"

refused() { ! (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

for signal in TERM INT; do
    server_start -t 2
    # A download that has begun and is not read yet.
    exec 3<>"/dev/tcp/127.0.0.1/$PORT"
    printf 'GET /large.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    head -c 1000 <&3 >"$TMP/part"
    # A connection that rests.
    exec 4<>"/dev/tcp/127.0.0.1/$PORT"
    printf 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' >&4
    while IFS= read -r -t 10 -u 4 line && [ "$line" != hello ]; do :; done
    kill -"$signal" "$SERVER_PID"
    wait_for $((5 * SLOW)) refused
    ok "SIG$signal: no new connection is taken"
    start=$(now_ms)
    timeout 20 cat <&4 >/dev/null
    at_most $(($(now_ms) - start)) $((3000 * SLOW)) "SIG$signal: a resting connection is closed at once, in ms"
    alive
    ok "SIG$signal: the server stays for what is in flight"
    timeout $((10 * SLOW)) cat <&3 >>"$TMP/part"
    exec 3<&- 3>&- 4<&- 4>&-
    tr -d '\r' <"$TMP/part" | head -n 20 | grep -qi '^content-length: 30000000$'
    tail -c 30000000 "$TMP/part" >"$TMP/content"
    same_bytes "$TMP/content" "$ROOT/large.bin" "SIG$signal: the download is finished"
    start=$(now_ms)
    server_ended 0
    at_most $(($(now_ms) - start)) $((3000 * SLOW)) "SIG$signal: then the server ends, in ms"
done

# A request that arrives on a connection in use while draining is not begun, or is answered with close:
# never left hanging.
server_start -t 2
exec 3<>"/dev/tcp/127.0.0.1/$PORT"
printf 'GET /large.bin HTTP/1.1\r\nHost: localhost\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
head -c 1000 <&3 >/dev/null
kill -TERM "$SERVER_PID"
timeout $((20 * SLOW)) cat <&3 >/dev/null
is $? 0 "a pipelined request behind the last one: the connection ends"
exec 3<&- 3>&-
server_ended 0

# A stalled reader: ten seconds, and not more.
server_start -t 2 --min-rate 1
helper "$CROWD" "$PORT" stall 3 /large.bin >"$TMP/crowd"
wait_for 5 grep -q ready "$TMP/crowd"
kill -TERM "$SERVER_PID"
start=$(now_ms)
wait_for $((20 + 5 * SLOW)) gone_or_zombie "$SERVER_PID"
took=$(($(now_ms) - start))
[ $took -ge 5000 ] && [ $took -le $((13000 + 2000 * SLOW)) ]
ok "a reader that reads nothing holds the server for about 10 s ($took ms)"
server_ended 0
kill "$HELPER" 2>/dev/null

# The same with a second signal.
server_start -t 2 --min-rate 1
helper "$CROWD" "$PORT" stall 3 /large.bin >"$TMP/crowd"
wait_for 5 grep -q ready "$TMP/crowd"
kill -TERM "$SERVER_PID"
wait_for $((5 * SLOW)) refused
start=$(now_ms)
kill -TERM "$SERVER_PID"
wait_for $((5 + SLOW)) gone_or_zombie "$SERVER_PID"
ok "a second signal ends it at once"
kill "$HELPER" 2>/dev/null
wait "$SERVER_PID" 2>/dev/null
SERVER_PID=

# The port is free again at once.
server_start
port=$PORT
fetch /a.txt
server_stop
: >"$ERR"
"$HTTPD" -p "$port" -r "$ROOT" -l "$LOG" 2>"$ERR" >/dev/null </dev/null &
SERVER_PID=$!
wait_for $((5 * SLOW)) started
ok "a new server takes the port of the old one at once"

done_testing
