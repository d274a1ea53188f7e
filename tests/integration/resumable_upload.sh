#!/bin/bash
# Do the IETF's resumable uploads work, for interop versions 5, 6 and 8?
. "$(dirname "$0")/lib.sh"

numbers 100000 >"$TMP/file"
mkdir "$ROOT/d"
server_start --max-body 1M

create() { # create VERSION NAME ARGUMENT... : sets AT
    fetch -X POST -H "Upload-Draft-Interop-Version: $1" -H "Content-Disposition: inline; filename=\"$2\"" "${@:3}" /d/
    AT=$(field Location)
}
append() { # append VERSION OFFSET COMPLETE FROM LENGTH ARGUMENT...
    slice "$TMP/file" "$4" "$5" >"$TMP/piece"
    fetch -X PATCH -H "Upload-Draft-Interop-Version: $1" -H 'Content-Type: application/partial-upload' -H "Upload-Offset: $2" -H "Upload-Complete: $3" --data-binary "@$TMP/piece" "${@:6}" "$AT"
}
head_of() { fetch -I -H "Upload-Draft-Interop-Version: $1" "$AT"; }
interim() { tr -d '\r' <"$HEAD" | awk '/^HTTP\/1.1 104/ { on = 1 } /^HTTP\/1.1 [2-5]/ { on = 0 } on'; }

for target in / /d/; do
    fetch -X OPTIONS $target
    like "$(field Upload-Limit)" 'max-size=1048576, max-age=86400' "OPTIONS $target: Upload-Limit"
done

for version in 5 6 8; do
    age=max-age
    [ $version = 8 ] || age=expires
    create $version "a$version.bin" -H 'Upload-Complete: ?0' -H 'Upload-Length: 100000' -H 'Content-Length: 0'
    is "$STATUS $(field Upload-Complete) $(field Upload-Offset)" "201 ?0 0" "$version: careful creation"
    like "$AT" "^/[0-9a-f-]{36}/d/a$version\.bin$" "$version: Location"
    is "$(field Upload-Limit)" "max-size=1048576, $age=86400" "$version: Upload-Limit"
    like "$(interim)" "Upload-Draft-Interop-Version: $version" "$version: 104 echoes the version"
    like "$(interim)" "Location: $AT" "$version: and says where"
    head_of $version
    is "$STATUS $(field Upload-Offset) $(field Upload-Complete) $(field Upload-Length) $(field Cache-Control)" "204 0 ?0 100000 no-store" "$version: HEAD"
    append $version 0 '?0' 0 40000
    is "$STATUS $(field Upload-Offset) $(field Upload-Complete)" "204 40000 ?0" "$version: PATCH"
    append $version 0 '?0' 0 40000
    is "$STATUS $(field Upload-Offset) $(field Upload-Complete)" "409 40000 ?0" "$version: at another offset"
    is "$(field Content-Type)" "application/problem+json" "$version: is a problem"
    like "$(body)" '"type":"https://iana.org/assignments/http-problem-types#mismatching-upload-offset".*"expected-offset":40000,"provided-offset":0' "$version: that says which"
    append $version 40000 '?1' 40000 60000
    is "$STATUS $(field Upload-Offset) $(field Upload-Complete)" "201 100000 ?1" "$version: the rest"
    is "$(field Location)" "/d/a$version.bin" "$version: answered as the target would"
    same_bytes "$ROOT/d/a$version.bin" "$TMP/file" "$version: is whole"
    head_of $version
    is "$(field Upload-Offset) $(field Upload-Complete)" "100000 ?1" "$version: HEAD of a complete one"
    append $version 100000 '?1' 0 0
    is "$STATUS $(field Upload-Complete)" "204 ?1" "$version: the end once more"
    wanted=400
    [ $version = 8 ] && wanted=204
    for name in Upload-Offset Upload-Complete Upload-Length; do
        fetch -I -H "Upload-Draft-Interop-Version: $version" -H "$name: 0" "$AT"
        is "$STATUS" $wanted "$version: HEAD that itself says $name"
    done
    append $version 100000 '?0' 0 10
    is "$STATUS" 400 "$version: more than that"
    like "$(body)" 'completed-upload' "$version: is a problem too"

    create $version "b$version.bin" -H 'Upload-Complete: ?1' --data-binary "@$TMP/file"
    is "$STATUS $(field Upload-Complete)" "201 ?1" "$version: all of it in one request"
    same_bytes "$ROOT/d/b$version.bin" "$TMP/file" "$version: is whole"
    create $version "c$version.bin" -H 'Upload-Complete: ?0' --data-binary 12345
    is "$STATUS $(field Upload-Offset)" "201 5" "$version: a part, no length"
    append $version 5 '?1' 0 0
    is "$STATUS $(cat "$ROOT/d/c$version.bin")" "201 12345" "$version: an empty PATCH completes it"
    create $version "e$version.bin" -H 'Upload-Complete: ?0' -H 'Upload-Length: 5' --data-binary 12345
    [ ! -e "$ROOT/d/e$version.bin" ]
    ok "$version: to reach the length does not complete it"
    append $version 5 '?1' 0 0
    is "$STATUS $(cat "$ROOT/d/e$version.bin")" "201 12345" "$version: the client does"
    create $version "f$version.bin" -H 'Upload-Complete: ?1' -H 'Upload-Length: 6' --data-binary 12345
    is "$STATUS" 400 "$version: lengths that contradict"
    like "$(body)" inconsistent-upload-length "$version: are a problem"
    create $version "g$version.bin" -H 'Upload-Complete: ?0' -H 'Upload-Length: 1048577'
    is "$STATUS" 413 "$version: too large"
    like "$(field Upload-Limit)" 'max-size=1048576' "$version: and Upload-Limit says so"
    create $version "h$version.bin" -H 'Upload-Complete: ?0' -H 'Upload-Length: 10' --data-binary 12345
    append $version 5 '?0' 0 6
    is "$STATUS" 400 "$version: beyond the length"
    head_of $version
    is "$STATUS" 404 "$version: ends the upload"
    create $version "i$version.bin" -H 'Upload-Complete: ?0' --data-binary 12345
    fetch -X DELETE "$AT"
    is "$STATUS" 204 "$version: DELETE"
    head_of $version
    is "$STATUS" 404 "$version: it is gone"
done

create 6 j.bin -H 'Upload-Complete: ?0' -H 'Upload-Length: 10'
fetch -X PATCH -H 'Upload-Draft-Interop-Version: 6' -H 'Content-Type: text/plain' -H 'Upload-Offset: 0' -H 'Upload-Complete: ?0' --data-binary x "$AT"
is "$STATUS" 415 "6: another type"
fetch -X PATCH -H 'Upload-Draft-Interop-Version: 5' -H 'Content-Type:' -H 'Upload-Offset: 0' -H 'Upload-Complete: ?0' --data-binary x "$AT"
is "$STATUS" 204 "5: no type is needed"
# What lacks a field that it must have changes nothing, and is no creation.
while IFS='|' read -r version fields why; do
    fetch -X POST -H "Upload-Draft-Interop-Version: $version" -H 'Upload-Complete: ?0' --data-binary 12345 -H 'Content-Disposition: inline; filename="lacks.bin"' /d/
    LACKS=$(field Location)
    arguments=()
    IFS=';' read -ra list <<<"$fields"
    for field in "${list[@]}"; do arguments+=(-H "$field"); done
    fetch -X PATCH -H "Upload-Draft-Interop-Version: $version" "${arguments[@]}" --data-binary 678 "$LACKS"
    is "$STATUS" 400 "$version: PATCH without $why"
    fetch -I -H "Upload-Draft-Interop-Version: $version" "$LACKS"
    is "$STATUS $(field Upload-Offset) $(field Upload-Complete)" "204 5 ?0" "$version: which changes nothing"
done <<'TABLE'
8|Content-Type: application/partial-upload;Upload-Complete: ?0|Upload-Offset
6|Content-Type: application/partial-upload;Upload-Complete: ?1|Upload-Offset
5|Content-Type:;Upload-Complete: ?0|Upload-Offset
8|Content-Type: application/partial-upload;Upload-Offset: 5|Upload-Complete
6|Content-Type: application/partial-upload;Upload-Offset: 5|Upload-Complete
5|Content-Type:;Upload-Offset: 5|Upload-Complete
TABLE
fetch -X PATCH -H 'Content-Type: application/partial-upload' -H 'Upload-Offset: x' -H 'Upload-Complete: ?0' --data-binary x "$AT"
is "$STATUS" 400 "an offset that is none"
fetch -X PATCH -H 'Content-Type: application/partial-upload' -H 'Upload-Offset: 1' -H 'Upload-Complete: yes' --data-binary x "$AT"
is "$STATUS" 400 "a boolean that is none"
append 8 1 '?0' 0 5 -H 'Content-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:'
is "$STATUS $(field Upload-Offset)" "400 1" "bytes that are not what their digest says are dropped"
# The whole is what the completing request says, whatever came with it; or it is nothing.
digest="sha-256=:$(openssl dgst -sha256 -binary "$TMP/file" | base64):"
create 8 whole.bin -H 'Upload-Complete: ?0' -H 'Upload-Length: 100000'
append 8 0 '?0' 0 40000 -H "Repr-Digest: $digest"
is "$STATUS $(field Upload-Offset)" "204 40000" "Repr-Digest is of the whole: a part says nothing about it"
append 8 40000 '?1' 40000 60000 -H "Repr-Digest: $digest"
is "$STATUS" 201 "it agrees with the whole"
same_bytes "$ROOT/d/whole.bin" "$TMP/file" "which is published"
create 8 wrong.bin -H 'Upload-Complete: ?0' -H 'Upload-Length: 100000'
append 8 0 '?0' 1 40000
append 8 40000 '?1' 40000 60000 -H "Repr-Digest: $digest"
is "$STATUS $([ -e "$ROOT/d/wrong.bin" ] && echo there)" "400 " "it does not: nothing is published"
head_of 8
is "$STATUS" 404 "and the upload is gone"

for version in 3 9 x; do
    create "$version" k.bin -H 'Upload-Complete: ?0' -H 'Upload-Length: 10'
    is "$STATUS $(interim)" "201 " "no 104 for version $version"
done
fetch -X PUT -H 'Upload-Draft-Interop-Version: 8' -H 'Upload-Complete: ?1' --data-binary one /d/put
is "$STATUS $(cat "$ROOT/d/put")" "201 one" "PUT creates too"
fetch -X PUT -H 'Upload-Complete: ?1' --data-binary two /d/put
is "$STATUS $(cat "$ROOT/d/put")" "204 two" "and replaces"
fetch -X PUT -H 'Upload-Complete: ?1' -H 'If-None-Match: *' --data-binary three /d/put
is "$STATUS $(cat "$ROOT/d/put")" "412 two" "unless a precondition says no"
fetch -X PATCH -H 'Upload-Complete: ?1' --data-binary patch /d/patched
is "$STATUS $(cat "$ROOT/d/patched")" "201 patch" "PATCH creates too"
fetch -X POST -H 'Upload-Complete: ?0' -H 'Upload-Length: 5' -H "Upload-Metadata: filename $(printf meta.txt | base64)" /d/
like "$(field Location)" '/d/meta\.txt$' "the name from Upload-Metadata, as tus-js-client has it"

# In a long request the client is told how far it is on the disk, if it knows of that.
server_stop
server_start
head -c 80000000 /dev/zero >"$TMP/long"
for version in 5 6 8 none; do
    fields="Upload-Draft-Interop-Version: $version\r\n"
    [ $version = none ] && fields=
    RAW_SECONDS=60 raw send "POST /d/ HTTP/1.1\r\nHost: localhost\r\n${fields}Connection: close\r\nUpload-Complete: ?1\r\nContent-Disposition: inline; filename=\"long$version\"\r\nContent-Length: 80000000\r\n\r\n" file "$TMP/long" >"$TMP/answer"
    told=$(tr -d '\r' <"$TMP/answer" | awk -v RS= '/^HTTP\/1.1 104/' | sed -n 's/^Upload-Offset: //p' | tr '\n' ' ')
    if [ $version = none ]; then
        is "$(grep -c '^HTTP/1.1 104' "$TMP/answer")" 0 "no version, no 104"
    else
        like "$told" '^[3-7][0-9]{7} [3-7][0-9]{7} $' "$version: 104 with the offset, every 32 MiB"
        is "$(grep -c "^Upload-Draft-Interop-Version: $version" "$TMP/answer")" 3 "$version: each with the version, and the first one before them"
    fi
    like "$(tr -d '\r' <"$TMP/answer" | grep '^HTTP/1.1 20')" '201' "$version: and the answer"
done

# A connection that breaks in the middle.
RAW_SECONDS=10 raw send 'POST /d/ HTTP/1.1\r\nHost: localhost\r\nUpload-Draft-Interop-Version: 8\r\nUpload-Complete: ?1\r\nContent-Disposition: inline; filename="cut"\r\nContent-Length: 10\r\n\r\n12345' until 'Location: ' until '\r\n\r\n' half >"$TMP/answer"
AT=$(tr -d '\r' <"$TMP/answer" | sed -n 's/^Location: //p' | head -n 1)
head_of 8
is "$(field Upload-Offset) $(field Upload-Complete)" "5 ?0" "what came before the connection broke is there, at the address of the 104"
append 8 5 '?1' 0 5
is "$STATUS $(cat "$ROOT/d/cut")" "201 1234500000" "and it goes on"

done_testing
