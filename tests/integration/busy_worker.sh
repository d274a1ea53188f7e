#!/bin/bash
# All workers but one are busy: what comes to the line is served by that one, and at once.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
server_start -t 2 --patience 10000 --idle-timeout 1

# One worker receives for long enough for the other to be woken, and waits patiently for the rest.
head -c 64M /dev/zero >"$TMP/most"
helper "$RAW" -t 60 127.0.0.1 "$PORT" send 'PUT /c.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 70000000\r\n\r\n' file "$TMP/most"
most_staged() { [ "$(find "$ROOT/.httpd/uploads" -type f -size +65535k 2>/dev/null | wc -l)" -ge 1 ]; }
wait_for $((20 * SLOW)) most_staged
ok "an upload is under way"

# The other one watches everybody else when the time of a connection is over: that is nothing its
# descriptor tells.
start=$(now_ms)
got=$(RAW_SECONDS=14 raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n')
took=$(($(now_ms) - start))
is "$(status_of "$got")" 200 "somebody else is served"
at_most "$took" 6000 "and, idle for a second, is sent away then, in ms"
[ "$took" -ge 900 ]
ok "but not before ($took ms)"
server_stop

done_testing
