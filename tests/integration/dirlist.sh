#!/bin/bash
# The listing of a directory: every name can be followed, none can do harm, for people and for programs.
. "$(dirname "$0")/lib.sh"

cd "$ROOT" || exit 1
mkdir -p dir/zsub "dir/a sub" empty
names=('a.txt' 'a b.txt' 'a&b.txt' 'a<script>alert(1)<.txt' "it's.txt" 'say "hi".txt' 'x:y.txt' 'what?.txt'
    'hash#.txt' '100%.txt' 'a;b.txt' 'back\slash.txt' $'tab\there.txt' $'new\nline.txt' $'\xff\xfe.txt' $'gr\xc3\xbcn.txt'
    'javascript:alert(1)' '%41.txt' '+plus.txt' 'file2' 'file10' 'file1')
for name in "${names[@]}"; do printf '%s' "$name" >"dir/$name"; done
numbers 1234567 >dir/big.bin
aged dir/big.bin
echo no >dir/.hidden
server_start

fetch /dir/
is "$STATUS" 200 "a listing"
like "$(field Content-Type)" '^text/html; ?charset=utf-8$' "in HTML"
unlike "$(body)" '<script>' "a name with markup stays text"
unlike "$(body)" '\.hidden' "hidden names are left out"
like "$(body)" '1\.2' "the size is there"
like "$(body)" '2024-02-03' "the time is there"
like "$(field Vary)" '[Aa]ccept' "Vary says that Accept mattered"
is "$(grep -ci 'href="javascript' "$BODY")" 0 "a name is never a scheme"

# Every link, followed, leads to its file: the name is the content.
followed=0 missed=
while IFS= read -r href; do
    case $href in
    */) continue ;;
    ./*) ;;
    *) continue ;; # of the page, not of a file
    esac
    href=${href#./}
    followed=$((followed + 1))
    target=$(sed 's/&amp;/\&/g; s/&#39;/'"'"'/g; s/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g' <<<"$href")
    curl -sS -g --path-as-is -o "$TMP/one" "$URL/dir/$target"
    case $target in
    big.bin) cmp -s "$TMP/one" "$ROOT/dir/big.bin" || missed+=" $target" ;;
    *) [ -e "$ROOT/dir/$(cat "$TMP/one")" ] || missed+=" $target" ;;
    esac
done < <(grep -o 'href="[^"]*"' "$BODY" | sed 's/^href="//; s/"$//')
is "$followed" "$((${#names[@]} + 1))" "every file is listed"
is "$missed" "" "every link leads to its file"

order() { grep -o 'href="\./[^"]*"' "$BODY" | sed 's/href="\.\///; s/"//'; }
is "$(order | grep -n 'sub/$' | cut -d: -f1 | sort -n | tail -n 1 | xargs -I@ test @ -le 3 && echo first)" first "directories come first"
is "$(order | grep '^file' | tr '\n' ' ')" "file1 file2 file10 " "and digits count as numbers"
like "$(body)" 'href="\.\./"' "there is a way up"
fetch /
unlike "$(body)" 'href="\.\./"' "but not from the root"
fetch /empty/
is "$STATUS" 200 "an empty directory"

fetch -H 'Accept: application/json' /dir/
like "$(field Content-Type)" '^application/json' "JSON for programs"
if command -v python3 >/dev/null; then
    python3 - "$BODY" >"$TMP/names" 2>"$TMP/json.err" <<'PYTHON'
import json, sys
raw = open(sys.argv[1], "rb").read()
page = json.loads(raw.decode("utf-8", "surrogateescape"))
for entry in page["entries"]:
    assert entry["type"] in ("file", "directory")
    assert entry["type"] == "directory" or isinstance(entry["size"], int)
    assert entry["modified"].endswith("Z")
print(len(page["entries"]), [e["size"] for e in page["entries"] if e["name"] == "big.bin"][0])
PYTHON
    is "$(cat "$TMP/names")" "$((${#names[@]} + 3)) 1234567" "JSON that a parser reads, whole" || note "$(cat "$TMP/json.err")"
    python3 -c 'import sys; open(sys.argv[1], "rb").read().decode("utf-8")' "$BODY" 2>/dev/null
    ok "and that is UTF-8 (RFC 8259 8.1), whatever bytes a name has"
else
    skip "JSON that a parser reads" "python3 is not installed"
fi
fetch -H 'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' /dir/
like "$(field Content-Type)" '^text/html' "a browser gets HTML"
fetch -H 'Accept: application/json;q=0.4, text/html;q=0.5' /dir/
like "$(field Content-Type)" '^text/html' "weights count"
fetch -H 'Accept: */*' /dir/
like "$(field Content-Type)" '^text/html' "curl gets HTML"

# Large: streamed, complete.
mkdir many && (cd many && seq -f 'entry-%05.0f-with-a-name-of-some-length' 1 5000 | xargs touch)
fetch /many/
is "$(grep -c 'href="./entry' "$BODY")" 5000 "five thousand names"
is "$CURL" 0 "the end of the page is told"
got=$(raw send 'GET /many/ HTTP/1.0\r\n\r\n')
is "$(grep -c 'href="./entry' <<<"$got")" 5000 "for a 1.0 client too"
unlike "$got" 'chunked' "without chunks (RFC 9112 6.1)"
like "$got" '</html>' "to its end"
two=$(raw send 'GET /dir/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /dir/a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
is "$(grep -ac '^HTTP/1.1 200' <<<"$two")" 2 "and the connection stays after a listing"

mkdir indexed && echo '<p>index' >indexed/index.html
fetch /indexed/
is "$STATUS $(body)" "200 <p>index" "index.html stands for its directory"
server_stop

server_start --no-listing
fetch /dir/
like "$STATUS" '^40[34]$' "--no-listing"
unlike "$(body)" 'big\.bin' "shows no name"
fetch /indexed/
is "$STATUS" 200 "an index is still an index"
fetch /dir/a.txt
is "$STATUS" 200 "and a file a file"

done_testing
