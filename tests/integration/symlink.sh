#!/bin/bash
# Which symbolic links are followed? Those that stay inside the docroot; no others, however they are made.
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/dir/deep" "$TMP/outside/sub"
echo SECRET >"$TMP/outside/secret.txt"
echo SECRET >"$TMP/outside/sub/index.html"
echo inside >"$ROOT/a.txt"
echo deep >"$ROOT/dir/deep/b.txt"
cd "$ROOT" || exit 1
ln -s a.txt good.txt
ln -s good.txt good2.txt
ln -s ../a.txt dir/up.txt
ln -s dir/deep gooddir
ln -s ../outside/secret.txt bad.txt
ln -s "$TMP/outside/secret.txt" absolute.txt
ln -s ../outside baddir
ln -s "$TMP/outside" absolutedir
ln -s dir/../../outside/secret.txt zigzag.txt
ln -s loop2 loop1
ln -s loop1 loop2
ln -s self self
ln -s nowhere dangling.txt
ln -s /proc/self/cwd magic
ln -s /proc/self/root magicroot
ln -s /etc etc
ln -s . here
ln -s .. above
mkdir chain
ln -s ../a.txt chain/0
for i in {1..50}; do ln -s $((i - 1)) chain/"$i"; done
server_start

while IFS='|' read -r target status content; do
    fetch "$target"
    like "$STATUS" "^($status)\$" "$target is $status"
    unlike "$(body)" 'SECRET|root:' "$target shows nothing from outside"
    [ -z "$content" ] || is "$(body)" "$content" "$target has its content"
done <<'ROWS'
/good.txt|200|inside
/good2.txt|200|inside
/dir/up.txt|200|inside
/gooddir/b.txt|200|deep
/here/here/here/a.txt|200|inside
/chain/20|200|inside
/bad.txt|404
/absolute.txt|404
/baddir/secret.txt|404
/baddir/sub/|404
/baddir|404
/absolutedir/secret.txt|404
/zigzag.txt|404
/loop1|404
/loop1/x|404
/self|404
/chain/50|404
/dangling.txt|404
/magic/a.txt|404
/magicroot/etc/passwd|404
/etc/passwd|404
/above/outside/secret.txt|404
/above|404
ROWS

fetch -H 'Accept: application/json' /
listing=$(body)
like "$listing" 'good\.txt' "the listing shows links that work"
for name in bad.txt absolute.txt baddir loop1 dangling.txt magic etc above; do
    unlike "$listing" "\"$name\"" "and not $name"
done

# The link is changed under the running server.
ln -sfn ../outside/secret.txt good.txt
fetch /good.txt
is "$STATUS" 404 "a link that is turned outwards is not followed"
ln -sfn a.txt good.txt
fetch /good.txt
is "$STATUS" 200 "and is again when it is turned back"

# A directory in the middle of the path is swapped for a link that leaves, again and again.
mkdir swap && echo inside >swap/secret.txt
(
    end=$((SECONDS + 3))
    while [ $SECONDS -lt $end ]; do
        mv -T swap swap.real && ln -s ../outside swap && rm swap && mv -T swap.real swap
    done
) &
swapper=$!
seen=0
while kill -0 $swapper 2>/dev/null; do
    seen=$((seen + $(curl -s -Z "$URL/swap/secret.txt?[1-50]" | grep -c SECRET)))
done
is $seen 0 "no race between looking and opening"

done_testing
