#!/bin/bash
# --log-format, and that goaccess understands every line of it; --error-log and --log-level.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
numbers 100000 >"$ROOT/b.bin"
ACCESS_LOG=no

# Ordinary requests, and all that is odd about others.
ask() {
    curl -s -o /dev/null "$URL/a.txt?[1-50]"
    fetch -A 'agent "quoted" \ (x)' -e "$URL/from" /b.bin
    fetch -r 0-9 /b.bin
    fetch -I /a.txt
    fetch /nowhere
    fetch -T "$ROOT/a.txt" '/put%20ñ.txt'
    fetch -X DELETE '/put%20ñ.txt'
    fetch -A $'tab\there \xff\xfe' /a.txt
    fetch -A '' /a.txt
    raw send 'GET /"quoted"<x> HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >/dev/null
    raw send 'complete nonsense\x01\r\n\r\n' half >/dev/null
    raw send 'GET /a.txt\r\n' >/dev/null
    raw send 'BREW /pot HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >/dev/null
    fetch '/a.txt?the-last'
}
logged() { grep -q 'the-last' "$LOG"; }

# invalid FORMAT : how many lines goaccess does not understand; the number of those it does to $TMP/valid
invalid() {
    goaccess "$LOG" --no-global-config "$@" -o "$TMP/report.json" >"$TMP/goaccess" 2>&1
    python3 -c 'import json, sys
general = json.load(open(sys.argv[1]))["general"]
open(sys.argv[2], "w").write(str(general["valid_requests"]))
print(general["failed_requests"])' "$TMP/report.json" "$TMP/valid" 2>&1
}
understood() { # understood WHAT OPTION...
    local what=$1
    shift
    if ! command -v goaccess >/dev/null; then
        skip "goaccess: $what" "goaccess is not installed"
        return
    fi
    is "$(invalid "$@")" 0 "goaccess: not one invalid line of $what" || note "$(head -c 600 "$TMP/goaccess")"
    is "$(cat "$TMP/valid")" "$(wc -l <"$LOG")" "goaccess: all of them counted"
    goaccess "$LOG" --no-global-config "$@" -o "$TMP/report.html" >/dev/null 2>&1
    grep -q '/b.bin' "$TMP/report.html"
    ok "goaccess: a report is made of it"
}

for format in combined common; do
    rm -f "$LOG"
    server_start -l "$LOG" --log-format $format
    ask
    wait_for 5 logged
    ok "--log-format $format: lines"
    server_stop
    understood $format --log-format=${format^^}
done
unlike "$(head -n 1 "$LOG")" 'curl' "common has no User-Agent"
like "$(head -n 1 "$LOG")" '"GET /a\.txt\?1 HTTP/1\.1" 200 6$' "and ends in the bytes"

rm -f "$LOG"
server_start -l "$LOG" --log-format json
ask
wait_for 5 logged
server_stop
said=$(python3 -c 'import json, sys
lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
names = "time client user request status bytes referer user_agent".split()
assert all(list(line) == names for line in lines), "names"
by = {line["request"]: line for line in lines}
assert by["GET /a.txt?1 HTTP/1.1"]["status"] == 200 and by["GET /a.txt?1 HTTP/1.1"]["bytes"] == 6
assert any(line["user_agent"] == "agent \"quoted\" \\ (x)" for line in lines), "agent"
assert any("tab\there" in line["user_agent"] for line in lines), "tab"
print(len(lines))' "$LOG" 2>&1)
is "$said" "$(wc -l <"$LOG")" "json: every line an object, with what was asked in it"
understood json --log-format='{"time": "%d:%t %^", "client": "%h", "user": "%e", "request": "%r", "status": "%s", "bytes": "%b", "referer": "%R", "user_agent": "%u"}' \
    --date-format=%d/%b/%Y --time-format=%T

# A client's text as long as it may be: a line is still one object.
rm -f "$LOG"
server_start -l "$LOG" --log-format json
long=$(printf '\x01%.0s' {1..40})$(head -c 6000 /dev/zero | tr '\0' 'x')
fetch -A "${long//$'\x01'/\"}" -e "http://$long" "/${long//$'\x01'/%01}"
fetch '/a.txt?the-last'
wait_for 5 logged
server_stop
python3 -c 'import json, sys
[json.loads(line) for line in open(sys.argv[1])]' "$LOG"
ok "json: also when everything is too long"

# ---- what the server says of itself ----------------------------------------------------------------

server_error_log() { grep -q 'serving' "$TMP/error.log" 2>/dev/null; }
: >"$ERR"
"$HTTPD" -p 0 -r "$ROOT" -l "$LOG" --error-log "$TMP/error.log" 2>"$ERR" &
SERVER_PID=$!
wait_for $((10 * SLOW)) server_error_log
like "$(cat "$TMP/error.log")" '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z httpd: serving ' "--error-log: with the time"
is "$(cat "$ERR")" "" "and nothing on standard error"
mv "$TMP/error.log" "$TMP/error.log.1"
kill -HUP "$SERVER_PID"
exists() { [ -e "$TMP/error.log" ]; }
wait_for 5 exists
ok "SIGHUP opens it anew"
kill -TERM "$SERVER_PID"
wait "$SERVER_PID"
is $? 0 "it ends in order"
SERVER_PID=
like "$(cat "$TMP/error.log")" 'stopping' "and what came after is in the new file"
unlike "$(cat "$TMP/error.log.1")" 'stopping' "not in the old one"

"$HTTPD" -p 0 -r "$TMP/nowhere" --error-log "$TMP/other.log" 2>"$ERR"
is "$? $(cat "$TMP/other.log" 2>/dev/null)" "2 " "a start that fails"
like "$(cat "$ERR")" 'nowhere' "says so on the terminal"
"$HTTPD" -p 0 -r "$ROOT" --error-log "$TMP/no/such/directory" 2>"$ERR"
is $? 2 "an error log that cannot be written"
like "$(cat "$ERR")" 'no/such/directory' "is named"

: >"$ERR"
"$HTTPD" -p "$(free_port)" -r "$ROOT" -l "$LOG" --log-level warning -P "$TMP/pid" 2>"$ERR" &
SERVER_PID=$!
has_pid() { [ -s "$TMP/pid" ]; }
wait_for $((10 * SLOW)) has_pid
kill -TERM "$SERVER_PID"
wait "$SERVER_PID"
SERVER_PID=
is "$(cat "$ERR")" "" "--log-level warning: no word of starting and stopping"
for option in --log-format --log-level; do
    "$HTTPD" -p 0 -r "$ROOT" $option loud 2>"$ERR"
    is $? 2 "$option loud: refused"
    like "$(cat "$ERR")" "$option takes .*'loud'" "and named"
done

done_testing
