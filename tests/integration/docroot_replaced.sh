#!/bin/bash
# When another directory takes the docroot's place, does the next request see it, also to write? In the
# sandbox, which is bound to the old directory: is it said what to do, and nothing done to the wrong one?
. "$(dirname "$0")/lib.sh"

echo old >"$ROOT/a.txt"
server_start -t 4 --no-sandbox

put() { curl -s -o /dev/null -w '%{http_code}' -T "$1" "http://127.0.0.1:$PORT/$2"; }
get() { curl -s "http://127.0.0.1:$PORT/$1"; }

echo written >"$TMP/w"
is "$(get a.txt)" old "before: what is there"
is "$(put "$TMP/w" first.txt)" 201 "before: a write"

for round in 1 2 3; do
    mv "$ROOT" "$TMP/old$round"
    mkdir "$ROOT"
    echo "new $round" >"$ROOT/a.txt"
    is "$(get a.txt)" "new $round" "round $round: the new file"
    is "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/first.txt")" 404 "round $round: the old one is gone"
    is "$(put "$TMP/w" b/c.txt)" 201 "round $round: a write goes to the new directory"
    is "$(cat "$ROOT/b/c.txt")" written "round $round: and is there"
    is "$(find "$ROOT/.httpd/uploads" -type f | wc -l)" 0 "round $round: nothing is left staged"
done

rm -rf "$ROOT"
is "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/a.txt")" 404 "no docroot at all: nothing is found"
mkdir "$ROOT"
echo again >"$ROOT/a.txt"
is "$(get a.txt)" again "and when it is made again, it is served"
is "$(put "$TMP/w" d.txt)" 201 "and written to"

server_stop

ERR_MAY='error: another directory'
server_start -t 4
grep -q 'no sandbox\|sandbox (system call' "$ERR" && skip_all "there is no Landlock in this build or kernel: the directory was followed"
is "$(get a.txt)" again "sandbox: what is there"
mv "$ROOT" "$TMP/aside"
is "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$PORT/a.txt")" 404 "sandbox: moved away, nothing is found"
mkdir "$ROOT"
echo other >"$ROOT/a.txt"
for i in 1 2 3; do
    fetch /a.txt
    is "$STATUS" 503 "sandbox: another directory is not read"
    like "$(body)" 'restarted' "sandbox: the answer says what to do"
    is "$(put "$TMP/w" e.txt)" 503 "sandbox: nor written"
    is "$(curl -s -o /dev/null -w '%{http_code}' -X DELETE "http://127.0.0.1:$PORT/a.txt")" 503 "sandbox: nor removed from"
done
is "$(grep -c 'error: another directory stands at .* restarted' "$ERR")" 1 "sandbox: the log says once what to do"
is "$(ls -A "$ROOT")" a.txt "sandbox: the new directory is as it was"
[ ! -e "$TMP/aside/e.txt" ]
ok "sandbox: and so is the old one"
rm -rf "$ROOT"
mv "$TMP/aside" "$ROOT"
is "$(get a.txt)" again "sandbox: the old one is put back, and served"
is "$(put "$TMP/w" f.txt)" 201 "sandbox: and written to"
server_stop
done_testing
