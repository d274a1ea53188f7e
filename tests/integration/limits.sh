#!/bin/bash
# How long may a request line and a head be: 8192 and 16384 bytes (http/request.h), and then 414 and 431?
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
server_start

repeat() { printf "%${2}s" | tr ' ' "$1"; } # repeat CHARACTER COUNT

# "GET " + target + " HTTP/1.1" without CRLF is the request line.
line() { # line BYTES : a request whose request line is that long
    printf 'GET /a.txt?%s HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' "$(repeat q $(($1 - 20)))"
}
is "$(status_of "$(raw send "$(line 8192)")")" 200 "a request line of 8192 bytes"
is "$(status_of "$(raw send "$(line 8193)")")" 414 "8193: 414"
is "$(status_of "$(raw send "$(line 15000)")")" 414 "15000: 414"
is "$(status_of "$(raw send "GET /$(repeat q 100000)" half)")" 414 "100000 bytes and no end: 414"
like "$(status_of "$(raw repeat 200 "$(repeat M 1000)" half)")" '^(400|414|501)$' "200000 bytes of method"
got=$(raw repeat 100000 'x' half)
like "$(status_of "$got")" '^4(00|14)$' "100000 bytes, one by one, without a space"

# "GET /a.txt HTTP/1.1" CRLF "Host: localhost" CRLF "Connection: close" CRLF "X: " value CRLF CRLF
fixed=$((19 + 2 + 15 + 2 + 17 + 2 + 3 + 2 + 2))
head_of() { printf 'GET /a.txt HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nX: %s\\r\\n\\r\\n' "$(repeat v $(($1 - fixed)))"; }
is "$(status_of "$(raw send "$(head_of 16384)")")" 200 "a head of 16384 bytes"
is "$(status_of "$(raw send "$(head_of 16385)")")" 431 "16385: 431"
is "$(status_of "$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n' repeat 10000 'X-Many: 1\r\n' half)")" 431 "ten thousand fields"
is "$(status_of "$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nX: ' repeat 1000 "$(repeat v 1000)" half)")" 431 "a field of a million bytes"
is "$(status_of "$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n' repeat 90 'X-Many: 1\r\n' send 'Connection: close\r\n\r\n')")" 200 "ninety fields"
# The client goes on sending: it must still get to read the answer, not a reset.
got=$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n' repeat 300000 'X-Many: 1\r\n' half)
is "$(status_of "$got") $(raw_end)" "431 closed" "the refusal arrives, though megabytes were still being sent"

# Paths.
fetch "/$(repeat n 255)"
is "$STATUS" 404 "a name of 255 bytes that is not there"
fetch "/$(repeat n 256)"
is "$STATUS" 404 "a name that no file can have"
fetch "/$(repeat n 4090)"
is "$STATUS" 404 "a very long one"
fetch "/$(printf 'd/%.0s' {1..2000})"
is "$STATUS" 404 "two thousand levels"
fetch "/$(printf 'd/../%.0s' {1..1000})a.txt"
is "$STATUS" 200 "a thousand detours"

# Chunks.
is "$(status_of "$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;' repeat 100 "$(repeat e 1000)" half)")" 400 "a chunk extension without end"
is "$(status_of "$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n' repeat 2000 'X-Trailer: 1\r\n' half)")" 400 "trailer fields without end"
is "$(status_of "$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n' repeat 20000 '1\r\nx\r\n' send '0\r\n\r\n')")" 200 "twenty thousand chunks of a byte"

fetch /a.txt
is "$STATUS" 200 "the server is well"

done_testing
