#!/bin/bash
# Does tus 1.0.0 do what its specification says, row by row?
. "$(dirname "$0")/lib.sh"

numbers 100000 >"$TMP/file"
mkdir "$ROOT/d"
server_start --max-body 1M

TUS=(-H 'Tus-Resumable: 1.0.0')
OCTETS=(-H 'Content-Type: application/offset+octet-stream')
tus() { fetch "${TUS[@]}" "$@"; }
meta() { # meta KEY VALUE
    printf '%s %s' "$1" "$(printf %s "$2" | base64 -w0)"
}
create() { # create LENGTH NAME HEADER... : sets AT
    local length=$1 name=$2
    shift 2
    tus -X POST -H "Upload-Length: $length" -H "Upload-Metadata: $(meta filename "$name")" "$@" /d/
    AT=$(field Location)
}
patch() { # patch OFFSET FROM LENGTH ARGUMENT... : those bytes of the file
    local offset=$1
    slice "$TMP/file" "$2" "$3" >"$TMP/piece"
    shift 3
    tus -X PATCH "${OCTETS[@]}" -H "Upload-Offset: $offset" --data-binary "@$TMP/piece" "$@" "$AT"
}

# ---- discovery and versions ----------------------------------------------------------------------

for target in / /d/ /d; do
    fetch -X OPTIONS "$target"
    is "$STATUS $(field Tus-Version)" "204 1.0.0" "OPTIONS $target says the version"
done
is "$(field Tus-Extension)" "creation,creation-with-upload,creation-defer-length,expiration,checksum,checksum-trailer,termination,concatenation" "and the extensions"
is "$(field Tus-Checksum-Algorithm) $(field Tus-Max-Size)" "sha1,sha256 1048576" "algorithms and limit"
fetch -X POST -H 'Tus-Resumable: 0.2.2' -H 'Upload-Length: 5' /d/
is "$STATUS $(field Tus-Version)" "412 1.0.0" "another version"
is "$(field Tus-Resumable)" 1.0.0 "Tus-Resumable is on that answer too"
fetch -X OPTIONS -H 'Tus-Resumable: 0.2.2' /d/
is "$STATUS $(field Tus-Version)" "204 1.0.0" "but for OPTIONS, where it says nothing"

# ---- core ----------------------------------------------------------------------------------------

create 100000 'a file.bin'
is "$STATUS $(field Tus-Resumable) $(field Upload-Offset)" "201 1.0.0 0" "creation"
like "$AT" '^/[0-9a-f-]{36}/d/a%20file\.bin$' "Location names the upload"
like "$(field Upload-Expires)" 'GMT$' "which expires"
tus -I "$AT"
is "$STATUS $(field Upload-Offset) $(field Upload-Length) $(field Cache-Control)" "200 0 100000 no-store" "HEAD of a new one"
is "$(field Upload-Metadata)" "$(meta filename 'a file.bin')" "with the metadata as they were given"
for method in PATCH DELETE; do
    fetch -X $method -H 'Tus-Resumable: 2.0.0' "${OCTETS[@]}" -H 'Upload-Offset: 0' --data-binary x "$AT"
    is "$STATUS $(field Tus-Version)" "412 1.0.0" "$method in another version does nothing"
done
patch 0 0 40000
is "$STATUS $(field Upload-Offset) $(field Tus-Resumable)" "204 40000 1.0.0" "PATCH"
like "$(field Upload-Expires)" 'GMT$' "says until when"
patch 40000 40000 0 -H 'Upload-Length: 90000'
is "$STATUS $(field Upload-Offset) $(field Upload-Length)" "400 40000 100000" "a length stays what it is"
patch 0 0 40000
is "$STATUS $(field Upload-Offset)" "409 40000" "at another offset"
patch 50000 50000 100
is "$STATUS $(field Upload-Offset)" "409 40000" "with a hole"
fetch "${TUS[@]}" -X PATCH -H 'Content-Type: text/plain' -H 'Upload-Offset: 40000' --data-binary x "$AT"
is "$STATUS" 415 "another type"
tus -X PATCH "${OCTETS[@]}" --data-binary x "$AT"
is "$STATUS" 400 "no offset"
patch 40000 0 60001
is "$STATUS $(field Upload-Offset)" "413 40000" "more than the length"
[ ! -e "$ROOT/d/a file.bin" ]
ok "nobody sees it yet"
patch 40000 40000 60000
is "$STATUS $(field Upload-Offset)" "204 100000" "the rest"
same_bytes "$ROOT/d/a file.bin" "$TMP/file" "is published whole"
tus -I "$AT"
is "$STATUS $(field Upload-Offset) $(field Upload-Length)" "200 100000 100000" "HEAD of a complete one"
patch 100000 0 0
is "$STATUS" 204 "an empty PATCH at its end"
patch 100000 0 1
is "$STATUS" 413 "one byte more"
AT=/00000000-0000-8000-8000-000000000000/d/x patch 0 0 10
is "$STATUS" 404 "PATCH of an unknown upload"
tus -I /00000000-0000-8000-8000-000000000000/d/x
is "$STATUS $(field Upload-Offset)" "404 " "HEAD of one: no offset"
is "$(field Tus-Resumable)" 1.0.0 "Tus-Resumable also there"

create 5 'a file.bin'
patch 0 0 5
is "$STATUS $(cat "$ROOT/d/a file (2).bin")" "204 00000" "a name that is taken gets a number"

# ---- creation ------------------------------------------------------------------------------------

while IFS='|' read -r headers status why; do
    arguments=()
    IFS=';' read -ra list <<<"$headers"
    for header in "${list[@]}"; do arguments+=(-H "$header"); done
    tus -X POST "${arguments[@]}" /d/
    is "$STATUS" "$status" "creation: $why"
done <<'TABLE'
X: y|400|no length
Upload-Length: -1|400|a negative one
Upload-Length: 1.5|400|a fraction
Upload-Length: 1048577|413|more than Tus-Max-Size
Upload-Defer-Length: 1|201|deferred
Upload-Defer-Length: 2|400|another value
Upload-Length: 1;Upload-Defer-Length: 1|400|both
Upload-Length: 1;Upload-Metadata: filename|201|metadata without a value
Upload-Length: 1;Upload-Metadata: a b c|400|metadata with a space
Upload-Length: 1;Upload-Metadata: a YQ==,a YQ==|400|a key twice
Upload-Length: 1;Upload-Metadata: a !|400|no base64
TABLE
tus -X POST -H 'Upload-Length: 5' /nowhere/
is "$STATUS" 404 "in a directory that is not there"
tus -X POST -H 'Upload-Length: 5' /.httpd/
is "$STATUS" 404 "in one that is hidden"
create 0 empty.txt
is "$STATUS $(stat -c %s "$ROOT/d/empty.txt")" "201 0" "length 0 is complete at once"
while IFS='|' read -r name path wanted; do
    tus -X POST -H 'Upload-Length: 0' -H "Upload-Metadata: $(meta filename "$name"),$(meta relativePath "$path")" /d/
    is "$STATUS $([ -f "$ROOT/d/$wanted" ] && echo there)" "201 there" "'$name' and '$path' become $wanted"
done <<'TABLE'
../../evil|null|evil
/etc/passwd||etc/passwd
one.txt|folder/sub/one.txt|folder/sub/one.txt
two.txt|../../x/two.txt|x/two.txt
.three||three
TABLE
tus -X POST -H 'Upload-Length: 0' /d/
like "$(field Location)" '/d/[0-9a-f]{32}\.bin$' "a name is made up when there is none"
create 100000 'up.bin' "${OCTETS[@]}" --data-binary "@$TMP/file"
is "$STATUS $(field Upload-Offset)" "201 100000" "creation with upload"
same_bytes "$ROOT/d/up.bin" "$TMP/file" "is whole"
create 10 'up2.bin' "${OCTETS[@]}" --data-binary 12345
is "$STATUS $(field Upload-Offset)" "201 5" "with a part of it"
create 10 'up3.bin' -H 'Content-Type: text/plain' --data-binary 12345
is "$STATUS" 415 "with another type"

# A path that is three times as long as a URL, and metadata of 8 KB less a little, are told whole.
deep=$(printf '%%C3%%B1%.0s' {1..100})
deep=$deep/$deep/$deep/$deep/$deep/$deep/$deep/$deep
fetch -X PUT --data-binary x "/d/$deep/x"
is "$STATUS" 201 "a deep directory"
noted=$(meta filename deep.txt),note\ $(head -c 6000 /dev/zero | base64 -w0)
tus -X POST -H 'Upload-Length: 5' -H "Upload-Metadata: $noted" "/d/$deep/"
AT=$(field Location)
is "${AT:37}" "/d/$deep/deep.txt" "Location is whole where the path is long"
tus -I "$AT"
is "$(field Upload-Metadata)" "$noted" "and so are long metadata"

# Its name is taken while the body comes: raw opens the pipe once the upload is there.
mkfifo "$TMP/rest"
helper "$RAW" -t $((20 * SLOW)) 127.0.0.1 "$PORT" send "POST /d/ HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 10\r\nUpload-Metadata: $(meta filename wish.txt)\r\nContent-Type: application/offset+octet-stream\r\nContent-Length: 10\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n" until '100 Continue\r\n\r\n' file "$TMP/rest" >"$TMP/answer" 2>/dev/null
reads_rest() { readlink "/proc/$HELPER"/fd/* | grep -q "$TMP/rest"; }
exec 9<>"$TMP/rest"
wait_for $((20 * SLOW)) reads_rest
fetch -X PUT --data-binary taken /d/wish.txt
is "$STATUS" 201 "another file takes the name of an upload under way"
printf 0123456789 >&9
exec 9>&-
wait "$HELPER"
AT=$(tr -d '\r' <"$TMP/answer" | sed -n 's/^Location: //p')
like "$AT" '/d/wish\.txt$' "the upload's address stays what it is"
is "$(cat "$ROOT/d/wish.txt" "$ROOT/d/wish (2).txt")" taken0123456789 "and its file gets a number"
tus -I "$AT"
is "$STATUS $(field Upload-Offset)" "200 10" "of which the address tells"

tus -X POST -H 'Upload-Defer-Length: 1' -H "Upload-Metadata: $(meta filename defer)" /d/
AT=$(field Location)
tus -I "$AT"
is "$(field Upload-Defer-Length) $(has_field Upload-Length && echo length)" "1 " "deferred: HEAD says so"
patch 0 0 10
is "$STATUS $(field Upload-Offset)" "204 10" "bytes may come before the length"
patch 10 10 10 -H 'Upload-Length: 15'
is "$STATUS $(field Upload-Offset)" "413 10" "more than the length that comes with them"
patch 10 10 10 -H 'Upload-Length: 20'
is "$STATUS" 204 "the length with the last"
is "$(stat -c %s "$ROOT/d/defer")" 20 "and it is published"

fetch /.uuid
id=$(body)
tus -X POST -H 'Upload-Length: 5' -H "Upload-Metadata: $(meta filename own)" "/$id/d/"
is "$(field Location)" "/$id/d/own" "a client's own id is kept"

# ---- override, checksum, termination -------------------------------------------------------------

create 10 over.bin
tus -X POST -H 'X-HTTP-Method-Override: PATCH' "${OCTETS[@]}" -H 'Upload-Offset: 0' --data-binary 12345 "$AT"
is "$STATUS $(field Upload-Offset)" "204 5" "POST that means PATCH"
create 10 sum.bin
sha() { printf %s "$2" | openssl dgst "-$1" -binary | base64; }
for row in 'sha1|12345|12345|204 5' 'sha256|12345|12345|204 10' 'sha1|12345|1234|460 0' 'sha256|12345|1234|460 0' 'md5|12345|12345|400 0' 'crc32|12345|1|400 0'; do
    IFS='|' read -r algorithm sent summed wanted <<<"$row"
    [ "$wanted" = "204 10" ] || create 10 "sum.$algorithm"
    offset=0
    [ "$wanted" = "204 10" ] && offset=5
    sum=$(sha "${algorithm/crc32/sha1}" "$summed")
    tus -X PATCH "${OCTETS[@]}" -H "Upload-Offset: $offset" -H "Upload-Checksum: $algorithm $sum" --data-binary "$sent" "$AT"
    got=$STATUS
    tus -I "$AT"
    is "$got $(field Upload-Offset)" "$wanted" "checksum $algorithm of $summed with $sent"
done
for row in 'sha1|12345|204 5' 'sha1|wrong|460 0' 'sha256|12345|204 5' 'none||400 0'; do
    IFS='|' read -r algorithm summed wanted <<<"$row"
    create 10 trailer.bin
    trailer="Upload-Checksum: $algorithm $(sha "${algorithm/none/sha1}" "$summed")\r\n"
    [ "$algorithm" = none ] && trailer=
    answer=$(raw send "PATCH $AT HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nTransfer-Encoding: chunked\r\nTrailer: Upload-Checksum\r\nConnection: close\r\n\r\n5\r\n12345\r\n0\r\n" bytewise "$trailer\r\n")
    tus -I "$AT"
    is "$(status_of "$answer") $(field Upload-Offset)" "$wanted" "checksum in the trailer: $algorithm of '$summed'"
done
# A chunk with a checksum that breaks cannot be checked: none of it is kept.
create 10 broken.bin
raw send "PATCH $AT HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nUpload-Checksum: sha1 $(sha sha1 12345)\r\nContent-Length: 5\r\n\r\n123" half >/dev/null
tus -I "$AT"
is "$(field Upload-Offset)" 0 "a chunk with a checksum that broke off is dropped"

create 10 end.bin
patch 0 0 5
tus -X DELETE "$AT"
is "$STATUS $(field Tus-Resumable)" "204 1.0.0" "termination"
tus -I "$AT"
is "$STATUS" 404 "it is gone"
patch 5 5 5
is "$STATUS" 404 "for PATCH too"

# ---- concatenation -------------------------------------------------------------------------------

piece() { # piece FROM LENGTH
    tus -X POST -H 'Upload-Concat: partial' -H "Upload-Length: $2" /d/
    AT=$(field Location)
    patch 0 "$1" "$2" -H 'Upload-Concat: partial'
}
final() { tus -X POST -H "Upload-Concat: final;$1" -H "Upload-Metadata: $(meta filename "$2")" "${@:3}" /d/; }
piece 0 60000
one=$AT
is "$STATUS $(field Upload-Offset)" "204 60000" "a piece"
tus -I "$one"
is "$(field Upload-Concat)" partial "HEAD says that it is one"
piece 60000 40000
two=$AT
final "$one $two" cat.bin -H 'Upload-Length: 100000'
is "$STATUS" 400 "a final one has no length"
final "$URL$one $two" cat.bin
is "$STATUS" 201 "put together, by absolute and relative URLs"
AT=$(field Location)
same_bytes "$ROOT/d/cat.bin" "$TMP/file" "it is the file"
tus -I "$AT"
is "$(field Upload-Offset) $(field Upload-Length)" "100000 100000" "HEAD of it"
like "$(field Upload-Concat)" '^final;' "says of what it was made"
patch 100000 0 1
is "$STATUS" 403 "and it takes no PATCH"
tus -X POST -H 'Upload-Concat: partial' -H 'Upload-Length: 10' /d/
final "$(field Location)" unfinished.bin
is "$STATUS" 400 "a piece that is not complete"
final "/d/cat.bin" nothing.bin
is "$STATUS" 400 "something that is no upload"
final "" nothing.bin
is "$STATUS" 400 "no pieces"

done_testing
