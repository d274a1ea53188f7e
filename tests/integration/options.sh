#!/bin/bash
# What does OPTIONS say (RFC 9110 9.3.7)?
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
mkdir "$ROOT/dir"
server_start

for target in /a.txt /dir/ /; do
    fetch -X OPTIONS "$target"
    like "$STATUS" '^20[04]$' "OPTIONS $target"
    for method in GET HEAD OPTIONS; do
        like ", $(field Allow)," "[ ,]$method," "OPTIONS $target allows $method"
    done
    is "$(body)" "" "OPTIONS $target has no content"
done
star=$(raw send 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
like "$(status_of "$star")" '^20[04]$' "OPTIONS * is about the server"
is "$(grep -c '^HTTP/1.1 ' <<<"$star")" 2 "and the connection goes on"
is "$(status_of "$(raw send 'GET * HTTP/1.1\r\nHost: localhost\r\n\r\n')")" 400 "the asterisk is for OPTIONS alone"
is "$(status_of "$(raw send 'OPTIONS /%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')")" 400 "a malformed target is malformed for OPTIONS too"
# A 204 has no Content-Length (RFC 9110 8.6).
fetch -X OPTIONS /a.txt
[ "$STATUS" = 200 ] || ! has_field Content-Length
ok "a 204 says no length"

done_testing
