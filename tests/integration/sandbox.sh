#!/bin/bash
# Somebody has taken a thread over: what can he do? A server with tests/probe in it tries; every thread of
# it, each once it is in its sandbox. And does the server still do all that it is for?
. "$(dirname "$0")/lib.sh"

# An ordinary build, whatever the others are tested with: a sanitizer does not go with a sandbox.
env -u SANITIZE -u MAKEFLAGS -u MAKELEVEL -u CFLAGS -u LDFLAGS make -s -C "$LIB_TOP" BUILD="$LIB_TOP/build" probe >"$TMP/make" 2>&1
ok "the server with the probe builds" || { note "$(cat "$TMP/make")"; done_testing; }
HTTPD=$LIB_TOP/build/probe/httpd
SERVER_OPTIONS=
SLOW=1
ERR_MAY=probe

mkdir "$TMP/outside" "$TMP/logs"
LOG=$TMP/logs/access.log
export PROBE_INSIDE=$ROOT PROBE_STATE=$ROOT/.httpd PROBE_OUTSIDE=$TMP/outside

begin() { # begin OPTION... : starts the server on fresh files; the probe's lines go to $TMP/probe
    rm -rf "${ROOT:?}"/* "$TMP"/outside/*
    echo hello >"$ROOT/there"
    echo theirs >"$TMP/outside/there"
    server_start -t 2 "$@"
    main_is_in() { grep -q "^httpd: probe: main: ${LAST:-write state}" "$ERR"; }
    wait_for 5 main_is_in
    grep '^httpd: probe:' "$ERR" >"$TMP/probe"
}
tried() { # tried THREAD NAME : what came of it
    sed -n "s,^httpd: probe: $1: $2: ,,p" "$TMP/probe" | sort -u
}
status_line() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$SERVER_PID/status"; }

begin
serving=$(grep '^httpd: serving' "$ERR")
if ! [[ $serving =~ Landlock ]] || ! [[ $serving =~ 'system call filter' ]]; then
    skip_all "this kernel has not all that it takes: $serving"
fi
like "$serving" 'sandbox \(Landlock [0-9]+, system call filter, no new privileges' "the line at start says what is on"
for thread in worker main 'log writer' sweeper; do
    for name in 'open /etc/passwd' 'open /proc/self/mem' 'list /' 'make outside' 'write outside' \
        'remove outside' 'rename out' 'rename in' 'link in' 'symlink inside' 'device inside' 'chmod outside' \
        'times outside' execve clone ptrace process_vm_readv kill socket connect bind 'mmap exec' \
        'mprotect exec' 'ioctl TIOCSTI' setuid; do
        # EPERM, EACCES, or for a rename or link EXDEV: refused, and not for another reason.
        like "$(tried "$thread" "$name")" '^refused \((1|13|18)\)$' "$thread: $name"
    done
    is "$(tried "$thread" 'call 1000')" 'refused (38)' "$thread: a call newer than the table is not there"
done
for name in 'read inside' 'write inside' 'write state'; do
    is "$(tried worker "$name")" "done" "worker: $name, which is its work"
    like "$(tried main "$name")" refused "main: $name is not"
    like "$(tried 'log writer' "$name")" refused "log writer: $name is not"
done
is "$(tried sweeper 'write state')" "done" "sweeper: write state, which is its work"
like "$(tried sweeper 'read inside')" refused "sweeper: but not what is served"
is "$(cat "$TMP/outside/there") $(ls -A "$TMP/outside")" "theirs there" "outside, all is as it was"
is "$(status_line NoNewPrivs) $(status_line Seccomp)" "1 2" "the kernel agrees"
like "$(status_line CapEff)" '^0{15}[0a]$' "no capabilities, or for root those over files"
alive
ok "and the server lives"

# Its work goes on, in all of it that needs the file system.
fetch /there
is "$STATUS $(body)" "200 hello" "GET"
fetch -T "$TMP/outside/there" /new/sub/a.txt
is "$STATUS" 201 "PUT, with directories made"
fetch -X MOVE -H "Destination: /b.txt" /new/sub/a.txt
is "$STATUS" 201 "MOVE to another directory"
fetch -X DELETE /b.txt
is "$STATUS" 204 "DELETE"
fetch /.uuid
fetch "/$(body)/there"
is "$STATUS $(body)" "200 hello" "a download by id"
fetch /
is "$STATUS" 200 "a listing"
mv "$LOG" "$LOG.1"
kill -HUP "$SERVER_PID"
wait_for 5 test -e "$LOG"
fetch /there
wait_for 5 grep -q 'GET /there' "$LOG"
ok "SIGHUP: the log is made anew"
server_stop

begin --read-only
is "$(tried worker 'write inside')" 'refused (13)' "--read-only: nothing can be written where files are served"
is "$(tried worker 'read inside') $(tried worker 'write state')" "done done" "but they are read, and the state is written"
fetch /there
is "$STATUS" 200 "--read-only: GET"
fetch /.uuid
fetch "/$(body)/there"
is "$STATUS" 200 "--read-only: a download by id"
server_stop

mkdir -p "$TMP/state"
PROBE_STATE=$TMP/state begin -s "$TMP/state"
is "$(tried worker 'write state') $(tried worker 'write inside')" "done done" "--state elsewhere"
fetch -T "$TMP/outside/there" /c.txt
is "$STATUS" 201 "and from there a file can be published"
server_stop

mkdir "$TMP/secrets"
umask 077
echo 'ana:pbkdf2-sha256$1000$c2FsdHNhbHRzYWx0c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=' >"$TMP/secrets/accounts"
ERR_MAY='probe|read '
begin --auth "$TMP/secrets/accounts"
sed 's/^ana/bob/' "$TMP/secrets/accounts" >"$TMP/secrets/new"
mv "$TMP/secrets/new" "$TMP/secrets/accounts"
kill -HUP "$SERVER_PID"
wait_for 5 grep -q "read .* again: 1 accounts" "$ERR"
ok "SIGHUP: accounts that an editor put in the old ones' place are read" || note "$(cat "$ERR")"
server_stop
ERR_MAY=probe
umask 022

# That it is the sandbox that refuses: without it all of this works.
export PROBE_ONLY='|open /etc/passwd|list /|make outside|write outside|socket|clone|chmod outside|times outside|symlink inside|mmap exec|connect|'
LAST='mmap exec' begin --no-sandbox
like "$(grep '^httpd: serving' "$ERR")" 'no sandbox \(--no-sandbox\)' "--no-sandbox: the line at start says so"
for name in 'open /etc/passwd' 'list /' 'make outside' 'write outside' socket clone 'chmod outside' \
    'times outside' 'mmap exec'; do
    is "$(tried worker "$name")" "done" "--no-sandbox: $name"
done
is "$(tried worker connect)" 'refused (88)' "--no-sandbox: connect looks at its descriptor (ENOTSOCK)"
is "$(status_line Seccomp)" 0 "--no-sandbox: no filter"
server_stop
export PROBE_ONLY=none LAST='' # quiet from here on
main_is_in() { true; }

# Kernels, and containers, that lack a part: a warning, and service.
begin_on() { # begin_on CALLS OPTION...
    rm -rf "${ROOT:?}"/*
    echo hello >"$ROOT/there"
    LAUNCH=("$TOOLS/oldkernel" "$1")
    shift
    server_start "$@"
    LAUNCH=()
    fetch /there
}
begin_on landlock
like "$(cat "$ERR")" 'warning: sandbox: .*no Landlock.*with 16 threads, sandbox \(system call filter, no' "no Landlock: said, and the rest is on"
is "$STATUS" 200 "no Landlock: service"
fetch -T "$TMP/outside/there" /d.txt
is "$STATUS" 201 "no Landlock: writing too"
server_stop
begin_on seccomp
like "$(cat "$ERR")" 'warning: sandbox: system calls.*sandbox \(Landlock [0-9]+, no new' "no seccomp: said, and the rest is on"
is "$STATUS" 200 "no seccomp: service"
server_stop
begin_on landlock,seccomp,openat2
like "$(cat "$ERR")" 'no sandbox \(this system has none\)' "neither: said"
is "$STATUS" 200 "neither: service"
server_stop
begin_on openat2
is "$STATUS" 200 "no openat2 in the sandbox: service"
fetch -T "$TMP/outside/there" /new/e.txt
is "$STATUS" 201 "no openat2 in the sandbox: writing"
server_stop

# Started as root: another user, and nothing to be seen but the docroot.
if [ "$(id -u)" -ne 0 ]; then
    skip "--user and --chroot" "needs root"
    done_testing
fi
chmod 755 "$TMP"
chown -R nobody "$ROOT"
rm -rf "$ROOT/.httpd"
server_start -u nobody
like "$(status_line Uid)" "^$(id -u nobody)[[:space:]]" "--user: it is another user"
is "$(status_line CapEff) $(status_line CapPrm)" "0000000000000000 0000000000000000" "--user: no capability is left"
fetch -T "$TMP/outside/there" /f.txt
is "$STATUS $(stat -c %U "$ROOT/f.txt")" "201 nobody" "--user: it writes as that user"
server_stop

ACCESS_LOG=no
for user in nobody root; do
    chown -R $user "$ROOT"
    ERR_MAY='error: a log outside'
    server_start --chroot "$ROOT" -u $user -l "$ROOT/access.log" -l "$LOG"
    is "$(readlink "/proc/$SERVER_PID/root")" "$ROOT" "--chroot as $user: it sees nothing else"
    like "$(grep serving "$ERR")" 'serving / ' "--chroot as $user: and calls it /"
    fetch /there
    is "$STATUS $(body)" "200 hello" "--chroot as $user: GET"
    fetch -T "$TMP/outside/there" /new/g.txt
    like "$STATUS" '^20[14]$' "--chroot as $user: PUT"
    mv "$ROOT/access.log" "$ROOT/access.log.1"
    kill -HUP "$SERVER_PID"
    wait_for 5 test -e "$ROOT/access.log"
    ok "--chroot as $user: a log inside is made anew"
    wait_for 5 grep -q 'a log outside the --chroot cannot be re-opened' "$ERR"
    ok "--chroot as $user: one outside is not, and that is said"
    server_stop
    # Renamed inside the chroot, as a log's rotation does, and one that is not to be seen there.
    for place in "$ROOT/error.log" "$TMP/error.log"; do
        rm -f "$place"
        "$HTTPD" -p 0 -r "$ROOT" --chroot "$ROOT" -u $user -l "$LOG" --error-log "$place" 2>"$ERR" &
        SERVER_PID=$!
        wait_for $((10 * SLOW)) grep -q serving "$place"
        ok "--chroot as $user: --error-log is written"
        [ "$place" = "$TMP/error.log" ] || mv "$place" "$place.1"
        kill -HUP "$SERVER_PID"
        if [ "$place" = "$TMP/error.log" ]; then
            outside_said() { [ "$(grep -c 'a log outside the --chroot cannot be re-opened' "$place")" -eq 2 ]; }
            wait_for $((5 * SLOW)) outside_said
            ok "--chroot as $user: an error log outside is not made anew, nor is the other, and it says so"
        else
            wait_for $((5 * SLOW)) test -e "$place"
            ok "--chroot as $user: an error log inside is made anew"
        fi
        kill "$SERVER_PID"
        wait_for $((10 * SLOW)) gone "$SERVER_PID"
        wait "$SERVER_PID"
        is "$? $(grep -c 'stopping' "$place")" "0 1" "--chroot as $user: and what comes later is in it"
        SERVER_PID=
    done
done
mkdir "$TMP/jail"
"$HTTPD" -p 0 -r "$ROOT" --chroot "$TMP/jail" >/dev/null 2>"$TMP/said"
is "$? $(cat "$TMP/said")" "2 httpd: error: --chroot: the served directory, and --state by its whole path, have to be in $TMP/jail" "--chroot elsewhere"
"$HTTPD" -p 0 -r "$ROOT" --chroot "$TMP/nowhere" >/dev/null 2>"$TMP/said"
is "$? $(wc -l <"$TMP/said")" "2 1" "--chroot nowhere"

done_testing
