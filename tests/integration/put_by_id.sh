#!/bin/bash
# Do uploads by id go on where they broke off, through broken connections, restarts and kill -9, and
# is what they claim always on the disk?
. "$(dirname "$0")/lib.sh"

numbers 3000000 >"$TMP/file"
mkdir "$ROOT/d"
server_start
fetch /.uuid
id=$(body)

fetch -X PUT --data-binary "@$TMP/file" "/$id/d/a.bin"
is "$STATUS $(field Upload-Complete)" "201 ?1" "a whole upload in one request"
is "$(field Location)" /d/a.bin "is at its real path"
same_bytes "$ROOT/d/a.bin" "$TMP/file" "every byte"
fetch -I "/$id/d/a.bin"
is "$STATUS $(field Upload-Offset) $(field Upload-Length)" "200 3000000 3000000" "HEAD after it"
fetch -X PUT --data-binary "@$TMP/file" "/$id/d/a.bin"
is "$STATUS" 204 "again: it is replaced"

part() { # part FIRST LAST : those bytes of the file, as curl -C sends them
    slice "$TMP/file" "$1" $(($2 - $1 + 1)) >"$TMP/part"
    fetch -X PUT -H "Content-Range: bytes $1-$2/3000000" --data-binary "@$TMP/part" "/$id/d/b.bin"
}
part 5 9
is "$STATUS $(field Upload-Offset)" "409 0" "a part of nothing"
part 0 999999
is "$STATUS $(field Upload-Offset)" "202 1000000" "the first part"
[ ! -e "$ROOT/d/b.bin" ]
ok "nobody sees it yet"
part 999999 1999999
is "$STATUS $(field Upload-Offset)" "409 1000000" "one that overlaps"
part 1000001 1999999
is "$STATUS $(field Upload-Offset)" "409 1000000" "one with a hole"
fetch -I "/$id/d/b.bin"
is "$STATUS $(field Upload-Offset) $(field Upload-Complete)" "200 1000000 ?0" "and nothing has changed"
like "$(field Upload-Expires)" 'GMT$' "it will expire"
fetch "/$id"
like "$(tr -d '\n' <"$BODY")" '"path":"/d/b.bin","direction":"upload","offset":1000000,"length":3000000,"complete":false' "the client's list has it"
curl -sS -C 1000000 -T "$TMP/file" -o /dev/null -w '%{http_code}' "$URL/$id/d/b.bin" >"$TMP/code"
is "$(cat "$TMP/code")" 201 "curl -C 1000000 -T brings the rest"
same_bytes "$ROOT/d/b.bin" "$TMP/file" "and it is whole"
curl -sS -C - -T "$TMP/file" -o /dev/null -w '%{http_code}' "$URL/$id/d/b.bin" >"$TMP/code"
is "$(cat "$TMP/code")" 204 "curl -C - -T sends all of it: a full replace"

# ---- broken connections --------------------------------------------------------------------------

cut_off() { # cut_off PATH BYTES HOW : sends so much of the file, and breaks
    raw send "PUT /$id/$1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" repeat $(($2 / 15)) 000000000000000 "$3" >/dev/null
}
offset() { fetch -I "/$id/$1"; field Upload-Offset; }
cut_off d/c.bin 150000 half
is "$(offset d/c.bin)" 150000 "a connection that ends in order: all that came is there"
cut_off d/c2.bin 150000 reset
got=$(offset d/c2.bin)
at_most "${got:-999999}" 150000 "one that is reset: not more than was sent"
is "$(offset d/c2.bin)" "$got" "and that stays"

# A connection that hangs still holds the upload: the next request takes it over.
for threads in 16 1; do
    server_stop
    server_start -t $threads
    fetch /.uuid
    id=$(body)
    for what in HEAD PUT; do
        path=d/hang.$threads.$what
        helper "$RAW" -t 60 127.0.0.1 "$PORT" send "PUT /$id/$path HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" repeat 10000 000000000000000
        staged_so_far() { [ "$(find "$ROOT/.httpd/uploads" -name "up-$id*" -size -151k -size +145k | wc -l)" -ge 1 ]; }
        wait_for 10 staged_so_far
        start=$(now_ms)
        if [ $what = HEAD ]; then
            is "$(offset $path)" 150000 "-t $threads: HEAD evicts a connection that hangs"
        else
            fetch -X PUT --data-binary "@$TMP/file" "/$id/$path"
            is "$STATUS" 201 "-t $threads: so does PUT"
            same_bytes "$ROOT/$path" "$TMP/file" "-t $threads: and it is the newer one's"
        fi
        at_most $(($(now_ms) - start)) $((1000 * SLOW)) "-t $threads: without much ado (ms)"
        is "$(wait_for 5 gone_or_zombie "$HELPER" && echo gone)" gone "-t $threads: the older connection is closed"
        fetch -X DELETE "/$id/$path"
        is "$STATUS" 204 "-t $threads: DELETE forgets it"
    done
    fetch -I "/$id/d/hang.$threads.HEAD"
    is "$STATUS" 404 "-t $threads: it is gone"
    is "$(find "$ROOT/.httpd/uploads" -name "up-$id*" | wc -l)" 0 "-t $threads: with all its bytes"
done

# ---- kill -9 -------------------------------------------------------------------------------------

head -c 150000 "$TMP/file" >"$TMP/start"
helper "$RAW" -t 60 127.0.0.1 "$PORT" send "PUT /$id/d/k.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3000000\r\n\r\n" file "$TMP/start"
wait_for 10 staged_so_far
disown "$SERVER_PID"; kill -KILL "$SERVER_PID"
wait_for 5 gone_or_zombie "$SERVER_PID"
server_start
is "$(offset d/k.bin)" 150000 "kill -9: what had come is there"
curl -sS -C 150000 -T "$TMP/file" -o /dev/null "$URL/$id/d/k.bin"
same_bytes "$ROOT/d/k.bin" "$TMP/file" "and the rest makes it whole"

# ---- preconditions, limits, expiry ---------------------------------------------------------------

fetch -X PUT -H 'If-None-Match: *' --data-binary x "/$id/d/a.bin"
is "$STATUS" 412 "preconditions are about the real path"
fetch -X PUT --data-binary x "/$id/.hidden/x"
is "$STATUS" 404 "hidden names stay hidden"
fetch -X PUT --data-binary x "/$id/d"
is "$STATUS" 409 "a directory is not replaced"
fetch -X PUT --data-binary x "/00000000-0000-8000-8000-000000000000/x"
is "$STATUS" 201 "an id that is not ours is a path like others"
fetch -X PUT -H 'Content-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:' -H 'Content-Range: bytes 0-4/10' --data-binary 12345 "/$id/d/dig"
is "$STATUS $(field Upload-Offset)" "400 0" "a part that is not what its digest says is dropped"
server_stop
server_start --expire 1s --max-body 1000
fetch -X PUT -H 'Content-Range: bytes 0-4/10' --data-binary 12345 "/$id/d/e.bin"
is "$STATUS" 202 "a part"
fetch -X PUT -H 'Content-Range: bytes 0-4/1001' --data-binary 12345 "/$id/d/f.bin"
is "$STATUS" 413 "--max-body is about the whole"
expired() { fetch -I "/$id/d/e.bin"; [[ $STATUS = 410 || $STATUS = 404 ]]; }
sleep 2.5
expired
ok "an upload that has expired is gone ($STATUS)"
server_stop

server_start --read-only
fetch -X PUT --data-binary x "/$id/d/x"
is "$STATUS" 405 "read-only is for ids too"

done_testing
