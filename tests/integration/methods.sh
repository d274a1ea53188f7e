#!/bin/bash
# Which methods are unknown (501), and which are known but not for this resource (405, with Allow)?
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
server_start

for method in FOO get Get GETT GE X-Y PRI BREW $(printf 'M%.0s' {1..200}); do
    fetch -X "$method" /a.txt
    is "$STATUS" 501 "${method:0:20}: unknown (RFC 9110 9.1: methods are case-sensitive)"
done
fetch -X TRACE /a.txt
is "$STATUS" 405 "TRACE is known and not done: it would echo secrets"
like "$(field Allow)" 'GET.*HEAD|HEAD.*GET' "and Allow says what is (RFC 9110 15.5.6)"
connect=$(raw send 'CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n' half)
like "$(status_of "$connect")" '^(405|501)$' "CONNECT: this is no proxy"
for method in 'G(T' 'G@T' 'G"T' '{GET}' 'G,T'; do
    is "$(status_of "$(raw send "$method"' / HTTP/1.1\r\nHost: localhost\r\n\r\n')")" 400 "$method is no token"
done
# What is refused with a body does not leave the body to be read as a request.
answer=$(raw send 'FOO /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: localhost\r\nX: 123456789\r\n\r\n' half)
is "$(grep -c '^HTTP/1.1 ' <<<"$answer")" 1 "the body of a refused request is not a request"

done_testing
