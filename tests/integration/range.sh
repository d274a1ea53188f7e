#!/bin/bash
# Which bytes does a Range bring (RFC 9110 14)?
. "$(dirname "$0")/lib.sh"

numbers 1000 >"$ROOT/file.txt"
: >"$ROOT/empty.txt"
numbers 300000 >"$ROOT/large.txt"
aged "$ROOT/file.txt"
server_start

# Range value | status | Content-Range, without its unit | why
while IFS='|' read -r range status content_range why; do
    fetch -H "Range: $range" /file.txt
    is "$STATUS $(field Content-Range)" "$status ${content_range:+bytes $content_range}" "$range: $why" || continue
    if [ "$status" = 206 ]; then
        first=${content_range%%-*} last=${content_range#*-} last=${last%/*}
        slice "$ROOT/file.txt" "$first" $((last - first + 1)) >"$TMP/wanted"
        same_bytes "$BODY" "$TMP/wanted" "$range: these bytes"
        is "$(field Content-Length)" $((last - first + 1)) "$range: this length"
    elif [ "$status" = 200 ]; then
        same_bytes "$BODY" "$ROOT/file.txt" "$range: the whole file"
    fi
done <<'ROWS'
bytes=0-499|206|0-499/1000|RFC 9110 14.1.2, the first 500
bytes=500-999|206|500-999/1000|the second 500
bytes=-500|206|500-999/1000|the final 500
bytes=9-|206|9-999/1000|from an offset on
bytes=0-0|206|0-0/1000|the first byte
bytes=-1|206|999-999/1000|the last byte
bytes=999-|206|999-999/1000|the same, from the front
bytes=999-999|206|999-999/1000|the same, closed
bytes=0-|206|0-999/1000|everything is still partial content
bytes=-1000|206|0-999/1000|a suffix of the whole length
bytes=-5000|206|0-999/1000|a longer suffix is the whole (14.1.2)
bytes=0-5000|206|0-999/1000|a last byte beyond the end is cut to it
bytes=900-18446744073709551615|206|900-999/1000|2^64-1 is beyond the end
bytes=900-99999999999999999999999|206|900-999/1000|so is a number that fits no register
BYTES=0-1|206|0-1/1000|range units are case-insensitive (14.1)
bytes=0-1,|206|0-1/1000|an empty list element does not count (5.6.1)
bytes=,0-1|206|0-1/1000|at the front neither
bytes=0-1 , 	2-3|206|0-3/1000|white space around the comma (5.6.1)
bytes=0-4,5-9|206|0-9/1000|ranges that touch are one
bytes=0-6,4-9|206|0-9/1000|ranges that overlap are one
bytes=0-1,2000-|206|0-1/1000|an unsatisfiable one beside a satisfiable one does not count
bytes=1000-|416|*/1000|begins at the end
bytes=1000-1001|416|*/1000|begins behind the end
bytes=-0|416|*/1000|no bytes
bytes=2000-,3000-|416|*/1000|none of them
bytes=99999999999999999999999-|416|*/1000|begins beyond any register
bytes=5-4|200||last before first is invalid (14.1.2), so it is ignored
bytes=a-b|200||not numbers
bytes=|200||nothing
bytes=-|200||no number at all
bytes|200||no set
bytes=0|200||no hyphen
bytes=+1-2|200||signed
bytes=0-1;2-3|200||not a list
bytes=0x1-2|200||hexadecimal
bytes=1 0-20|200||white space inside
bytes=0-1,5-4|200||one invalid makes the set invalid
lines=0-1|200||another unit is ignored (14.2)
none|200||no range set
ROWS

fetch -H 'Range: bytes=0-0' /empty.txt
is "$STATUS $(field Content-Range)" "416 bytes */0" "an empty file has no first byte"
fetch -H 'Range: bytes=-5' /empty.txt
is "$STATUS $(field Content-Range)" "416 bytes */0" "and no last ones"
fetch -H 'Range: bytes=0-1' /none
is "$STATUS" 404 "a missing file is missing in parts too"
fetch -H 'Range: bytes=0-9' /
is "$STATUS $(field Content-Range)" "200 " "a listing has no ranges"

fetch -H 'Range: bytes=5-9' /file.txt
is "$(field Accept-Ranges)/$(field Last-Modified)" "bytes/Sat, 03 Feb 2024 04:05:06 GMT" "206 has the fields of 200 (15.3.7)"
isnt "$(field ETag)" "" "206 has the ETag"

# Several: multipart/byteranges (14.6). The parts are read back by the boundary that was announced.
parts() { # prints "type range length" for each part, checks bytes against a file
    local type boundary
    type=$(field Content-Type)
    boundary=${type#*boundary=}
    boundary=${boundary//\"/}
    awk -v RS='\r\n' -v boundary="$boundary" -v ORS='\n' '
        $0 == "--" boundary { head = 1; next }
        $0 == "--" boundary "--" { print "end"; exit }
        head && $0 == "" { head = 0; next }
        head && tolower($0) ~ /^content-range:/ { sub(/^[^ ]* /, ""); print; next }' "$BODY"
}
fetch -H 'Range: bytes=0-9,100-109,-5' /file.txt
is "$STATUS" 206 "three ranges"
like "$(field Content-Type)" '^multipart/byteranges; *boundary=' "as multipart/byteranges"
is "$(field Content-Range)" "" "without a Content-Range of its own (15.3.7.2: MUST NOT)"
is "$(field Content-Length)" "$(stat -c %s "$BODY")" "with the right length"
is "$(parts)" "bytes 0-9/1000
bytes 100-109/1000
bytes 995-999/1000
end" "each part says where it belongs, in the order asked for"
is "$(grep -c '^Content-Type: text/plain' "$BODY")" 3 "and what it is"
for range in '0 10' '100 10' '995 5'; do
    # shellcheck disable=SC2086
    grep -qF -- "$(slice "$ROOT/file.txt" $range)" "$BODY"
    ok "bytes $range are in it"
done
fetch -H 'Range: bytes=100-109,0-9' /file.txt
is "$(parts | head -n 1)" "bytes 100-109/1000" "the order asked for is kept"
fetch -H 'Range: bytes=0-99999,200000-' /large.txt
is "$STATUS $(parts | tr '\n' ' ')" "206 bytes 0-99999/300000 bytes 200000-299999/300000 end " "large parts"
is "$(field Content-Length)" "$(stat -c %s "$BODY")" "large parts: the right length"

sixteen=$(seq -s, -f '%g-' 0 20 300 | sed 's/\([0-9]*\)-/\1-\1/g')
fetch -H "Range: bytes=$sixteen" /file.txt
is "$STATUS $(parts | grep -c bytes)" "206 16" "sixteen parts"
fetch -H "Range: bytes=$sixteen,900-901" /file.txt
is "$STATUS $(stat -c %s "$BODY")" "200 1000" "seventeen: the whole file once"
many=$(printf '0-,%.0s' {1..50})
fetch -H "Range: bytes=${many%,}" /file.txt
is "$STATUS $(field Content-Range)" "206 bytes 0-999/1000" "the whole file fifty times is the whole file"
many=$(printf '0-,%.0s' {1..2000})
fetch -H "Range: bytes=${many%,}" /file.txt
like "$STATUS" '^20[06]$' "two thousand times is never more than the whole file"
is "$(stat -c %s "$BODY")" 1000 "once"

# Piece by piece to the whole.
: >"$TMP/joined"
for ((at = 0; at < 300000; at += 77777)); do
    fetch -H "Range: bytes=$at-$((at + 77776))" /large.txt
    cat "$BODY" >>"$TMP/joined"
done
same_bytes "$TMP/joined" "$ROOT/large.txt" "pieces join to the whole"
head -c 123456 "$ROOT/large.txt" >"$TMP/resumed"
curl -sS -C - -o "$TMP/resumed" "$URL/large.txt"
same_bytes "$TMP/resumed" "$ROOT/large.txt" "curl -C - resumes"

done_testing
