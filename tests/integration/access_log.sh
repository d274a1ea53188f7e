#!/bin/bash
# One line per request in Combined Log Format; nothing that a client sends can forge or break a line.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
numbers 5000 >"$ROOT/b.bin"
ACCESS_LOG=no
server_start -l "$LOG" -l "$TMP/second.log"

lines() { [ "$(wc -l <"$1")" -ge "$2" ]; }
last() { # last N : waits for the Nth line and prints it
    wait_for 5 lines "$LOG" "$1"
    sed -n "${1}p" "$LOG"
}
stamp='\[[0-3][0-9]/[A-Z][a-z]{2}/20[0-9]{2}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}\]'

fetch -A 'agent/1.0 (x)' -e 'http://localhost/from' /a.txt
line=$(last 1)
like "$line" "^127\.0\.0\.1 - - $stamp \"GET /a\.txt HTTP/1\.1\" 200 6 \"http://localhost/from\" \"agent/1\.0 \(x\)\"\$" "Combined Log Format"
when=$(sed 's/.*\[\(.*\)\].*/\1/; s/:/ /; s,/, ,g' <<<"$line")
drift=$(($(date +%s) - $(date -d "$when" +%s)))
[ "${drift#-}" -le 5 ]
ok "the time is now, with its zone ($when)"
fetch -A '' /b.bin
like "$(last 2)" '"GET /b\.bin HTTP/1\.1" 200 5000 "-" "-"$' "no Referer, no User-Agent"
fetch -H 'Range: bytes=0-9' /b.bin
like "$(last 3)" '" 206 10 ' "the bytes that were sent"
fetch -I /b.bin
like "$(last 4)" '"HEAD /b\.bin HTTP/1\.1" 200 (0|-) ' "HEAD sends none"
fetch -H 'If-None-Match: *' /b.bin
like "$(last 5)" '" 304 (0|-) ' "nor does 304"
fetch '/none?q=1'
like "$(last 6)" '"GET /none\?q=1 HTTP/1\.1" 404 [0-9]+ ' "404, with the query as sent"
fetch /a.txt -A 'evil" 200 1 "-" "x'
like "$(last 7)" '\\"|\\x22' "a quote in a field is escaped"
unlike "$(last 7)" 'evil" 200' "and ends nothing"
fetch /a.txt -A $'tab\there back\\slash \xff'
line=$(last 8)
like "$line" 'tab(\\t|\\x09)here' "control bytes are escaped (a tab is the only one that a field may hold)"
[ -z "$(LC_ALL=C tr -d '[:print:]\200-\377' <<<"$line" | tr -d '\n')" ]
ok "none is left"
like "$line" 'back(\\\\|\\x5[cC])slash' "the escape itself is escaped"
raw send 'GET /"quoted"<x> HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >/dev/null
line=$(last 9)
unlike "$line" '"GET /"quoted' "a quote in the target ends nothing"
like "$line" '" (400|404) ' "status"
raw send 'complete nonsense\x01\r\n\r\n' half >/dev/null
like "$(last 10)" '" 400 [0-9]+ ' "what could not be parsed has a line too"
raw send 'GET /a.txt\r\n' >/dev/null
like "$(last 11)" '"GET /a\.txt( HTTP/0\.9)?" 200 6 ' "a simple request"
raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >/dev/null
like "$(last 12) $(last 13)" '/a\.txt.*/b\.bin' "a line for each pipelined request"
same() { cmp -s "$LOG" "$TMP/second.log"; }
wait_for 5 same
ok "both files have the same lines"

# Rotated: moved away and SIGHUP.
mv "$LOG" "$LOG.1"
kill -HUP "$SERVER_PID"
exists() { [ -e "$LOG" ]; }
wait_for 5 exists
ok "SIGHUP: the file is opened anew"
count=$(wc -l <"$LOG.1")
fetch '/a.txt?after'
wait_for 5 lines "$LOG" 1
like "$(cat "$LOG")" '/a\.txt\?after' "and is written to"
is "$(wc -l <"$LOG.1")" "$count" "while the old one rests"
alive
ok "the server lives on"

# Many at once: whole lines, none lost.
for i in {1..20}; do
    curl -s -o /dev/null "$URL/a.txt?p$i-[1-50]" &
    pids[i]=$!
done
wait "${pids[@]}"
wait_for 10 lines "$LOG" 1001
is "$(wc -l <"$LOG")" 1001 "a thousand requests, a thousand lines"
is "$(grep -vcE "^127\.0\.0\.1 - - $stamp \"GET /a\.txt\?[a-z0-9-]+ HTTP/1\.1\" 200 6 \"-\" \"curl/[0-9.]+\"\$" "$LOG")" 0 "each of them whole"
server_stop

# The last lines are not lost at the end.
server_start -l "$LOG"
fetch '/a.txt?the-last'
server_stop
is "$(grep -c 'the-last' "$LOG")" 1 "a request just before the end is logged"

# "-" is standard output, the default.
server_start -l -
fetch /a.txt
on_terminal() { grep -q '"GET /a.txt HTTP/1.1" 200' "$TMP/stdout"; }
wait_for 5 on_terminal
ok "-l - writes to standard output"
server_stop
server_start
fetch /a.txt
wait_for 5 on_terminal
ok "which is the default"
server_stop

# A log that nobody reads does not stop the service.
mkfifo "$TMP/pipe"
exec 5<>"$TMP/pipe"
ERR_MAY='the access log could not keep up'
server_start -l "$TMP/pipe"
start=$(now_ms)
pad=$(printf 'x%.0s' {1..1000})
curl -s -o /dev/null "$URL/a.txt?${pad}[1-3000]" # three times what there is room for
at_most $(($(now_ms) - start)) $((15000 * SLOW)) "three thousand requests with a log that is a full pipe, in ms"
fetch /a.txt
is "$STATUS" 200 "and it goes on"
cat <&5 >/dev/null &
HELPER_PIDS="${HELPER_PIDS:-} $!"
server_stop
like "$(cat "$ERR")" 'could not keep up: [0-9]+ lines lost' "what is lost is said"

done_testing
