#!/bin/bash
# The command line: what is wrong is named in one line, with the exit status that belongs to it.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
echo file >"$TMP/file"

# refused STATUS REGEX ARGUMENT... : it ends with that status and one line on standard error.
refused() {
    local status=$1 regex=$2 said
    shift 2
    timeout 10 "$HTTPD" "$@" >"$TMP/out" 2>"$TMP/said" </dev/null
    is $? "$status" "httpd $*: exit $status"
    said=$(cat "$TMP/said")
    is "$(wc -l <"$TMP/said")" 1 "httpd $*: one line" || note "$said"
    like "$said" "$regex" "httpd $*: that names it"
    [ ! -s "$TMP/out" ]
    ok "httpd $*: nothing on standard output"
}
root=(-r "$ROOT")
refused 2 'x|--frobnicate' "${root[@]}" --frobnicate
refused 2 'Z' "${root[@]}" -Z
refused 2 'p' "${root[@]}" -p
for bad in 65536 -1 abc '' 80x 1e3 99999999999999999999 0x50 ' 80' +80; do
    refused 2 "'?port|-p|$(sed 's/[+]/[+]/g' <<<"${bad:-p}")" "${root[@]}" -p "$bad"
done
for bad in 0 -1 abc '' 99999999999 2x; do
    refused 2 'thread|-t' "${root[@]}" -p 0 -t "$bad"
done
refused 2 'queue|-q' "${root[@]}" -p 0 -q -1
refused 2 'queue|-q' "${root[@]}" -p 0 -q many
refused 2 'connections|-c' "${root[@]}" -p 0 -c none
refused 2 'per-address' "${root[@]}" -p 0 --per-address few
refused 2 'patience' "${root[@]}" -p 0 --patience soon
refused 2 'head-timeout' "${root[@]}" -p 0 --head-timeout -5
refused 2 'idle-timeout' "${root[@]}" -p 0 --idle-timeout x
refused 2 'min-rate' "${root[@]}" -p 0 --min-rate fast
for bad in '' '*' localhost 10.0.0.0/33 10.0.0.1/8 2001:db8::/129 unix/8; do
    refused 2 '--trust' "${root[@]}" -p 0 --trust "$bad"
done
for bad in '' 8 66x 1777 77777; do refused 2 'unix-mode' "${root[@]}" --unix "$TMP/sock" --unix-mode "$bad"; done
refused 2 'proxy-protocol.*--trust' "${root[@]}" -p 0 --proxy-protocol
refused 2 'proxy-holds' "${root[@]}" -p 0 --proxy-holds much
refused 2 'drain-delay' "${root[@]}" -p 0 --drain-delay 1h
refused 2 'nowhere' -p 0 -r "$TMP/nowhere"
refused 2 'file' -p 0 -r "$TMP/file"
refused 2 'extra' "${root[@]}" -p 0 extra
# With the state everybody could download the secret that client ids are made with.
mkdir "$ROOT/there"
ln -s "$ROOT" "$TMP/link"
for bad in "$ROOT/state" "$ROOT/state//" "$ROOT/there" "$ROOT" "$TMP/link/there/new" "$ROOT/there/../state"; do
    refused 2 '--state.*would be served' "${root[@]}" -p 0 -s "$bad"
done
is "$(cd "$ROOT" && find . | sort | tr '\n' ' ')" ". ./a.txt ./there " "and nothing was made there"
refused 2 'nowhere' "${root[@]}" -p 0 -l "$TMP/nowhere/log"
refused 2 'no.such.address|address' "${root[@]}" -p 0 -b 300.300.300.300
refused 2 'no_such_user|user' "${root[@]}" -p 0 -u no_such_user_here

server_start
refused 1 "$PORT" "${root[@]}" -p "$PORT"
like "$(cat "$TMP/said")" '[Ii]n use' "a port in use: the reason"
fetch /a.txt
is "$STATUS" 200 "and who has it keeps it"
server_stop
refused 1 '203\.0\.113\.1' "${root[@]}" -p 0 -b 203.0.113.1

for option in -h --help; do
    "$HTTPD" $option >"$TMP/out" 2>"$TMP/said"
    is "$? $(wc -c <"$TMP/said")" "0 0" "$option: exit 0, nothing on standard error"
    for long in port bind threads root queue connections per-address log daemon pid-file user patience head-timeout \
        idle-timeout min-rate no-listing chroot no-sandbox unix unix-mode reuse-port trust proxy-protocol proxy-holds drain-delay help version; do
        grep -q -- "--$long" "$TMP/out"
        ok "$option names --$long"
    done
done
for option in -V --version; do
    like "$("$HTTPD" $option)" '^httpd [0-9]+\.[0-9]+\.[0-9]+' "$option"
done

# The line at start, on standard error.
server_start -t 7
line=$(cat "$ERR")
is "$(wc -l <"$ERR")" 1 "one line at start"
like "$line" "serving $ROOT at http://127\.0\.0\.1:$PORT/ .*7 threads" "what, where, with how many threads"
server_stop
server_start -b 127.0.0.1 -t 1
like "$(cat "$ERR")" 'http://127\.0\.0\.1:[0-9]+/ with 1 thread' "one address, one thread"
unlike "$(cat "$ERR")" '::1' "and no other"
server_stop
ERR_MAY='read-only: the address'
for every in '*' 0.0.0.0; do
    server_start -b "$every" -t 1
    like "$(cat "$ERR")" "http://127\.0\.0\.1:$PORT/ on every address with" "-b $every: what is named can be opened"
    fetch /a.txt
    is "$STATUS" 200 "and is"
    server_stop
done
ERR_MAY=

# Everything long.
port=$(free_port)
ACCESS_LOG=no
server_start --port "$port" --bind 127.0.0.1 --threads 3 --root "$ROOT" --queue 10 --connections 100 --log "$LOG" \
    --pid-file "$TMP/pid" --patience 5 --head-timeout 5 --idle-timeout 5 --min-rate 100
is "$PORT" "$port" "long options, and the port that was asked for (the last one counts)"
fetch /a.txt
is "$STATUS" 200 "serves"
is "$(cat "$TMP/pid")" "$SERVER_PID" "the PID file"
server_stop
[ ! -e "$TMP/pid" ]
ok "which goes with the server"

# A relative docroot is made absolute.
ACCESS_LOG=no
: >"$ERR"
"$HTTPD" -p 0 -r root -l "$LOG" 2>"$ERR" >/dev/null </dev/null &
SERVER_PID=$!
wait_for $((5 * SLOW)) started
like "$(cat "$ERR")" "serving $ROOT at" "a relative docroot is shown absolute"
server_stop

# A daemon: the command returns once it serves, and the PID file leads to it.
"$HTTPD" -d -p "$port" -r "$ROOT" -l "$LOG" -P "$TMP/pid" >"$TMP/out" 2>"$ERR" </dev/null
is $? 0 "-d: the command ends with 0"
URL=http://127.0.0.1:$port PORT=$port
fetch /a.txt
is "$STATUS" 200 "-d: and serves already"
pid=$(cat "$TMP/pid")
[ "$(readlink "/proc/$pid/exe")" = "$(realpath "$HTTPD")" ]
ok "-d: the PID file is right"
isnt "$(ps -o sid= -p "$pid" | tr -d ' ')" "$(ps -o sid= -p $$ | tr -d ' ')" "-d: of its own"
kill -TERM "$pid"
wait_for $((10 * SLOW)) gone "$pid"
ok "-d: ends when told to"
[ ! -e "$TMP/pid" ]
ok "-d: and takes the PID file along"
"$HTTPD" -d -p "$port" -r "$TMP/nowhere" >"$TMP/out" 2>"$TMP/said" </dev/null
is $? 2 "-d: what is wrong is said before going into the background"

if [ "$(id -u)" -eq 0 ] && getent passwd nobody >/dev/null; then
    chmod 755 "$TMP" "$ROOT"
    ERR_MAY=read-only
    : >"$LOG"
    server_start --log "$LOG" -u nobody
    fetch /a.txt
    is "$STATUS" 200 "-u nobody: serves"
    is "$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$SERVER_PID/status")" "$(id -u nobody) $(id -u nobody) $(id -u nobody)" "-u nobody: every id is nobody's"
    is "$(awk '/^Groups:/ { $1 = ""; print }' "/proc/$SERVER_PID/status" | tr -d ' ' | sed "s/$(id -g nobody)//")" "" "-u nobody: without the groups of root"
    is "$(cat /proc/"$SERVER_PID"/task/*/status | awk '/^Uid:/ { print $2 }' | sort -u)" "$(id -u nobody)" "-u nobody: in every thread"
    server_stop
else
    skip "-u nobody" "only root can become another"
fi

done_testing
