#!/bin/bash
# The listing as a page: what it offers to whom, with and without script, and what it forbids the browser.
. "$(dirname "$0")/lib.sh"

cd "$ROOT" || exit 1
mkdir -p dir/sub1 dir/sub2 'deep/a b/c'
numbers 10 >dir/small.txt
numbers 30000 >dir/middle.jpg
numbers 2000000 >dir/Large.ISO
touch -d '2024-01-03' dir/small.txt dir/sub2
touch -d '2024-01-01' dir/middle.jpg
touch -d '2024-01-02' dir/Large.ISO dir/sub1
printf x >dir/$'turn\xe2\x80\xaegpj.exe'
touch -d '2024-01-04' dir/turn*
server_start

# ---- the policy ----------------------------------------------------------------------------------

fetch /dir/
policy=$(field Content-Security-Policy)
like "$policy" "default-src 'none'" "the policy begins with nothing"
like "$policy" "script-src 'self'" "script comes from here alone"
unlike "$policy" 'unsafe' "and nothing is excepted"
like "$policy" "frame-ancestors 'none'" "nobody puts the page into a frame"
like "$policy" "base-uri 'none'" "nor moves its links"
unlike "$(body)" '<style' "no style in the page"
unlike "$(body)" 'style=' "none in an element"
unlike "$(body)" '[ "]on[a-z]*=' "no script in an element"
unlike "$(body)" '<script>' "none in the page"

# ---- what the page links to ----------------------------------------------------------------------

script=$(grep -o '/\.listing\.js?[0-9]*' "$BODY")
style=$(grep -o '/\.listing\.css?[0-9]*' "$BODY")
icon=$(grep -o '/\.listing\.svg?[0-9]*' "$BODY")
for address in "$script" "$style" "$icon"; do
    name=${address%%\?*}
    name=${name#/.}
    fetch "$address"
    is "$STATUS" 200 "$name is part of the program"
    same_bytes "$BODY" "$LIB_TOP/src/server/page/$name" "and the file of the source"
    like "$(field Cache-Control)" 'max-age=31536000' "kept for good, at this address"
    etag=$(field ETag)
    fetch -H "If-None-Match: $etag" "$address"
    is "$STATUS $(field ETag)" "304 $etag" "and not sent twice"
    fetch "/.$name"
    is "$(field Cache-Control)" no-cache "$name without its version is asked for again"
    fetch -I "/.$name"
    is "$STATUS $(field Content-Length)" "200 $(wc -c <"$LIB_TOP/src/server/page/$name")" "HEAD of $name"
    fetch -X PUT -d x "/.$name"
    like "$STATUS" '^40[34]$' "$name cannot be written"
done
sum=$(cat "$LIB_TOP"/src/server/page/* | wc -c)
at_most "$sum" 60000 "all of it together is small"
fetch /.listing.html
is "$STATUS" 404 "nothing else is there"
fetch /dir/.listing.js
is "$STATUS" 404 "nor anywhere else"
like "$(raw send "GET $script\r\n")" 'use strict' "a simple request gets it too"

# ---- order and choice, without script ------------------------------------------------------------

names() { grep -o 'href="\./[^"]*"' "$BODY" | sed 's/href="\.\///; s/"//' | tr '\n' ' '; }
turn='turn%E2%80%AEgpj.exe'
while read -r query wanted; do
    fetch "/dir/$query"
    is "$(names)" "$wanted " "order of /dir/$query"
done <<TABLE
?sort=name sub1/ sub2/ Large.ISO middle.jpg small.txt $turn
?sort=name&order=desc sub2/ sub1/ $turn small.txt middle.jpg Large.ISO
?sort=size sub1/ sub2/ $turn small.txt middle.jpg Large.ISO
?sort=size&order=desc sub1/ sub2/ Large.ISO middle.jpg small.txt $turn
?sort=time sub1/ sub2/ middle.jpg Large.ISO small.txt $turn
?sort=time&order=desc sub2/ sub1/ $turn small.txt Large.ISO middle.jpg
?sort=nonsense&order=sideways sub1/ sub2/ Large.ISO middle.jpg small.txt $turn
?filter=L&sort=size small.txt middle.jpg Large.ISO
?filter=large Large.ISO
?filter=su sub1/ sub2/
?filter=%2E%6A middle.jpg
?filter=%E2%80%AE $turn
TABLE
fetch '/dir/?sort=size&order=desc&filter=a%26%22%3Cb%3E'
like "$(body)" 'value="a&amp;&quot;&lt;b&gt;"' "the filter is shown as it was typed"
like "$(body)" 'href="\?sort=size&amp;filter=a%26%22%3Cb%3E"' "and stays when the order changes"
like "$(body)" 'Nothing here has such a name' "a filter that finds nothing says so"
like "$(body)" '<th aria-sort="descending"><a href="\?sort=size' "which column it is sorted by"
fetch "/dir/?filter=$(printf 'x%.0s' {1..200})"
is "$STATUS" 200 "an endless filter is passed over"
like "$(names)" 'small.txt' "and leaves everything"
fetch -H 'Accept: application/json' '/dir/?sort=size&order=desc&filter=.'
like "$(tr -d '\n' <"$BODY")" 'Large.ISO.*middle.jpg.*small.txt' "JSON is sorted in the same way"
unlike "$(body)" 'sub1' "and filtered"

# ---- names and places ----------------------------------------------------------------------------

fetch /dir/
like "$(body)" 'turn<b>U\+202E</b>gpj\.exe' "a mark that turns the writing is shown as what it is"
like "$(body)" 'class="image"><td><a href="\./middle\.jpg"' "a picture is known by its name"
like "$(body)" '2 folders, 4 files, 2\.0 MB' "the sum of it"
fetch '/deep/a%20b/c/'
like "$(tr -d '\n' <"$BODY")" '<a href="/">Home</a></li><li><a href="../../">deep</a></li><li><a href="../">a b</a></li><li><h1 aria-current="page">c</h1>' \
    "the way to here"
like "$(body)" 'There is nothing here yet' "an empty directory says so"

# ---- who may write -------------------------------------------------------------------------------

fetch /dir/
like "$(body)" '<form id="upload" method="post" enctype="multipart/form-data" action="./">' "who may write gets a form"
fetch -F "file=@$ROOT/dir/small.txt" /dir/sub1/
is "$STATUS" 201 "which works without script"
fetch -H 'Accept: text/html' -F "file=@$ROOT/dir/small.txt" /dir/sub1/
like "$(body)" 'small%20%282%29.txt' "and says what was stored"
like "$(field Content-Security-Policy)" "default-src 'none'" "on a page with the same policy"
like "$(body)" '/\.listing\.css' "and the same looks"
unlike "$(body)" '<style' "with no style in it"
fetch '/.sign-in?/dir/'
is "$STATUS $(field Location)" "303 /dir/" "nobody needs to sign in"
server_stop

server_start --read-only
fetch /dir/
is "$STATUS" 200 "a read-only server lists"
unlike "$(body)" 'id="upload"|sign-in' "and offers no writing"
server_stop

{
    printf 'secret\nsecret\n' | "$HTTPD" --passwd ana
    printf 'secret\nsecret\n' | "$HTTPD" --passwd bob | sed 's|$|:/dir/sub1|'
} >"$TMP/accounts" 2>/dev/null
chmod 600 "$TMP/accounts"
ERR_MAY='login failed'
server_start --auth "$TMP/accounts"
fetch /dir/
unlike "$(body)" 'id="upload"' "with accounts a stranger is offered no writing"
like "$(body)" 'href="/\.sign-in\?/dir/"' "but to sign in"
fetch '/.sign-in?/dir/'
is "$STATUS" 401 "which asks for an account"
fetch -u ana:wrong '/.sign-in?/dir/'
is "$STATUS" 401 "that is right"
fetch -u ana:secret '/.sign-in?/dir/a%20b%0d%0aX:y/'
is "$STATUS $(field Location)" "303 /dir/a%20b%0D%0AX%3Ay/" "and leads back"
for evil in '//evil.example/' 'http://evil.example/' '/%2e%2e/%2e%2e//evil.example/' ''; do
    fetch -u ana:secret "/.sign-in?$evil"
    like "$(field Location)" '^/([^/]|$)' "to this server, whatever stands in the address: $evil"
done
fetch -u ana:secret /dir/
like "$(body)" 'id="upload"' "ana may write here"
fetch -u bob:secret /dir/
unlike "$(body)" 'id="upload"|sign-in' "bob may not"
fetch -u bob:secret /dir/sub1/
like "$(body)" 'id="upload"' "but there"
fetch -u ana:wrong /dir/
is "$STATUS" 200 "a wrong password on a page that needs none"
unlike "$(body)" 'id="upload"' "offers nothing"
fetch "$script"
is "$STATUS" 200 "the script is for all"
server_stop

server_start --auth "$TMP/accounts" --private
fetch "$script"
is "$STATUS" 401 "--private: not even the script"
fetch -u bob:secret "$script"
is "$STATUS" 200 "but for any account"
server_stop

done_testing
