#!/bin/bash
# httpclient: the same answers as curl, from good servers; one clear line and an exit code, from bad ones.
. "$(dirname "$0")/lib.sh"

CLIENT=$(realpath "${PROGRAMS:-$LIB_TOP/build}/httpclient")
CRLF=$'\r\n'

# client ARGUMENT... : sets CODE; the output is in $OUT, what was said in $SAID.
OUT=$TMP/client.out
client() {
    timeout $((30 * SLOW)) "$CLIENT" "$@" >"$OUT" 2>"$TMP/client.err" </dev/null
    CODE=$?
    SAID=$(cat "$TMP/client.err")
}

# canned STEP... : a server that does these steps (see tests/tools/raw.c); sets CANNED. What it was sent
# is in $TMP/canned after canned_end.
canned() {
    rm -f "$TMP/canned"
    : >"$TMP/canned"
    helper "$RAW" -t $((10 * SLOW)) -l "$@" >"$TMP/canned" 2>"$TMP/canned.err"
    CANNED_PID=$HELPER
    wait_for $((5 * SLOW)) grep -q '^port ' "$TMP/canned"
    CANNED=127.0.0.1:$(sed -n 's/^port \([0-9]*\)$/\1/p' "$TMP/canned" | head -n 1)
}
canned_end() { wait "$CANNED_PID"; }
HEAD_READ=(until '\r\n\r\n')

# ---- the command line ----------------------------------------------------------------------------

client --help
is "$CODE" 0 "--help"
like "$(cat "$OUT")" 'usage: httpclient' "says how it is used"
client -V
like "$CODE $(cat "$OUT")" '^0 httpclient [0-9]' "-V"
client
is "$CODE" 2 "no arguments: usage"
client -h localhost GET
is "$CODE" 2 "half a command: usage"
client -h localhost GET https://localhost/
is "$CODE" 2 "https: usage, and it says why"
like "$SAID" 'only http' "in words"
client -h "127.0.0.1:$(free_port)" GET /
is "$CODE" 3 "nobody listens: network"
like "$SAID" 'refused' "in words"
client -h no-such-host.invalid GET /
is "$CODE" 3 "no such host: network"

# ---- our server, row by row beside curl ----------------------------------------------------------

numbers 100000 >"$ROOT/file"
echo hello >"$ROOT/index.html"
mkdir "$ROOT/dir"
aged "$ROOT/file"
server_start
seq 1 50000 >"$TMP/upload"

beside_curl() { # beside_curl METHOD TARGET [CURL_ARGUMENT CLIENT_ARGUMENT]...
    local method=$1 target=$2 curl_arguments=() client_arguments=()
    shift 2
    while [ $# -gt 0 ]; do
        curl_arguments+=($1)
        client_arguments+=($2)
        shift 2
    done
    local as=(-X "$method")
    [ "$method" = HEAD ] && as=(-I)
    fetch "${as[@]}" "${curl_arguments[@]}" "${target/@/curl}"
    client -h "$HOST_PORT" "$method" "${target/@/client}" "${client_arguments[@]}" -i
    local status
    status=$(status_of "$(cat "$OUT")")
    is "$status" "$STATUS" "$method $target ${client_arguments[*]}: $STATUS as curl"
    is "$CODE" "$((STATUS >= 400))" "and the exit code says so"
    [ "$method" = HEAD ] || is "$(sed '1,/^\r$/d' "$OUT" | cksum)" "$(cksum <"$BODY")" "with the same body"
}
beside_curl GET /file
beside_curl GET /
beside_curl GET /nothing
beside_curl GET /file '-H Range:bytes=5-9' '-H Range:bytes=5-9'
beside_curl GET /file '-H If-Modified-Since:Sat,03Feb2024' '-H If-Modified-Since:Sat,03Feb2024'
beside_curl GET /dir
beside_curl HEAD /file
beside_curl HEAD /nothing
beside_curl OPTIONS /file
beside_curl PUT /new-@ "--data-binary @$TMP/upload" "-d @$TMP/upload"
beside_curl PUT /new-@ "--data-binary @$TMP/upload" "-d @$TMP/upload"
beside_curl GET /new-@
beside_curl DELETE /new-@
beside_curl DELETE /new-@
beside_curl FROB /file

client -h "$HOST_PORT" POST /dir/ -d hello -H 'Content-Type: text/plain' -i
fetch -X POST --data-binary hello -H 'Content-Type: text/plain' /dir/
is "$(status_of "$(cat "$OUT")")" "$STATUS" "POST to a collection: $STATUS as curl"

client -h "$HOST_PORT" "GET /file -o got" 'HEAD /file' 'GET /nothing' 'GET /index.html'
is "$CODE" 1 "a list of commands, one of which is a 404: 1"
same_bytes got "$ROOT/file" "-o holds the file"
like "$(cat "$OUT")" 'hello' "what comes after the 404 is done too"
like "$SAID" 'GET http://127.0.0.1:[0-9]+/nothing: 404 Not Found' "and the 404 is told"
client -h "$HOST_PORT" -L GET /dir -i
like "$CODE $(head -n 1 "$OUT")" '^0 HTTP/1.1 200' "-L goes where it is sent"
if (: >"/dev/tcp/::1/$PORT") 2>/dev/null; then
    client -h "[::1]:$PORT" GET /index.html
    is "$CODE $(cat "$OUT")" "0 hello" "IPv6"
else
    skip "IPv6" "there is no ::1 here"
fi
client -h "localhost:$PORT" GET /index.html
is "$CODE $(cat "$OUT")" "0 hello" "a name"
client GET "$URL/index.html"
is "$CODE $(cat "$OUT")" "0 hello" "a URL"
server_stop

# ---- answers that are good in unusual ways -------------------------------------------------------

good() { # good WANTED WHAT STEP... : GET / gives WANTED and exit code 0
    local wanted=$1 what=$2
    shift 2
    canned "${HEAD_READ[@]}" "$@"
    client -h "$CANNED" GET /
    is "$CODE $(cat "$OUT")" "0 $wanted" "$what" || note "$SAID"
    canned_end
}
OK='HTTP/1.1 200 OK\r\n'
good hello "until close" send "${OK}\r\nhello"
good hello "until close, from a 1.0 server" send 'HTTP/1.0 200 OK\r\n\r\nhello'
good hello "byte by byte" bytewise "${OK}Content-Length: 5\r\n\r\nhello"
good hello "a length, and a server that does not close" send "${OK}Content-Length: 5\r\n\r\nhello" until never
good hello "bytes behind the body are not shown" send "${OK}Content-Length: 5\r\n\r\nhelloworld"
good hello "chunks" send "${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n"
good hello "chunks byte by byte, with a trailer" \
    bytewise "${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nA: b\r\n\r\n"
good '' "204 has no body" send 'HTTP/1.1 204 No Content\r\n\r\n'
good hello "100 and 103 before the answer" \
    send 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n' \
    send "${OK}Content-Length: 5\r\n\r\nhello"
good hello "no reason phrase" send 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello'
good hello "a head of 60 KB" send "${OK}" repeat 60 "X: $(printf 'x%.0s' {1..1000})\r\n" \
    send 'Content-Length: 5\r\n\r\nhello'

# ---- servers that are bad ------------------------------------------------------------------------

bad() { # bad REGEX WHAT STEP... : exit code 3, one line that matches, and no file
    local regex=$1 what=$2
    shift 2
    canned "${HEAD_READ[@]}" "$@"
    echo before >kept
    client --timeout 2 -h "$CANNED" GET / -o kept
    is "$CODE" 3 "$what: exit code 3" || note "$SAID"
    like "$SAID" "$regex" "and says why"
    is "$(wc -l <"$TMP/client.err") $(cat kept; find . -name 'kept?*')" "1 before" "in one line, and leaves the old file alone"
    kill "$CANNED_PID" 2>/dev/null
    canned_end 2>/dev/null
}
bad 'not HTTP' "garbage" send 'SSH-2.0-OpenSSH_9.2\r\n' until never
bad 'not HTTP' "zeros" repeat 1000 '\0'
bad 'not HTTP/1' "another version" send 'HTTP/2 200\r\n\r\n'
bad 'three digits' "a status that is none" send 'HTTP/1.1 2OO OK\r\n\r\n'
bad 'field is malformed' "a malformed field" send "${OK}no colon\r\n\r\n"
bad 'head does not end' "a head without end" send "${OK}X: " repeat 100000 x until never
bad 'too many header fields' "fields without end" send "$OK" repeat 200 'A: b\r\n' until never
bad 'not a length' "a negative length" send "${OK}Content-Length: -1\r\n\r\n"
bad 'not a length' "a length beyond all numbers" send "${OK}Content-Length: 99999999999999999999\r\n\r\n"
bad 'contradict' "two lengths" send "${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"
bad 'both Content-Length and' "a length and chunks" \
    send "${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
bad 'coding that was not asked' "a coding nobody asked for" send "${OK}Transfer-Encoding: gzip, chunked\r\n\r\n"
bad 'chunks are malformed' "chunks that are none" send "${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n"
bad 'chunks are malformed' "a negative chunk" send "${OK}Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"
bad 'chunks are malformed' "a chunk beyond all numbers" \
    send "${OK}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"
bad 'closed the connection before the body' "a body cut short" send "${OK}Content-Length: 50\r\n\r\nhello"
bad 'closed the connection before the body' "chunks cut short" \
    send "${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
bad 'closed the connection in the head' "a head cut short" send "${OK}Content-Le"
bad 'closed the connection before it answered' "no answer at all" close
bad 'reset' "a reset in the body" send "${OK}Content-Length: 50\r\n\r\nhello" wait 100 reset
bad 'timed out before it answered' "a server that says nothing" until never
bad 'timed out in the head' "a head that stops" send 'HTTP/1.1 200' until never
bad 'timed out before the body' "a body that stops" send "${OK}Content-Length: 50\r\n\r\nhello" until never
bad 'another protocol' "101 that nobody asked for" send 'HTTP/1.1 101 Switching Protocols\r\n\r\n'
bad 'too many interim' "100 without end" repeat 100 'HTTP/1.1 100 Continue\r\n\r\n' until never

# A byte from time to time must not renew the deadline.
canned "${HEAD_READ[@]}" send "${OK}X: " $(for i in {1..20}; do echo send x wait 300; done)
start=$(now_ms)
client --timeout 1 -h "$CANNED" GET /
is "$CODE" 3 "a head that comes a byte at a time: exit code 3"
at_most $(($(now_ms) - start)) $((2500 * SLOW)) "in about the time that was given"
kill "$CANNED_PID" 2>/dev/null

# ---- one connection for a list, and what happens when it ends ------------------------------------

canned "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\na" "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\nb"
client -h "$CANNED" 'GET /1' 'GET /2'
is "$CODE $(cat "$OUT")" "0 ab" "two commands over one connection"
canned_end
canned "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\na" accept "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\nb"
# The pipe holds the client up until the close has arrived: a POST could not be repeated after it was sent.
mkfifo pipe
"$CLIENT" -h "$CANNED" 'GET /1' 'POST /2 -d @pipe' >"$OUT" 2>"$TMP/client.err" &
pid=$!
half_closed=$(printf ':%04X 08 ' "${CANNED#*:}")
wait_for $((5 * SLOW)) grep -q "$half_closed" /proc/net/tcp
timeout 10 sh -c 'echo x >pipe'
wait "$pid"
is "$? $(cat "$OUT")" "0 ab" "the server closed between them: a new connection, unnoticed"
canned_end
canned "${HEAD_READ[@]}" send "${OK}Connection: close\r\nContent-Length: 1\r\n\r\na" \
    accept "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\nb"
client -h "$CANNED" 'GET /1' 'GET /2'
is "$CODE $(cat "$OUT")" "0 ab" "the server says close: a new connection"
canned_end
canned "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\na" "${HEAD_READ[@]}" accept "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\nb"
client -h "$CANNED" 'GET /1' 'GET /2'
is "$CODE $(cat "$OUT")" "0 ab" "it closed after the second GET was sent: asked again"
canned_end
canned "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\na" "${HEAD_READ[@]}" accept "${HEAD_READ[@]}" send "${OK}Content-Length: 1\r\n\r\nb"
client -h "$CANNED" 'GET /1' 'POST /2 -d x'
is "$CODE $(cat "$OUT")" "3 a" "after a POST was sent: not done twice (RFC 9112 9.3.1)"
kill "$CANNED_PID" 2>/dev/null

# ---- sending -------------------------------------------------------------------------------------

canned "${HEAD_READ[@]}" until xyz send "${OK}Content-Length: 0\r\n\r\n"
client -h "$CANNED" PUT /x -d 'abc xyz' -H 'A: b' -H 'User-Agent: me' -H 'Host: other'
canned_end
is "$(tr -d '\r' <"$TMP/canned" | sed 1d)" "PUT /x HTTP/1.1
Accept: */*
A: b
User-Agent: me
Host: other
Content-Length: 7

abc xyz" "a request with fields and a body"
canned until '0\r\n\r\n' send "${OK}Content-Length: 0\r\n\r\n"
printf 'from a pipe' | timeout 20 "$CLIENT" -h "$CANNED" POST /x -d @- -H 'Expect:'
canned_end
like "$(tr -d '\r' <"$TMP/canned")" $'Transfer-Encoding: chunked\n\nb\nfrom a pipe\n0$' "-d @- is sent in chunks"

numbers 2000000 >"$TMP/two_megabytes"
canned "${HEAD_READ[@]}" wait 200 send 'HTTP/1.1 100 Continue\r\n\r\n' until 000000000124999 send "${OK}Content-Length: 0\r\n\r\n"
client -h "$CANNED" PUT /x -d "@$TMP/two_megabytes"
canned_end
is "$CODE" 0 "a large body waits for 100"
like "$(tr -d '\r' <"$TMP/canned" | head -n 12)" 'Expect: 100-continue' "having said so"
sed '1,/^\r$/d' "$TMP/canned" >"$TMP/arrived"
same_bytes "$TMP/arrived" "$TMP/two_megabytes" "and arrives whole"
canned "${HEAD_READ[@]}" send 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno\n'
client -h "$CANNED" PUT /x -d "@$TMP/two_megabytes"
canned_end
is "$CODE $(cat "$OUT")" "1 no" "refused before the body"
at_most "$(stat -c %s "$TMP/canned")" 1000 "which was never sent"
canned "${HEAD_READ[@]}" until 000000000124999 send "${OK}Content-Length: 0\r\n\r\n"
client -h "$CANNED" PUT /x -d "@$TMP/two_megabytes"
is "$CODE" 0 "a server that knows no 100 gets it after a while"
canned_end
canned "${HEAD_READ[@]}" send 'HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n' \
    accept "${HEAD_READ[@]}" until 000000000124999 send "${OK}Content-Length: 0\r\n\r\n"
client -h "$CANNED" PUT /x -d "@$TMP/two_megabytes"
is "$CODE" 0 "one that refuses to say 100 is asked without (RFC 9110 10.1.1)"
canned_end
canned "${HEAD_READ[@]}" take 100000 send 'HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nno\n' until never
client -h "$CANNED" PUT /x -d "@$TMP/two_megabytes" -H 'Expect:'
is "$CODE $(cat "$OUT")" "1 no" "an answer in the middle of the body is seen"
kill "$CANNED_PID" 2>/dev/null
client -h "$CANNED" PUT /x -d @/nonexistent/file
is "$CODE" 3 "a body that cannot be read"

# ---- redirects -----------------------------------------------------------------------------------

redirect() { # redirect STATUS LOCATION : steps for a redirect on a connection that stays
    printf '%s\n' "${HEAD_READ[@]}" send "HTTP/1.1 $1 Moved\r\nLocation: $2\r\nContent-Length: 3\r\n\r\nout"
}
sent_lines() { grep -aoE '[A-Z]+ [^ ]+ HTTP/1.1' "$TMP/canned" | tr '\n' ';'; }
mapfile -t away < <(redirect 302 '../c?d#e')
canned "${away[@]}" "${HEAD_READ[@]}" send "${OK}Content-Length: 2\r\n\r\nin"
client -h "$CANNED" GET /a/b
is "$CODE $(cat "$OUT")" "0 out" "without -L a redirect is an answer"
kill "$CANNED_PID" 2>/dev/null
canned "${away[@]}" "${HEAD_READ[@]}" send "${OK}Content-Length: 2\r\n\r\nin"
client -h "$CANNED" -L GET /a/b
is "$CODE $(cat "$OUT")" "0 in" "-L follows, over the same connection"
canned_end
is "$(sent_lines)" "GET /a/b HTTP/1.1;GET /c?d HTTP/1.1;" "to the right place"
for row in '301 POST GET' '302 POST GET' '303 POST GET' '303 PUT GET' '301 PUT PUT' '307 POST POST' '308 PUT PUT'; do
    read -r status method then <<<"$row"
    mapfile -t away < <(redirect "$status" /there)
    body=()
    [ "$then" = GET ] || body=(until xyz)
    canned "${HEAD_READ[@]}" until xyz "${away[@]:2}" "${HEAD_READ[@]}" "${body[@]}" send "${OK}Content-Length: 2\r\n\r\nin"
    client -h "$CANNED" -L "$method" /here -d xyz
    canned_end
    is "$CODE $(sent_lines)" "0 $method /here HTTP/1.1;$then /there HTTP/1.1;" "$status makes of a $method a $then"
done
mapfile -t away < <(for i in {1..12}; do redirect 302 /again; done)
canned "${away[@]}"
client -h "$CANNED" -L GET /
is "$CODE" 3 "a loop ends"
like "$SAID" 'more than 10 redirects' "and is called one"
kill "$CANNED_PID" 2>/dev/null
mapfile -t away < <(redirect 302 https://localhost/)
canned "${away[@]}"
client -h "$CANNED" -L GET /
like "$CODE $SAID" '^3 .*only http' "to https: said clearly"
canned_end
# A second server must not get what was meant for the first one.
canned "${HEAD_READ[@]}" send "${OK}Content-Length: 2\r\n\r\nin"
second=$CANNED second_pid=$CANNED_PID
mv "$TMP/canned" "$TMP/canned.second"
mapfile -t away < <(redirect 302 "http://$second/x")
canned "${away[@]}"
client -h "$CANNED" -L GET / -H 'Authorization: Basic c2VjcmV0' -H 'Cookie: a=b' -H 'X-Other: c'
is "$CODE $(cat "$OUT")" "0 in" "-L to another server"
canned_end
wait "$second_pid"
like "$(tr -d '\r' <"$TMP/canned")" 'Authorization: Basic' "the first gets the password"
unlike "$(tr -d '\r' <"$TMP/canned.second")" 'Authorization|Cookie' "the second does not"
like "$(tr -d '\r' <"$TMP/canned.second")" "Host: $second" "but its own Host"

# ---- files ---------------------------------------------------------------------------------------

numbers 3000000 >"$ROOT/big"
server_start
echo old >target
ln -s target link
client -h "$HOST_PORT" GET /big -o link
same_bytes target "$ROOT/big" "-o through a symbolic link"
[ -L link ]
ok "which stays one"
client -h "$HOST_PORT" GET /nothing -o target
is "$CODE" 1 "an error page"
same_bytes target "$ROOT/big" "does not replace the file"
client -h "$HOST_PORT" GET /big -o /dev/null
is "$CODE $(stat -c %F /dev/null)" "0 character special file" "a device is written to, not replaced"
client -h "$HOST_PORT" GET /big -o no/such/dir
is "$CODE" 3 "a file that cannot be made"
client -h "$HOST_PORT" GET /big -o -
same_bytes "$OUT" "$ROOT/big" "-o - is standard output"
is "$SAID" "" "nothing is said in a pipe"
server_stop
canned "${HEAD_READ[@]}" send "${OK}Content-Length: 50\r\n\r\nhello" until never
echo old >target
"$CLIENT" -h "$CANNED" GET / -o target 2>"$TMP/client.err" &
pid=$!
wait_for $((5 * SLOW)) compgen -G 'target.part.*'
ok "what is under way has another name"
kill -INT "$pid"
wait "$pid"
isnt $? 0 "a signal ends it"
is "$(cat target; compgen -G 'target.*')" old "and its unfinished file goes with it"
kill "$CANNED_PID" 2>/dev/null

# ---- the bar -------------------------------------------------------------------------------------

if command -v script >/dev/null; then
    slowly() { # slowly ENVIRONMENT : a download of a second, on a terminal
        canned "${HEAD_READ[@]}" send "${OK}Content-Length: 1000\r\n\r\n" \
            $(for i in {1..10}; do echo repeat 100 x wait 120; done)
        env $1 script -qec "$CLIENT -h $CANNED GET /file.iso -o bar" /dev/null >"$OUT" </dev/null
        canned_end
    }
    slowly TERM=xterm
    like "$(cat "$OUT")" 'bar +[0-9]+%.*=.*>.* B.*/s.*left' "a bar with percent, rate and time left"
    like "$(cat "$OUT")" $'\e\\[32m' "in colour"
    slowly NO_COLOR=1
    like "$(cat "$OUT")" 'bar +[0-9]+% \[=+>' "NO_COLOR: a bar"
    unlike "$(cat "$OUT")" $'\e\\[[0-9;]*m' "without colour"
else
    skip "a bar on a terminal" "there is no script(1)"
fi

# ---- servers of others ---------------------------------------------------------------------------

mkdir -p other/site
numbers 300000 >other/site/file
echo hello >other/site/index.html
against() { # against NAME PORT : the rows that any static server answers
    wait_for $((10 * SLOW)) curl -s -o /dev/null "http://127.0.0.1:$2/" || {
        false
        ok "$1 is up"
        note "$(tail -n 5 "other/$1.log")"
        return
    }
    rm -f other.file
    client -h "127.0.0.1:$2" 'GET /file -o other.file' 'HEAD /file' 'GET /index.html' 'GET /nothing'
    is "$CODE" 1 "$1: a list that ends in a 404"
    same_bytes other.file other/site/file "$1: a file arrives"
    like "$(tr -d '\r' <"$OUT")" 'HTTP/1.[01] 200.*Content-Length: 300000.*hello' "$1: HEAD and GET"
    like "$SAID" '404' "$1: the 404 is told"
}
if command -v python3 >/dev/null; then
    port=$(free_port)
    helper python3 -m http.server --bind 127.0.0.1 -d other/site "$port" >other/python.log 2>&1
    against python "$port"
else
    skip "python http.server" "not installed"
fi
if command -v nginx >/dev/null; then
    port=$(free_port)
    cat >other/nginx.conf <<CONF
daemon off; master_process off; pid $TMP/other/nginx.pid; error_log $TMP/other/nginx.log;
events {}
http { access_log off; client_body_temp_path $TMP/other/b; proxy_temp_path $TMP/other/p; fastcgi_temp_path $TMP/other/f;
uwsgi_temp_path $TMP/other/u; scgi_temp_path $TMP/other/s;
server { listen 127.0.0.1:$port; root $TMP/other/site; } }
CONF
    helper nginx -p "$TMP/other" -e "$TMP/other/nginx.log" -c "$TMP/other/nginx.conf"
    against nginx "$port"
else
    skip "nginx" "not installed"
fi
if command -v lighttpd >/dev/null; then
    port=$(free_port)
    printf 'server.document-root="%s"\nserver.port=%s\nserver.bind="127.0.0.1"\n' "$TMP/other/site" "$port" >other/lighttpd.conf
    helper lighttpd -D -f other/lighttpd.conf >other/lighttpd.log 2>&1
    against lighttpd "$port"
else
    skip "lighttpd" "not installed"
fi
modules=$(find /usr/lib/apache2/modules -maxdepth 0 2>/dev/null)
if command -v apache2 >/dev/null && [ -n "$modules" ]; then
    port=$(free_port)
    cat >other/apache.conf <<CONF
ServerRoot "$TMP/other"
ServerName localhost
Listen 127.0.0.1:$port
PidFile "$TMP/other/apache.pid"
ErrorLog "$TMP/other/apache.log"
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authz_core_module $modules/mod_authz_core.so
DocumentRoot "$TMP/other/site"
CONF
    helper apache2 -X -f "$TMP/other/apache.conf" >other/apache.log 2>&1
    against apache "$port"
else
    skip "Apache" "not installed"
fi
done_testing
