#!/bin/bash
# When another directory takes the docroot's place, does the next request see it, also to write?
. "$(dirname "$0")/lib.sh"

echo old >"$ROOT/a.txt"
server_start -t 4

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
done_testing
