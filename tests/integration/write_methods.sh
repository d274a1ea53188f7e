#!/bin/bash
# PUT, DELETE, MKCOL and MOVE: every status, and what is there afterwards.
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/dir/full" "$ROOT/.hidden" "$TMP/outside"
echo old >"$ROOT/old.txt"
echo old >"$ROOT/dir/full/x"
echo secret >"$TMP/outside/secret"
ln -s "$TMP/outside" "$ROOT/leads_out"
ln -s "$TMP/outside/secret" "$ROOT/file_out"
ln -s .httpd "$ROOT/own"
ln -s ../.httpd/uploads "$ROOT/dir/own_uploads"
numbers 300000 >"$TMP/three"
numbers 5000 >"$TMP/five"
server_start --max-body 1M

UPLOADS=$ROOT/.httpd/uploads
staged() { find "$UPLOADS" -type f | wc -l; }
nothing_staged() { [ "$(staged)" -eq 0 ]; }
digest_of() { # digest_of FILE : SHA-256 in base64
    printf %b "$(sha256sum <"$1" | cut -c 1-64 | sed 's/../\\x&/g')" | base64
}
put() { fetch -T "$TMP/five" "$@"; }
NO_DIGEST=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

# ---- PUT -------------------------------------------------------------------------------------------

put /new.txt
is "$STATUS $(field Location)" "201 /new.txt" "PUT makes a file, and says where"
same_bytes "$ROOT/new.txt" "$TMP/five" "with every byte"
tag=$(field ETag)
fetch /new.txt
is "$(field ETag)" "$tag" "under the ETag that GET says as well"
fetch -T "$TMP/three" /new.txt
is "$STATUS" 204 "PUT replaces one"
same_bytes "$ROOT/new.txt" "$TMP/three" "wholly"
isnt "$(field ETag)" "$tag" "and it has another ETag"
put /a/b/c.txt
is "$STATUS $(cmp "$ROOT/a/b/c.txt" "$TMP/five")" "201 " "directories are made where they are missing"
put "/%C3%B1%20and%3Fspace.txt"
is "$STATUS $(field Location)" "201 /%C3%B1%20and%3Fspace.txt" "a name that has to be encoded"
fetch -H 'Transfer-Encoding: chunked' -T "$TMP/three" /chunked
is "$STATUS" 201 "a body in chunks"
same_bytes "$ROOT/chunked" "$TMP/three" "comes without their heads"
answer=$(raw send 'PUT /trailers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\nContent-Length: 9\r\n\r\n')
is "$(status_of "$answer") $(cat "$ROOT/trailers")" "201 abc" "trailers are read and dropped"
answer=$(raw send 'PUT /e HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
is "$(status_of "$answer") $(stat -c %s "$ROOT/e")" "201 0" "an empty body makes an empty file"
answer=$(raw send 'PUT /ten HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc')
is "$(status_of "$answer") $(cat "$ROOT/ten")" "201 abc" "HTTP/1.0"
answer=$(raw send 'PUT /ten HTTP/1.0\r\n\r\nabcdef')
is "$(status_of "$answer") $(cat "$ROOT/ten")" "411 abc" "and a body of it that has no length replaces nothing"
put /dir
is "$STATUS" 409 "a directory is not replaced"
put /old.txt/member
is "$STATUS" 409 "nothing is put into a file"
like "$(body)" 'is a file' "and what is in the way is said"
for path in / /new/ /dir/ /a.txt/; do
    fetch -X PUT --data-binary "@$TMP/five" "$path"
    is "$STATUS" 400 "PUT $path: a slash at the end names no file"
done
for path in /.x /.httpd/x /.httpd/uploads/x /dir/.x /.hidden/x; do
    put "$path"
    like "$STATUS" '^40[34]$' "PUT $path: names with a dot in front are not ours to make"
done
for path in /leads_out/x /leads_out/secret /file_out; do
    put "$path"
    like "$STATUS" '^40[34]$' "PUT $path: a link that leaves the site is not followed"
done
for path in /own/key /own/x /own/uploads/x /dir/own_uploads/x /own/d/e/x; do
    put "$path"
    like "$STATUS" '^40[34]$' "PUT $path: nor one to what is the server's own"
    fetch -X DELETE "$path"
    is "$STATUS" 404 "DELETE $path: neither"
    fetch -X MKCOL "$path"
    like "$STATUS" '^40[349]$' "MKCOL $path: neither"
    fetch -X MOVE -H 'Destination: /stolen' "$path"
    is "$STATUS" 404 "MOVE $path: neither"
    fetch "$path"
    is "$STATUS" 404 "GET $path: neither"
done
for path in /own /own/ /dir/own_uploads; do
    fetch -H 'Slug: x' --data-binary x "$path"
    is "$STATUS" 404 "POST $path: neither"
    fetch "$path"
    is "$STATUS" 404 "GET $path: neither"
done
is "$(find "$ROOT/.httpd" -mindepth 1 -printf '%P\n' | LC_ALL=C sort | xargs)" "key lock sweep transfers uploads" "and all of that is as it was"
is "$(ls "$TMP/outside") $(cat "$TMP/outside/secret")" "secret secret" "and nothing happened there"
# What is hidden may be shown by a link to it, but not changed.
mkdir "$ROOT/.release"
echo kept >"$ROOT/.release/file"
ln -s .release "$ROOT/release"
fetch /release/file
is "$STATUS $(body)" "200 kept" "GET through a link to a name with a dot in front"
for path in /release/file /release/new /release/more/new; do
    put "$path"
    like "$STATUS" '^40[34]$' "PUT $path: not through a link to a name with a dot in front"
done
fetch -X DELETE /release/file
is "$STATUS" 404 "DELETE: neither"
fetch -X MKCOL /release/new
like "$STATUS" '^40[349]$' "MKCOL: neither"
fetch -X MOVE -H 'Destination: /stolen' /release/file
is "$STATUS" 404 "MOVE from there: neither"
fetch -X MOVE -H 'Destination: /release/new' /a.txt
like "$STATUS" '^40[349]$' "MOVE to there: neither"
fetch -H 'Slug: x' --data-binary x /release/
like "$STATUS" '^40[34]$' "POST: neither"
is "$(ls "$ROOT/.release") $(cat "$ROOT/.release/file")" "file kept" "and all of it is as it was"
[ -L "$ROOT/file_out" ]
ok "the link is still one"
put -H 'Content-Encoding: gzip' /coded
is "$STATUS" 415 "a coding that would be lost"
name=$(printf 'x%.0s' {1..300})
put "/$name"
is "$STATUS" 414 "a name longer than a name may be"
like "$(body)" 'too long to be stored' "is the client's mistake, and said so"
fetch -X MKCOL "/$name"
is "$STATUS" 414 "MKCOL: as well"
fetch -X MOVE -H "Destination: /$name" /old.txt
is "$STATUS $(cat "$ROOT/old.txt")" "414 old" "MOVE to it: as well"
for method in GET DELETE; do
    fetch -X $method "/$name"
    is "$STATUS" 404 "$method: what cannot be there is not there"
done
answer=$(raw send 'PUT /big HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n')
is "$(status_of "$answer")" 413 "more than --max-body, before a byte of it"
numbers 1048577 >"$TMP/big"
fetch -H 'Transfer-Encoding: chunked' -H 'Expect:' -T "$TMP/big" /big
like "$STATUS" '^(413|000)$' "and found out on the way"
[ ! -e "$ROOT/big" ]
ok "of which nothing is stored"
wait_for $((5 * SLOW)) nothing_staged
ok "not even staged"

# ---- Expect ----------------------------------------------------------------------------------------

expecting='Host: localhost\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n'
answer=$(raw send "PUT /expected HTTP/1.1\r\n$expecting" until 'HTTP/1.1 100 Continue\r\n\r\n' send abc)
like "$answer" 'HTTP/1.1 201 ' "100 Continue, and then the answer"
is "$(cat "$ROOT/expected")" abc "to what came after it"
for refused in 'PUT /dir' 'PUT /.x' 'PUT /x/' 'MKCOL /expected'; do
    unlike "$(raw send "$refused HTTP/1.1\r\n$expecting" half)" ' 100 ' "$refused: no 100 for what is refused"
done
answer=$(raw send "PUT /expected HTTP/1.1\r\nIf-None-Match: *\r\n$expecting" half)
is "$(status_of "$answer")" 412 "nor when a condition is not met"
answer=$(raw send 'PUT /x HTTP/1.1\r\nHost: localhost\r\nExpect: miracle\r\nContent-Length: 3\r\n\r\nabc')
is "$(status_of "$answer")" 417 "another expectation"

# ---- conditions ------------------------------------------------------------------------------------

put -H 'If-None-Match: *' /only_new
is "$STATUS" 201 "If-None-Match: * makes"
tag=$(field ETag)
put -H 'If-None-Match: *' /only_new
is "$STATUS" 412 "and does not replace"
put -H "If-Match: $tag" /only_new
is "$STATUS" 204 "If-Match with the right tag"
put -H "If-Match: $tag" /only_new
is "$STATUS" 412 "and with the old one"
put -H 'If-Match: *' /missing
is "$STATUS" 412 "If-Match: * where nothing is"
put -H 'If-Unmodified-Since: Thu, 01 Jan 2004 00:00:00 GMT' /only_new
is "$STATUS" 412 "If-Unmodified-Since, and it was"
put -H 'If-Match: nonsense' /only_new
is "$STATUS" 400 "a condition that is none"
for i in {1..8}; do
    helper curl -sS -o "$TMP/race.$i" -w '%{http_code}\n' -H 'If-None-Match: *' --data-binary "$i" -X PUT "$URL/race" >>"$TMP/race"
done
all_answered() { [ "$(wc -l <"$TMP/race")" -eq 8 ]; }
wait_for $((20 * SLOW)) all_answered
is "$(sort "$TMP/race" | uniq -c | tr -s ' \n' ' ')" " 1 201 7 412 " "of eight that want to be first one is"

# ---- Content-Range ---------------------------------------------------------------------------------

part() { # part FIRST LAST PATH
    slice "$TMP/five" "$1" $(($2 - $1 + 1)) >"$TMP/part"
    fetch -X PUT -H "Content-Range: bytes $1-$2/5000" --data-binary "@$TMP/part" "$3"
}
part 0 1999 /parts
is "$STATUS $(field Upload-Offset)" "202 2000" "a first part is kept"
[ ! -e "$ROOT/parts" ]
ok "and not shown"
for first in 0 1 1999 2001 3000; do
    part "$first" 3999 /parts
    is "$STATUS $(field Upload-Offset)" "409 2000" "a part from $first on does not fit"
done
part 2000 3999 /parts
is "$STATUS $(field Upload-Offset)" "202 4000" "the next part does"
part 4000 4999 /parts
is "$STATUS" 201 "and with the last one the file is there"
same_bytes "$ROOT/parts" "$TMP/five" "whole"
part 2000 2999 /old.txt
is "$STATUS $(field Upload-Offset) $(cat "$ROOT/old.txt")" "409 0 old" "a part of a file that nobody began: it stays as it is"
part 0 4999 /in_one
is "$STATUS" 201 "a range that is all"
fetch -X PUT -H 'Content-Range: bytes 0-9/5000' --data-binary "@$TMP/five" /wrong
is "$STATUS" 400 "a range that is not as long as the body"
fetch -X PUT -H 'Content-Range: bytes 0-4999/*' --data-binary "@$TMP/five" /wrong
is "$STATUS" 400 "a range of who knows how much"
fetch -X PUT -H 'Content-Range: bytes */5000' --data-binary '' /wrong
is "$STATUS" 400 "a range that is none"
fetch -X PUT -H 'Content-Range: bytes 0-4/10' -H 'Content-Range: bytes 0-4/5' --data-binary 12345 /wrong
is "$STATUS" 400 "two ranges"
nothing_staged
ok "nothing of it is left"
echo in the way >"$ROOT/way"
part 0 1999 /way/x
for _ in 1 2; do
    part 2000 4999 /way/x
    is "$STATUS $(field Upload-Offset)" "409 " "a last part, and the file cannot be stored there"
done
rm "$ROOT/way"
part 2000 4999 /way/x
is "$STATUS" 201 "it can be sent again when that is mended"
same_bytes "$ROOT/way/x" "$TMP/five" "and all is there"
part 0 1999 /versions
fetch -X PUT -H 'Content-Range: bytes 2000-2001/2002' --data-binary ab /versions
is "$STATUS $(field Upload-Offset)" "409 0" "a part of a version of another length does not go on with it"
put /versions
is "$STATUS $(staged)" "201 0" "who puts the file whole wants no parts that came before"
digested() { # digested NAME DIGEST FIRST LAST TEXT : the part with that digest
    fetch -X PUT -H "$1: sha-256=:$2:" -H "Content-Range: bytes $3-$4/10" --data-binary "$5" /digested
}
printf 1234567890 >"$TMP/ten"
fetch -X PUT -H 'Content-Range: bytes 0-4/10' --data-binary 12345 /digested
digested Content-Digest "$NO_DIGEST" 5 7 678
is "$STATUS" 400 "a part that is not what its Content-Digest says"
fetch -X PUT -H 'Content-Range: bytes 9-9/10' --data-binary 0 /digested
is "$STATUS $(field Upload-Offset)" "409 5" "goes, and only that"
raw send "PUT /digested HTTP/1.1\r\nHost: localhost\r\nContent-Digest: sha-256=:$NO_DIGEST:\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n678" half >/dev/null
fetch -X PUT -H 'Content-Range: bytes 9-9/10' --data-binary 0 /digested
is "$STATUS $(field Upload-Offset)" "409 5" "also what broke off before it could be checked"
digested Repr-Digest "$NO_DIGEST" 5 9 67890
is "$STATUS $(find "$ROOT/digested" 2>&1 | grep -c 'No such') $(staged)" "400 1 0" "a last part, and the file is not what Repr-Digest says: nothing is published"
fetch -X PUT -H 'Content-Range: bytes 0-4/10' --data-binary 12345 /digested
digested Repr-Digest "$(digest_of "$TMP/ten")" 5 9 67890
is "$STATUS $(cat "$ROOT/digested")" "201 1234567890" "and one that is"

# ---- digests ---------------------------------------------------------------------------------------

right=$(digest_of "$TMP/five")
for name in Repr-Digest Content-Digest; do
    put -H "$name: sha-256=:$right:" "/$name"
    is "$STATUS" 201 "$name that is right"
    put -H "$name: sha-256=:$NO_DIGEST:" "/$name.2"
    is "$STATUS $(find "$ROOT/$name.2" 2>&1 | grep -c 'No such')" "400 1" "$name that is wrong: nothing is published"
    put -H "$name: sha-256=:AAAA:" "/$name.2"
    is "$STATUS" 400 "$name that is too short"
    put -H "$name: nonsense=" "/$name.2"
    is "$STATUS" 400 "$name that is malformed"
    put -H "$name: sha-512=:AAAA:" -H "$name: sha-256=:$NO_DIGEST:" "/$name.2"
    is "$STATUS" 400 "$name on two lines (RFC 9110 5.3)"
    put -H "$name: md5=:AAAA:" "/$name.3"
    is "$STATUS" 201 "$name of another kind goes unchecked (RFC 9530 2)"
done
fetch /in_one
! has_field Repr-Digest
ok "no digest for those who do not ask"
want=(-H 'Want-Repr-Digest: sha-256=10')
fetch "${want[@]}" /in_one
is "$(field Repr-Digest)" "sha-256=:$right:" "Want-Repr-Digest is answered"
fetch "${want[@]}" -I /in_one
is "$(field Repr-Digest)" "sha-256=:$right:" "to HEAD as well"
fetch "${want[@]}" -r 10-19 /in_one
is "$STATUS $(field Repr-Digest)" "206 sha-256=:$right:" "a part comes with the digest of all"
fetch "${want[@]}" -r 1-2,10-19 /in_one
is "$STATUS $(field Repr-Digest)" "206 sha-256=:$right:" "and so do several"
fetch "${want[@]}" -r 9000- /in_one
is "$STATUS $(field Repr-Digest)" "416 " "the page that says there is no such part does not"
fetch "${want[@]}" /chunked
is "$(field Repr-Digest)" "sha-256=:$(digest_of "$TMP/three"):" "of a file that takes several reads"
fetch "${want[@]}" /e
is "$(field Repr-Digest)" "sha-256=:$(digest_of /dev/null):" "and of an empty one"
fetch -H 'Want-Repr-Digest: sha-512=3' "${want[@]}" /in_one
is "$(field Repr-Digest)" "sha-256=:$right:" "on two lines, too"
fetch -H 'Want-Repr-Digest: sha-256=0' /in_one
is "$(field Repr-Digest)" "" "a weight of 0 wants none (RFC 9530 4)"
fetch -H 'Want-Repr-Digest: sha-512=3' /in_one
is "$(field Repr-Digest)" "" "another kind there is not"

# ---- MKCOL -----------------------------------------------------------------------------------------

fetch -X MKCOL /made
is "$STATUS $(field Location)" "201 /made" "MKCOL makes a directory"
[ -d "$ROOT/made" ]
ok "which is there"
fetch -X MKCOL /made/sub/
is "$STATUS" 201 "with a slash at the end, too"
for path in /made / /old.txt; do
    fetch -X MKCOL "$path"
    is "$STATUS" 405 "MKCOL $path: there is something"
done
fetch -X MKCOL -H 'If-Match: "x"' /made/not
is "$STATUS $(find "$ROOT/made/not" 2>&1 | grep -c 'No such')" "412 1" "and a condition is not met"
fetch -X MKCOL -H 'If-Match: "x"' /made
is "$STATUS" 405 "which changes no 405 (RFC 9110 13.2.1)"
fetch -X MKCOL /none/sub
is "$STATUS" 409 "without a parent"
fetch -X MKCOL --data-binary x /made/body
is "$STATUS" 415 "with a body"
for path in /.x /.httpd/x /made/.x; do
    fetch -X MKCOL "$path"
    like "$STATUS" '^40[34]$' "MKCOL $path"
done
fetch -X MKCOL /leads_out/x
like "$STATUS $(ls "$TMP/outside")" '^40[349] secret$' "MKCOL through a link that leaves the site"

# ---- MOVE ------------------------------------------------------------------------------------------

move() { # move FROM TO ARGUMENT...
    fetch -X MOVE -H "Destination: $2" "${@:3}" "$1"
}
move /in_one /moved
is "$STATUS $(field Location)" "201 /moved" "MOVE renames"
[ ! -e "$ROOT/in_one" ] && cmp -s "$ROOT/moved" "$TMP/five"
ok "and the file is there, and only there"
move /moved "$URL/made/moved"
is "$STATUS" 201 "to a whole URL"
put /second
move /second /made/moved -H 'Overwrite: F'
is "$STATUS" 412 "Overwrite: F leaves what is there"
move /second /made/moved -H 'Overwrite: T' -H 'Overwrite: F'
is "$STATUS" 412 "and so does one that says both"
move /second /made/moved
is "$STATUS" 204 "over what is there, otherwise"
move /made /made2
is "$STATUS" 201 "a directory"
[ -f "$ROOT/made2/moved" ]
ok "with what is in it"
move /made2 /made2/sub/self
like "$STATUS" '^40[39]$' "not into itself"
move /none /x
is "$STATUS" 404 "what is missing"
move /made2/moved /none/x
is "$STATUS" 409 "to a directory that is missing"
move /made2/moved http://elsewhere.example/x
is "$STATUS" 502 "to another server"
fetch -X MOVE /made2/moved
is "$STATUS" 400 "to nowhere"
fetch -X MOVE -H 'Destination: /x' -H 'Destination: /y' /made2/moved
is "$STATUS" 400 "to two places"
move / /x
is "$STATUS" 403 "the root stays"
move /made2/moved /
is "$STATUS" 403 "and is not replaced"
for to in /.x /.httpd/x /made2/.x /leads_out/x /../x; do
    move /made2/moved "$to"
    like "$STATUS" '^40[0349]$' "MOVE to $to"
done
for from in /.httpd /.hidden /leads_out /leads_out/secret /file_out; do
    move "$from" /stolen
    like "$STATUS" '^40[34]$' "MOVE of $from"
done
is "$(ls "$TMP/outside") $(ls "$ROOT/made2")" "secret moved
sub" "everything is where it was"
move /made2/moved /x -H 'If-Match: "no"'
is "$STATUS" 412 "conditions are about what is moved"

# ---- DELETE ----------------------------------------------------------------------------------------

fetch -X DELETE /made2/moved -H 'If-Match: "no"'
is "$STATUS" 412 "DELETE honours conditions"
fetch -X DELETE /made2/moved
is "$STATUS" 204 "a file"
[ ! -e "$ROOT/made2/moved" ]
ok "is gone"
fetch -X DELETE /made2/moved
is "$STATUS" 404 "once"
fetch -X DELETE /made2
is "$STATUS" 409 "a directory that is not empty"
fetch -X DELETE /made2/sub/
is "$STATUS" 204 "one that is"
for path in / // /. /made2/.. /%2e /made2/%2e%2e; do
    fetch -X DELETE "$path"
    like "$STATUS" '^40[0349]$' "DELETE $path is refused ($STATUS)"
done
for path in /.httpd /.httpd/key /.hidden /leads_out /leads_out/secret /file_out /leads_out/; do
    fetch -X DELETE "$path"
    like "$STATUS" '^40[34]$' "DELETE $path"
done
[ -s "$ROOT/.httpd/key" ] && [ -d "$ROOT/.hidden" ] && [ -L "$ROOT/leads_out" ] && [ -e "$TMP/outside/secret" ]
ok "and all of that is still there"
server_stop

# `DELETE /` of a site that has nothing, for there it could succeed.
rm -rf "$ROOT" && mkdir "$ROOT"
server_start --state "$TMP/state"
fetch -X DELETE /
is "$STATUS" 403 "DELETE / of an empty site"
[ -d "$ROOT" ]
ok "which is still there"
server_stop

# The server's own directory is removed while it runs.
echo here >"$ROOT/a.txt"
server_start
rm -rf "$ROOT/.httpd"
for method in PUT DELETE MOVE; do
    fetch -X $method -H 'Destination: /b.txt' --data-binary x /a.txt
    is "$STATUS $(cat "$ROOT/a.txt")" "500 here" "$method: it is the server's fault, and nothing is changed"
done
like "$(body)" 'own directory is gone' "which is said"
fetch /a.txt
is "$STATUS" 200 "what is there is served"
server_stop

# ---- limits of the disk, and nobody may write ------------------------------------------------------

server_start --min-free 900000G
put /x
is "$STATUS $(find "$ROOT/x" 2>&1 | grep -c 'No such')" "507 1" "--min-free is kept"
fetch -X MKCOL /d
is "$STATUS $(find "$ROOT/d" 2>&1 | grep -c 'No such')" "507 1" "also from directories"
server_stop

server_start --read-only
for request in 'PUT /x' 'DELETE /x' 'MKCOL /x' 'MOVE /x'; do
    fetch -X "${request% *}" "${request#* }"
    is "$STATUS $(field Allow)" "405 GET, HEAD, OPTIONS" "$request on a read-only server"
done
server_stop

# ---- what a server that was killed leaves ----------------------------------------------------------

ERR_MAY=removed
mkdir -p "$UPLOADS"
echo part >"$UPLOADS/put-00112233445566778899aabbccddeeff"
echo part >"$UPLOADS/part-0011"
server_start
swept() { [ ! -e "$UPLOADS/put-00112233445566778899aabbccddeeff" ]; }
wait_for $((5 * SLOW)) swept
ok "what one request was staging is removed at the next start"
[ -e "$UPLOADS/part-0011" ]
ok "what was kept to be resumed is not"

done_testing
