#!/bin/bash
# The TWS (SEEDS, row C): its pages, its images, its large file, POST /createUser with a name in JSON,
# and a log on the terminal and in a file at once.
. "$(dirname "$0")/lib.sh"

cp -r "$LIB_TOP/www/." "$ROOT"
ACCESS_LOG=no
server_start -l - -l "$LOG"

# What the main part of the page in $BODY shows (src) and offers (href), as a browser would ask for it.
addresses() {
    sed -n '/<main/,/<\/main>/p' "$BODY" | grep -o "$1=\"[^\"#]*\"" | sed 's/^[^"]*"//; s/"$//; s,^\([^/]\),/\1,' | sort -u
}
fetch_all() { # fetch_all ATTRIBUTE : fetches all of them; COUNT, BYTES and LARGEST sum up, BAD did not come
    local address size
    COUNT=0 BYTES=0 LARGEST=0 BAD=
    for address in $(addresses "$1"); do
        curl -sS -f -g -o "$TMP/part" "$URL$address" || BAD+="$address "
        size=$(stat -c %s "$TMP/part")
        COUNT=$((COUNT + 1)) BYTES=$((BYTES + size)) LARGEST=$((size > LARGEST ? size : LARGEST))
    done
}
page() { # page NAME
    fetch "/$1"
    is "$STATUS" 200 "/$1"
    like "$(field Content-Type)" '^text/html' "is a page"
}

page page_one
fetch_all src
is "$COUNT $BAD" '1 ' "with one image, which is there"
like "$(sed -n '/<main/,/<\/main>/p' "$BODY" | sed 's/<[^>]*>//g')" '[a-z]{3}' "and text"
page page_two
fetch_all src
is "$((COUNT > 1)) $BAD" '1 ' "with several images, all there"
page page_three
fetch_all href
is "$BAD" '' "what it links to is there"
is "$((LARGEST > 900000 && LARGEST < 1300000))" 1 "with about 1 MB to download ($LARGEST bytes)"
page page_four
fetch_all href
is "$((COUNT > 3)) $BAD" '1 ' "with several files, all there"
is "$((BYTES > 900000 && BYTES < 1300000))" 1 "which are about 1 MB together ($BYTES bytes)"
for name in image_user_one image_user_two; do
    fetch "/$name"
    is "$STATUS" 200 "/$name"
    like "$(field Content-Type)" '^image/' "is an image"
done
fetch /bigfile
is "$STATUS" 200 "/bigfile"
same_bytes "$BODY" "$LIB_TOP/www/bigfile.bin" "comes whole"

fetch -I /page_one
is "$STATUS $(stat -c %s "$BODY")" "200 $(stat -c %s "$BODY")" "HEAD"
is "$(field Content-Length)" "$(stat -c %s "$LIB_TOP/www/page_one.html")" "says how long the page is"
fetch /page_five
is "$STATUS" 404 "a page that is not there"
is "$(status_of "$(raw send 'GET /page_one\r\nHost: x\r\n\r\n' half)")" none "a simple request has no status"
is "$(status_of "$(raw send 'GET  /page_one HTTP/1.1\r\nHost: localhost\r\n\r\n')")" 400 "what cannot be parsed"
is "$(status_of "$(raw send 'hello\r\n\r\n' half)")" 400 "nothing like a request"
fetch -X FETCH /page_one
is "$STATUS" 501 "a method that nobody knows"
fetch -d x /page_one
is "$STATUS" 405 "one that a page does not take"

before=$(find "$ROOT/createUser" -type f | wc -l)
fetch -H 'Content-Type: application/json' -d '{ "Nombre": "Ada" }' /createUser
is "$STATUS" 201 "POST /createUser"
location=$(field Location)
like "$location" '^/createUser/[^/]+\.json$' "Location is in the collection"
like "$(body)" "\"href\":\"$location\"" "and the answer names it"
fetch "$location"
is "$(body)" '{ "Nombre": "Ada" }' "where the user is"
like "$(field Content-Type)" '^application/json' "as JSON"
fetch -F Nombre=Ada -H 'Accept: text/html' /createUser/
is "$STATUS" 201 "the same from a page without script"
fetch "$(field Location)"
is "$(body)" '{"Nombre":"Ada"}' "makes the same"
for n in {1..20}; do
    helper curl -sS -o "$TMP/user.$n" -H 'Content-Type: application/json' -d "{ \"Nombre\": \"user $n\" }" "$URL/createUser"
done
created() { [ "$(find "$ROOT/createUser" -type f | wc -l)" -eq $((before + 22)) ]; }
wait_for $((10 * SLOW)) created
ok "twenty at once are twenty users"
is "$(grep -h -o 'user [0-9]*' "$ROOT"/createUser/*.json | sort -u | wc -l)" 20 "each its own"

# The log has a line for each, in both places the same.
fetch /the-last-one
logged() { grep -q the-last-one "$LOG" && grep -q the-last-one "$TMP/stdout"; }
wait_for $((5 * SLOW)) logged
ok "a log on the terminal and in a file"
is "$(grep -c '"POST /createUser HTTP/1.1" 201' "$LOG")" 21 "with every user"
same_bytes "$LOG" "$TMP/stdout" "the same in both"

done_testing
