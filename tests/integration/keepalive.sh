#!/bin/bash
# When does the connection stay open (RFC 9112 9.3)?
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
server_start --idle-timeout 30

# The request, after GET /a.txt; what becomes of the connection; why. A second request follows it, so
# that two answers mean that it stayed.
while IFS='|' read -r rest answers why; do
    got=$(raw send "GET /a.txt $rest"'\r\n\r\n' until 'hello\n' send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
    is "$(grep -c '^HTTP/1.1 200' <<<"$got")" "$answers" "${rest//\\r\\n/; }: $why"
done <<'ROWS'
HTTP/1.1\r\nHost: localhost|2|1.1 stays
HTTP/1.1\r\nHost: localhost\r\nConnection: close|1|unless told
HTTP/1.1\r\nHost: localhost\r\nConnection: CLOSE|1|case does not matter
HTTP/1.1\r\nHost: localhost\r\nConnection: foo, close|1|a token of a list
HTTP/1.1\r\nHost: localhost\r\nConnection: foo,close,bar|1|in its middle
HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, close|1|close wins
HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nConnection: close|1|in a second field line
HTTP/1.1\r\nHost: localhost\r\nConnection: closed|2|another word
HTTP/1.1\r\nHost: localhost\r\nConnection: x-close|2|another word that ends like it
HTTP/1.1\r\nHost: localhost\r\nX-Connection: close|2|another field
HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive|2|said explicitly
HTTP/1.2\r\nHost: localhost|2|a later 1.x is as 1.1 (RFC 9110 2.5)
HTTP/1.0\r\nHost: localhost|1|1.0 does not stay
HTTP/1.0|1|without a Host neither
HTTP/1.0\r\nConnection: keep-alive|2|unless it asks to
HTTP/1.0\r\nConnection: Keep-Alive|2|in any case
HTTP/1.0\r\nConnection: foo, keep-alive|2|in a list
HTTP/1.0\r\nConnection: keep-alive, close|1|close wins
ROWS

got=$(raw send 'GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n' until 'hello\n' half)
like "$(tr '[:upper:]' '[:lower:]' <<<"$got")" 'connection: keep-alive' "1.0 is told that it may stay (RFC 9112 C.2.2)"
got=$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
like "$(tr '[:upper:]' '[:lower:]' <<<"$got")" 'connection: close' "close is announced (9.6)"
got=$(raw send 'GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n' until '\r\n\r\n' send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
is "$(grep -c '^HTTP/1.1 ' <<<"$got")" 2 "a 404 does not end it"

fetch /a.txt /a.txt -o "$TMP/second" -w '%{num_connects}'
is "$STATUS" 10 "curl needs one connection for two" || note "the two numbers are the connections made"
hundred=()
for ((i = 0; i < 100; i++)); do hundred+=(send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' until 'hello\n'); done
got=$(raw "${hundred[@]}" half)
is "$(grep -c '^hello' <<<"$got")" 100 "a hundred requests, one after the other's answer"
is "$(raw_end)" closed "and the client's end is answered by ours"

# After a pause that is longer than any patience, when the connection is parked.
got=$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' until 'hello\n' wait 1200 send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
is "$(grep -c '^hello' <<<"$got")" 2 "a parked connection is answered"

done_testing
