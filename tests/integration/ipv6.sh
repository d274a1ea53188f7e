#!/bin/bash
# Both families on loopback, either alone, several addresses.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
if ! grep -q '^0*1 ' /proc/net/if_inet6 2>/dev/null; then
    skip_all "this machine has no IPv6 loopback"
fi

server_start
like "$(cat "$ERR")" "http://127\.0\.0\.1:$PORT/.*http://\[::1\]:$PORT/" "both are named, with one port"
fetch "http://[::1]:$PORT/a.txt"
is "$STATUS" 200 "IPv6"
fetch "http://127.0.0.1:$PORT/a.txt"
is "$STATUS" 200 "IPv4"
logged() { grep -q '^::1 - - ' "$LOG" && grep -q '^127.0.0.1 - - ' "$LOG"; }
wait_for 5 logged
ok "the log has both addresses as they are written"
server_stop

server_start -b ::1
like "$(cat "$ERR")" 'http://\[::1\]' "IPv6 alone"
fetch "http://[::1]:$PORT/a.txt"
is "$STATUS" 200 "is served"
fetch "http://127.0.0.1:$PORT/a.txt"
is "$STATUS" 000 "and IPv4 is not"
server_stop

server_start -b 127.0.0.1 -b 127.0.0.2 -b ::1
for host in 127.0.0.1 127.0.0.2 '[::1]'; do
    fetch "http://$host:$PORT/a.txt"
    is "$STATUS" 200 "three addresses: $host"
done
server_stop

done_testing
