#!/bin/bash
# Who may write, and read, with --auth: accounts, paths, passwords, and what becomes of guessing.
. "$(dirname "$0")/lib.sh"

# Hashes from another program, of few iterations: "secret" and "contraseña".
SECRET='pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg==$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8='
OTHER='pbkdf2-sha256$2000$ZmVkY2JhOTg3NjU0MzIxMA==$ytbIk/23hy6qoBmxfw+LxXm++0xX1bze96pElN7mqas='
ACCOUNTS=$TMP/accounts
umask 077
mkdir -p "$ROOT/bob" "$ROOT/pub"
echo hello >"$ROOT/a.txt"
echo shared >"$ROOT/pub/s.txt"
numbers 100000 >"$TMP/large"
printf '%s\n' '# who may' "ana:$SECRET" "bob:$OTHER:/bob:rw" 'bob::/pub:r' >"$ACCOUNTS"
ana=(-u ana:secret)
bob=(-u 'bob:contraseña')

asked() { # asked STATUS WHAT CURL_ARGUMENT...
    local wanted=$1 what=$2
    shift 2
    fetch "$@"
    is "$STATUS" "$wanted" "$what"
}

# ---- public reading, writing with an account ----------------------------------------------------

ERR_MAY='login failed|read .* again|error: '
server_start --auth "$ACCOUNTS"
asked 200 "reading needs no account" /a.txt
asked 401 "PUT without one" -T "$TMP/large" /new.txt
is "$(field WWW-Authenticate | wc -w)" 2 "says how to ask"
like "$(tr -d '\r' <"$HEAD")" 'WWW-Authenticate: Basic realm="httpd", charset="UTF-8"' "Basic, in UTF-8"
like "$(tr -d '\r' <"$HEAD")" 'WWW-Authenticate: Bearer realm="httpd"' "and Bearer"
[ ! -e "$ROOT/new.txt" ]
ok "and nothing was written"
for method in DELETE MKCOL; do
    asked 401 "$method without an account" -X $method /a.txt
done
asked 401 "MOVE without an account" -X MOVE -H "Destination: /b.txt" /a.txt
asked 401 "POST without an account" -F file=@"$TMP/large" /pub/
[ -e "$ROOT/a.txt" ] && [ "$(find "$ROOT" -name large | wc -l)" = 0 ]
ok "and all is as it was"
asked 201 "PUT with an account" "${ana[@]}" -T "$TMP/large" /new.txt
same_bytes "$ROOT/new.txt" "$TMP/large" "wrote it"
asked 204 "Bearer name~password" -H 'Authorization: Bearer ana~secret' -X DELETE /new.txt
asked 401 "a wrong password" -u ana:Secret -T "$TMP/large" /new.txt
asked 401 "an unknown user" -u eve:secret -T "$TMP/large" /new.txt
asked 401 "another scheme" -H 'Authorization: Digest username="ana"' -T "$TMP/large" /new.txt
asked 400 "malformed credentials" -H 'Authorization: Basic ???' -T "$TMP/large" /new.txt
asked 200 "wrong credentials do not keep from reading what is public" -u ana:Secret /a.txt

asked 201 "a path of one's own" "${bob[@]}" -T "$TMP/large" /bob/x
asked 403 "elsewhere" "${bob[@]}" -T "$TMP/large" /x
asked 403 "a name that begins alike" "${bob[@]}" -T "$TMP/large" /bobby
asked 403 "by way of .." "${bob[@]}" -T "$TMP/large" /bob/../x
asked 403 "encoded" "${bob[@]}" -T "$TMP/large" /bob/%2e%2e/x
asked 403 "only reading" "${bob[@]}" -T "$TMP/large" /pub/x
asked 403 "moving out" "${bob[@]}" -X MOVE -H 'Destination: /x' /bob/x
asked 403 "moving in what belongs to others" "${bob[@]}" -X MOVE -H 'Destination: /bob/a' /a.txt
asked 201 "moving inside" "${bob[@]}" -X MOVE -H 'Destination: /bob/y' /bob/x
asked 403 "the whole of it" "${bob[@]}" -X DELETE /
is "$(find "$ROOT" -type f -not -path '*/.httpd/*' -printf '%P ' | tr ' ' '\n' | sort | xargs)" "a.txt bob/y pub/s.txt" "the docroot holds what it should"
written() { grep -q "$1" "$LOG"; }
wait_for 5 written ' - bob .*MOVE /bob/x'
ok "the access log names the user"
! grep -q ' - eve ' "$LOG"
ok "and nobody who only said so"
! grep -Eq 'secret|Secret|contrase|YW5h' "$ERR" "$LOG"
ok "no password in any log"

# ---- read again -----------------------------------------------------------------------------------

again() { grep -q "read '$ACCOUNTS' again" "$ERR"; }
cp "$ACCOUNTS" "$TMP/good"
echo 'eve:secret' >>"$ACCOUNTS"
kill -HUP "$SERVER_PID"
wait_for 5 grep -q "$ACCOUNTS: line 5 .*going on" "$ERR"
ok "SIGHUP with a bad file: says which line, and goes on"
asked 201 "with the old accounts" "${ana[@]}" -T "$TMP/large" /new.txt
echo "eve:$SECRET" >"$ACCOUNTS"
kill -HUP "$SERVER_PID"
wait_for 5 again
ok "SIGHUP with a good one"
asked 401 "who is gone is gone, although known before" "${ana[@]}" -T "$TMP/large" /new.txt
asked 204 "who is new may" -u eve:secret -T "$TMP/large" /new.txt
cp "$TMP/good" "$ACCOUNTS"
server_stop

# ---- guessing -------------------------------------------------------------------------------------

server_start --auth "$ACCOUNTS" -t 2
asked 204 "a user who is known" "${ana[@]}" -T "$TMP/large" /new.txt
statuses=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    fetch -u "ana:guess$i" -X DELETE /a.txt
    statuses+=" $STATUS"
done
is "$statuses" " 401 401 401 401 401 401 401 401 401 401 429 429" "after ten failures guessing is over"
like "$(field Retry-After)" '^([1-9]|[1-5][0-9]|60)$' "429 says how long to wait"
start=$(now_ms)
for i in 1 2 3 4 5 6 7 8; do fetch -u "ana:more$i" -X DELETE /a.txt; done
at_most $(($(now_ms) - start)) $((2000 * SLOW)) "no worker waits for it: eight refusals take milliseconds"
asked 204 "who was let in before is still served" "${ana[@]}" -T "$TMP/large" /new.txt
asked 200 "and so is who reads" /a.txt
is "$(grep -c "warning: login failed: wrong password for 'ana' from 127.0.0.1" "$ERR")" 10 "failures are logged"
is "$(grep -c 'login failed 10 times' "$ERR")" 1 "and that it is enough, once"
server_stop

# ---- fully private ----------------------------------------------------------------------------------

server_start --auth "$ACCOUNTS" --private
asked 401 "--private: reading needs an account" /a.txt
unlike "$(body)" hello "and shows nothing"
asked 401 "so do listings" /
asked 401 "and what is not there" /nothing
asked 401 "and HEAD" -I /a.txt
asked 401 "and OPTIONS" -X OPTIONS /a.txt
simple=$(raw send 'GET /a.txt\r\n')
like "$simple" 401 "and HTTP/0.9"
unlike "$simple" hello "which shows nothing either"
asked 200 "--private: with one" "${ana[@]}" /a.txt
is "$(body)" hello "it is read"
asked 200 "where one may read" "${bob[@]}" /pub/s.txt
asked 403 "and only there" "${bob[@]}" /a.txt
asked 403 "the listing above neither" "${bob[@]}" /
asked 200 "an id for resuming, with any account" "${bob[@]}" /.uuid
id=$(body)
asked 401 "and without none" /.uuid
asked 200 "a transfer where one may read" "${bob[@]}" "/$id/pub/s.txt"
asked 403 "an id is no way round" "${bob[@]}" "/$id/a.txt"
asked 401 "nor is it an account" "/$id/a.txt"
mkdir -p "$ROOT/$id/bob"
asked 405 "an id is no directory, and none is made by its name" "${bob[@]}" -X MKCOL "/$id"
asked 405 "nor below it" "${bob[@]}" -X MKCOL "/$id/bob/new"
asked 404 "nothing is posted there" "${bob[@]}" --data-binary x "/$id/bob"
asked 201 "what is one's own" "${bob[@]}" -T "$TMP/large" /bob/z
asked 403 "is not moved there" "${bob[@]}" -X MOVE -H "Destination: /$id/bob/z" /bob/z
asked 404 "nor from there" "${bob[@]}" -X MOVE -H 'Destination: /bob/id' "/$id/bob"
rmdir "$ROOT/$id/bob" "$ROOT/$id"
ok "nothing has come to lie where one's path does not reach"
asked 403 "--private: writing where one may only read" "${bob[@]}" -T "$TMP/large" /pub/x
server_stop

# ---- what is wrong at start -------------------------------------------------------------------------

refused() { # refused REGEX OPTION... : exit 2 and one line
    local regex=$1
    shift
    said=$(timeout 10 "$HTTPD" -p 0 -r "$ROOT" -l "$LOG" "$@" 2>&1 </dev/null)
    is $? 2 "$*: exit 2"
    is "$(wc -l <<<"$said")" 1 "$*: one line" || note "$said"
    like "$said" "$regex" "$*: that says why"
}
printf '%s\n' "ana:$SECRET" 'bob:hunter2' >"$TMP/bad"
refused "$TMP/bad: line 2 " --auth "$TMP/bad"
unlike "$said" hunter2 "and does not show what was in it"
refused "$TMP/nowhere" --auth "$TMP/nowhere"
refused "$TMP" --auth "$TMP"
refused 'private.*auth' --private
refused 'private.*hftp' --private --auth "$ACCOUNTS" --hftp 0
refused 'public-writes.*auth' --public-writes --auth "$ACCOUNTS"
cp "$ACCOUNTS" "$ROOT/accounts"
refused 'would be served' --auth "$ROOT/accounts"

# ---- --passwd ---------------------------------------------------------------------------------------

line=$(printf 'correct horse\n' | "$HTTPD" --passwd carl)
is $? 0 "--passwd reads a line where there is no terminal"
like "$line" '^carl:pbkdf2-sha256\$600000\$[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/]{43}=$' "and makes a line for the file"
isnt "$line" "$(printf 'correct horse\n' | "$HTTPD" --passwd carl)" "never the same twice"
echo "$line" >"$ACCOUNTS"
ERR_MAY=
server_start --auth "$ACCOUNTS"
asked 201 "which opens the door" -u 'carl:correct horse' -T "$TMP/large" /carl.txt
server_stop
for bad in '' '#x' 'a:b' 'a~b' ' x'; do
    printf 'pw\n' | "$HTTPD" --passwd "$bad" >"$TMP/out" 2>"$TMP/said"
    is "$? $(wc -c <"$TMP/out")" "2 0" "--passwd '$bad' is no name"
done
"$HTTPD" --passwd carl </dev/null >"$TMP/out" 2>"$TMP/said"
is "$? $(wc -c <"$TMP/out")" "1 0" "an empty password is none"
if command -v script >/dev/null; then
    typed() { { sleep 0.5; echo "$1"; sleep 0.5; echo "$2"; } | script -qec "'$HTTPD' --passwd carl" /dev/null; }
    seen=$(typed pass-one pass-one)
    like "$seen" 'Password: .*Again: .*carl:pbkdf2' "a terminal is asked twice"
    unlike "$seen" 'pass-one' "and shows nothing of it"
    like "$(typed pass-one pass-two)" 'not the same' "two that differ are refused"
else
    skip "--passwd on a terminal" "no script(1)"
fi

done_testing
