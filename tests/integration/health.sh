#!/bin/bash
# /.health tells a balancer whether to send clients here: no more, as soon as the server is to stop.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
numbers 20000000 >"$ROOT/large.bin"

server_start
fetch /.health
is "$STATUS $(body)" "200 ok" "200 while it serves"
is "$(field Cache-Control)" no-store "that nobody keeps"
fetch -I /.health
is "$STATUS" 200 "HEAD"
got=$(raw send 'GET /.health HTTP/1.0\r\n\r\n')
is "$(status_of "$got")" 200 "HTTP/1.0 without Host, as balancers ask"
fetch -H 'Host: balancer.example' /.health
is "$STATUS" 200 "by any name"
fetch -X PUT -d x /.health
isnt "$STATUS" 200 "PUT is something else"
fetch /.healthy
is "$STATUS" 404 "a longer name is not it"
fetch /sub/.health
is "$STATUS" 404 "nor is it below a directory"
mv "$ROOT" "$ROOT.gone"
fetch /.health
is "$STATUS" 503 "503 while its files cannot be reached"
mv "$ROOT.gone" "$ROOT"
fetch /.health
is "$STATUS" 200 "200 again when they can"
server_stop

# Told to stop, it says so for a while and serves on; then it drains.
server_start --drain-delay 2
exec 3<>"/dev/tcp/127.0.0.1/$PORT"
printf 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
wait_for 5 grep -q a.txt "$LOG"
start=$(now_ms)
kill -TERM "$SERVER_PID"
unhealthy() { fetch /.health; [ "$STATUS" = 503 ]; }
wait_for 2 unhealthy
ok "503 as soon as it is told to stop"
is "$(body)" stopping "that says why"
fetch /a.txt
is "$STATUS $(body)" "200 hello" "new clients are served"
like "$(field Connection)" close "and told not to come back"
printf 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
got=$(timeout $((10 * SLOW)) cat <&3)
is "$(grep -c '^HTTP/1.1 200' <<<"$got")" 2 "a connection that was there is served as well"
like "$got" 'Connection: close' "and ends"
exec 3<&- 3>&-
curl -sS --limit-rate 8M -o "$TMP/large" "$URL/large.bin" &
download=$!
wait_for $((5 * SLOW)) gone_or_zombie "$SERVER_PID" || wait_for $((15 * SLOW)) gone_or_zombie "$SERVER_PID"
took=$(($(now_ms) - start))
wait "$download"
is $? 0 "a download that began meanwhile is finished"
same_bytes "$TMP/large" "$ROOT/large.bin" "and whole"
[ $took -ge 1900 ]
ok "it left no earlier than it said ($took ms)"
server_ended 0

# Impatience: the second signal ends the delay, and what is under way is still finished.
server_start --drain-delay 60
kill -TERM "$SERVER_PID"
wait_for 2 unhealthy
ok "503 again"
start=$(now_ms)
kill -TERM "$SERVER_PID"
server_ended 0
at_most $(($(now_ms) - start)) $((3000 * SLOW)) "a second signal ends the delay, in ms"

# Accounts and private files: a balancer has none.
hash=$(printf 'secret\nsecret\n' | "$HTTPD" --passwd ana 2>/dev/null)
if [ -n "$hash" ]; then
    printf '%s\n' "$hash" >"$TMP/accounts"
    chmod 600 "$TMP/accounts"
    server_start --auth "$TMP/accounts" --private
    fetch /a.txt
    is "$STATUS" 401 "private files"
    fetch /.health
    is "$STATUS" 200 "/.health is open"
    server_stop
else
    skip "/.health beside accounts" "--passwd cannot be asked here"
fi

# Several processes on one address.
server_start --reuse-port -b 127.0.0.1
first=$SERVER_PID
LAUNCH=()
"$HTTPD" -p "$PORT" -b 127.0.0.1 -r "$ROOT" --reuse-port -l /dev/null >/dev/null 2>"$TMP/second" </dev/null &
second=$!
HELPER_PIDS="${HELPER_PIDS:-} $second"
wait_for $((5 * SLOW)) grep -q serving "$TMP/second"
ok "--reuse-port: a second server on the same port"
kill -TERM "$second"
wait "$second"
is "$?" 0 "which ends"
fetch /a.txt
is "$STATUS" 200 "and the first serves on"
[ "$first" = "$SERVER_PID" ] && server_stop

done_testing
