#!/bin/bash
# alone: clients that go on against each other fill the machine
#
# Does the newest request on a transfer get it, whoever else holds it or asks for it, here and in another
# server on the same docroot? The short form of tests/resume/takeover, and what can be said step by step.
. "$(dirname "$0")/lib.sh"

numbers 3000000 >"$TMP/file"
cp "$TMP/file" "$ROOT/file.bin"
numbers 40000000 >"$ROOT/large.bin"
aged "$ROOT/file.bin"
aged "$ROOT/large.bin"

if command -v python3 >/dev/null; then
    said=$(ROUNDS=${ROUNDS:-60} HTTPD=$HTTPD "$LIB_TOP/tests/resume/takeover")
    ok "clients that ask and vanish, and one that stays"
    note "$said"
else
    skip "clients that ask and vanish, and one that stays" "there is no python3"
fi

# ---- two servers ---------------------------------------------------------------------------------

server_start
FIRST=$PORT FIRST_PID=$SERVER_PID
cp "$ERR" "$TMP/first.err"
server_start
SECOND=$PORT
HELPER_PIDS="${HELPER_PIDS:-} $FIRST_PID"
id=$(curl -sS "http://127.0.0.1:$FIRST/.uuid")

fetch "http://127.0.0.1:$FIRST/$id/file.bin" -r 0-999999
is "$STATUS" 206 "a download begins at one server"
offset_is() { [ "$(curl -sS -I "http://127.0.0.1:$SECOND/$id/$1" | tr -d '\r' | sed -n 's/^Resume-Offset: //p')" = "$2" ]; }
wait_for $((5 * SLOW)) offset_is file.bin 1000000
ok "the other knows the id and how far it is"
fetch "http://127.0.0.1:$SECOND/$id/file.bin"
tail -c +1000001 "$TMP/file" >wanted
same_bytes "$BODY" wanted "and goes on"

# A client that reads nothing more rests at one server; it comes back at the other.
helper "$RAW" -r 20000 -t 60 127.0.0.1 "$FIRST" send "GET /$id/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n" until '\r\n\r\n' wait 60000
older=$HELPER
older_is_served() { curl -sS "http://127.0.0.1:$SECOND/$id" | grep -q '"path":"/large.bin"'; }
wait_for $((5 * SLOW)) older_is_served
start=$(now_ms)
fetch "http://127.0.0.1:$SECOND/$id/large.bin" -r 1000-
is "$STATUS" 206 "a download that rests at one server is taken over by the other"
tail -c +1001 "$ROOT/large.bin" >wanted
same_bytes "$BODY" wanted "from where it says"
at_most $(($(now_ms) - start)) $((5000 * SLOW)) "at once, in ms"
wait_for $((5 * SLOW)) offset_is large.bin 40000000
ok "and the older one has not moved the record"
kill "$older" 2>/dev/null

for what in HEAD PUT; do
    head -c 150000 "$TMP/file" >"$TMP/start"
    helper "$RAW" -t 60 127.0.0.1 "$FIRST" send "PUT /$id/$what.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" file "$TMP/start"
    older=$HELPER
    staged_so_far() { find "$ROOT/.httpd/uploads" -name "up-$id*" -size -151k -size +145k | grep -q .; }
    wait_for 10 staged_so_far
    if [ $what = HEAD ]; then
        kill -STOP "$FIRST_PID"
        fetch -I "http://127.0.0.1:$SECOND/$id/HEAD.bin"
        is "$STATUS $(grep -ci '^Retry-After: 1' "$HEAD")" "503 1" "while that server is stopped: 503, and once when to come again"
        kill -CONT "$FIRST_PID"
    fi
    start=$(now_ms)
    if [ $what = HEAD ]; then
        fetch -I "http://127.0.0.1:$SECOND/$id/HEAD.bin"
        is "$STATUS $(field Upload-Offset)" "200 150000" "an upload that hangs at one server: HEAD at the other takes it over"
    else
        fetch -X PUT --data-binary "@$TMP/file" "http://127.0.0.1:$SECOND/$id/PUT.bin"
        is "$STATUS" 201 "and so does PUT"
        same_bytes "$ROOT/PUT.bin" "$TMP/file" "with its own bytes"
    fi
    at_most $(($(now_ms) - start)) $((5000 * SLOW)) "within the time that it waits for that, in ms"
    is "$(wait_for 5 gone_or_zombie "$older" && echo gone)" gone "the older connection is closed"
    fetch -X DELETE "http://127.0.0.1:$FIRST/$id/$what.bin"
    is "$STATUS" 204 "either forgets it"
done
kill -TERM "$FIRST_PID"
wait_for 20 gone_or_zombie "$FIRST_PID"
wait "$FIRST_PID"
ok "the first server ends well"

done_testing
