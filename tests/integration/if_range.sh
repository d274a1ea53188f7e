#!/bin/bash
# When is Range honoured under If-Range (RFC 9110 13.1.5)?
. "$(dirname "$0")/lib.sh"

numbers 1000 >"$ROOT/file.txt"
aged "$ROOT/file.txt"
server_start

fetch /file.txt
tag=$(field ETag)
date=$(field Last-Modified)

while IFS='|' read -r value status why; do
    value=${value//TAG/$tag}
    value=${value//DATE/$date}
    fetch -H 'Range: bytes=10-19' -H "If-Range: $value" /file.txt
    is "$STATUS $(stat -c %s "$BODY")" "$status $([ "$status" = 206 ] && echo 10 || echo 1000)" "If-Range: $value: $why"
done <<'ROWS'
TAG|206|the same tag
"other"|200|another tag: the whole new file
W/TAG|200|a weak tag never matches here
TAG, "other"|200|a list is no validator
*|200|neither is a star
DATE|206|the exact date, older than a second: a strong validator (8.8.2.2)
Sat, 03 Feb 2024 04:05:05 GMT|200|an earlier date
Sat, 03 Feb 2024 04:05:07 GMT|200|a later date is not the same either
Saturday, 03-Feb-24 04:05:06 GMT|206|the same date as RFC 850 wrote it
Sat Feb  3 04:05:06 2024|206|and as asctime does
yesterday|200|no validator at all
ROWS

fetch -H 'Range: bytes=2000-' -H "If-Range: $tag" /file.txt
is "$STATUS" 416 "the right tag and an unsatisfiable range"
fetch -H 'Range: bytes=2000-' -H 'If-Range: "other"' /file.txt
is "$STATUS" 200 "the wrong tag: Range is ignored, so it cannot be unsatisfiable"
fetch -H 'If-Range: "other"' /file.txt
is "$STATUS" 200 "If-Range without Range means nothing"

# The download of a file that changed on the way is not continued.
head -c 500 "$ROOT/file.txt" >"$TMP/part"
sed -i 's/0/1/g' "$ROOT/file.txt"
aged "$ROOT/file.txt" "2024-02-03 04:05:07 UTC"
fetch -H 'Range: bytes=500-' -H "If-Range: $tag" /file.txt
is "$STATUS" 200 "a changed file is sent whole"
same_bytes "$BODY" "$ROOT/file.txt" "and new"

done_testing
