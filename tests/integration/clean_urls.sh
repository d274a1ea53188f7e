#!/bin/bash
# A name without an extension finds NAME.html, or the single NAME.*.
. "$(dirname "$0")/lib.sh"

cd "$ROOT" || exit 1
echo one >page_one.html
echo html >both.html && echo txt >both.txt
echo alone >alone.txt
echo jpg >image.jpg && echo png >image.png
mkdir page_dir && echo index >page_dir/index.html && echo beside >page_dir.html
mkdir sub && echo nested >sub/inner.html
echo exact >exact && echo other >exact.html
echo zipped >arch.tar.gz
mkdir folder.d
echo hidden >.hidden.html
server_start

while IFS='|' read -r target status content why; do
    fetch "$target"
    is "$STATUS${content:+ $(body)}" "$status${content:+ $content}" "$target: $why"
done <<'ROWS'
/page_one|200|one|finds page_one.html
/page_one.html|200|one|which has its own name too
/both|200|html|.html comes before others
/alone|200|alone|the single NAME.*
/image|404||two candidates are none
/exact|200|exact|the exact name wins
/sub/inner|200|nested|in a directory
/page|404||a prefix is not a name
/page_one/|404||nothing is below a file
/folder|404||a directory is no candidate
/.hidden|404||hidden stays hidden
/page_dir/|200|index|a directory is a directory
/page_one?x=1|200|one|with a query
ROWS
fetch /page_one
like "$(field Content-Type)" '^text/html' "with the type of the file found"
fetch -I /page_one
is "$STATUS" 200 "HEAD finds it too"
fetch -H 'Range: bytes=1-2' /page_one
is "$STATUS $(body)" "206 ne" "and so does a range"
fetch /page_dir
like "$STATUS" '^30[18]$' "a directory comes before a page of its name"

done_testing
