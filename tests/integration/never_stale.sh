#!/bin/bash
# Whatever was done to a file before a request was sent, its answer must show, also when the answer was
# prepared for an earlier request. Each change here comes after the thing was asked for twice and had
# rested, so that an answer from memory is what one would get.
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/d/e" "$ROOT/old" "$TMP/keep"
for name in a.txt d/e/deep.txt old/f.txt link-1.txt link-2.txt gone.txt mode.txt grow.txt page.html; do
    printf 'first %s\n' "$name" >"$ROOT/$name"
done
ln -s link-1.txt "$ROOT/link"
ln -s nowhere "$ROOT/dangling"
ln -s missing.txt "$ROOT/name.txt"
head -c 100000 /dev/zero >"$ROOT/large.bin"
server_start

hits() { fetch /.metrics && sed -n 's/^httpd_cache_requests_total{result="hit"} //p' "$BODY"; }
body_of() { fetch "$@" && body; }

# asked TARGET OPTION... : so often that whatever can be kept is kept. The files have rested for longer
# than the grain of their times before the second time.
asked() {
    fetch "$@"
    sleep 0.05
    fetch "$@"
    fetch "$@"
}

# changed TARGET BODY WHAT COMMAND... : the answer after the command is that body, or the status NNN.
changed() {
    local target=$1 wanted=$2 what=$3
    shift 3
    asked "$target"
    "$@"
    fetch "$target"
    if [[ $wanted =~ ^[0-9]{3}$ ]]; then
        is "$STATUS" "$wanted" "$what"
    else
        is "$(body)" "$wanted" "$what"
    fi
}
write() { printf '%s\n' "$2" >"$ROOT/$1"; } # in place
put() { printf '%s\n' "$2" >"$TMP/new" && mv "$TMP/new" "$ROOT/$1"; }
put_alike() { # with the time and size of the old one
    printf '%s\n' "$2" >"$TMP/new"
    touch -r "$ROOT/$1" "$TMP/new"
    mv "$TMP/new" "$ROOT/$1"
}
write_alike() { # in place, and its mtime set back
    touch -r "$ROOT/$1" "$TMP/stamp"
    printf '%s\n' "$2" >"$ROOT/$1"
    touch -r "$TMP/stamp" "$ROOT/$1"
}
retarget() { ln -sfn "$2" "$ROOT/$1"; }
remove() { rm "$ROOT/$1"; }
swap_directory() {
    mv "$ROOT/$1" "$TMP/keep/$$"
    mkdir "$ROOT/$1"
    printf '%s\n' "$3" >"$ROOT/$1/$2"
}

changed /a.txt second "written in place" write a.txt second
changed /a.txt third "another in its place" put a.txt third
changed /a.txt forth "another with its time and size" put_alike a.txt forth
changed /a.txt fifth "written in place, its time set back" write_alike a.txt fifth
changed /d/e/deep.txt deeper "in a directory" write d/e/deep.txt deeper
changed /old/f.txt other "another directory in the place of its own" swap_directory old f.txt other
changed /link 'first link-2.txt' "a link that leads elsewhere" retarget link link-2.txt
changed /link renewed "what a link leads to, written" write link-2.txt renewed
changed /gone.txt 404 "removed" remove gone.txt
changed /gone.txt back "and there again" write gone.txt back
changed /none/none.txt 404 "nothing, twice" true
mkdir "$ROOT/none"
write none/none.txt now
is "$(body_of /none/none.txt)" now "what was missing with its directory is there"
changed /dangling found "what a link to nothing leads to is there" write nowhere found
changed /about about "a name without extension gets a page" write about.html about
changed /about 'about itself' "and then a file of that very name" write about 'about itself'
changed /note note "a name without extension gets its only file" write note.txt note
changed /note 404 "which is not the only one any more" write note.md other
changed /name named "the link that a name stands for leads somewhere" write missing.txt named
changed /d/ index "a directory gets an index" write d/index.html index
changed /d/ again "which is written" write d/index.html again
like "$(asked /d/e/ && rm "$ROOT/d/e/deep.txt" && body_of /d/e/)" '</html>' "a listing"
unlike "$(body)" deep.txt "shows what is there now"
if [ "$(id -u)" -ne 0 ]; then
    changed /mode.txt 403 "its rights are taken away" chmod 000 "$ROOT/mode.txt"
    chmod 644 "$ROOT/mode.txt"
fi

# Compressed siblings
zip_it() { printf '%s\n' "$2" | gzip -n >"$ROOT/$1.gz"; }
unzipped() { gzip -dc <"$BODY" 2>/dev/null; }
ask=(-H 'Accept-Encoding: gzip')
asked /page.html "${ask[@]}"
zip_it page.html zipped
fetch "${ask[@]}" /page.html
is "$(field Content-Encoding) $(unzipped)" "gzip zipped" "a compressed sibling appears"
is "$(body_of /page.html)" "first page.html" "and nothing of it is for whom does not take it"
asked /page.html "${ask[@]}"
zip_it page.html 'zipped anew'
is "$(fetch "${ask[@]}" /page.html && unzipped)" 'zipped anew' "it is written"
asked /page.html "${ask[@]}"
sleep 0.05
write page.html newer
is "$(fetch "${ask[@]}" /page.html && body)" newer "the page is newer than it"
asked /page.html "${ask[@]}"
touch "$ROOT/page.html.gz"
is "$(fetch "${ask[@]}" /page.html && unzipped)" 'zipped anew' "and it newer than the page"
asked /page.html "${ask[@]}"
rm "$ROOT/page.html.gz"
is "$(fetch "${ask[@]}" /page.html && body)" newer "it is gone"


[ "$(hits)" -ge 25 ]
ok "and every second answer or so did come from memory"

# Validators, parts, and a head alone, of a large and a small file
for name in a.txt large.bin; do
    asked "/$name"
    tag=$(field ETag)
    fetch -H "If-None-Match: $tag" "/$name"
    is "$STATUS" 304 "$name: not modified"
    is "$(field ETag)" "$tag" "with its tag"
    fetch -H 'Range: bytes=1-2' "/$name"
    is "$STATUS $(field Content-Length)" "206 2" "$name: a part"
    cmp -s "$BODY" <(tail -c +2 "$ROOT/$name" | head -c 2)
    ok "its bytes"
    fetch -H 'Range: bytes=1-2,4-' "/$name"
    is "$STATUS" 206 "$name: two parts"
    like "$(field Content-Type)" '^multipart/byteranges' "as such"
    fetch -H 'Range: bytes=99999999-' "/$name"
    is "$STATUS" 416 "$name: a part it has not"
    fetch -I "/$name"
    is "$STATUS $(field Content-Length)" "200 $(stat -c %s "$ROOT/$name")" "$name: the head"
    fetch -H 'If-Match: "other"' "/$name"
    is "$STATUS" 412 "$name: another was meant"
    printf x >>"$ROOT/$name"
    fetch -H "If-None-Match: $tag" "/$name"
    is "$STATUS" 200 "$name: modified"
    isnt "$(field ETag)" "$tag" "with another tag"
    fetch -H 'Range: bytes=1-2' -H "If-Range: $tag" "/$name"
    is "$STATUS" 200 "$name: no part of what was another"
done

# Both protocols' writers, through the server itself
asked /a.txt
fetch -X PUT --data-binary put /a.txt
is "$(body_of /a.txt)" put "what was just put"
asked /a.txt
fetch -X DELETE /a.txt
is "$(fetch /a.txt && echo "$STATUS")" 404 "what was just deleted"
server_stop

# While many others ask for the same file all the time, so that the look at it is shared with them:
# one who replaces it and then asks never sees less than what was put there. Every way to ask: on one
# connection after the other, on a kept one, and in a head that comes in two pieces.
server_start -t 4
write shared.txt 00000000
helper "${PROGRAMS:-$LIB_TOP/build}/stresscmd" -n 16 -k -t 60 httpclient -h "$HOST_PORT" GET /shared.txt >/dev/null 2>&1
ROUNDS=1500 python3 - "$PORT" "$ROOT" >"$TMP/seen" <<'PYTHON'
import os, socket, sys

port, root = int(sys.argv[1]), sys.argv[2]
ask = b"GET /shared.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"
kept = socket.create_connection(("127.0.0.1", port))

def read(s):
    got = b""
    while b"\r\n\r\n" not in got or len(got.split(b"\r\n\r\n", 1)[1]) < 8:
        piece = s.recv(4096)
        if not piece:
            sys.exit("closed early")
        got += piece
    return int(got.split(b"\r\n\r\n", 1)[1])

stale = 0
for n in range(1, int(os.environ["ROUNDS"]) + 1):
    with open(root + "/new", "w") as f:
        f.write("%08d" % n)
    os.rename(root + "/new", root + "/shared.txt")
    if n % 3 == 0:
        with socket.create_connection(("127.0.0.1", port)) as s:
            s.sendall(ask)
            stale += read(s) != n
    elif n % 3 == 1:
        kept.sendall(ask)
        stale += read(kept) != n
    else:
        kept.sendall(ask + ask[:20])
        stale += read(kept) != n
        with open(root + "/new", "w") as f:
            f.write("%08d" % n)
        os.rename(root + "/new", root + "/shared.txt")
        kept.sendall(ask[20:])
        stale += read(kept) != n
print(stale)
PYTHON
is "$(cat "$TMP/seen")" 0 "no answer is older than the request for it"
kill "$HELPER"
server_stop

# Nothing is kept, and so little that everything is pushed out
for size in 0 100K; do
    server_start --cache "$size"
    for i in {1..60}; do
        head -c 2000 /dev/zero | tr '\0' "$((i % 10))" >"$ROOT/n$i"
    done
    sleep 0.05
    wrong=0
    for i in {1..60} {1..60}; do
        fetch "/n$i"
        cmp -s "$BODY" "$ROOT/n$i" || wrong=$((wrong + 1))
    done
    is $wrong 0 "--cache $size: every file as it is"
    server_stop
done

done_testing
