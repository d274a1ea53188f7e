#!/bin/bash
# Does PATCH with X-Update-Range append, as sabre/dav and dufs have it?
. "$(dirname "$0")/lib.sh"

printf 12345 >"$ROOT/a.txt"
server_start --max-body 20
SABRE=(-H 'Content-Type: application/x-sabredav-partialupdate')

fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: append' --data-binary 678 /a.txt
is "$STATUS $(cat "$ROOT/a.txt")" "204 12345678" "append"
fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: bytes=8-' --data-binary 9 /a.txt
is "$STATUS $(cat "$ROOT/a.txt")" "204 123456789" "bytes=N- at the end"
for range in bytes=3- bytes=20-; do
    fetch -X PATCH "${SABRE[@]}" -H "X-Update-Range: $range" --data-binary x /a.txt
    is "$STATUS $(cat "$ROOT/a.txt")" "416 123456789" "$range is not the end"
done
fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: lines=1-' --data-binary x /a.txt
is "$STATUS" 400 "a range that is none"
fetch -X PATCH "${SABRE[@]}" --data-binary x /a.txt
is "$STATUS" 415 "no range: no patch that is known here"
like "$(field Accept-Patch)" partial-upload "and Accept-Patch says what is"
fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: append' --data-binary x /none
is "$STATUS" 404 "there must be something to append to"
fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: append' --data-binary 123456789012 /a.txt
is "$STATUS $(cat "$ROOT/a.txt")" "413 123456789" "--max-body is about the whole"
fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: append' -H 'If-Match: "x"' --data-binary x /a.txt
is "$STATUS $(cat "$ROOT/a.txt")" "412 123456789" "a precondition"
raw send 'PATCH /a.txt HTTP/1.1\r\nHost: localhost\r\nX-Update-Range: append\r\nContent-Length: 5\r\n\r\n123' half >/dev/null
is "$(cat "$ROOT/a.txt")" 123456789 "one that breaks off has done nothing"

fetch /.uuid
id=$(body)
raw send "PUT /$id/b.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345" half >/dev/null
fetch -I "/$id/b.txt"
is "$(field Upload-Offset)" 5 "an upload by id that broke"
fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: append' --data-binary 678 "/$id/b.txt"
is "$STATUS $(field Upload-Offset)" "202 8" "goes on with append"
fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: bytes=7-' --data-binary 678 "/$id/b.txt"
is "$STATUS $(field Upload-Offset)" "416 8" "or from an offset that is right"
fetch -X PATCH "${SABRE[@]}" -H 'X-Update-Range: bytes=8-' --data-binary 90 "/$id/b.txt"
is "$STATUS $(cat "$ROOT/b.txt")" "201 1234567890" "and is published at its length"

done_testing
