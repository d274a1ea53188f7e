#!/bin/bash
# POST to a directory adds members and replaces nothing; a form gives all of its files or none.
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/in/sub" "$ROOT/.hidden" "$ROOT/.well-known"
echo hello >"$ROOT/a.txt"
echo '<p>page' >"$ROOT/page.html"
numbers 5000 >"$TMP/five"
server_start --max-body 100M

staged() { find "$ROOT/.httpd/uploads" -type f | wc -l; }
nothing_staged() { [ "$(staged)" -eq 0 ]; }
members() { find "$ROOT/in" -type f -printf '%P\n' | LC_ALL=C sort | tr '\n' '|'; }
empty() { rm -rf "$ROOT/in" && mkdir -p "$ROOT/in/sub"; }
flat() { tr -d '\n' <"$BODY"; }
digest_of() { # digest_of FILE : SHA-256 in base64
    printf %b "$(sha256sum <"$1" | cut -c 1-64 | sed 's/../\\x&/g')" | base64
}
post() { fetch --data-binary "@$TMP/five" "$@"; }

# ---- one body --------------------------------------------------------------------------------------

post -H 'Content-Type: application/json' /in
is "$STATUS" 201 "a body becomes a member"
location=$(field Location)
like "$location" '^/in/[0-9a-f]{32}\.json$' "with a name that nobody can guess, and the extension of its type"
like "$(field Content-Type)" '^application/json' "a program is answered in JSON"
is "$(flat)" "{\"status\":201,\"created\":[{\"name\":\"${location#/in/}\",\"href\":\"$location\",\"size\":5000}]}" "short, and with all there is to say"
tag=$(field ETag)
fetch "$location"
same_bytes "$BODY" "$TMP/five" "and there it is"
is "$(field ETag)" "$tag" "under the ETag that was said"
post -H 'Content-Type: application/json' /in/
is "$STATUS" 201 "with the last slash of the directory"
like "$(field Location)" '^/in/[0-9a-f]{32}\.json$' "it is the same directory"
isnt "$(field Location)" "$location" "and never the same name"
post -H 'Content-Type: text/html; charset=utf-8' -H 'Accept: text/html,*/*;q=0.8' /in
like "$(field Location)" '\.html$' "text/html makes .html"
like "$(field Content-Type)" '^text/html' "a browser gets a page"
like "$(body)" "href=\"$(field Location)\"" "with a link to it"
like "$(body)" 'href="/in/"' "and one to the directory"
post -H 'Content-Type:' /in
like "$(field Location)" '\.bin$' "no type makes .bin"
fetch -H 'Transfer-Encoding: chunked' -H 'Slug: chunks' --data-binary "@$TMP/five" /in
is "$(field Location)" /in/chunks "a body in chunks"
same_bytes "$ROOT/in/chunks" "$TMP/five" "comes without their heads"
fetch -X POST -H 'Content-Length: 0' -H 'Slug: nothing' /in
is "$STATUS $(stat -c %s "$ROOT/in/nothing")" "201 0" "an empty body is a body"
fetch -X POST /in
is "$STATUS" 411 "no body is none"
post -H 'Slug: at the top' -H 'Content-Type: text/plain' /
is "$STATUS $(field Location)" "201 /at%20the%20top.txt" "the root is a directory like others"
fetch --data 'Nombre=Ada&x=1' -H 'Slug: urlencoded' /in
is "$(cat "$ROOT/in/urlencoded")" 'Nombre=Ada&x=1' "an urlencoded form is stored as it came"
fetch -H 'Content-Type: multipart/mixed; boundary=x' -H 'Slug: mixed' --data-binary x /in
is "$STATUS $(cat "$ROOT/in/mixed")" "201 x" "and other multiparts as well"

# ---- names -----------------------------------------------------------------------------------------

long=$(printf 'x%.0s' {1..300})
name_of() { # name_of WISH NAME WHY : as an attachment, and as a file of a form
    empty
    post -H "Content-Disposition: attachment; filename=\"$1\"" /in
    is "$STATUS $(members)" "201 $2|" "$3: Content-Disposition"
    empty
    fetch -F "f=@$TMP/five;filename=\"$1\"" /in
    is "$STATUS $(members)" "201 $2|" "$3: a form"
}
name_of 'plain.txt' 'plain.txt' "a name"
name_of '../../x<b>.txt' 'x<b>.txt' "a name that climbs"
name_of '/etc/passwd' 'passwd' "an absolute path"
name_of 'C:\\fakepath\\a b.txt' 'a b.txt' "a path of Windows"
name_of '..\\..\\x.txt' 'x.txt' "and one that climbs"
name_of 'say \"hi\".txt' 'say "hi".txt' "quotes"
name_of $'\xc3\xb1and\xc3\xba \xe6\x96\x87.txt' $'\xc3\xb1and\xc3\xba \xe6\x96\x87.txt' "UTF-8"
name_of '.htaccess' 'htaccess' "a name that would be hidden"
name_of '.httpd' 'httpd' "the name of the server's own"
name_of '...x' 'x' "dots in front"
name_of "$long.txt" "${long:0:251}.txt" "304 bytes are cut to 255"
name_of '%2e%2e%2fx.txt' '%2e%2e%2fx.txt' "percent signs are themselves here"
for wish in . .. ../ / ' '; do
    empty
    post -H 'Content-Type: text/plain' -H "Content-Disposition: attachment; filename=\"$wish\"" /in
    like "$STATUS $(members)" '^201 [0-9a-f]{32}\.txt\|$' "'$wish' is no name: one is made up"
done
empty
post -H "Content-Disposition: attachment; filename=\"x.txt\"; filename*=UTF-8''%c3%b1.txt" /in
is "$(members)" $'\xc3\xb1.txt|' "filename* comes first (RFC 6266 4.3)"
empty
post -H 'Content-Disposition: attachment; filename="x.txt' /in
is "$STATUS $(members)" "400 " "a malformed Content-Disposition"
post -H 'Content-Type: image/png' -H 'Slug: The Beach at S%C3%A8te' /in
is "$(members)" $'The Beach at S\xc3\xa8te.png|' "Slug (RFC 5023 9.7)"

empty
for n in 1 2 3; do
    post -H 'Content-Disposition: attachment; filename="a.tar.gz"' /in
done
is "$(members)" 'a (2).tar.gz|a (3).tar.gz|a.tar.gz|' "a name that is taken gets a number"
is "$(field Location)" '/in/a%20%283%29.tar.gz' "and Location says which"
post -H 'Content-Disposition: attachment; filename="sub"' /in
is "$(field Location)" '/in/sub%20%282%29' "also when a directory has it"
ln -s ../../../etc/passwd "$ROOT/in/out"
ln -s nowhere "$ROOT/in/dangling"
post -H 'Slug: out' /in
is "$(field Location)" '/in/out%20%282%29' "or a link that leaves the site"
post -H 'Slug: dangling' /in
is "$(field Location)" '/in/dangling%20%282%29' "or one that leads nowhere"
empty
for n in {1..8}; do
    helper curl -sS -o "$TMP/answer.$n" -H 'Slug: same' --data-binary "$n" "$URL/in"
done
all_in() { [ "$(find "$ROOT/in" -type f | wc -l)" -eq 8 ]; }
wait_for $((10 * SLOW)) all_in
is "$(cat "$ROOT"/in/same* | fold -w 1 | sort | tr -d '\n')" 12345678 "eight at once: each is there, none is lost"

# ---- what does not take it -------------------------------------------------------------------------

empty
post /a.txt
is "$STATUS" 405 "a file takes nothing"
like "$(field Allow)" GET "and Allow says what it does"
unlike "$(field Allow)" POST "which is not POST"
post /page
is "$STATUS" 405 "nor one that is meant without its extension"
post /none
is "$STATUS" 404 "what is missing"
post /none/
is "$STATUS" 404 "or a directory that is"
post /a.txt/
is "$STATUS" 404 "a file is no directory"
for path in /.hidden/ /.httpd/ /.httpd/uploads/ /in/.x; do
    post "$path"
    is "$STATUS" 404 "$path is hidden"
done
post -H 'Content-Encoding: gzip' /in
is "$STATUS" 415 "a coding that would be lost"
post -H 'Content-Range: bytes 0-4999/10000' /in
is "$STATUS" 400 "a part of something"
post -H 'If-None-Match: *' /in
is "$STATUS" 412 "preconditions are about the directory"
post -H 'Sec-Fetch-Site: cross-site' /in
is "$STATUS" 403 "a page of another site"
post -H 'Origin: http://evil.example' /in
is "$STATUS" 403 "by its Origin"
fetch -H 'Content-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:' --data-binary "@$TMP/five" /in
is "$STATUS" 400 "a body that is not what its digest says"
fetch -H 'Content-Digest: sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:' -F "f=@$TMP/five" /in
is "$STATUS" 400 "nor a form"
answer=$(raw send 'POST /in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857601\r\n\r\n')
is "$(status_of "$answer")" 413 "more than --max-body, before a byte of it"
is "$(members)" '' "nothing of all that was stored"
post -H "Content-Digest: sha-256=:$(digest_of "$TMP/five"):" -H 'Slug: ok' /in
is "$STATUS $(members)" '201 ok|' "a body that is what its digest says"

# ---- forms -----------------------------------------------------------------------------------------

empty
head -c $((50 * 1000 * 1000)) /dev/urandom >"$TMP/fifty"
: >"$TMP/none"
fetch -F text=hello -F "f=@$TMP/five" -F "f=@$TMP/fifty;filename=50 MB.bin" -F "g=@$TMP/five;filename=../../x<b>.txt" /in/
is "$STATUS" 201 "a form with three files"
is "$(members)" '50 MB.bin|five|x<b>.txt|' "and what they are called"
same_bytes "$ROOT/in/50 MB.bin" "$TMP/fifty" "50 MB, every byte"
same_bytes "$ROOT/in/five" "$TMP/five" "the one before"
same_bytes "$ROOT/in/x<b>.txt" "$TMP/five" "the one after"
is "$(flat)" '{"status":201,"created":[{"name":"five","href":"/in/five","size":5000},{"name":"50 MB.bin","href":"/in/50%20MB.bin","size":50000000},{"name":"x<b>.txt","href":"/in/x%3Cb%3E.txt","size":5000}]}' "the answer lists them in their order"
is "$(field Location)" '' "Location has room for one only"
at_most "$(awk '/VmHWM/ { print $2 }' "/proc/$SERVER_PID/status")" $((40000 * SLOW * SLOW)) "and all that in little memory (KB)"
fetch -H 'Accept: text/html' -F "g=@$TMP/five;filename=<script>\".txt" /in/
like "$(body)" '&lt;script&gt;&quot;.txt|&lt;script&gt;&#34;.txt' "a name is text on the page, not markup"
unlike "$(body)" '<script>' "whatever it holds"

empty
fetch -F "f=@$TMP/none" /in
is "$STATUS $(members)" '201 none|' "an empty file is a file"
fetch -F "f=@$TMP/five" -F "f=@$TMP/five" /in
is "$(members)" 'five|five (2)|none|' "two of the same name are two"
empty
fetch -F "f=@$TMP/five,$TMP/none,$TMP/fifty" -F "g=@$TMP/five" /in
is "$STATUS $(members)" '201 fifty|five|five (2)|none|' "several files in one field, as curl sends them"
same_bytes "$ROOT/in/fifty" "$TMP/fifty" "with every byte"
empty
part='--B\r\nContent-Disposition: form-data; name="f"; filename="'
form() { # form HOW TEXT : posts those bytes as a form with the boundary B
    raw send "POST /in/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: $(printf %b "$2" | wc -c)\r\n\r\n" "$1" "$2"
}
form_slowly() { # three files; the last boundary comes when $TMP/go_on is there
    local text="${part}a\"\r\n\r\none\r\n${part}b\"\r\n\r\ntwo\r\n${part}c\"\r\n\r\nthree\r\n"
    local whole="$text--B--\r\n" fifo=$TMP/rest
    mkfifo "$fifo"
    (wait_for $((20 * SLOW)) test -e "$TMP/go_on" && printf -- '--B--\r\n' >"$fifo") &
    raw send "POST /in/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: $(printf %b "$whole" | wc -c)\r\n\r\n$text" file "$fifo" >"$TMP/slowly"
}
for how in send bytewise; do
    empty
    answer=$(form $how "preamble\r\n${part}a.txt\"\r\n\r\none\r\n--C\r\n--\r\n${part}\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n${part}b.txt\"\r\n\r\n\r\n--B--\r\nepilogue")
    is "$(status_of "$answer") $(members)" '201 a.txt|b.txt|' "$how: a form by hand, with an input where nothing was chosen"
    is "$(od -c -An "$ROOT/in/a.txt" | tr -d ' \n')" 'one\r\n--C\r\n--' "$how: what looks like a boundary is none"
done
empty
answer=$(form send "${part}a\x01b\x1b[31m\x7f.txt\"\r\n\r\none\r\n--B--\r\n")
is "$(status_of "$answer") $(members)" '201 ab[31m.txt|' "control characters in a name, which browsers send as they are, are left out"
empty
answer=$(form send "${part}\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--B--\r\n")
like "$(status_of "$answer") $(members)" '^201 [0-9a-f]{32}\.json\|$' "bytes without a name get one"
empty
answer=$(form send "${part}\"\r\n\r\n\r\n--B--\r\n")
is "$(status_of "$answer") $(members)" '400 ' "no file chosen: the form says so"
fetch -F Nombre=Ada -F color=red -F color=blue /in
is "$STATUS $(cat "$ROOT"/in/*.json)" '201 {"Nombre":"Ada","color":["red","blue"]}' "a form that asks for no file is stored as its fields"
empty
fetch -F "Nombre=<$TMP/fifty" /in
is "$STATUS $(members)" '413 ' "which are what people type"

# ---- all or nothing --------------------------------------------------------------------------------

empty
whole="${part}a.txt\"\r\n\r\none\r\n"
while IFS= read -r line; do
    text=${line%% # *}
    answer=$(form send "$text")
    is "$(status_of "$answer") $(members)$(staged)" '400 0' "${line##* # }: nothing of it"
done <<TABLE
${whole}--B # the last boundary is cut off
${whole}${part}b.txt"\r\n\r\ntwo # the second file is
${whole}--Bx\r\n\r\n # a boundary line that holds more
${whole}--B\r\nContent-Disposition: form-data; name="f"; filename="b\r\n\r\ntwo\r\n--B--\r\n # a head that is malformed
${whole}--B\r\nContent-Disposition: form-data; filename="b"\r\n\r\ntwo\r\n--B--\r\n # a part without a name
${whole}--B\r\nContent-Disposition: form-data; name="f"\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\nContent-Disposition: attachment; filename="b"\r\n\r\ntwo\r\n--B--\r\n # several files in one field, and the end of them is missing
${whole}--B\r\nContent-Disposition: form-data; name="f"\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n--Cx\r\n\r\n--C--\r\n--B--\r\n # several files in one field, malformed
${whole}--B\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--B--\r\n # one that does not say what it is
no boundary at all # no form
 # an empty body
TABLE
fetch -H 'Content-Type: multipart/form-data' --data-binary x /in
is "$STATUS" 400 "no boundary parameter"
fetch -F "f=@$TMP/five" -F "f=@$TMP/fifty;filename=a" -F "f=@$TMP/fifty;filename=b" -F "f=@$TMP/fifty;filename=c" -H 'Transfer-Encoding: chunked' -H 'Expect:' /in
like "$STATUS" '^(413|000)$' "more than --max-body, found out on the way"
is "$(members)" '' "leaves nothing"
wait_for 5 nothing_staged
ok "not even staged"

# A worker opens its pipe for splice() with the first body that needs it and keeps it: one worker, warmed up,
# so that a count before and a count after may be compared.
server_stop
server_start --max-body 100M -t 1
fetch -X POST --data-binary "@$TMP/fifty" -H 'Slug: warm' -H 'Content-Type: application/octet-stream' /in/
is "$STATUS" 201 "a body for one worker"
rm -f "$ROOT"/in/*
wait_for 5 no_connections # curl may have left before the server closed its end
descriptors_before=$(descriptors)
head="POST /in/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 1000000\r\n\r\n"
aborted() { # aborted WHY STEP... : the client goes away after that
    raw "${@:2}" reset >/dev/null
    raw "${@:2}" close >/dev/null
    wait_for $((5 * SLOW)) nothing_staged
    is "$(staged) $(members)" '0 ' "aborted $1: nothing of it"
}
aborted "after the head" send "$head"
aborted "in a part's head" send "$head${part}a.t" wait 50
aborted "in a file" send "$head${part}a.txt\"\r\n\r\n" repeat 30000 0123456789 wait 50
aborted "in the second" send "$head$whole$whole${part}b.txt\"\r\n\r\ntwo" wait 50
aborted "after the last boundary, before the length is reached" send "$head$whole--B--\r\n" wait 50
aborted "in an ordinary body" send "POST /in/ HTTP/1.1\r\nHost: localhost\r\nSlug: x\r\nContent-Length: 1000000\r\n\r\n" repeat 50000 0123456789 wait 50
wait_for $((10 * SLOW)) descriptors_are "$descriptors_before"
ok "no descriptor is left open ($descriptors_before)"

# Two ways in which the last of three files cannot be published once the others are: its path would be
# longer than any target, and its stage is gone.
empty
deep=in
for _ in {1..15}; do deep+=/${long:0:250}; done
deep+=/${long:0:200}
(cd "$ROOT" && for name in ${deep//\// }; do mkdir -p "$name" && cd "$name" || exit; done)
in_deep() { find "$ROOT/in" -type f | wc -l; }
fetch -F "f=@$TMP/five;filename=a" -F "f=@$TMP/five;filename=b" -F "f=@$TMP/five;filename=$long" "/$deep"
is "$STATUS $(in_deep) $(staged)" '414 0 0' "a file that nobody could ask for: nothing of its form"
fetch -F "f=@$TMP/five;filename=a" "/$deep"
is "$STATUS $(in_deep)" '201 1' "though what has a shorter name is stored there"

empty
helper form_slowly
staged_all() { [ "$(staged)" -eq 3 ]; }
wait_for $((10 * SLOW)) staged_all
rm -f "$(grep -l three "$ROOT"/.httpd/uploads/*)"
touch "$TMP/go_on"
wait "$HELPER"
is "$(status_of "$(cat "$TMP/slowly")") $(members)$(staged)" '500 0' "a stage that was lost: nothing of its form"

# A thousand files, and one more.
many() { # many COUNT : so many tiny files as one form
    for ((i = 0; i < $1; i++)); do
        printf '%s%s\r\n\r\n%s\r\n' $'--B\r\nContent-Disposition: form-data; name="f"; filename="' "$i\"" "$i"
    done
    printf '%s' $'--B--\r\n'
}
many 1001 >"$TMP/many"
fetch -H 'Content-Type: multipart/form-data; boundary=B' -H 'Expect:' --data-binary "@$TMP/many" /in
like "$STATUS" '^(413|000)$' "1001 files are too many for one form"
wait_for $((5 * SLOW)) nothing_staged
is "$(staged) $(members)" '0 ' "and none is stored"
server_stop

server_start --no-fsync
many 1000 >"$TMP/many"
fetch -H 'Content-Type: multipart/form-data; boundary=B' --data-binary "@$TMP/many" /in
is "$STATUS $(find "$ROOT/in" -type f | wc -l)" "201 1000" "1000 are not"
is "$(grep -c '"href":"/in/' "$BODY")" 1000 "and all are listed, in a page that is longer than any buffer"
like "$(tail -n 2 "$BODY" | tr -d '\n')" '^\{"name":"999","href":"/in/999","size":3\}\]\}$' "to the last"
server_stop

# More files at once than the server may open.
empty
LAUNCH=(prlimit --nofile=200)
server_start --no-fsync
LAUNCH=()
fetch -H 'Content-Type: multipart/form-data; boundary=B' -H 'Expect:' --data-binary "@$TMP/many" /in
like "$STATUS" '^(503|000)$' "more files in a form than the server may open"
[ "$STATUS" = 000 ] || like "$(body)" 'too many files open' "are refused, and said so"
wait_for $((5 * SLOW)) nothing_staged
is "$(staged) $(members)" '0 ' "nothing of it is stored"
post -H 'Slug: x' /in
is "$STATUS" 201 "and the server goes on"
server_stop

server_start --read-only
post /in
is "$STATUS" 405 "a read-only server takes nothing"

done_testing
