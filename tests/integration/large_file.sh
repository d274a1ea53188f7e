#!/bin/bash
# Files beyond 4 GiB: lengths, offsets and ranges with more than 32 bits.
. "$(dirname "$0")/lib.sh"

size=$((5 * 1024 * 1024 * 1024 + 123))
truncate -s $size "$ROOT/sparse.bin" 2>/dev/null || skip_all "no sparse files here"
printf 'BEGIN' | dd of="$ROOT/sparse.bin" conv=notrunc status=none
printf 'FOURGIB' | dd of="$ROOT/sparse.bin" bs=1 seek=4294967293 conv=notrunc status=none
printf 'THEEND' | dd of="$ROOT/sparse.bin" bs=1 seek=$((size - 6)) conv=notrunc status=none
server_start

fetch -I /sparse.bin
is "$STATUS $(field Content-Length)" "200 $size" "HEAD: the length"
while IFS='|' read -r range content why; do
    fetch -H "Range: bytes=${range//SIZE/$size}" /sparse.bin
    is "$STATUS $(body)" "206 $content" "$why"
    like "$(field Content-Range)" "/$size\$" "$why: of the whole length"
done <<ROWS
0-4|BEGIN|the beginning
4294967293-4294967299|FOURGIB|across 4 GiB
4294967296-4294967298|RGI|at 4 GiB
$((size - 6))-|THEEND|from behind 4 GiB to the end
-6|THEEND|the last bytes
$((size - 6))-99999999999|THEEND|cut to the end
ROWS
fetch -H "Range: bytes=$size-" /sparse.bin
is "$STATUS $(field Content-Range)" "416 bytes */$size" "behind the end"
fetch -H "Range: bytes=4294967290-" --max-time 1 /sparse.bin
like "$(field Content-Length)" "^$((size - 4294967290))\$" "a long rest: its length"
fetch -H 'Range: bytes=0-4,4294967293-4294967299' /sparse.bin
like "$(tr -d '\0' <"$BODY")" 'BEGIN.*FOURGIB' "two parts, one beyond 4 GiB"

# All of it once, counted and not kept.
count=$(curl -sS --max-time 300 "$URL/sparse.bin" | wc -c)
is "$count" "$size" "the whole file"

done_testing
