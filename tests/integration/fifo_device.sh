#!/bin/bash
# What is neither a file nor a directory, and what is too deep or too long: the right answer at once.
. "$(dirname "$0")/lib.sh"

cd "$ROOT" || exit 1
mkfifo fifo
mkdir dir && mkfifo dir/index.html
ln -s fifo fifolink
ln -s loop loop
echo hello >a.txt
name255=$(printf 'n%.0s' {1..255})
echo long >"$name255"
(
    for i in {1..300}; do mkdir d && cd d || exit 1; done
    echo deep >deep.txt
)
server_start -t 2

quickly() { # quickly TARGET STATUS WHAT : the answer comes within a second or two
    local start
    start=$(now_ms)
    fetch --max-time $((5 * SLOW)) "$1"
    like "$STATUS" "^($2)\$" "$3: $2"
    at_most $(($(now_ms) - start)) $((2000 * SLOW)) "$3: at once, in ms"
}
before=$(descriptors)
for i in 1 2 3; do quickly /fifo '403|404' "a FIFO, time $i"; done
quickly /fifolink '403|404' "a link to a FIFO"
quickly /dir/ '200|403|404' "a directory whose index is a FIFO"
quickly /loop 404 "a link to itself"
quickly "/$name255" 200 "a name of 255 bytes"
quickly "/${name255}x" 404 "a name of 256 bytes"
deep=$(printf 'd/%.0s' {1..300})
quickly "/${deep}deep.txt" 200 "a path of 300 levels"
is "$(body)" deep "and it is the right file"
quickly "/$deep" 200 "its directory"
quickly "/${deep}d/none" 404 "a missing file below it"

if mknod null c 1 3 2>/dev/null && mknod zero c 1 5 2>/dev/null; then
    quickly /null '403|404' "the null device"
    quickly /zero '403|404' "the zero device"
    mknod tty c 5 0 2>/dev/null
    quickly /tty '403|404' "a terminal"
else
    skip "devices" "mknod is not allowed here"
fi
if command -v python3 >/dev/null && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")' 2>/dev/null; then
    quickly /sock '403|404' "a socket"
else
    skip "a socket" "nothing here makes one"
fi
fetch -I /fifo
like "$STATUS" '^40[34]$' "HEAD of a FIFO"
fetch -H 'Range: bytes=0-1' /fifo
like "$STATUS" '^40[34]$' "a range of a FIFO"

if [ "$(id -u)" -ne 0 ]; then
    echo no >unreadable.txt && chmod 000 unreadable.txt
    fetch /unreadable.txt
    like "$STATUS" '^40[34]$' "an unreadable file"
else
    skip "an unreadable file" "root may read everything"
fi
fetch -H 'Accept: application/json' /
unlike "$(body)" '"(fifo|fifolink|loop|null|sock)"' "the listing leaves them out"
wait_for 5 descriptors_are "$before"
ok "no descriptor is left open ($before before)"

done_testing
