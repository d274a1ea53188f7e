#!/bin/bash
# alone: this one loads the machine
#
# Clients in great numbers that come and go, break off, reset, and ask for too much at once. The server
# answers everybody else meanwhile, and has afterwards the descriptors, threads and memory of before.
#
#   CONNECTIONS=50000   for the long form (make abuse)
. "$(dirname "$0")/lib.sh"

case $SLOW in
1) CONNECTIONS=${CONNECTIONS:-4000} ;;
*) CONNECTIONS=${CONNECTIONS:-800} ;;
esac
STORM=$TOOLS/storm
numbers 1000 >"$ROOT/small"
numbers 20000000 >"$ROOT/big"
aged "$ROOT/small"
aged "$ROOT/big"
memory() { awk '/^VmRSS:/ { print $2 }' "/proc/$SERVER_PID/status"; }
threads() { awk '/^Threads:/ { print $2 }' "/proc/$SERVER_PID/status"; }

ERR_MAY='the number of clients that can be served is exceeded|clients are served again'
# A queue that holds a whole storm: where the server gets too little of the machine, who comes last would
# else be told so with 503, which is right, and another question (overload).
server_start -t 16 -q 4096 --no-fsync
# What the server takes once, at first need, it has taken after this.
"$STORM" "$PORT" mixed 2000 >"$TMP/warm" 2>&1
is "$(cut -d ' ' -f 1,3,4 "$TMP/warm")" "answered wrong 0" "requests of all kinds" || note "$(cat "$TMP/warm")"
wait_for $((10 * SLOW)) no_connections
before=$(descriptors) before_threads=$(threads) before_memory=$(memory)

# ---- many ----------------------------------------------------------------------------------------

# While it storms, somebody else asks, and is answered.
storm() { # storm MODE N WHAT
    local pid said count=0
    "$STORM" "$PORT" "$1" "$2" >"$TMP/storm" 2>&1 &
    pid=$!
    : >"$TMP/fresh"
    while ! gone_or_zombie "$pid"; do
        "$CROWD" "$PORT" fresh 20 /small >>"$TMP/fresh" 2>&1 || echo failed >>"$TMP/fresh"
        count=$((count + 1))
    done
    wait "$pid"
    ok "$3: $(cat "$TMP/storm")"
    said=$(grep -v '^answered 20 of 20' "$TMP/fresh")
    is "$said" "" "$3: meanwhile all others are answered ($((count * 20)) times)"
}
storm churn "$CONNECTIONS" "churn: a connection for each request"
storm open "$CONNECTIONS" "connections on which nothing comes"
storm reset "$CONNECTIONS" "connections that are reset at once"
storm half "$CONNECTIONS" "half a head, and gone"
storm cut $((CONNECTIONS / 4)) "downloads that are reset in the middle of the sending"
storm pipe $((CONNECTIONS * 10)) "pipelining: 500 requests in one piece"

# ---- too much at once ----------------------------------------------------------------------------

python3 - "$PORT" >"$TMP/floods" <<'PY'
"""Each line: what, status, whether the size of the answer is in proportion."""
import socket, sys
port = int(sys.argv[1])

def ask(data, limit=8 << 20):
    s = socket.create_connection(("127.0.0.1", port), 60)
    try:
        s.sendall(data)
    except OSError:
        pass  # the server has said no and closed
    got = b""
    try:
        while len(got) < limit:
            more = s.recv(1 << 16)
            if not more:
                break
            got += more
    except ConnectionResetError:
        pass
    s.close()
    return got

def request(fields):
    return b"GET /small HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields + b"\r\n"

def show(what, got):
    print(what, got[9:12].decode(errors="replace") or "none", "small" if len(got) < 4000 else len(got))

for n in (10, 100, 1000, 1400):
    show(f"ranges-{n}-overlapping", ask(request(b"Range: bytes=" + b",".join([b"0-"] * n) + b"\r\n")))
show("ranges-1400-tiny", ask(request(b"Range: bytes=" + b",".join(b"%d-%d" % (i % 990, i % 990) for i in range(1400)) + b"\r\n")))
show("fields-5000", ask(request(b"".join(b"X-%d: y\r\n" % i for i in range(5000)))))
show("field-of-1M", ask(request(b"X-Long: " + b"a" * (1 << 20) + b"\r\n")))
show("target-of-1M", ask(b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"))
show("no-line-end", ask(b"a" * (1 << 20)))
show("empty-lines", ask(b"\r\n" * (1 << 18)))
PY
while read -r what status size; do
    case $what in
    ranges-*) like "$status" '^(200|206|416)$' "range flood: $what is answered with $status" ;;
    fields-* | field-of-*) like "$status" '^(431|400)$' "header flood: $what is answered with $status" ;;
    target-*) is "$status" 414 "$what" ;;
    *) like "$status" '^(400|431|414|none)$' "$what is refused or closed: $status" ;;
    esac
    is "$size" small "$what: the answer is no larger than the file and a page"
done <"$TMP/floods"
is "$(wc -l <"$TMP/floods")" 10 "all floods came"

# Requests without end by somebody who reads nothing: the server stops reading, and others are served.
python3 - "$PORT" >"$TMP/greedy" <<'PY' &
import socket, sys, time
request = b"GET /small HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000
sockets = []
for i in range(50):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    s.setblocking(False)
    sockets.append([s, 0])
end = time.time() + 3
while time.time() < end:
    moved = False
    for pair in sockets:
        try:
            pair[1] += pair[0].send(request)
            moved = True
        except OSError:
            pass
    if not moved:
        time.sleep(0.01)
print(max(sent for _, sent in sockets))
PY
greedy=$!
sleep 0.5
"$CROWD" "$PORT" fresh 100 /small >"$TMP/fresh"
like "$(cat "$TMP/fresh")" '^answered 100 of 100' "pipelining by who reads nothing: others are served: $(cat "$TMP/fresh")"
wait "$greedy"
at_most "$(cat "$TMP/greedy")" 30000000 "and no more is read from them than buffers hold, in bytes"

# ---- afterwards ----------------------------------------------------------------------------------

wait_for $((20 * SLOW)) no_connections
ok "all connections are gone"
wait_for $((5 * SLOW)) descriptors_are "$before"
ok "as many descriptors as before ($before)"
is "$(threads)" "$before_threads" "as many threads"
if [ $SLOW -eq 1 ]; then
    at_most "$(memory)" $((before_memory + 8192)) "no memory was lost, in KB ($before_memory before)"
else
    skip "no memory was lost" "a sanitizer's own memory would be counted"
fi
fetch /small
is "$STATUS" 200 "and it serves"
server_stop
done_testing
