#!/bin/bash
# Requests that come together are answered one by one, in order (RFC 9112 9.3.2).
. "$(dirname "$0")/lib.sh"

for i in 1 2 3; do echo "content $i" >"$ROOT/$i.txt"; done
numbers 3000000 >"$ROOT/large.bin"
server_start

get() { printf 'GET %s HTTP/1.1\\r\\nHost: localhost\\r\\n%s\\r\\n' "$1" "${2:-}"; }
last='Connection: close\r\n'

three="$(get /1.txt)$(get /2.txt)$(get /3.txt "$last")"
is "$(raw send "$three" | grep '^content')" "content 1
content 2
content 3" "three in one segment"
is "$(raw bytewise "$three" | grep '^content')" "content 1
content 2
content 3" "three, each byte in a segment of its own"
half=$((${#three} / 2 + 3))
while [ "${three:half-1:1}" = '\' ]; do half=$((half + 1)); done
is "$(raw send "${three:0:half}" wait 700 send "${three:half}" | grep '^content')" "content 1
content 2
content 3" "one and a half, a pause, the rest"
is "$(raw send "\\r\\n$(get /1.txt)\\r\\n$(get /2.txt "$last")" | grep -c '^content')" 2 "an empty line before a request is skipped (2.2)"
is "$(raw send "$(get /1.txt)$(get /none)$(get /2.txt)$(get /none)$(get /3.txt "$last")" | grep -c '^HTTP/1.1')" 5 "missing files in between"
is "$(raw send "$(get /1.txt "$last")$(get /2.txt)" | grep -c '^HTTP/1.1')" 1 "nothing after close (9.6)"
is "$(raw send "$(get /1.txt)$(get /2.txt)GET /3.txt HTTP/1.1\\r\\nHost : x\\r\\n\\r\\n$(get /1.txt)" | grep '^HTTP/1.1' | cut -d ' ' -f 2 | tr '\n' ' ')" "200 200 400 " "nothing after a refusal"
is "$(raw send "HEAD /1.txt HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n$(get /2.txt "$last")" | grep -c '^content')" 1 "HEAD, then GET"

many=$(get /1.txt)
got=$(raw repeat 500 "$many" send "$(get /2.txt "$last")")
is "$(grep -c '^content 1' <<<"$got") $(grep -c '^content 2' <<<"$got")" "500 1" "five hundred at once"

# Large answers, while the next requests wait unread in the server's socket.
raw repeat 5 "$(get /large.bin)" send "$(get /3.txt "$last")" >"$TMP/got"
is "$(grep -ao 'HTTP/1.1 200' "$TMP/got" | wc -l)" 6 "six answers"
expected=$((5 * 3000000))
[ "$(stat -c %s "$TMP/got")" -gt $expected ]
ok "with all their bytes"
is "$(tail -n 1 "$TMP/got")" "content 3" "and the small one last"

# The client closes its side at once; what it asked for still comes.
is "$(raw send "$(get /1.txt)$(get /2.txt)" half | grep -c '^content')" 2 "requests before a FIN are answered"
is "$(raw_end)" closed "and then the connection is closed"

done_testing
