#!/bin/bash
# Does GET bring a file's exact bytes, whatever its size and name, with the fields that describe it?
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/dir/deeper"
for size in 0 1 2 4095 4096 16383 16384 65536 1048577; do
    numbers $size >"$ROOT/$size.bin"
done
echo hello >"$ROOT/a.txt"
echo spaced >"$ROOT/a b & c.txt"
echo umlaut >"$ROOT/$(printf 'gr\303\274n.txt')"
echo percent >"$ROOT/100%.txt"
echo colon >"$ROOT/x:y.txt"
printf '\n' >"$ROOT/dir/deeper/nl.txt"
aged "$ROOT/a.txt"
server_start

for size in 0 1 2 4095 4096 16383 16384 65536 1048577; do
    fetch /$size.bin
    is "$STATUS $(field Content-Length)" "200 $size" "$size bytes: status and length"
    same_bytes "$BODY" "$ROOT/$size.bin" "$size bytes: content"
done

fetch /a.txt
is "$(head -n 1 "$HEAD" | tr -d '\r')" "HTTP/1.1 200 OK" "status line"
like "$(field Date)" '^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} GMT$' "Date is an IMF-fixdate"
drift=$(($(date +%s) - $(date -d "$(field Date)" +%s)))
[ "${drift#-}" -le 5 ]
ok "Date is now"
is "$(field Last-Modified)" "Sat, 03 Feb 2024 04:05:06 GMT" "Last-Modified is the file's time"
like "$(field ETag)" '^"[^"]+"$' "ETag is there, and strong for a file that is not young"
is "$(field Accept-Ranges)" bytes "Accept-Ranges"
is "$(field X-Content-Type-Options)" nosniff "nosniff"
isnt "$(field Cache-Control)" "" "Cache-Control"
like "$(field Content-Type)" '^text/plain; ?charset=utf-8$' "Content-Type with a charset"
is "$(grep -ci '^content-length:' "$HEAD")" 1 "one Content-Length"

# Names, as RFC 3986 writes them.
while IFS='|' read -r target status content why; do
    fetch "$target"
    is "$STATUS${content:+ $(body)}" "$status${content:+ $content}" "GET $target: $why"
done <<'ROWS'
/a%20b%20&%20c.txt|200|spaced|encoded space, bare ampersand
/gr%C3%BCn.txt|200|umlaut|UTF-8
/gr%c3%bcn.txt|200|umlaut|lower-case hexadecimal
/%61.txt|200|hello|an unreserved byte may be encoded
/100%25.txt|200|percent|an encoded percent sign
/100%2525.txt|404||decoded once, not twice
/x:y.txt|200|colon|a colon in a segment
/a.txt?x=1|200|hello|a query names the same file
/a.txt?|200|hello|an empty query
/a.txt?/../..|200|hello|a query is no path
//a.txt|200|hello|empty segments do not count
/./a.txt|200|hello|a dot segment
/dir/../a.txt|200|hello|a dot-dot segment inside
/dir/%2e%2e/a.txt|200|hello|the same, encoded (RFC 3986 6.2.2.2)
/A.TXT|404||case matters
/a.txt/|404||a file has no members
/a.txt/b|404||a file is no directory
/none|404||not there
/dir%2Fdeeper/nl.txt|404||an encoded slash is part of a name, and no name has one
/dir/deeper/nl.txt|200||nested
ROWS

fetch "$URL/none"
like "$(field Content-Type)" '^text/html' "404 has a page"

# Absolute form (RFC 9112 3.2.2: a server MUST accept it) and a body that GET has no use for.
is "$(status_of "$(raw send 'GET http://localhost/a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')")" 200 "absolute form"
is "$(status_of "$(raw send 'GET HTTP://localhost:8080/a.txt?q HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')")" 200 "absolute form, scheme in capitals"
two=$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n\r\nGET /xyGET /dir/deeper/nl.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
is "$(grep -c '^HTTP/1.1 200' <<<"$two")" 2 "a GET with Content-Length: the body is read and is not the next request"
two=$(raw send 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nX: y\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
is "$(grep -c '^HTTP/1.1 200' <<<"$two")" 2 "a GET with a chunked body and trailer: the same"

# A file that is replaced is served anew.
echo replaced >"$ROOT/a.txt"
fetch /a.txt
is "$(body)" replaced "a changed file is served with its new content"
rm "$ROOT/a.txt"
fetch /a.txt
is "$STATUS" 404 "a removed file is gone"

# The docroot itself is replaced. (In the sandbox: docroot_replaced.sh.)
server_stop
server_start --no-sandbox
mv "$ROOT" "$ROOT.old" && mkdir "$ROOT" && echo new >"$ROOT/new.txt"
fetch /new.txt
is "$STATUS $(body)" "200 new" "a docroot that was replaced is noticed"

done_testing
