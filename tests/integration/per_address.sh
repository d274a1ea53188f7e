#!/bin/bash
# --per-address: who has so many connections open gets no more; others are served; one line says so for
# all that are turned away, and one that it is over.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"

# The status that a new client gets from an address of the loopback network, which all are our own.
from() { curl -s -o "$BODY" -D "$HEAD" -w '%{http_code}' --max-time 10 --interface "$1" "$URL/a.txt"; }
served() { [ "$(from 127.0.0.1)" = 200 ]; }

ERR_MAY='127\.0\.0\.1 has 5 connections open|no address has too many'
server_start -t 2 --per-address 5
for round in 1 2; do
    helper "$CROWD" "$PORT" idle 5 >"$TMP/crowd"
    wait_for $((5 * SLOW)) grep -q ready "$TMP/crowd"
    crowd=$HELPER
    for ((i = 0; i < 20; i++)); do
        from 127.0.0.1
        echo
    done >"$TMP/statuses"
    is "$(sort -u "$TMP/statuses")" 503 "time $round: beside five connections, twenty more are refused"
    like "$(tr -d '\r' <"$HEAD")" '[Rr]etry-[Aa]fter: [0-9]+' "503 has Retry-After"
    like "$(body)" 'number of clients that can be served is exceeded' "and says why"
    is "$(from 127.0.0.2)" 200 "another address is served"
    is "$(grep -c '127.0.0.1 has 5 connections open' "$ERR")" $round "one line for them"
    kill "$crowd"
    wait_for $((5 * SLOW)) served
    ok "when they are gone, the address is served again"
    over() { [ "$(grep -c 'no address has too many connections any more; 2[0-9] were turned away' "$ERR")" -eq $round ]; }
    wait_for $((5 * SLOW)) over
    ok "and a line says how many there were"
done
server_stop

# A connection that ends gives its place back, however it ends.
server_start -t 2 --per-address 3
for ((i = 0; i < 30; i++)); do
    is "$(from 127.0.0.1)" 200 "connection $i, one after the other"
    raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' reset >/dev/null
    raw send 'GET /a' close >/dev/null
    wait_for $((5 * SLOW)) no_connections
done
server_stop

ERR_MAY=
server_start -t 2
helper "$CROWD" "$PORT" idle 300 >"$TMP/crowd"
wait_for $((5 * SLOW)) grep -q ready "$TMP/crowd"
is "$(from 127.0.0.1)" 200 "unless it is said, this machine has any number"
kill "$HELPER"
server_stop

server_start -t 2 --per-address 0
helper "$CROWD" "$PORT" idle 300 >"$TMP/crowd"
wait_for $((5 * SLOW)) grep -q ready "$TMP/crowd"
is "$(from 127.0.0.1)" 200 "0 is any number"
kill "$HELPER"
server_stop

# An address of this machine that is not a loopback one, where there is one: 256.
own=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -E '^[0-9.]+$' | grep -v '^127\.' | head -n 1)
if [ -n "$own" ]; then
    ERR_MAY='read-only|.* has 256 connections open|no address has too many'
    server_start -t 2 -b "$own"
    PORT=$(sed -n 's,^httpd: serving .*:\([0-9]*\)/ .*,\1,p' "$ERR")
    python3 - "$own" "$PORT" >"$TMP/counts" <<'PY'
import socket, sys
request = b"HEAD /a.txt HTTP/1.1\r\nHost: a\r\n\r\n"
open_ones, statuses = [], {}
for i in range(300):
    s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 20)
    s.sendall(request)
    status = s.recv(4096)[9:12].decode()
    statuses[status] = statuses.get(status, 0) + 1
    open_ones.append(s)
print(statuses.get("200"), statuses.get("503"))
PY
    is "$(cat "$TMP/counts")" "256 44" "from elsewhere, 256 of 300 are served"
    server_stop
else
    skip "from elsewhere, 256 of 300 are served" "this machine has no address but the loopback ones"
fi
done_testing
