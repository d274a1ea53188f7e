#!/bin/bash
# A file that is truncated, removed, replaced or grown while it is being sent.
. "$(dirname "$0")/lib.sh"

server_start -t 2
before=$(descriptors)
size=67108864 # far beyond what sockets and caches swallow

# during COMMAND : starts a download that reads a little, runs COMMAND, reads the rest into $TMP/got.
# Sets DECLARED (Content-Length) and LENGTH (bytes of content that came).
during() {
    rm -f "$ROOT/file.bin"
    head -c $size /dev/zero | tr '\0' 'A' >"$ROOT/file.bin"
    exec 3<>"/dev/tcp/127.0.0.1/$PORT"
    printf 'GET /file.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
    DECLARED=
    local line
    while IFS= read -r -t 10 -u 3 line; do
        line=${line%$'\r'}
        [ -z "$line" ] && break
        [[ ${line,,} == content-length:* ]] && DECLARED=${line##* }
    done
    eval "$1"
    timeout $((30 * SLOW)) cat <&3 >"$TMP/got"
    ENDED=$?
    exec 3<&- 3>&-
    LENGTH=$(stat -c %s "$TMP/got")
}

during 'truncate -s 1000 "$ROOT/file.bin"'
is "$DECLARED" $size "truncated: the length was announced"
is "$ENDED" 0 "truncated: the connection is closed"
[ "$LENGTH" -lt $size ]
ok "truncated: after fewer bytes ($LENGTH), so that the client knows"

during 'truncate -s 0 "$ROOT/file.bin"'
is "$ENDED" 0 "truncated to nothing: the connection is closed"
[ "$LENGTH" -lt $size ]
ok "truncated to nothing: after fewer bytes"

during 'rm "$ROOT/file.bin"'
is "$LENGTH" $size "removed: who has begun gets all of it"

during 'head -c 100 /dev/zero | tr "\0" B >"$TMP/new"; mv "$TMP/new" "$ROOT/file.bin"'
is "$LENGTH $(tr -d A <"$TMP/got" | wc -c)" "$size 0" "replaced: all of the old one, and only that"

during 'head -c 1000 /dev/zero >>"$ROOT/file.bin"'
is "$LENGTH" $size "grown: as long as announced"

# Truncated while parts of it are being sent.
head -c $size /dev/zero | tr '\0' 'A' >"$ROOT/file.bin"
exec 3<>"/dev/tcp/127.0.0.1/$PORT"
printf 'GET /file.bin HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-30000000,40000000-60000000\r\nConnection: close\r\n\r\n' >&3
head -c 1000 <&3 >/dev/null
truncate -s 1000 "$ROOT/file.bin"
timeout $((30 * SLOW)) cat <&3 >"$TMP/got"
is $? 0 "truncated under multipart/byteranges: closed"
exec 3<&- 3>&-

wait_for $((10 * SLOW)) descriptors_are "$before"
ok "no descriptor is left open ($before before)"
fetch /none
is "$STATUS" 404 "the server is well"

done_testing
