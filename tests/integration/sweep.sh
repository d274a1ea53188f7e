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
fetch "/$id/a.txt"
is "$(staged) $(records)" "1 2" "an upload and a download"
swept() { [ "$(staged) $(records)" = "0 0" ]; }
wait_for $((8 * SLOW)) swept
is "$(staged) $(records)" "0 0" "are swept in time"
is "$(find "$ROOT/.httpd/transfers" -mindepth 1 | wc -l)" 0 "and the client's directory with them"
fetch -I "/$id/b.bin"
is "$STATUS" 404 "then the upload is gone"
fetch "/$id/a.txt"
is "$STATUS" 200 "and the download begins again"

ERR_MAY=removed
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
