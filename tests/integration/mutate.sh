#!/bin/bash
# alone: many connections
#
# Bad input never costs the process: MUTATE damaged requests (10000; 200000 for the long form), and the
# server goes on answering, sanitizers silent. SEED repeats a run; `mutate -s SEED -i N` shows a request.
. "$(dirname "$0")/lib.sh"

case $HTTPD in
*/tsan/*) default=2000 ;;
*) default=10000 ;;
esac
count=${MUTATE:-$default}
seed=${SEED:-$(date +%s)}

mkdir -p "$ROOT/dir" "$ROOT/kept"
numbers 3000 >"$ROOT/a.txt"
echo '<p>index' >"$ROOT/index.html"
echo fresh >"$ROOT/kept/fresh-3f9c.txt"
server_start -t 4 --head-timeout 3 --idle-timeout 3
fetch /kept/fresh-3f9c.txt
before=$(descriptors)

result=$("$TOOLS/mutate" -s "$seed" -j 16 "$PORT" "$count" /kept/fresh-3f9c.txt 2>"$TMP/mutate.err")
is $? 0 "$count damaged requests: ${result:-no result}" || note "$(head -n 20 "$TMP/mutate.err")"
alive
ok "the server lives"
# Beside what was open: a pipe for each of the four workers, kept for splicing bodies.
rested() { [ "$(descriptors)" -le $((before + 8)) ]; }
wait_for $((20 * SLOW)) rested
ok "and has closed what it opened ($before before)"
is "$(LC_ALL=C tr -d '[:print:]\n\200-\377' <"$LOG" | wc -c)" 0 "no control byte in the log"

done_testing
