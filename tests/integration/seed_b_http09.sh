#!/bin/bash
# The mini web server (SEEDS, row B): GET of "HTTP version 0.9" for several browsers at once, its
# documents of each kind, and what was asked and answered on the console. (The protocol: http09.sh.)
. "$(dirname "$0")/lib.sh"

cp -r "$LIB_TOP/www/." "$ROOT"
ACCESS_LOG=no
server_start -t 4 -l -

while read -r path type; do
    raw send "GET $path\r\n" >"$TMP/got"
    same_bytes "$TMP/got" "$LIB_TOP/www$path" "$path comes bare"
    is "$(raw_end)" closed "and then the end"
    fetch -I "$path"
    like "$STATUS $(field Content-Type)" "^200 $type" "a browser of today is told that it is $type"
done <<'TABLE'
/img/dawn.jpeg image/jpeg
/img/noon.jpg image/jpeg
/video/day.mp4 video/mp4
/pdf/httpd.pdf application/pdf
/text/hello.html text/html
/text/old.htm text/html
/text/readme.txt text/plain
/Programa/sample.msi application/x-msi
TABLE

got=$(raw send 'GET /img/none.jpg\r\n')
unlike "$got" '^HTTP/' "a missing file: no status line"
like "$got" '<html.*404|<title>404' "but a short page that says so"
for method in POST PUT DELETE HEAD get; do
    unlike "$(raw send "$method /text/readme.txt\r\n" half)" "$(head -c 20 "$LIB_TOP/www/text/readme.txt")" "$method: only GET"
done

# Several browsers, each with several requests under way, and one that does not move.
helper "$RAW" -t $((20 * SLOW)) 127.0.0.1 "$PORT" send 'GET /text' wait $((15000 * SLOW))
stalled=$HELPER
for n in {1..12}; do
    helper "$RAW" -t $((20 * SLOW)) 127.0.0.1 "$PORT" send 'GET /video/day.mp4\r\n' >"$TMP/video.$n" 2>/dev/null
done
all_whole() {
    for n in {1..12}; do cmp -s "$TMP/video.$n" "$LIB_TOP/www/video/day.mp4" || return 1; done
}
wait_for $((20 * SLOW)) all_whole
ok "twelve at once, and one that stalls, on four threads: each has its film"
kill "$stalled"
wait "$stalled" 2>/dev/null

console() { grep -q 'GET /img/none.jpg' "$TMP/stdout"; }
wait_for $((5 * SLOW)) console
ok "the console shows requests"
like "$(grep -m 1 'GET /img/dawn.jpeg' "$TMP/stdout")" '"GET /img/dawn\.jpeg" 200 [1-9]' "as they came, and how they were answered"
like "$(grep 'GET /img/none.jpg' "$TMP/stdout")" '" 404 ' "also that nothing was there"

done_testing
