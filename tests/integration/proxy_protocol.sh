#!/bin/bash
# --proxy-protocol: whose connection it is stands before its bytes, and is believed of the trusted alone.
# Whatever is not such a header is closed without an answer.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
ERR_MAY='proxy protocol:|read-only'
GET='GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
V2='\r\n\r\n\0\r\nQUIT\n'

lines() { [ "$(wc -l <"$LOG")" -ge "$1" ]; }
count=0
logged() { # logged ADDRESS WHAT : the next line of the log is of that client
    count=$((count + 1))
    wait_for 5 lines $count
    is "$(sed -n "${count}s/ .*//p" "$LOG")" "$1" "$2: the log names the client"
}
said() { local got; got=$(raw "$@"); status_of "$got"; }

server_start --proxy-protocol --trust 127.0.0.0/8 --trust ::1 --head-timeout 2
is "$(said send "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n$GET")" 200 "version 1, IPv4"
logged 192.0.2.1 "version 1, IPv4"
is "$(said send "PROXY TCP6 2001:db8::1 ::1 56324 443\r\n$GET")" 200 "version 1, IPv6"
logged 2001:db8::1 "version 1, IPv6"
is "$(said send "PROXY UNKNOWN\r\n$GET")" 200 "version 1, unknown"
logged 127.0.0.1 "version 1, unknown"
is "$(said send "$V2\x21\x11\0\x0c\xc0\0\x02\x02\xc6\x33\x64\x01\xdc\x04\x01\xbb$GET")" 200 "version 2, IPv4"
logged 192.0.2.2 "version 2, IPv4"
is "$(said send "$V2\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x03\x01\x02\x03\x04$GET")" \
    200 "version 2, IPv6"
logged 2001:db8::2 "version 2, IPv6"
is "$(said send "$V2\x20\0\0\0$GET")" 200 "version 2, LOCAL: a health check"
logged 127.0.0.1 "version 2, LOCAL"
is "$(said bytewise "PROXY TCP4 192.0.2.3 198.51.100.1 1 2\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")" 200 "each byte in a segment of its own"
logged 192.0.2.3 "byte by byte"
is "$(said send 'PROXY TCP4 192.0.2.4 198.51.100.1 1 2\r\n' wait 300 send "$GET")" 200 "the request comes later"
logged 192.0.2.4 "in two parts"
got=$(raw send 'PROXY TCP4 192.0.2.5 198.51.100.1 1 2\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n' until hello send "$GET")
is "$(grep -c '^HTTP/1.1 200' <<<"$got")" 2 "the header stands once, before two requests"
logged 192.0.2.5 "the first of two"
logged 192.0.2.5 "the second of two"

is "$(said send "$V2\x21\x11\0\x0f\xc0\0\x02\x06\xc6\x33\x64\x01\xdc\x04\x01\xbb\x04\0\0$GET")" 200 "version 2 with an extension"
logged 192.0.2.6 "an extension is passed over"
is "$(said send "$V2\x20\x11\0\x0c\xc0\0\x02\x02\xc6\x33\x64\x01\xdc\x04\x01\xbb$GET")" 200 "version 2, LOCAL with addresses"
logged 127.0.0.1 "which mean nothing then"
FORGED='GET /a.txt HTTP/1.1\r\nHost: a\r\nForwarded: for=203.0.113.9\r\nX-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n'
is "$(said send "PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n$FORGED")" 200 "a client behind the header that names another"
logged 192.0.2.7 "his own word is not believed"
is "$(said send "PROXY TCP4 127.0.0.9 198.51.100.1 1 2\r\n$FORGED")" 200 "a trusted proxy behind the header"
logged 203.0.113.9 "its word is"
is "$(said send "PROXY TCP4 192.0.2.8 198.51.100.1 1 2\r\nPROXY TCP4 203.0.113.9 198.51.100.1 1 2\r\n$GET")" 400 "a second header is no request"
logged 192.0.2.8 "the first one counts"

# What must not be answered.
while IFS='|' read -r bytes why; do
    got=$(raw send "$bytes")
    is "$got" "" "$why: closed without an answer"
    unlike "$(raw_end)" timeout "$why: at once"
done <<ROWS
$GET|no header at all
PROXY TCP4 192.0.2.1 198.51.100.1 1 2\n$GET|a bare LF
PROXY TCP4 300.0.2.1 198.51.100.1 1 2\r\n$GET|an address that is none
PROXY TCP4 192.0.2.1 198.51.100.1 1 99999\r\n$GET|a port that is none
PROXY TCP6 192.0.2.1 198.51.100.1 1 2\r\n$GET|IPv4 in TCP6
PROXY TCP6 1::2::3 ::1 1 2\r\n$GET|an IPv6 address that is none
PROXY TCP4 192.0.2.1\r\n$GET|a line that ends too soon
${V2}\x11\x11\0\x0c\xc0\0\x02\x02\xc6\x33\x64\x01\xdc\x04\x01\xbb$GET|version 1 in binary
${V2}\x21\x11\0\x04\xc0\0\x02\x02$GET|addresses too short
${V2}\x21\x12\0\x0c\xc0\0\x02\x02\xc6\x33\x64\x01\xdc\x04\x01\xbb$GET|datagrams
${V2}\x21\x11\xff\xff$GET|65535 bytes of header
\r\n\r\n\0\r\nQUIX\n$GET|a damaged signature
ROWS
got=$(raw repeat 200 "PROXY UNKNOWN ")
is "$got" "" "a line without end: closed without an answer"

# Too late, and never.
start=$(now_ms)
got=$(raw send 'PROXY TCP4 192.0.2.1 ')
took=$(($(now_ms) - start))
is "$got$(raw_end)" closed "half a header: closed without an answer"
[ $took -ge 1500 ] && [ $took -le $((4500 * SLOW)) ]
ok "half a header: closed within the time of a head ($took ms)"
start=$(now_ms)
got=$(raw)
took=$(($(now_ms) - start))
is "$got$(raw_end)" closed "no byte: closed without an answer"
[ $took -ge 1500 ] && [ $took -le $((5500 * SLOW)) ]
ok "no byte: closed within the time of a head ($took ms)"
start=$(now_ms)
got=$(raw send 'PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\nGET / HTTP/1.1\r\n')
took=$(($(now_ms) - start))
is "$(status_of "$got")" 408 "a header and half a request: 408"
at_most $took $((4500 * SLOW)) "the header's time is part of the head's, in ms"
count=$((count + 1))
wait_for 5 lines $count
is "$(grep -c 'proxy protocol' "$ERR")" 1 "one line about all of it, not one for each"
like "$(cat "$ERR")" 'proxy protocol: 127\.0\.0\.1 sent no' "that says who and what"
is "$(wc -l <"$LOG")" $count "what has no header has no line in the access log"
server_stop

# Not trusted: not believed, not answered.
server_start --proxy-protocol --trust 192.0.2.0/24
got=$(raw send "PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n$GET")
is "$got" "" "a header from somebody who is not trusted: closed without an answer"
got=$(raw send "$GET")
is "$got" "" "a request from somebody who is not trusted: closed as well"
like "$(cat "$ERR")" 'proxy protocol: 127\.0\.0\.1 is not trusted' "and one line says so"
server_stop

# Without the option a header is no request.
server_start --trust 127.0.0.1
got=$(raw send "PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n$GET")
is "$(status_of "$got")" 400 "a header where none is expected: 400"
server_stop

# HFTP is passed on in the same way; who is turned away reads why.
: >"$LOG"
server_start --proxy-protocol --trust 127.0.0.1 --hftp 0
HFTP_PORT=$(sed -n 's,.* hftp://127.0.0.1:\([0-9]*\)/.*,\1,p' "$ERR")
got=$("$RAW" -t 10 127.0.0.1 "$HFTP_PORT" send 'PROXY TCP4 192.0.2.9 198.51.100.1 1 2\r\nget_file_listing\r\nquit\r\n' 2>/dev/null)
like "$got" 'a\.txt' "HFTP behind a header"
wait_for 5 grep -q . "$LOG"
like "$(cat "$LOG")" '^192\.0\.2\.9 ' "and the log names the client"
server_stop

done_testing
