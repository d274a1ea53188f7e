#!/bin/bash
# httpclient --resume: does a transfer go on where it broke off, whoever was killed, with every byte once,
# and never with bytes of two versions of a file?
. "$(dirname "$0")/lib.sh"

CLIENT=$(realpath "${PROGRAMS:-$LIB_TOP/build}/httpclient")
OUT=$TMP/client.out
SIZE=30000000
client() { # client ARGUMENT... : sets CODE; the output is in $OUT, what was said in $SAID
    timeout $((60 * SLOW)) "$CLIENT" "$@" >"$OUT" 2>"$TMP/client.err" </dev/null
    CODE=$?
    SAID=$(cat "$TMP/client.err")
}
# For clients that are to be killed: a leak detector that is killed at its work reports that.
DOOMED=(env "ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" "$CLIENT")
json() { sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p" "$OUT"; }
size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }
has_bytes() { [ "$(size_of "$1")" -gt 0 ]; }
leftovers() { find . -maxdepth 1 -name "$1.*" -printf '%f\n' | paste -sd " "; }

# canned STEP... : a server that does these steps, see httpclient.sh.
canned() {
    : >"$TMP/canned"
    helper "$RAW" -t $((20 * SLOW)) -l "$@" >"$TMP/canned" 2>"$TMP/canned.err"
    CANNED_PID=$HELPER
    wait_for $((5 * SLOW)) grep -q '^port ' "$TMP/canned"
    CANNED=127.0.0.1:$(sed -n 's/^port \([0-9]*\)$/\1/p' "$TMP/canned" | head -n 1)
}
canned_end() { wait "$CANNED_PID"; }
asked() { tr -d '\r' <"$TMP/canned" | grep -aE "$1" | paste -sd '|'; }
HEAD_READ=(until '\r\n\r\n')
# A server that is not ours and says so.
NO_ID=("${HEAD_READ[@]}" send 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')

# A server that gives an id.
ID=00000000-0000-8000-8000-000000000000
MINT=("${HEAD_READ[@]}" send "HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n$ID")

# restart : the server is killed with SIGKILL, and another one is there, at the same port.
restart() {
    disown "$SERVER_PID"
    kill -KILL "$SERVER_PID"
    # Not a zombie either: its port is free when its last thread is gone, which may be in an fsync.
    wait_for 20 gone "$SERVER_PID"
    server_start -p "$PORT"
}

# A server that is killed and comes back needs its port, which nobody's outgoing connection may take meanwhile.
fixed_port() {
    local port
    until port=$((10000 + RANDOM % 20000)) && ! (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
    echo $port
}

# ---- what can be asked for -----------------------------------------------------------------------

refused() { # refused REGEX ARGUMENT...
    local regex=$1
    shift
    client -h 127.0.0.1:1 --resume "$@"
    like "$CODE $SAID" "^2 .*$regex" "refused: $*"
}
refused 'GET and PUT' POST /x -d @y
refused 'needs -o' GET /x
refused 'needs -o' GET /x -o -
refused 'needs -d @FILE' PUT /x -d y
refused 'needs -d @FILE' PUT /x -d @-
refused 'says it' GET /x -o y -H 'Range: bytes=0-1'
refused 'not a count' GET /x -o y --tries 0
refused 'no file that could be' GET /x -o /dev/null
refused 'no file that could be' PUT /x -d @/dev/null

# ---- downloads -----------------------------------------------------------------------------------

numbers $SIZE >"$ROOT/big"
aged "$ROOT/big"
server_start -p "$(fixed_port)"
client -h "$HOST_PORT" GET /big --resume -o whole --json
is "$CODE $(json status) $(json bytes) $(json resumed_from)" "0 200 $SIZE 0" "a download that nothing happens to"
same_bytes whole "$ROOT/big" "is whole"
is "$(leftovers whole)" "" "and leaves nothing beside it"
like "$(<"$OUT")" '^\{"method":"GET","url":"http://127.0.0.1:[0-9]+/big",.*"file":"whole"\}$' "--json: one line"
is "$SAID" "" "and nothing else is said"

# Killed at random moments, again and again: what is there is always a beginning of the file.
differs=0 cuts=0 went_on=0
for _ in {1..25}; do
    "${DOOMED[@]}" -h "$HOST_PORT" GET /big --resume -o killed >/dev/null 2>&1 &
    pid=$!
    disown $pid
    sleep 0.0$((RANDOM % 9))$((RANDOM % 10))
    kill -KILL $pid 2>/dev/null && cuts=$((cuts + 1))
    wait_for 10 gone_or_zombie $pid
    if [ -e killed ]; then
        cmp -s killed "$ROOT/big" || differs=$((differs + 1))
        rm -f killed
    elif has_bytes killed.part; then
        went_on=$((went_on + 1))
        cmp -s -n "$(size_of killed.part)" killed.part "$ROOT/big" || differs=$((differs + 1))
    fi
done
is "$differs" 0 "killed $cuts times ($went_on with bytes there): never anything but the file's beginning"
client -h "$HOST_PORT" GET /big --resume -o killed --json
same_bytes killed "$ROOT/big" "and then it is whole"
is "$(($(json bytes) + $(json resumed_from)))" $SIZE "of which this run brought exactly the rest"
is "$(leftovers killed)" "" "and nothing is left"

# stopped CONDITION... -- ARGUMENT... : sets STOPPED, a client that is held up as soon as the condition is true.
# It is let go for a moment at a time only, so that it is then in the middle of a transfer.
stopped() {
    local condition=()
    while [ "$1" != -- ]; do
        condition+=("$1")
        shift
    done
    shift
    "${DOOMED[@]}" "$@" >"$OUT" 2>"$TMP/client.err" &
    STOPPED=$!
    step() {
        kill -CONT $STOPPED
        sleep 0.00$((SLOW * 2))
        kill -STOP $STOPPED
        "${condition[@]}"
    }
    wait_for $((20 * SLOW)) step
}
kill_stopped() {
    disown $STOPPED
    kill -KILL $STOPPED
    wait_for 10 gone_or_zombie $STOPPED
}
go_on() { kill -CONT $STOPPED; wait $STOPPED; CODE=$?; }

stopped has_bytes out.part -- -h "$HOST_PORT" GET /big --resume -o out --json
held=$(size_of out.part)
restart
go_on
is "$CODE $(json retries)" "0 1" "the server is killed and started again: the client goes on by itself"
same_bytes out "$ROOT/big" "the file is whole"
is "$(json bytes)" $SIZE "with every byte fetched once"
[ "$held" -lt $SIZE ]
ok "from the middle ($held)"
rm -f out

# Two at once, and other people's files.
stopped has_bytes two.part -- -h "$HOST_PORT" GET /big --resume -o two
client -h "$HOST_PORT" GET /big --resume -o two
like "$CODE $SAID" '^3 .*another httpclient is at it' "a second one at the same file"
go_on
same_bytes two "$ROOT/big" "does not disturb the first"
echo theirs >foreign.part
client -h "$HOST_PORT" GET /big --resume -o foreign
like "$CODE $SAID" '^3 .*foreign.part: nothing says' "a .part that is not ours is not touched"
is "$(cat foreign.part; leftovers foreign)" "theirs
foreign.part" "nor anything left beside it"
rm -f two foreign*
echo old >target
ln -s target link
client -h "$HOST_PORT" GET /big --resume -o link
[ -L link ] && cmp -s target "$ROOT/big"
ok "through a symbolic link"

# A file that changes.
echo before >changing
stopped has_bytes changing.part -- -h "$HOST_PORT" GET /big --resume -o changing
kill_stopped
tr 0 x <"$ROOT/big" >"$TMP/new"
aged "$TMP/new" '2024-03-03'
mv "$TMP/new" "$ROOT/big"
client -h "$HOST_PORT" GET /big --resume -o changing --json
like "$CODE $SAID" '^1 .*has changed on the server' "the file has changed: it says so"
like "$(<"$OUT")" '"status":412,.*"error":"the file has changed' "--json too"
is "$(cat changing; leftovers changing)" before "the bytes of the old one are gone, and what was there is left alone"
client -h "$HOST_PORT" GET /big --resume -o changing
is "$CODE" 0 "the next run"
same_bytes changing "$ROOT/big" "has the new one"
# With a part of one path, another path is begun anew.
stopped has_bytes other.part -- -h "$HOST_PORT" GET /big --resume -o other
kill_stopped
numbers 100000 >"$ROOT/small"
client -h "$HOST_PORT" GET /small --resume -o other
same_bytes other "$ROOT/small" "another path into the same file: from the beginning"
client -h "$HOST_PORT" GET /nothing --resume -o none
like "$CODE $SAID" '^1 .*404' "a file that is not there"
is "$(leftovers none)" "" "leaves nothing"
: >"$ROOT/empty"
client -h "$HOST_PORT" GET /empty --resume -o empty
is "$CODE $(size_of empty)$(leftovers empty)" "0 0" "an empty one"
client -h "$HOST_PORT" GET / --resume -o listing
like "$CODE $(<listing)" '^0 .*<title>' "what is not to be had by id is asked for without"

# ---- uploads -------------------------------------------------------------------------------------

numbers $SIZE >up
aged up
mkdir "$ROOT/in"
client -h "$HOST_PORT" PUT /in/whole --resume -d @up --json
is "$CODE $(json status) $(json bytes)" "0 201 $SIZE" "an upload that nothing happens to"
same_bytes "$ROOT/in/whole" up "arrives whole"
is "$(leftovers up)" "" "and leaves nothing beside the file"

claims=0 cuts=0
for _ in {1..15}; do
    "${DOOMED[@]}" -h "$HOST_PORT" PUT /in/killed --resume -d @up >/dev/null 2>&1 &
    pid=$!
    disown $pid
    sleep 0.0$((RANDOM % 9))$((RANDOM % 10))
    kill -KILL $pid 2>/dev/null && cuts=$((cuts + 1))
    wait_for 10 gone_or_zombie $pid
    [ ! -e "$ROOT/in/killed" ] || cmp -s "$ROOT/in/killed" up || claims=$((claims + 1))
done
is "$claims" 0 "killed $cuts times: nothing appears but the whole file"
client -h "$HOST_PORT" PUT /in/killed --resume -d @up --json
is "$CODE" 0 "and then it is done"
same_bytes "$ROOT/in/killed" up "every byte"
is "$(($(json bytes) + $(json resumed_from)))" $SIZE "of which this run sent exactly the rest"
is "$(leftovers up)" "" "and nothing is left"

staged() { find "$ROOT/.httpd/uploads" -name 'up-*' -size +0 | grep -q .; }
stopped_put() { # stopped_put PATH : sets STOPPED, a client that has sent some of the file
    find "$ROOT/.httpd/uploads" -name 'up-*' -delete
    stopped staged -- -h "$HOST_PORT" PUT "$1" --resume -d @up --json
}
stopped_put /in/restarted
restart
go_on
is "$CODE" 0 "the server is killed and started again: the client goes on by itself"
same_bytes "$ROOT/in/restarted" up "the file is whole"
[ "$(json bytes)" -ge $SIZE ] && [ "$(json bytes)" -lt $((2 * SIZE)) ]
ok "sent once, but for what had not arrived ($(json bytes))"
puts_logged() { grep -c 'PUT /[-0-9a-f]*/in/restarted' "$LOG"; }
wait_for 5 puts_logged # lines are written up to a moment after the answer
is "$(puts_logged)" 1 "the second server was asked for the rest alone"

# The file changes between two runs, and within one.
stopped_put /in/changed
kill_stopped
tr 0 y <up >up.new && mv up.new up
client -h "$HOST_PORT" PUT /in/changed --resume -d @up --json
is "$CODE $(json resumed_from)" "0 0" "the file has changed since: from the beginning"
same_bytes "$ROOT/in/changed" up "and it is the new one"
canned "${MINT[@]}" "${HEAD_READ[@]}" wait 3000 until never
"$CLIENT" -h "$CANNED" PUT /in/within --resume -d @up 2>"$TMP/client.err" &
pid=$!
# The server reads nothing for a while, so that most of the file is still to be sent.
put_begun() { grep -q "^id $ID" up.upload-*; }
wait_for $((10 * SLOW)) put_begun
printf z | dd of=up bs=1 seek=7 conv=notrunc status=none
wait $pid
like "$? $(<"$TMP/client.err")" '^1 .*changed while it was' "the file changes while it is sent: it says so"
canned_end
at_most "$(stat -c %s "$TMP/canned")" $((SIZE / 2)) "and the rest is not sent"
is "$(leftovers up)" "" "nor is anything kept for another run"

# The answer was lost: the server has all, and says so.
stopped_put /in/lost
id_file=$(leftovers up)
cp "$id_file" "$TMP/id"
go_on
cp "$TMP/id" "$id_file"
client -h "$HOST_PORT" PUT /in/lost --resume -d @up --json
is "$CODE $(json bytes) $(json resumed_from)" "0 0 $SIZE" "the answer was lost: nothing is sent again"
client -h "$HOST_PORT" PUT /in/empty --resume -d @/dev/null
: >nothing
client -h "$HOST_PORT" PUT /in/empty --resume -d @nothing
is "$CODE $(size_of "$ROOT/in/empty")" "0 0" "an empty file"
id=$(curl -sS "$URL/.uuid")
client -h "$HOST_PORT" PUT "/$id/in/given" --resume -d @up
same_bytes "$ROOT/in/given" up "with an id of one's own in the target"
client -h "$HOST_PORT" PUT /in/.hidden --resume -d @up
like "$CODE $SAID" '^1 .*404' "a name that is refused"
is "$(leftovers up)" "" "leaves nothing"
if [ "$(id -u)" -ne 0 ]; then
    mkdir locked
    cp up locked/
    chmod 555 locked
    client -h "$HOST_PORT" PUT /in/locked --resume -d @locked/up
    is "$CODE" 0 "where nothing can be kept it is sent all the same"
else
    skip "where nothing can be kept" "root can write everywhere"
fi
server_stop

# ---- word by word --------------------------------------------------------------------------------

part() { # part NAME TEXT VERSION HOST PATH : what an earlier run has left
    printf %s "$2" >"$1.part"
    printf 'httpclient 1\nhost %s\npath %s\nid %s\nversion %s\ndigest \nend\n' "$4" "$5" "" "$3" >"$1.part.id"
}
# raw prints its port when it begins, so a part can be made that is of its host.
GOOD='HTTP/1.1 200 OK\r\nETag: "v1"\r\n'
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send 'HTTP/1.1 206 Partial Content\r\nETag: "v1"\r\nContent-Range: bytes 5-10/11\r\nContent-Length: 6\r\n\r\n world'
part a hello '"v1"' "$CANNED" /x
client -h "$CANNED" GET /x --resume -o a
canned_end
is "$CODE $(cat a)" "0 hello world" "a server that is not ours: goes on by ranges"
is "$(asked '^(GET|Range|If-Range)')" 'GET /.uuid HTTP/1.1|GET /x HTTP/1.1|Range: bytes=5-|If-Range: "v1"' "and says what it has, and of what"
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send "${GOOD}Content-Length: 11\r\n\r\nhello" wait 50 accept "${HEAD_READ[@]}" send 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-10/11\r\nContent-Length: 6\r\n\r\n world'
client -h "$CANNED" GET /x --resume -o b
canned_end
is "$CODE $(cat b)" "0 hello world" "a connection that ends too early"
is "$(asked '^(Range|If-Range)')" 'Range: bytes=0-|Range: bytes=5-|If-Range: "v1"' "goes on in the next"
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send 'HTTP/1.1 200 OK\r\nETag: "v2"\r\nContent-Length: 5\r\n\r\nHELLO'
part c hello '"v1"' "$CANNED" /x
client -h "$CANNED" GET /x --resume -o c
canned_end
like "$CODE $SAID$(leftovers c)" '^1 .*has changed on the server.*beginning$' "another version: said, and no mixture"
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send 'HTTP/1.1 206 Partial Content\r\nETag: "v2"\r\nContent-Range: bytes 5-10/11\r\nContent-Length: 6\r\n\r\n WORLD'
part c hello '"v1"' "$CANNED" /x
client -h "$CANNED" GET /x --resume -o c
canned_end
like "$CODE $SAID$(leftovers c)" '^1 .*has changed on the server.*beginning$' "a range of another version, although If-Range was sent"
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 4-10/11\r\nContent-Length: 7\r\n\r\no world'
part c hello '"v1"' "$CANNED" /x
client -h "$CANNED" GET /x --resume -o c
canned_end
like "$CODE $SAID" '^3 .*another range' "a range that was not asked for"
is "$(cat c.part)" hello "and what is there is left as it was"
rm -f c.*
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send "${GOOD}Content-Length: 11\r\n\r\nhello world"
part d hello '"v1"' "$CANNED" /x
client -h "$CANNED" GET /x --resume -o d
canned_end
is "$CODE $(cat d)" "0 hello world" "a server without ranges: from the beginning"
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send 'HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */5\r\nContent-Length: 0\r\n\r\n'
part e hello '"v1"' "$CANNED" /x
client -h "$CANNED" GET /x --resume -o e
canned_end
is "$CODE $(cat e)" "0 hello" "all was there already"
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello' wait 50 accept \
    "${HEAD_READ[@]}" send 'HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nHELLO WORLD'
client -h "$CANNED" GET /x --resume -o f
canned_end
is "$CODE $(cat f)" "0 HELLO WORLD" "no validator at all: from the beginning"
is "$(asked '^(Range|If-Range)')" 'Range: bytes=0-|Range: bytes=0-' "and never a range"
digest='Repr-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:\r\n'
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send "$GOOD${digest}Content-Length: 5\r\n\r\nhello"
client -h "$CANNED" GET /x --resume -o g
canned_end
like "$CODE $SAID$(leftovers g)" '^3 .*does not have the digest[^.]*$' "what has not the digest it should have is not kept"
[ ! -e g ]
ok "nor given out"
canned "${NO_ID[@]}" "${HEAD_READ[@]}" send 'HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n' accept \
    "${HEAD_READ[@]}" send "${GOOD}Content-Length: 5\r\n\r\nhello"
start=$(now_ms)
client -h "$CANNED" GET /x --resume -o h
canned_end
is "$CODE $(cat h)" "0 hello" "503 is asked again"
[ $(($(now_ms) - start)) -ge 1000 ]
ok "after Retry-After"
start=$(now_ms)
client -h "127.0.0.1:$(free_port)" GET /x --resume -o i --tries 2
is "$CODE" 3 "nobody there, --tries 2"
at_most $(($(now_ms) - start)) $((1500 * SLOW)) "it is given up soon (ms)"
"$CLIENT" -h "127.0.0.1:$(free_port)" GET /x --resume -o j 2>/dev/null &
pid=$!
sleep 0.3
kill -TERM $pid
wait $pid
is $? 143 "a signal ends the waiting"

# Uploads: the rest is sent only to who has said how far it is.
printf 'hello world' >text
canned "${MINT[@]}" until "hello world" accept "${HEAD_READ[@]}" send 'HTTP/1.1 200 OK\r\nUpload-Offset: 5\r\nUpload-Length: 11\r\nUpload-Complete: ?0\r\nContent-Length: 0\r\n\r\n' \
    until " world" send 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n'
client -h "$CANNED" PUT /x --resume -d @text --json
canned_end
is "$CODE $(json status)" "0 201" "an upload that is cut goes on"
is "$(asked '^(GET|PUT|HEAD|Content-Range|Content-Length)|world')" \
    "GET /.uuid HTTP/1.1|PUT /$ID/x HTTP/1.1|Content-Length: 11|hello worldHEAD /$ID/x HTTP/1.1|PUT /$ID/x HTTP/1.1|Content-Range: bytes 5-10/11|Content-Length: 6| world" "with the rest alone"
canned "${NO_ID[@]}" until "hello world" accept until "hello world" send 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n'
client -h "$CANNED" PUT /x --resume -d @text
canned_end
is "$CODE $(asked '^(HEAD|Content-Range)|PUT|world')" "0 PUT /x HTTP/1.1|hello worldPUT /x HTTP/1.1|hello world" "a server that is not ours gets all of it again, never a part"
canned "${MINT[@]}" until "hello world" accept "${HEAD_READ[@]}" send 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n' \
    "${MINT[@]}" until "hello world" send 'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n'
client -h "$CANNED" PUT /x --resume -d @text
canned_end
is "$CODE $(grep -ac 'GET /.uuid' "$TMP/canned")" "0 2" "an id that the server does not know any more is not used again"

# ---- servers of others ---------------------------------------------------------------------------

if command -v python3 >/dev/null; then
    mkdir site
    numbers $SIZE >site/file
    aged site/file
    port=$(free_port)
    helper python3 -m http.server --bind 127.0.0.1 -d site "$port" >python.log 2>&1
    wait_for $((10 * SLOW)) curl -s -o /dev/null "http://127.0.0.1:$port/"
    stopped has_bytes py.part -- -h "127.0.0.1:$port" GET /file --resume -o py
    kill_stopped
    client -h "127.0.0.1:$port" GET /file --resume -o py
    is "$CODE$(leftovers py)" 0 "python's http.server, which knows no ranges"
    same_bytes py site/file "gives the file"
else
    skip "python http.server" "not installed"
fi

done_testing
