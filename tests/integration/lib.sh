# shellcheck shell=bash
# Sourced by every integration script: one server on loopback, one docroot, TAP on standard output.
#
#   HTTPD   the server to test          TOOLS    where raw, crowd and mutate were built
#   REPORTS where sanitizers write      PROGRAMS where the other programs are
#   SERVER_OPTIONS words for every server that is started (what make coverage needs)
# all set by tests/check; run by hand, a script takes the ordinary build.
#
# A script reads: files, server_start, questions, done_testing. Everything is below $TMP and goes with it.
# Waiting is always for a condition, with a limit; a sleep is only ever the thing that is tested.

set -u

LIB_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
HTTPD=$(realpath "${HTTPD:-$LIB_TOP/build/httpd}")
TOOLS=$(realpath "${TOOLS:-$LIB_TOP/build/tests/tools}")
RAW=$TOOLS/raw
CROWD=$TOOLS/crowd
TMP=$(mktemp -d "${TMPDIR:-/tmp}/httpd-test.XXXXXX")
ROOT=$TMP/root
LOG=$TMP/access.log
ERR=$TMP/stderr
REPORTS=${REPORTS:-$TMP/reports}
mkdir -p "$ROOT" "$REPORTS"
cd "$TMP" || exit 1
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY

# ---- TAP -----------------------------------------------------------------------------------------

test_number=0

# ok WHAT : the status of the command before is the result. WHAT must hold no $(...), whose status it would be.
ok() {
    local status=$?
    test_number=$((test_number + 1))
    if [ $status -eq 0 ]; then
        echo "ok $test_number - $1"
    else
        echo "not ok $test_number - $1"
        return 1
    fi
}

note() { sed 's/^/# /' <<<"$1"; }

is() { # is GOT WANTED WHAT
    [ "$1" = "$2" ]
    ok "$3" || { note "got:    $(head -c 600 <<<"$1")"; note "wanted: $(head -c 600 <<<"$2")"; false; }
}

isnt() { # isnt GOT UNWANTED WHAT
    [ "$1" != "$2" ]
    ok "$3" || { note "got: $(head -c 600 <<<"$1")"; false; }
}

like() { # like GOT REGEX WHAT : extended regular expression, anywhere in GOT
    [[ $1 =~ $2 ]]
    ok "$3" || { note "got:       $(head -c 600 <<<"$1")"; note "should match: $2"; false; }
}

unlike() { # unlike GOT REGEX WHAT
    ! [[ $1 =~ $2 ]]
    ok "$3" || { note "got:       $(head -c 600 <<<"$1")"; note "should not match: $2"; false; }
}

at_most() { # at_most GOT LIMIT WHAT : whole numbers
    [ "$1" -le "$2" ]
    ok "$3 ($1, at most $2)"
}

same_bytes() { # same_bytes FILE FILE WHAT
    local difference
    difference=$(cmp -- "$1" "$2" 2>&1)
    ok "$3" || { note "$difference"; false; }
}

skip() { # skip WHAT WHY
    test_number=$((test_number + 1))
    echo "ok $test_number - $1 # SKIP $2"
}

skip_all() { # skip_all WHY
    skip "$(basename "$0" .sh)" "$1"
    done_testing
}

done_testing() {
    [ -n "${SERVER_PID:-}" ] && server_stop
    echo "1..$test_number"
    exit 0
}

# Whatever happens, nothing that was started here stays behind.
cleanup() {
    local pid
    for pid in ${SERVER_PID:-} ${HELPER_PIDS:-}; do
        kill -KILL "$pid" 2>/dev/null
    done
    rm -rf "$TMP"
}
trap cleanup EXIT

# ---- waiting -------------------------------------------------------------------------------------

# A sanitised server is slower; limits on how long something may take are multiplied by this.
case $HTTPD in
*/tsan/*) SLOW=8 ;;
*/asan/*) SLOW=3 ;;
*) SLOW=1 ;;
esac

wait_for() { # wait_for SECONDS COMMAND... : until the command succeeds; false when it never did
    local end=$((${EPOCHREALTIME/./} + $1 * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
        sleep 0.02
    done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# Milliseconds, for taking differences.
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

helper() { # helper COMMAND... : in the background, ended with the script; sets HELPER
    "$@" &
    HELPER=$!
    HELPER_PIDS="${HELPER_PIDS:-} $HELPER"
}

# ---- the server ----------------------------------------------------------------------------------

# What the server may say on standard error beside "serving" and "stopping": a regex for how such lines
# begin, behind "httpd: ".
ERR_MAY=
REPORTS_SEEN=0
LAUNCH=()      # words before the command, as in (prlimit --nofile=64)
ACCESS_LOG=yes # no: the script gives its own -l

started() { grep -q '^httpd: serving ' "$ERR"; }
started_or_gone() { started || gone "$SERVER_PID"; }

# server_start OPTION... : sets SERVER_PID, PORT, URL, HOST_PORT. The docroot is $ROOT, the log $LOG.
server_start() {
    : >"$ERR"
    local log=(-l "$LOG")
    [ "$ACCESS_LOG" = yes ] || log=()
    # shellcheck disable=SC2086
    "${LAUNCH[@]}" "$HTTPD" -p 0 -r "$ROOT" "${log[@]}" ${SERVER_OPTIONS:-} "$@" >"$TMP/stdout" 2>"$ERR" </dev/null &
    SERVER_PID=$!
    if ! wait_for $((10 * SLOW)) started_or_gone || ! started; then
        false
        ok "the server starts with: $*"
        note "$(cat "$ERR")"
        echo "Bail out! no server"
        exit 1
    fi
    PORT=$(sed -n 's,^httpd: serving .* at http://[^ ]*:\([0-9]*\)/.*,\1,p' "$ERR" | head -n 1)
    HOST_PORT=127.0.0.1:$PORT
    URL=http://$HOST_PORT
    SERVER_SOCKETS=$(sockets)
}

# Ends the server as an administrator would, and holds it to a clean end: it goes within the drain time,
# with status 0, having said nothing but its start-up line, and no sanitizer has anything to say.
server_stop() {
    kill -TERM "$SERVER_PID" 2>/dev/null
    server_ended "${1:-0}"
}

server_ended() { # server_ended STATUS : the same for a server that was told to end already
    local pid=$SERVER_PID status said
    if ! wait_for $((15 + 5 * SLOW)) gone_or_zombie "$pid"; then
        kill -KILL "$pid"
        false
        ok "the server ends when told to"
    fi
    wait "$pid" 2>/dev/null
    status=$?
    SERVER_PID=
    # What counts coverage says that it cannot write its numbers, as after a chroot.
    said=$(grep -Ev "^profiling:|^httpd: (warning: )?(serving|stopping|sandbox|removed unfinished uploads${ERR_MAY:+|$ERR_MAY})" "$ERR" | grep .)
    is "$status${said:+, stderr: $said}" "$1" "the server ended with status $1 and nothing odd on stderr"
    local reports
    reports=$(find "$REPORTS" -type f -size +0 | wc -l)
    is "$reports" "$REPORTS_SEEN" "no sanitizer report"
    REPORTS_SEEN=$reports
}

# A child that has ended but was not waited for is still there for kill -0. It is a zombie as soon as
# its first thread has ended; its files and locks go with the last.
gone_or_zombie() {
    local state
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
    [ -z "$state" ] || { [ "$state" = Z ] && [ "$(ls "/proc/$1/task" 2>/dev/null | wc -l)" -le 1 ]; }
}

alive() { ! gone_or_zombie "$SERVER_PID"; }

# A port on which nothing listens at this moment.
free_port() { "$RAW" -p; }

# Open descriptors of the server. To be compared with a later count it is taken while no_connections.
descriptors() { find "/proc/$SERVER_PID/fd" -mindepth 1 2>/dev/null | wc -l; }

# Its sockets, and whether they are those it had before the first client came.
sockets() { find "/proc/$SERVER_PID/fd" -lname 'socket:*' 2>/dev/null | wc -l; }
no_connections() { [ "$(sockets)" -eq "$SERVER_SOCKETS" ]; }

# Whether the server has come to rest with this many descriptors.
descriptors_are() { [ "$(descriptors)" -eq "$1" ]; }

# ---- asking --------------------------------------------------------------------------------------

# fetch CURL_ARGUMENT... : one request (or several). Sets STATUS, the body is in $BODY, the head of the
# last response in $HEAD. The URL may be given as a path.
BODY=$TMP/body
HEAD=$TMP/head
fetch() {
    local arguments=() argument
    for argument; do
        case $argument in
        "$TMP"/*) arguments+=("$argument") ;;
        /*) arguments+=("$URL$argument") ;;
        *) arguments+=("$argument") ;;
        esac
    done
    rm -f "$BODY" "$HEAD"
    STATUS=$(curl -sS -g --path-as-is --max-time $((20 * SLOW)) -o "$BODY" -D "$HEAD" -w '%{http_code}' \
        "${arguments[@]}" 2>"$TMP/curl.err")
    CURL=$?
    [ -e "$BODY" ] || : >"$BODY"
    [ -e "$HEAD" ] || : >"$HEAD"
}

# The value of a field of the last response fetched; empty when it is not there.
field() {
    tr -d '\r' <"$HEAD" | awk -v name="$1" '
        BEGIN { name = tolower(name) }
        /^HTTP\// { value = "" }
        { at = index($0, ":") }
        at && tolower(substr($0, 1, at - 1)) == name { value = substr($0, at + 1); sub(/^[ \t]+/, "", value) }
        END { print value }'
}

has_field() { tr -d '\r' <"$HEAD" | grep -qi "^$1:"; }

body() { cat "$BODY"; }

# raw PIECE... : see tests/tools/raw.c. What came back is printed; how it ended goes to $TMP/raw.end as
# "closed", "reset" or "timeout".
raw() { "$RAW" -t "${RAW_SECONDS:-$((10 * SLOW))}" 127.0.0.1 "$PORT" "$@" 2>"$TMP/raw.end"; }
raw_end() { cat "$TMP/raw.end"; }

# The status code of the first response in what raw printed; "none" when there is none.
status_of() {
    local status
    status=$(head -n 1 <<<"$1" | sed -n 's,^HTTP/1\.[0-9] \([0-9][0-9][0-9]\) .*,\1,p')
    echo "${status:-none}"
}

# ---- files ---------------------------------------------------------------------------------------

# numbers N > file : bytes whose place can be told from their content, so that a hole or a swap shows.
numbers() { seq -f %015.0f 0 $((($1 + 15) / 16)) | head -c "$1"; }

# A file that is old enough for its validators to be strong (see DESIGN: a young file may still change
# under the same time).
aged() { touch -d "${2:-2024-02-03 04:05:06 UTC}" "$1"; }

slice() { # slice FILE OFFSET LENGTH
    tail -c +$(($2 + 1)) "$1" | head -c "$3"
}
