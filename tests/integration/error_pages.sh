#!/bin/bash
# What a person and a program read when something is wrong.
. "$(dirname "$0")/lib.sh"

mkdir "$ROOT/dir"
server_start

fetch /none
is "$STATUS" 404 "404"
like "$(field Content-Type)" '^text/html; ?charset=utf-8$' "a page"
like "$(body)" '404' "that says the number"
like "$(body)" 'Not Found' "and the reason"
is "$(field Content-Length)" "$(stat -c %s "$BODY")" "with its length"
[ "$(stat -c %s "$BODY")" -lt 4096 ]
ok "and is short"
is "$(field X-Content-Type-Options)" nosniff "and not to be sniffed"
is "$(field ETag)$(field Last-Modified)" "" "an error has no validators"

fetch -H 'Accept: application/json' /none
like "$(field Content-Type)" '^application/(problem\+)?json' "JSON for programs"
like "$(body)" '^\{.*404.*\}' "an object with the status"
fetch -H 'Accept: text/plain' /none
like "$(field Content-Type)" '^text/plain' "plain text"
unlike "$(body)" '<' "without markup"
fetch -H 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' /none
like "$(field Content-Type)" '^text/html' "a browser gets HTML"
fetch -H 'Accept: image/png' /none
is "$STATUS" 404 "a client that wants a picture still gets its 404"
like "$(field Vary)" '[Aa]ccept' "Vary"

fetch '/<script>alert(1)</script>'
unlike "$(body)" '<script>' "what was asked for is not echoed as markup"
fetch '/%3Cscript%3Ealert(1)%3C/script%3E'
unlike "$(body)" '<script>' "nor when it was encoded"
fetch -H 'Accept: application/json' '/%22%7d%0a%22'
unlike "$(body | head -n 1)" '"}"' "nor as JSON"

while read -r status request; do
    got=$(raw send "$request" half)
    is "$(status_of "$got")" "$status" "$status has a page"
    length=$(tr -d '\r' <<<"$got" | sed -n 's/^[Cc]ontent-[Ll]ength: //p')
    [ "${length:-0}" -gt 0 ]
    ok "$status: with content"
    like "$(tr -d '\r' <<<"$got")" 'nnection: close' "$status: and the connection ends"
done <<'ROWS'
400 GET / HTTP/1.1\r\nHost : x\r\n\r\n
501 GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n
505 GET / HTTP/3.0\r\nHost: localhost\r\n\r\n
417 GET / HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\n\r\n
ROWS
fetch -X TRACE /
is "$STATUS" 405 "405 has Allow"
isnt "$(field Allow)" "" "as it must"

done_testing
