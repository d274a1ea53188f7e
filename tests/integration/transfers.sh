#!/bin/bash
# Downloads by client id: what each request on /<uuid>/<path> is answered, and what it does to the record.
. "$(dirname "$0")/lib.sh"

SIZE=3000000
numbers $SIZE >"$ROOT/file.bin"
numbers 20000000 >"$ROOT/large.bin"
mkdir "$ROOT/sub"
numbers 5000 >"$ROOT/sub/a b.txt"
: >"$ROOT/empty"
truncate -s 5G "$ROOT/sparse.bin"
printf 'the last bytes' | dd of="$ROOT/sparse.bin" bs=1 seek=$((5 * 1024 * 1024 * 1024)) conv=notrunc status=none
aged "$ROOT/file.bin"
aged "$ROOT/large.bin"
server_start

new_id() { ID=$(curl -sS "$URL/.uuid"); }
# The offset that HEAD tells, which moves nothing.
offset_of() { curl -sS -I "$URL/$ID/$1" | tr -d '\r' | sed -n 's/^Resume-Offset: //p'; }
offset_is() { [ "$(offset_of "$1")" = "$2" ]; }
settles() { # settles PATH OFFSET WHAT : the end of a connection is noticed a moment later
    wait_for $((5 * SLOW)) offset_is "$1" "$2"
    is "$(offset_of "$1")" "$2" "$3"
}

# ---- ids
new_id
like "$ID" '^[0-9a-f-]{36}$' "an id"
fetch /.uuid
is "$STATUS $(field Cache-Control) $(field Content-Length)" '200 no-store 36' "is not to be kept by caches"
like "$(field Content-Type)" '^text/plain' "is plain text"
fetch /
isnt "$(body | wc -c)" 36 "without --uuid-root, / is what it always was"

# ---- the rest
fetch "/$ID/file.bin" -r 0-999999
is "$STATUS $(field Content-Range)" "206 bytes 0-999999/$SIZE" "GET with Range: 206"
settles file.bin 1000000 "and the record moves there"
etag=$(curl -sSI "$URL/file.bin" | tr -d '\r' | sed -n 's/^ETag: //p')
fetch -I "/$ID/file.bin"
is "$STATUS $(field Resume-Offset) $(field Content-Length)" "200 1000000 2000000" "HEAD: the offset and what is left"
fetch -I "/$ID/file.bin"
is "$(field Resume-Offset)" 1000000 "and it moves nothing"
fetch "/$ID/file.bin"
is "$STATUS $(field Resume-Offset) $(field Content-Length)" "200 1000000 2000000" "GET: 200 with the rest"
is "$(field ETag) $(field Cache-Control)" "$etag no-store" "the file's ETag, and not to be kept"
slice "$ROOT/file.bin" 1000000 2000000 >wanted
same_bytes "$BODY" wanted "which is the rest"
wait_for $((5 * SLOW)) offset_is file.bin $SIZE
fetch "/$ID/file.bin"
is "$STATUS" 404 "GET after it was all delivered: 404"
fetch "/$ID/file.bin" -r 500-1499
is "$STATUS $(field Content-Range)" "206 bytes 500-1499/$SIZE" "but Range is honoured"
slice "$ROOT/file.bin" 500 1000 >wanted
same_bytes "$BODY" wanted "with the right bytes"
settles file.bin 1500 "and the record moves back"
fetch "/$ID/file.bin" -r 9000000-
is "$STATUS $(field Content-Range)" "416 bytes */$SIZE" "a Range behind the end: 416"
is "$(offset_of file.bin)" 1500 "which moves nothing"
fetch "/$ID/file.bin" -r 700- -H 'If-Range: "another"'
is "$STATUS $(field Content-Length)" "200 $SIZE" "a Range of another version: the whole file, not the rest"

# ---- a file that changes
new_id
fetch "/$ID/file.bin" -r 0-999
settles file.bin 1000 "a download begins"
cp "$ROOT/file.bin" "$ROOT/file.new" && aged "$ROOT/file.new" "2024-05-06 07:08:09 UTC" && mv "$ROOT/file.new" "$ROOT/file.bin"
fetch -I "/$ID/file.bin"
is "$STATUS" 412 "the file is replaced: HEAD says 412"
fetch "/$ID/file.bin"
is "$STATUS" 412 "and so does GET"
like "$(curl -sS -H 'Accept: text/plain' "$URL/$ID/file.bin" -o "$BODY" -w '%{http_code}')" '^200$' "which dropped the record: the next begins again"
same_bytes "$BODY" "$ROOT/file.bin" "from the beginning"

# ---- forgetting, listing, several at once
new_id
fetch "/$ID/file.bin" -r 0-999
fetch "/$ID/large.bin" -r 0-1999
fetch "/$ID/sub/a%20b.txt" -r 0-99
settles file.bin 1000 "one client, three downloads: the first"
settles large.bin 2000 "the second"
settles 'sub/a%20b.txt' 100 "the third"
fetch "/$ID"
is "$STATUS $(field Content-Type) $(field Cache-Control)" "200 application/json no-store" "GET /<uuid>: JSON"
is "$(body | tr -d '\n' | grep -o '"path":"[^"]*","direction":"download","offset":[0-9]*,"length":[0-9]*,"complete":false' | sort | tr '\n' ' ')" \
    '"path":"/file.bin","direction":"download","offset":1000,"length":3000000,"complete":false "path":"/large.bin","direction":"download","offset":2000,"length":20000000,"complete":false "path":"/sub/a b.txt","direction":"download","offset":100,"length":5000,"complete":false ' \
    "of its three downloads"
fetch -X DELETE "/$ID/large.bin"
is "$STATUS" 204 "DELETE: forgotten"
fetch -X DELETE "/$ID/large.bin"
is "$STATUS" 404 "and unknown then"
is "$(offset_of large.bin)" 0 "it would begin again"
is "$(offset_of file.bin)" 1000 "the others go on"
pids=()
for name in file.bin large.bin 'sub/a%20b.txt'; do
    helper curl -sS -o "got.${name##*/}" "$URL/$ID/$name"
    pids+=("$HELPER")
done
for pid in "${pids[@]}"; do wait "$pid"; done
tail -c +1001 "$ROOT/file.bin" >wanted && same_bytes got.file.bin wanted "three at once: the first's rest"
same_bytes got.large.bin "$ROOT/large.bin" "the second from its begin"
tail -c +101 "$ROOT/sub/a b.txt" >wanted && same_bytes 'got.a%20b.txt' wanted "the third's rest"

# ---- two connections on one transfer: the newer wins, also when the older rests
new_id
helper "$RAW" -r 20000 127.0.0.1 "$PORT" send "GET /$ID/large.bin HTTP/1.1\r\nHost: localhost\r\n\r\n" until '\r\n\r\n' \
    wait 4000 >older 2>older.end
sleep 1
open_before=$(descriptors)
start=$(now_ms)
fetch "/$ID/large.bin"
took=$(($(now_ms) - start))
is "$STATUS" 200 "a second connection on a download that is under way"
offset=$(field Resume-Offset)
tail -c +$((offset + 1)) "$ROOT/large.bin" >wanted
same_bytes "$BODY" wanted "gets the rest from $offset"
at_most "$took" $((3000 * SLOW)) "without waiting for the first, in ms"
fewer() { [ "$(descriptors)" -lt "$open_before" ]; }
wait_for $((3 * SLOW)) fewer
ok "and the first, which rested, is closed at once"
wait "$HELPER"
isnt "$(wc -c <older)" 20000000 "it did not get all"

# ---- ends of all kinds
for kind in "HTTP/1.1 close" "HTTP/1.1 keep-alive" "HTTP/1.0 close" "HTTP/1.0 keep-alive"; do
    new_id
    raw send "GET /$ID/file.bin ${kind% *}\r\nHost: localhost\r\nConnection: ${kind#* }\r\nRange: bytes=0-9\r\n\r\n" \
        until '\r\n\r\n' take 10 half >answer
    like "$(head -n 1 answer)" ' 206 ' "$kind"
    rm -f "$BODY"
    curl -sS --"${kind%% *}" -o "$BODY" "$URL/$ID/file.bin" 2>/dev/null ||
        curl -sS --http"${kind:5:3}" -H "Connection: ${kind#* }" -o "$BODY" "$URL/$ID/file.bin"
    tail -c "$(stat -c %s "$BODY")" "$ROOT/file.bin" >wanted
    same_bytes "$BODY" wanted "$kind: a rest"
    at_most $((SIZE - $(stat -c %s "$BODY"))) 10 "$kind: not behind what was read"
    complete() { [ "$(curl -sS -o "$BODY" -w '%{http_code}' "$URL/$ID/file.bin")" = 404 ]; }
    wait_for $((5 * SLOW)) complete
    ok "$kind: complete then"
done
new_id
curl -sS -o one "$URL/$ID/file.bin" -o two "$URL/$ID/large.bin" -o three -w '%{http_code}\n' "$URL/$ID/file.bin" >codes
is "$(tail -n 1 codes)" 404 "on one connection, the next request says that the one before arrived"

# A client that only ends its own sending has not read what it acknowledged: no gap after its end.
new_id
raw send "GET /$ID/file.bin HTTP/1.1\r\nHost: localhost\r\n\r\n" half until '\r\n\r\n' take 1000 wait 300 reset >answer
sleep 0.3
at_most "$(offset_of file.bin)" "$(wc -c <answer)" "half closed, then reset: not behind what was read"
new_id
raw send "GET /$ID/file.bin HTTP/1.1\r\nHost: localhost\r\n\r\nGET /$ID/empty HTTP/1.1\r\nHost: localhost\r\n\r\n" \
    until '\r\n\r\n' take 1000 wait 300 reset >answer
sleep 0.3
at_most "$(offset_of file.bin)" "$(wc -c <answer)" "requests sent ahead, then reset: not behind what was read"

# ---- unusual files
new_id
fetch "/$ID/empty"
is "$STATUS $(field Content-Length) $(field Resume-Offset)" '200 0 0' "an empty file"
fetch "/$ID/sparse.bin" -r 5368709120-
is "$STATUS $(body)" '206 the last bytes' "a file of more than 4 GiB: its end"
new_id
fetch "/$ID/sparse.bin" -r 5368709110-5368709119
settles sparse.bin 5368709120 "a record beyond 4 GiB"
fetch "/$ID/sparse.bin"
is "$STATUS $(field Resume-Offset) $(body)" '200 5368709120 the last bytes' "and the rest from there"
fetch "/$ID/sub"
is "$STATUS" 404 "a directory is no download"
fetch "/$ID/.httpd/key"
is "$STATUS" 404 "what is hidden stays so"
fetch "/$ID/../../etc/passwd"
isnt "$STATUS" 200 "what is outside too"

# ---- ids that are not ours
other=01234567-89ab-4def-8123-456789abcdef
fetch "/$other"
is "$STATUS" 404 "a foreign id: 404"
fetch "/$other/file.bin"
is "$STATUS" 404 "and its paths"
echo real >"$ROOT/$other"
fetch "/$other"
is "$STATUS $(body)" '200 real' "a file of such a name is a file"
guess=${ID%????}$(printf %04x $(((0x${ID: -4} + 1) % 65536)))
fetch "/$guess/file.bin"
is "$STATUS" 404 "a guessed id: 404"

# ---- a restart
new_id
fetch "/$ID/file.bin" -r 0-4999
settles file.bin 5000 "a download"
server_stop
server_start
settles file.bin 5000 "the id and its record outlive the server"
kill -KILL "$SERVER_PID"
wait "$SERVER_PID" 2>/dev/null
server_start
settles file.bin 5000 "and its sudden death"

# ---- what only reads
server_stop
server_start --read-only
settles file.bin 5000 "a server that is only read: the record is there"
fetch "/$ID/file.bin" -r 5000-5999
is "$STATUS" 206 "and goes on"
settles file.bin 6000 "and moves"
fetch -X DELETE "/$ID/file.bin"
is "$STATUS" 204 "DELETE forgets it: nothing of the site changes"
is "$(offset_of file.bin)" 0 "it would begin again"
fetch -X DELETE "/$ID/file.bin"
is "$STATUS" 404 "what is not there cannot be forgotten"
fetch -X DELETE "/$ID"
is "$STATUS" 405 "a client itself cannot be"
fetch -X DELETE /file.bin
is "$STATUS" 405 "nor can a file be deleted"
fetch -X DELETE "/$guess/file.bin"
is "$STATUS" 405 "also not by the address of an id that is none of ours"
fetch -X DELETE -H 'Origin: http://elsewhere.example' "/$ID/file.bin"
isnt "$STATUS" 204 "and no page of another site forgets anything"
fetch -X DELETE "/$ID/.httpd/key"
isnt "$STATUS" 204 "nor anything hidden"
[ -e "$ROOT/file.bin" ]
ok "the file is still there"

done_testing
