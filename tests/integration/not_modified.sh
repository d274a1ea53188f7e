#!/bin/bash
# Conditional requests in the order of RFC 9110 13.2.2.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
mkdir "$ROOT/dir"
aged "$ROOT/a.txt"
server_start
fetch /a.txt
tag=$(field ETag)

# INM IM IMS IUS: If-None-Match, If-Match, If-Modified-Since, If-Unmodified-Since.
# E earlier than the file, S the same second, L later. T its tag, O another.
while IFS='|' read -r conditions status why; do
    arguments=()
    IFS=';' read -ra list <<<"$conditions"
    for condition in "${list[@]}"; do
        name=${condition%%=*} value=${condition#*=}
        case $name in
        INM) name=If-None-Match ;;
        IM) name=If-Match ;;
        IMS) name=If-Modified-Since ;;
        IUS) name=If-Unmodified-Since ;;
        esac
        case $value in
        E) value='Sat, 03 Feb 2024 04:05:05 GMT' ;;
        S) value='Sat, 03 Feb 2024 04:05:06 GMT' ;;
        L) value='Sat, 03 Feb 2024 04:05:07 GMT' ;;
        esac
        arguments+=(-H "$name: ${value//T@/$tag}")
    done
    fetch "${arguments[@]}" /a.txt
    is "$STATUS" "$status" "GET $conditions: $why"
    fetch -I "${arguments[@]}" /a.txt
    is "$STATUS" "$status" "HEAD $conditions: the same"
done <<'ROWS'
INM=T@|304|the client has it
INM=W/T@|304|weak comparison (13.1.2)
INM="other"|200|it has something else
INM="a", T@, "b"|304|one of a list
INM="a",,T@|304|empty elements do not count
INM="a,b", T@|304|a comma inside a tag
INM=*|304|anything there is
INM="other";IMS=L|200|If-Modified-Since is not looked at beside If-None-Match
INM=T@;IMS=E|304|the tag decides
IMS=S|304|not changed since that second
IMS=L|304|nor since a later one
IMS=E|200|changed since
IMS=nonsense|200|no date: ignored (13.1.3)
IMS=Saturday, 03-Feb-24 04:05:06 GMT|304|RFC 850 form
IMS=Sat Feb  3 04:05:06 2024|304|asctime form
IM=T@|200|as expected
IM="other"|412|not as expected
IM=W/T@|412|strong comparison (13.1.1)
IM="other", T@|200|one of a list
IM=*|200|there is something
IUS=S|200|not changed since
IUS=L|200|nor since later
IUS=E|412|changed since
IUS=nonsense|200|no date: ignored
IM=T@;IUS=E|200|If-Unmodified-Since is not looked at beside If-Match
IM="other";INM=T@|412|If-Match comes first
IM=T@;INM=T@|304|then If-None-Match
IUS=E;INM=T@|412|If-Unmodified-Since comes before If-None-Match
IUS=L;IMS=L|304|then If-Modified-Since
INM=T@;Range=bytes=0-1|304|Range comes last
IM="other";Range=bytes=0-1|412|after every condition
ROWS

fetch -H "If-None-Match: $tag" /a.txt
is "$(field ETag)" "$tag" "304 has the ETag (15.4.5)"
isnt "$(field Date)" "" "and the Date"
isnt "$(field Cache-Control)" "" "and Cache-Control"
fetch /a.txt
vary=$(field Vary)
fetch -H "If-None-Match: $tag" /a.txt
is "$(field Vary)" "$vary" "and the Vary of a 200"
is "$(field Content-Length)" "" "but no length" || note "15.4.5 would allow the length of a 200"

fetch -H 'If-Match: *' /none
is "$STATUS" 404 "a file that is not there is not there (13.2.1: no evaluation when it would be 404)"

# 304 has no body: the next response follows at once.
two=$(raw send "GET /a.txt HTTP/1.1\\r\\nHost: localhost\\r\\nIf-None-Match: *\\r\\n\\r\\nGET /a.txt HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
is "$(tr -d '\r' <<<"$two" | awk '/^HTTP/ { head = 1 } head { print $2; exit }')/$(tail -n 1 <<<"$two")" 304/hello "304, then 200"

# The browser's way: validators from a 200, asked again, changed, asked again.
fetch -H "If-None-Match: $tag" -H "If-Modified-Since: $(field Last-Modified)" /a.txt
is "$STATUS" 304 "asked again"
echo HELLO >"$ROOT/a.txt"
fetch -H "If-None-Match: $tag" /a.txt
is "$STATUS $(body)" "200 HELLO" "changed"

done_testing
