#!/bin/bash
# alone: this one loads the machine
#
# SIGUSR2: the program is started anew with the same sockets, and not one request fails. While wrk asks
# on 64 connections and eight long downloads run, the server is replaced twice (RESTARTS=10 for the long
# form). A new server that cannot start changes nothing. Sockets and readiness as systemd does it.
. "$(dirname "$0")/lib.sh"

RESTARTS=${RESTARTS:-2}
PID_FILE=$TMP/pid
ERR_MAY='restarting'
numbers 1024 >"$ROOT/small.txt"
numbers 20000000 >"$ROOT/large.bin"
# The program under a name of its own, so that another can be put in its place.
BIN=$TMP/bin/httpd
PROGRAM=$HTTPD
mkdir "$TMP/bin" && ln -s "$PROGRAM" "$BIN"
HTTPD=$BIN

serves() { [ "$(cat "$PID_FILE" 2>/dev/null)" != "$1" ] && [ -s "$PID_FILE" ]; }
children() { # the ids of those below a process, by the kernel's own list
    cat /proc/"$1"/task/*/children 2>/dev/null
}
refused() { ! (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; }

# Replaces the server; SERVER_PID is the new one, which is nobody's child here.
restart() {
    local old
    old=$(cat "$PID_FILE")
    kill -USR2 "$old"
    wait_for $((20 * SLOW)) serves "$old" || return 1
    SERVER_PID=$(cat "$PID_FILE")
    HELPER_PIDS="${HELPER_PIDS:-} $SERVER_PID"
    olds+=("$old")
}

# ---- not one request fails -----------------------------------------------------------------------

server_start -t 4 -P "$PID_FILE"
wait_for 5 serves none
helper_name=$(cat "/proc/$(children "$SERVER_PID" | tr -d ' ')/comm" 2>/dev/null)
is "$helper_name" httpd-restart "beside the server there is one process, which restarts it"

olds=()
downloads=()
for ((i = 0; i < 8; i++)); do
    # So slow that it goes on over all the restarts, and none of the servers may give it up.
    curl -sS --limit-rate $((20000000 / (4 + RESTARTS * 2)))  -o "$TMP/download.$i" "$URL/large.bin" 2>"$TMP/download.$i.err" &
    downloads+=($!)
done
if command -v wrk >/dev/null; then
    wrk -t1 -c64 -d$((RESTARTS * 2 + 2))s --timeout 20s "$URL/small.txt" >"$TMP/wrk" 2>&1 &
    load=$!
else
    load=
fi
# New connections all the while, each of which must be accepted.
(while [ ! -e "$TMP/enough" ]; do "$CROWD" "$PORT" fresh 50 /small.txt || echo failed; done) >"$TMP/fresh" 2>&1 &
fresh=$!
done_restarts=0
for ((i = 0; i < RESTARTS; i++)); do
    sleep 1
    restart && done_restarts=$((done_restarts + 1))
done
is "$done_restarts" "$RESTARTS" "SIGUSR2: a new process serves, $RESTARTS times"
if [ -n "$load" ]; then
    wait "$load"
    requests=$(awk '/requests in/ { print $1 }' "$TMP/wrk")
    [ "${requests:-0}" -gt 100 ]
    ok "wrk asks on 64 connections ($requests requests)"
    is "$(grep -E 'Socket errors|Non-2xx' "$TMP/wrk")" "" "and no request of them fails"
else
    skip "wrk asks on 64 connections" "wrk is not installed"
fi
touch "$TMP/enough"
wait "$fresh"
is "$(grep -cv '^answered 50 of 50' "$TMP/fresh")" 0 "nobody who connects is refused ($(wc -l <"$TMP/fresh") times 50)"
failed=0
for ((i = 0; i < 8; i++)); do
    wait "${downloads[i]}" || failed=$((failed + 1))
    cmp -s "$TMP/download.$i" "$ROOT/large.bin" || failed=$((failed + 1))
done
is "$failed" 0 "eight downloads go on to their end, byte for byte"
all_gone() { local pid; for pid in "${olds[@]}"; do gone_or_zombie "$pid" || return 1; done; }
wait_for $((30 * SLOW)) all_gone
ok "and then the old servers end"
is "$(cat "$PID_FILE")" "$SERVER_PID" "the pid file is that of the new one"
[ "$(grep -c 'stopping: process [0-9]* serves now' "$ERR")" -eq "$RESTARTS" ]
ok "each said who serves now"

# ---- a new one that cannot start -----------------------------------------------------------------

old=$SERVER_PID
failed_restart() { # failed_restart REGEX WHAT
    local seen
    seen=$(grep -c 'this one goes on' "$ERR")
    kill -USR2 "$old"
    more() { [ "$(grep -c 'this one goes on' "$ERR")" -gt "$seen" ]; }
    wait_for $((20 * SLOW)) more
    ok "$2: the server says that it goes on"
    like "$(grep 'this one goes on' "$ERR" | tail -n 1)" "$1" "$2: and why"
    fetch /small.txt
    is "$STATUS $(cat "$PID_FILE")" "200 $old" "$2: it serves, and the pid file is its own"
}
rm "$BIN"
failed_restart 'status 127' "the program is not there"
like "$(cat "$ERR")" "cannot run '[^']*/bin/httpd': No such file" "the program is not there: which"
printf '#!/bin/sh\necho "httpd: error: wrong option" >&2\nexit 2\n' >"$BIN"
chmod +x "$BIN"
failed_restart 'status 2' "a new program does not understand the options"
# shellcheck disable=SC2016
printf '#!/bin/sh\nkill -SEGV $$\n' >"$BIN"
failed_restart 'signal 11' "a new program crashes"
rm "$BIN"
ln -s "$PROGRAM" "$BIN"

# ---- what is under way ---------------------------------------------------------------------------

# An upload that the old server began is finished by it, and the new one's tidying leaves it alone.
exec 3<>"/dev/tcp/127.0.0.1/$PORT"
printf 'PUT /up.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n01234' >&3
# A client that rests: its next request is answered, as the last on that connection.
exec 4<>"/dev/tcp/127.0.0.1/$PORT"
printf 'GET /small.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' >&4
head -c 1100 <&4 >/dev/null
restart
ok "after all that it can still be restarted"
sleep 0.5
printf '56789' >&3
IFS= read -r -t $((10 * SLOW)) -u 3 line
like "$line" '^HTTP/1.1 201' "an upload under way is finished by the old server"
printf 'GET /small.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' >&4
like "$(timeout $((10 * SLOW)) cat <&4 | tr -d '\r' | tr '\n' ' ')" 'HTTP/1.1 200 .*onnection: close' \
    "a client that rested is answered, and told that this was the last"
exec 3<&- 3>&- 4<&- 4>&-
fetch /up.txt
is "$(body)" 0123456789 "what was uploaded is there"
wait_for $((20 * SLOW)) gone_or_zombie "$old"
ok "then the old one ends"

# A second signal to one that hands over finishes it within the time of an ordinary end.
exec 3<>"/dev/tcp/127.0.0.1/$PORT"
printf 'GET /small.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
head -c 1100 <&3 >/dev/null
old=$SERVER_PID
restart
kill -TERM "$old"
start=$(now_ms)
wait_for $((20 * SLOW)) gone_or_zombie "$old"
at_most $(($(now_ms) - start)) $((5000 * SLOW)) "an old server that rests ends at once when told to, in ms"
exec 3<&- 3>&-

# The helper goes with the server, even when that is killed.
helper_pid=$(children "$SERVER_PID" | tr -d ' ')
kill -KILL "$SERVER_PID"
wait_for 10 gone_or_zombie "$helper_pid"
ok "a server that is killed leaves no helper behind"
wait_for 10 refused
ok "nor its port"
SERVER_PID=

# ---- in the background ---------------------------------------------------------------------------

rm -f "$PID_FILE"
"$HTTPD" -d -p 0 -r "$ROOT" -l "$LOG" -P "$PID_FILE" 2>"$ERR"
wait_for $((10 * SLOW)) serves none
SERVER_PID=$(cat "$PID_FILE")
wait_for $((10 * SLOW)) started
PORT=$(sed -n 's,^httpd: serving .* at http://[^ ]*:\([0-9]*\)/.*,\1,p' "$ERR" | head -n 1)
URL=http://127.0.0.1:$PORT
restart
ok "a daemon is restarted too"
fetch /small.txt
is "$STATUS" 200 "and serves"
kill -TERM "$SERVER_PID"
wait_for $((20 * SLOW)) gone "$SERVER_PID"
ok "and ends when told to"
[ ! -e "$PID_FILE" ]
ok "with its pid file"
SERVER_PID=

# ---- as a service manager does it ----------------------------------------------------------------

cat >"$TMP/manager.py" <<'PY'
"""A service manager: manager.py NOTE_FILE PORT_FILE NAME[:NAME] COMMAND...: opens a socket for each name,
starts the command with them, writes what it is told to NOTE_FILE."""
import os, socket, sys
notes, ports, names, command = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
path = notes + ".socket"
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
abstract = os.environ.get("ABSTRACT")
told.bind("\0" + path if abstract else path)
listeners = []
for name in names.split(":"):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    if name != "closed":
        s.listen(100)
    listeners.append(s)
with open(ports + ".new", "w") as f:
    f.write(" ".join(str(s.getsockname()[1]) for s in listeners))
os.rename(ports + ".new", ports)
child = os.fork()
if child == 0:
    # Out of the way first: the places they go to may be taken by others of them.
    high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(listeners)]
    for i, fd in enumerate(high):
        os.dup2(fd, 3 + i)
        os.close(fd)
    os.environ.update(LISTEN_PID=os.environ.get("WRONG_PID", str(os.getpid())), LISTEN_FDS=str(len(listeners)),
                      LISTEN_FDNAMES=names, NOTIFY_SOCKET=("@" if abstract else "") + path)
    os.execv(command[0], command)
with open(notes + ".pid", "w") as f:
    f.write(str(child))
told.settimeout(120)
while True:
    message = told.recv(1000).decode()
    with open(notes, "a") as f:
        f.write(message)
    if "STOPPING=1" in message:
        break
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
PY
told() { grep -q "$1" "$TMP/notes"; }
manage() { # manage NAMES OPTION... : sets SERVER_PID, PORT, PORTS, MANAGER
    local names=$1
    shift
    rm -f "$TMP"/notes*
    : >"$ERR"
    : >"$TMP/notes"
    helper python3 "$TMP/manager.py" "$TMP/notes" "$TMP/ports" "$names" "$HTTPD" -r "$ROOT" -l "$LOG" "$@" 2>"$ERR"
    MANAGER=$HELPER
    wait_for $((20 * SLOW)) told READY=1 || return 1
    SERVER_PID=$(cat "$TMP/notes.pid")
    read -r -a PORTS <"$TMP/ports"
    PORT=${PORTS[0]}
    URL=http://127.0.0.1:$PORT
}
for ABSTRACT in "" yes; do
    export ABSTRACT
    manage http:hftp:other --hftp 0 -P "$PID_FILE"
    ok "LISTEN_FDS: the service manager is told that the server is ready${ABSTRACT:+ (abstract socket)}"
    for at in 0 2; do
        is "$(curl -s -o "$BODY" -w '%{http_code}' "http://127.0.0.1:${PORTS[at]}/small.txt")" 200 \
            "HTTP on the socket numbered $at"
    done
    like "$("$RAW" 127.0.0.1 "${PORTS[1]}" send 'quit\r\n' 2>/dev/null)" '^0 OK' \
        "HFTP on the socket named hftp"
    is "$(grep -c ':8080/' "$ERR")" 0 "and on no port of its own"
    old=$SERVER_PID
    restart
    told "^MAINPID=$SERVER_PID\$"
    ok "SIGUSR2: it is told who serves now"
    fetch /small.txt
    is "$STATUS" 200 "who does"
    ! told STOPPING
    ok "and not that the service stops"
    kill -TERM "$SERVER_PID"
    wait_for $((20 * SLOW)) told STOPPING=1
    ok "SIGTERM: it is told that the service stops"
    wait "$MANAGER"
    is $? 0 "and the first process ended with status 0"
    wait_for $((20 * SLOW)) gone_or_zombie "$SERVER_PID"
    SERVER_PID=
done
unset ABSTRACT

# What was meant for another process is not taken; what is no listening socket is refused.
rm -f "$PID_FILE"
WRONG_PID=1 manage http -p 0
like "$(cat "$ERR")" 'serving' "LISTEN_PID of another: a socket of its own is opened"
unlike "$(cat "$ERR")" ":$PORT/" "and not theirs"
kill -TERM "$SERVER_PID"
wait_for $((20 * SLOW)) gone_or_zombie "$SERVER_PID"
manage_fails() { # manage_fails NAMES REGEX WHAT OPTION...
    local names=$1 regex=$2 what=$3 pid
    shift 3
    rm -f "$TMP"/notes*
    : >"$ERR"
    helper python3 "$TMP/manager.py" "$TMP/notes" "$TMP/ports" "$names" "$HTTPD" -r "$ROOT" -l "$LOG" "$@" 2>"$ERR"
    wait_for $((20 * SLOW)) test -s "$TMP/notes.pid"
    pid=$(cat "$TMP/notes.pid")
    wait_for $((20 * SLOW)) gone_or_zombie "$pid"
    like "$(cat "$ERR")" "$regex" "$what"
    kill "$HELPER"
}
manage_fails closed 'descriptor 3 .*listening TCP socket' "a socket that does not listen is refused"
manage_fails hftp "handed in for 'hftp'" "a socket for HFTP without --hftp is refused"
SERVER_PID=
reports=$(find "$REPORTS" -type f -size +0 | wc -l)
is "$reports" 0 "no sanitizer report"
done_testing
