#!/bin/bash
# Is HEAD the same as GET without the body (RFC 9110 9.3.2)?
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/dir" "$ROOT/with"
numbers 100000 >"$ROOT/file.bin"
echo '<h1>index</h1>' >"$ROOT/with/index.html"
echo plain >"$ROOT/a.txt"
gzip -k "$ROOT/a.txt"
aged "$ROOT/file.bin"
aged "$ROOT/a.txt"
aged "$ROOT/a.txt.gz"
server_start

fields_of() { tr -d '\r' <"$HEAD" | grep -vi '^date:' | sort; }

while read -r target options; do
    # shellcheck disable=SC2086
    fetch "$target" $options
    of_get=$(fields_of)
    # shellcheck disable=SC2086
    fetch -I "$target" $options
    # A body made while it is sent has no length that HEAD could know (RFC 9110 8.6, 9.3.2).
    is "$(fields_of | grep -vi '^transfer-encoding:')" "$(grep -vi '^transfer-encoding:' <<<"$of_get")" \
        "HEAD $target $options: the fields of GET"
done <<'ROWS'
/file.bin
/a.txt
/a.txt --compressed
/with/
/with
/dir/
/dir/ -HAccept:application/json
/none
/none -HAccept:application/json
/%zz
ROWS

fetch -I -H 'Range: bytes=0-9' /file.bin
is "$STATUS $(field Content-Length)" "200 100000" "Range means nothing on HEAD (RFC 9110 14.2)"
fetch -I -H 'Range: bytes=200000-' /file.bin
is "$STATUS" 200 "not even one that GET would refuse"

# No byte of a body, or the next response would begin in the wrong place.
two=$(raw send 'HEAD /file.bin HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /none HTTP/1.1\r\nHost: localhost\r\n\r\nHEAD /dir/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
is "$(grep -c '^HTTP/1.1 ' <<<"$two")" 3 "three answers to three HEADs"
is "$(tr -d '\r' <<<"$two" | awk '/^HTTP/ { head = 1 } !head { print } /^$/ { head = 0 }')" "" "and nothing between them"

done_testing
