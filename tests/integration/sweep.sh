#!/bin/bash
# Are transfers that nobody comes back for forgotten, with all their bytes, and staged bytes bounded?
. "$(dirname "$0")/lib.sh"

head -c 50000 /dev/zero >"$TMP/half"
echo hello >"$ROOT/a.txt"
staged() { find "$ROOT/.httpd/uploads" -type f | wc -l; }
records() { find "$ROOT/.httpd/transfers" -type f | wc -l; }
server_start --expire 2s
fetch /.uuid
id=$(body)
fetch -X PUT -H 'Content-Range: bytes 0-49999/100000' --data-binary "@$TMP/half" "/$id/b.bin"
fetch "/$id/a.txt" -r 0-
is "$(staged) $(records)" "1 2" "an upload and a download"
swept() { [ "$(staged) $(records)" = "0 0" ]; }
wait_for $((8 * SLOW)) swept
is "$(staged) $(records)" "0 0" "are swept in time"
is "$(find "$ROOT/.httpd/transfers" -mindepth 1 | wc -l)" 0 "and the client's directory with them"
fetch -I "/$id/b.bin"
is "$STATUS" 404 "then the upload is gone"
# Nothing tells whether its client has a part of it: who does not say so is not given all of it.
for method in GET HEAD; do
    options=()
    [ "$method" = HEAD ] && options=(-I)
    fetch "/$id/a.txt" "${options[@]}"
    is "$STATUS $(field Resume-Offset)" "410 " "and so is the download, for $method"
done
fetch "/$id/a.txt" -r 2-
is "$STATUS $(body)" "206 llo" "which goes on for one who says Range"

# ---- what is under way does not expire, however slowly it goes -----------------------------------

numbers 20000000 >"$ROOT/large.bin"
aged "$ROOT/large.bin"
fetch /.uuid
id=$(body)
offset_of() { curl -sS -I "$URL/$id/$1" | tr -d '\r' | sed -n "s/^$2: //p"; }
# One that reads nothing, one that has read all and stays, one that sends a little now and then, and one
# that sends no more.
helper "$RAW" -r 20000 -t 60 127.0.0.1 "$PORT" send "GET /$id/large.bin HTTP/1.1\r\nHost: localhost\r\nRange: bytes=1000000-\r\n\r\n" until '\r\n\r\n' wait 60000
resting=$HELPER
helper "$RAW" -r 20000 -t 60 127.0.0.1 "$PORT" send "GET /$id/a.txt HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-\r\n\r\n" until '\r\n\r\n' take 6 wait 60000
idle=$HELPER
steps=()
for _ in $(seq 22); do steps+=(repeat 100 0123456789 wait 500); done
helper "$RAW" -t 60 127.0.0.1 "$PORT" send "PUT /$id/slow.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" "${steps[@]}" close
sending=$HELPER
helper "$RAW" -t 60 127.0.0.1 "$PORT" send "PUT /$id/rest.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n12345" wait 60000
all_there() { fetch "/$id" && [ "$(body | grep -c direction)" = 4 ]; }
wait_for 5 all_there
fetch "/$id"
for name in large.bin slow.bin rest.bin a.txt; do like "$(body)" "\"path\":\"/$name\"" "$name is under way"; done
sleep 6.5
fetch "/$id"
for name in large.bin slow.bin rest.bin a.txt; do like "$(body)" "\"path\":\"/$name\"" "$name still is, after three times --expire"; done
isnt "$(offset_of large.bin Resume-Offset)" 0 "the download that rests would go on"
wait "$sending"
is "$(offset_of slow.bin Upload-Offset)" 22000 "the upload that was slow is as far as it came"
is "$(offset_of rest.bin Upload-Offset)" 5 "and so is the one that rested"
kill "$resting" "$idle"
wait_for $((10 * SLOW)) swept
is "$(staged) $(records)" "0 0" "once nobody is at it, all of it is swept"

# What has expired and was not swept yet is gone as well.
server_stop
server_start
fetch -X PUT -H 'Content-Range: bytes 0-49999/100000' --data-binary "@$TMP/half" "/$id/old.bin"
fetch "/$id/large.bin" -r 0-999999
moved_on() { [ "$(offset_of large.bin Resume-Offset)" = 1000000 ]; }
wait_for 5 moved_on
server_stop
sleep 1
server_start --expire 30m
fetch -I "/$id/old.bin"
is "$STATUS $(field Upload-Offset)" "200 50000" "before its time an upload is there"
server_stop
touched=$(now_ms)
server_start --expire 1s
past() { [ $(($(now_ms) - touched)) -gt 2100 ]; }
wait_for 5 past
fetch -I "/$id/old.bin"
like "$STATUS" '^4(04|10)$' "after it, it is gone"
has_field Upload-Offset
isnt "$?" 0 "without an offset"
fetch -X PATCH -H 'Tus-Resumable: 1.0.0' -H 'Content-Type: application/offset+octet-stream' -H 'Upload-Offset: 50000' --data-binary x "/$id/old.bin"
like "$STATUS" '^4(04|10)$' "for PATCH too"
fetch -X PUT -H 'Content-Range: bytes 50000-99999/100000' --data-binary "@$TMP/half" "/$id/old.bin"
like "$STATUS" '^4(04|09|10)$' "for PUT that goes on"
fetch "/$id/large.bin"
is "$STATUS $(field Resume-Offset)" "410 " "and a download"
fetch "/$id/large.bin" -r 19999990-
is "$STATUS $(body | wc -c)" "206 10" "unless its client says where it goes on"
server_stop
server_start

# What a killed server leaves of one request goes at the next start.
helper "$RAW" -t 60 127.0.0.1 "$PORT" send 'PUT /c.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n12345'
one_staged() { [ "$(staged)" -ge 1 ]; }
wait_for 5 one_staged
disown "$SERVER_PID"
kill -KILL "$SERVER_PID"
wait_for 5 gone_or_zombie "$SERVER_PID"
server_start
none_staged() { [ "$(staged)" -eq 0 ]; }
wait_for $((5 * SLOW)) none_staged
is "$(staged)" 0 "what a killed server left is swept at the start"
server_stop

server_start --max-staged 120K
for n in 1 2; do
    fetch -X PUT -H 'Content-Range: bytes 0-49999/100000' --data-binary "@$TMP/half" "/$id/$n.bin"
    is "$STATUS" 202 "upload $n fits into --max-staged"
done
fetch -X PUT -H 'Content-Range: bytes 0-49999/100000' --data-binary "@$TMP/half" "/$id/3.bin"
is "$STATUS" 507 "a third does not"
fetch -X PUT -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary "@$TMP/half" "/$id/4.bin"
is "$STATUS" 507 "nor one that does not say how long it is"
at_most "$(find "$ROOT/.httpd/uploads" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }')" 122880 "bytes that are staged"
for n in 1 2 4; do fetch -X DELETE "/$id/$n.bin"; done
fits() { fetch -X PUT -H 'Content-Range: bytes 0-49999/100000' --data-binary "@$TMP/half" "/$id/3.bin" && [ "$STATUS" = 202 ]; }
wait_for $((10 * SLOW)) fits
is "$STATUS" 202 "once others are gone there is room"

done_testing
