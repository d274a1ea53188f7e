#!/bin/bash
# The simple request: "GET /path" CRLF, and the bare bytes come back.
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/dir" "$ROOT/indexed"
echo hello >"$ROOT/a.txt"
echo '<p>index' >"$ROOT/indexed/index.html"
numbers 500000 >"$ROOT/large.bin"
server_start

is "$(raw send 'GET /a.txt\r\n')" hello "the bare body"
is "$(raw_end)" closed "and then the end"
raw send 'GET /large.bin\r\n' >"$TMP/got"
same_bytes "$TMP/got" "$ROOT/large.bin" "every byte and none more"
is "$(raw send 'GET /indexed/\r\n')" '<p>index' "an index"
like "$(raw send 'GET /dir/\r\n')" '<html' "a listing"
got=$(raw send 'GET /none\r\n')
unlike "$got" '^HTTP/' "a missing file: no status line"
like "$got" '<html|<!DOCTYPE' "but a short page"
like "$got" 'Not Found|404' "that says so"
is "$(raw send 'GET /a.txt\r\nGET /a.txt\r\n')" hello "one request to a connection"
is "$(raw bytewise 'GET /a.txt\r\n')" hello "byte by byte"
unlike "$(raw send 'POST /a.txt\r\n' half)" '^hello' "only GET"
unlike "$(raw send 'HEAD /a.txt\r\n' half)" '^hello' "not even HEAD"
unlike "$(raw send 'GET a.txt\r\n' half)" '^hello' "only a path"
unlike "$(raw send 'GET /../etc/passwd\r\n' half)" 'root:' "and no way out either"
is "$(curl -sS --http0.9 "$URL/a.txt")" hello "curl that would take 0.9 is answered in 1.1"
got=$(raw send 'GET /a.txt HTTP/1.0\r\n\r\n')
is "$(status_of "$got")" 200 "HTTP/1.0 has a status line"
like "$got" '^HTTP/1\.1 ' "which says what the server can (RFC 9110 6.2)"

done_testing
