#!/bin/bash
# alone: this one is timed
#
# Several servers on one state directory: is it swept once in each interval, and not once by each of them?
# The kernel is asked how often the directory of uploads was opened, which every sweep does once and
# nothing else here does at all.
. "$(dirname "$0")/lib.sh"

if ! command -v python3 >/dev/null; then
    skip_all "there is no python3"
fi
SERVERS=4
EXPIRE=20 # so that one interval is 2 s
INTERVALS=4

# more_servers N : beside the first; ended with the script.
more_servers() {
    local i
    for ((i = 0; i < $1; i++)); do
        helper "$HTTPD" -p 0 -r "$ROOT" -l /dev/null --expire ${EXPIRE}s 2>"$TMP/err.$i" >/dev/null </dev/null
        PIDS[i]=$HELPER
        wait_for $((10 * SLOW)) grep -q '^httpd: serving ' "$TMP/err.$i" || return 1
    done
}

# opened_in SECONDS : how often .httpd/uploads was opened.
opened_in() {
    python3 - "$ROOT/.httpd/uploads" "$1" <<'PYTHON'
import ctypes, os, select, struct, sys, time

IN_OPEN, IN_ISDIR = 0x20, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.inotify_init1(os.O_NONBLOCK)
if fd == -1 or libc.inotify_add_watch(fd, sys.argv[1].encode(), IN_OPEN) == -1:
    sys.exit("no inotify")
end, opened = time.monotonic() + float(sys.argv[2]), 0
while (left := end - time.monotonic()) > 0:
    if select.select([fd], [], [], left)[0]:
        data, at = os.read(fd, 65536), 0
        while at < len(data):
            _, mask, _, size = struct.unpack_from("iIII", data, at)
            opened += bool(mask & IN_ISDIR) and size == 0
            at += 16 + size
print(opened)
PYTHON
}

server_start --expire ${EXPIRE}s
more_servers $((SERVERS - 1))
ok "$SERVERS servers on one directory"
count=$(opened_in $((EXPIRE / 10 * INTERVALS)))
# One more at an end of the time that was watched, one less at both.
[ "${count:-0}" -ge $((INTERVALS - 1)) ] && [ "$count" -le $((INTERVALS + 1)) ]
ok "$INTERVALS intervals: swept ${count:-?} times by $SERVERS servers"

# Whoever did it so far is killed with all but one: that one goes on.
disown "$SERVER_PID" "${PIDS[0]}" "${PIDS[1]}"
kill -KILL "$SERVER_PID" "${PIDS[0]}" "${PIDS[1]}"
SERVER_PID=
count=$(opened_in $((EXPIRE / 10 * INTERVALS)))
[ "${count:-0}" -ge $((INTERVALS - 2)) ] && [ "$count" -le $((INTERVALS + 1)) ]
ok "all but one are killed: swept ${count:-?} times by the one that is left"
kill -TERM "${PIDS[2]}"
wait_for $((10 * SLOW)) gone_or_zombie "${PIDS[2]}"
ok "which ends when it is told to"
done_testing
