#!/bin/bash
# Files too large for the cache stay open for the next request. What does that mean for who changes them?
. "$(dirname "$0")/lib.sh"

head -c 100000 /dev/urandom >"$ROOT/a.bin"
head -c 100000 /dev/urandom >"$TMP/b.bin"
head -c 1100000 /dev/urandom >"$ROOT/large.bin"
server_start

# The descriptors that stand for a file, by the name it has or had.
open_as() { find "/proc/$SERVER_PID/fd" -lname "$ROOT/$1*" | wc -l; }
rests() { [ "$(open_as "$1")" -gt 0 ]; }
is_closed() { ! rests "$1"; }
# Asked often enough that it is prepared, and then until it rests.
asked() {
    fetch "/$1"
    sleep 0.05
    fetch "/$1"
    fetch "/$1"
    rests "$1"
}

wait_for 5 asked a.bin
ok "a file that was sent stays open"
wait_for 5 is_closed a.bin
ok "not for long"

wait_for 5 asked a.bin
mv "$TMP/b.bin" "$ROOT/a.bin"
fetch /a.bin
cmp -s "$BODY" "$ROOT/a.bin"
ok "another in its place is what is sent"

wait_for 5 asked a.bin
head -c 90000 "$ROOT/a.bin" >"$TMP/c.bin"
cat "$TMP/c.bin" >"$ROOT/a.bin"
fetch /a.bin
cmp -s "$BODY" "$TMP/c.bin"
ok "written in place, it is sent as it is now"

wait_for 5 asked a.bin
fetch /a.bin -r 5-89999
cmp -s "$BODY" <(tail -c +6 "$TMP/c.bin")
ok "a range of it"
fetch /a.bin
cmp -s "$BODY" "$TMP/c.bin"
ok "and all of it again"

wait_for 5 asked a.bin
rm "$ROOT/a.bin"
fetch /a.bin
is "$STATUS" 404 "removed: gone at once"
wait_for 5 is_closed a.bin
ok "and its room on the disk is free in a moment"

head -c 100000 /dev/urandom >"$ROOT/a.bin"
wait_for 5 asked a.bin
fetch /a.bin -X DELETE
is "$STATUS $(open_as a.bin)" "204 0" "removed by way of the server: its room is free at once"

for i in 1 2 3 4; do
    fetch /large.bin
    rests large.bin && break
done
is "$(open_as large.bin)" 0 "a large file does not stay open"
done_testing
