#!/bin/bash
# --unix: a socket in the file system, with the right permissions, gone at the end, taken over from
# whoever died and from nobody else.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
numbers 3000000 >"$ROOT/b.bin"
aged "$ROOT/b.bin"
SOCKET=$TMP/httpd.sock
by_socket() { fetch --unix-socket "$SOCKET" "$@"; }

server_start --unix "$SOCKET"
like "$(cat "$ERR")" "serving $ROOT at http://unix:$SOCKET/ with" "the line at start names it, and no port"
is "$(stat -c '%F %a' "$SOCKET")" "socket 660" "a socket for owner and group"
by_socket http://localhost/a.txt
is "$STATUS $(body)" "200 hello" "a request"
wait_for 5 grep -q . "$LOG"
like "$(cat "$LOG")" '^unix: - - ' "the log says unix:"
by_socket http://any.example/b.bin
same_bytes "$BODY" "$ROOT/b.bin" "a file, whatever the name of the host"
by_socket -T "$ROOT/a.txt" http://localhost/new.txt
is "$STATUS" 405 "who comes through a socket may be anybody: read-only"
refused() { # refused REGEX WHAT ARGUMENT...
    local regex=$1 what=$2 status
    shift 2
    timeout 10 "$HTTPD" -r "$ROOT" "$@" >/dev/null 2>"$TMP/said" </dev/null
    status=$?
    is "$status $(wc -l <"$TMP/said")" "1 1" "$what: exit 1 and one line"
    like "$(cat "$TMP/said")" "$regex" "$what: that says why"
}
refused '[Ii]n use' "a second server on the same socket" --unix "$SOCKET"
by_socket http://localhost/a.txt
is "$STATUS" 200 "and the first serves on"
ERR_MAY=read-only
server_stop
[ ! -e "$SOCKET" ]
ok "it is gone at the end"
is "$(find "$TMP" -maxdepth 1 -name 'httpd.sock*')" "" "and nothing is left beside it"

server_start --unix "$SOCKET" --public-writes
kill -KILL "$SERVER_PID"
wait "$SERVER_PID" 2>/dev/null
[ -S "$SOCKET" ]
ok "kill -9 leaves it behind"
server_start --unix "$SOCKET" --public-writes --unix-mode 600 -b 127.0.0.1
is "$(stat -c '%a' "$SOCKET")" 600 "the next server takes its place, with its own permissions"
URL=http://127.0.0.1:$(sed -n 's,.* http://127\.0\.0\.1:\([0-9]*\)/.*,\1,p' "$ERR")
fetch /a.txt
is "$STATUS" 200 "beside an address, when one is named"
by_socket -T "$ROOT/b.bin" http://localhost/c.bin
same_bytes "$ROOT/b.bin" "$ROOT/c.bin" "an upload"

# A download by id that breaks off: what a proxy may hold is left off, so there is never a gap.
by_socket http://localhost/.uuid
id=$(body)
curl -sS --unix-socket "$SOCKET" --limit-rate 2M --max-time 1 -o "$TMP/part" "http://localhost/$id/b.bin" 2>/dev/null
have=$(stat -c %s "$TMP/part")
offset_known() {
    by_socket -I "http://localhost/$id/b.bin"
    [ "$(field Resume-Offset)" -ge 0 ] 2>/dev/null
}
wait_for 5 offset_known
at_most "$(field Resume-Offset)" "$have" "behind a proxy the record is not past what the client has"

# Somebody else's file is not removed, neither at start nor at the end.
rm "$SOCKET"
echo precious >"$SOCKET"
server_stop
is "$(cat "$SOCKET")" precious "what took its place stays at the end"
refused 'exists' "a file stands there" --unix "$SOCKET"
is "$(cat "$SOCKET")" precious "and it is still there"
is "$(find "$TMP" -maxdepth 1 -name 'httpd.sock*')" "$SOCKET" "nothing is left beside it"
refused 'No such file' "a directory that is not there" --unix "$TMP/nowhere/sock"
refused 'too long' "a name that is too long" --unix "$TMP/$(printf 'x%.0s' {1..120})"

# Trusted, a proxy behind the socket may say whose request it is.
rm "$SOCKET"
: >"$LOG"
server_start --unix "$SOCKET" --trust unix
by_socket -H 'X-Forwarded-For: 192.0.2.1' http://localhost/a.txt
wait_for 5 grep -q . "$LOG"
like "$(cat "$LOG")" '^192\.0\.2\.1 ' "--trust unix: X-Forwarded-For is believed"
server_stop
: >"$LOG"
server_start --unix "$SOCKET" --trust 127.0.0.1
by_socket -H 'X-Forwarded-For: 192.0.2.1' http://localhost/a.txt
wait_for 5 grep -q . "$LOG"
like "$(cat "$LOG")" '^unix: ' "and not without it"
server_stop

# A restart hands the socket over: its name stays, and goes with the new server.
ERR_MAY='process|read-only'
server_start --unix "$SOCKET" -P "$TMP/pid"
old=$SERVER_PID
kill -USR2 "$old"
moved() { [ "$(cat "$TMP/pid")" != "$old" ] && gone_or_zombie "$old"; }
wait_for $((10 * SLOW)) moved
ok "SIGUSR2: another process serves, and the first is gone"
HELPER_PIDS="${HELPER_PIDS:-} $(cat "$TMP/pid")"
by_socket http://localhost/a.txt
is "$STATUS $(body)" "200 hello" "on the same socket"
kill -TERM "$(cat "$TMP/pid")"
removed() { [ ! -e "$SOCKET" ]; }
wait_for $((10 * SLOW)) removed
ok "which is gone when that one ends"
wait "$old" 2>/dev/null
SERVER_PID=

done_testing
