#!/bin/bash
# alone: this one loads the machine
#
# Requests of all kinds, one after the other and pipelined, from clients of which half die in the middle of
# something: every answer is right, and at the end there are as many descriptors and threads, and as
# much memory, as after the first of them. SOAK=20000000 (make soak) is the long form.
. "$(dirname "$0")/lib.sh"

case $SLOW in
1) SOAK=${SOAK:-100000} ;;
*) SOAK=${SOAK:-10000} ;;
esac
numbers 1000 >"$ROOT/small"
numbers 2000000 >"$ROOT/big"
aged "$ROOT/small"
aged "$ROOT/big"
memory() { awk '/^VmRSS:/ { print $2 }' "/proc/$SERVER_PID/status"; }
threads() { awk '/^Threads:/ { print $2 }' "/proc/$SERVER_PID/status"; }

ERR_MAY='the number of clients that can be served is exceeded|clients are served again'

ACCESS_LOG=no
server_start -t 16 --no-fsync -l /dev/null
FILE_KB=1024
soaked=0 rounds=0
round() { # round REQUESTS
    local said
    said=$("$TOOLS/storm" "$PORT" mixed "$1" "$rounds" 2>&1)
    soaked=$((soaked + $(sed -n 's/^answered \([0-9]*\) wrong 0 died \([0-9]*\) .*/\1 + \2/p' <<<"$said") + 0))
    like "$said" ' wrong 0 ' "$1 requests: $said"
    rounds=$((rounds + 1))
    wait_for $((20 * SLOW)) no_connections
}
round $((SOAK / 10))
before=$(descriptors) before_threads=$(threads) before_memory=$(memory)
for ((i = 1; i < 10; i++)); do
    round $((SOAK / 10))
    note "$(memory) KB, $(descriptors) descriptors, $(threads) threads"
done
at_most "$SOAK" "$soaked" "all of them: $soaked requests"
wait_for $((5 * SLOW)) descriptors_are "$before"
ok "descriptors as after the first tenth ($before)"
is "$(threads)" "$before_threads" "threads as after the first tenth"
if [ $SLOW -eq 1 ]; then
    at_most "$(memory)" $((before_memory + FILE_KB)) "memory as after the first tenth, in KB ($before_memory then)"
else
    skip "memory as after the first tenth" "a sanitizer's own memory would be counted"
fi
is "$(find "$ROOT/.httpd" -type f -path '*uploads*' | wc -l)" 0 "nothing unfinished is left in the state directory"
server_stop
done_testing
