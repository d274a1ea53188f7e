#!/bin/bash
# What a page of another site, a stranger's name for this machine and an open address may do: nothing.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
mkdir "$ROOT/dir"
printf new >"$TMP/new"

asked() { # asked STATUS WHAT CURL_ARGUMENT...
    local wanted=$1 what=$2
    shift 2
    fetch "$@"
    is "$STATUS" "$wanted" "$what"
}
unchanged() { # unchanged WHAT
    is "$(cat "$ROOT/a.txt") $(find "$ROOT" -mindepth 1 -not -path '*/.httpd*' | wc -l)" "hello 2" "$1: nothing has changed"
}

server_start

# ---- DNS rebinding ---------------------------------------------------------------------------------

for host in evil.example evil.example:$PORT rebind.127.0.0.1.nip.io 127.0.0.1.evil.example localhost.evil.example evil.example1 1.example; do
    asked 421 "Host: $host" -H "Host: $host" /a.txt
    unlike "$(body)" hello "Host: $host reads nothing"
    asked 421 "PUT with Host: $host" -H "Host: $host" -T "$TMP/new" /a.txt
done
for host in localhost localhost:$PORT 127.0.0.1 "[::1]:$PORT" dev.localhost mymachine LOCALHOST 127.1; do
    asked 200 "Host: $host" -H "Host: $host" /a.txt
done
is "$(status_of "$(raw send 'GET http://evil.example/a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')")" \
    421 "the authority of an absolute target counts (RFC 9112 3.2.2)"
unchanged "rebinding"

# ---- pages of other sites --------------------------------------------------------------------------

own=http://$HOST_PORT
for origin in https://evil.example null "http://127.0.0.1:1" "$own.evil.example" "https://$HOST_PORT.evil.example" ''; do
    field="Origin: $origin"
    [ -n "$origin" ] || field='Origin;' # how curl sends an empty one
    asked 403 "PUT from '$origin'" -H "$field" -T "$TMP/new" /a.txt
    asked 403 "POST from '$origin'" -H "$field" -F f=@"$TMP/new" /dir/
    asked 403 "DELETE from '$origin'" -H "$field" -X DELETE /a.txt
done
for site in cross-site same-site; do
    for method in DELETE MKCOL PUT POST; do
        asked 403 "$method, Sec-Fetch-Site: $site" -H "Sec-Fetch-Site: $site" -X $method --data-binary @"$TMP/new" /dir
    done
    asked 403 "MOVE, Sec-Fetch-Site: $site" -H "Sec-Fetch-Site: $site" -X MOVE -H 'Destination: /b.txt' /a.txt
    asked 200 "a link from there may be followed ($site)" -H "Sec-Fetch-Site: $site" /a.txt
done
asked 403 "its own Origin, and another" -H "Origin: $own" -H 'Origin: https://evil.example' -T "$TMP/new" /a.txt
asked 403 "two words for where it comes from" -H 'Sec-Fetch-Site: none' -H 'Sec-Fetch-Site: cross-site' \
    -T "$TMP/new" /a.txt
asked 403 "a tool for overriding methods is no way round" -H 'Origin: https://evil.example' \
    -H 'X-HTTP-Method-Override: PATCH' -X POST --data-binary x /a.txt
unchanged "pages of other sites"
for site in same-origin none; do
    asked 201 "PUT, Sec-Fetch-Site: $site" -H "Origin: $own" -H "Sec-Fetch-Site: $site" -T "$TMP/new" /own.txt
    asked 204 "DELETE, Sec-Fetch-Site: $site" -H "Origin: $own" -H "Sec-Fetch-Site: $site" -X DELETE /own.txt
done
asked 201 "programs send neither" -T "$TMP/new" /own.txt
asked 204 "and may delete" -X DELETE /own.txt
! has_field Access-Control-Allow-Origin
ok "no CORS unless it was asked for"
server_stop

server_start --host files.example
asked 200 "--host names one more" -H "Host: files.example:$PORT" /a.txt
asked 421 "and no other" -H "Host: other.example" /a.txt
server_stop

# ---- read-only -------------------------------------------------------------------------------------

server_start --read-only
asked 200 "--read-only reads" /a.txt
for method in PUT POST DELETE MKCOL; do
    asked 405 "--read-only: $method" -X $method --data-binary @"$TMP/new" /dir
    unlike ", $(field Allow)," "$method" "and Allow does not name it"
done
unchanged "--read-only"
server_stop

# ---- an address that others can reach --------------------------------------------------------------

ERR_MAY='read-only'
server_start -b 0.0.0.0
like "$(cat "$ERR")" 'read-only: the address is not a loopback one.*--auth.*--public-writes' "-b 0.0.0.0: read-only, and said so"
asked 200 "reads" /a.txt
asked 405 "does not write" -T "$TMP/new" /a.txt
asked 200 "under whatever name it is known" -H 'Host: files.example' /a.txt
server_stop

ERR_MAY=
server_start -b 0.0.0.0 --public-writes
asked 201 "--public-writes: anybody writes" -T "$TMP/new" /own.txt
asked 403 "but no page of another site" -H 'Origin: https://evil.example' -T "$TMP/new" /own.txt
asked 204 "and deletes" -X DELETE /own.txt
server_stop

umask 077
echo 'ana:pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg==$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8=' >"$TMP/accounts"
ERR_MAY='passwords travel'
server_start -b 0.0.0.0 --auth "$TMP/accounts"
like "$(cat "$ERR")" 'passwords travel as they are' "--auth there: said what that means"
asked 401 "nobody without an account" -T "$TMP/new" /own.txt
asked 201 "who has one" -u ana:secret -T "$TMP/new" /own.txt
asked 403 "not even that one from another site's page" -u ana:secret -H 'Origin: https://evil.example' -X DELETE /own.txt
asked 204 "deletes" -u ana:secret -X DELETE /own.txt
unchanged "at the end"
server_stop

done_testing
