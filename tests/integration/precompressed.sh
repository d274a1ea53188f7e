#!/bin/bash
# Compressed siblings, by Accept-Encoding with its weights, and only when not older than the original.
. "$(dirname "$0")/lib.sh"

cd "$ROOT" || exit 1
numbers 10000 >all.txt
for form in br zst gz; do echo "$form form" >all.txt.$form; done
numbers 5000 >gz.css && echo "gz form" >gz.css.gz
numbers 5000 >stale.js && echo "stale form" >stale.js.gz
numbers 5000 >none.txt
mkdir dir && echo '<p>index' >dir/index.html && echo 'gz form' >dir/index.html.gz
echo 'only' >only.txt.gz
mkdir isdir.txt.gz && echo plain >isdir.txt
echo plain >linked.txt && ln -s /etc/hostname linked.txt.gz
for file in *.txt *.css *.js dir/*.html; do aged "$file"; done
for file in all.txt.* gz.css.gz dir/*.gz; do aged "$file"; done
aged stale.js.gz '2024-02-03 04:05:05 UTC'
aged stale.js
server_start

# target | Accept-Encoding | Content-Encoding | why
while IFS='|' read -r target accepted coding why; do
    if [ "$accepted" = - ]; then
        fetch "$target"
    else
        fetch -H "Accept-Encoding: $accepted" "$target"
    fi
    is "$STATUS $(field Content-Encoding)" "200 $coding" "$target, $accepted: $why"
    case $coding in
    gzip) like "$(body)" '^gz form' "with the bytes of the sibling" ;;
    br) like "$(body)" '^br form' "with the bytes of the sibling" ;;
    zstd) like "$(body)" '^zst form' "with the bytes of the sibling" ;;
    esac
done <<'ROWS'
/all.txt|-||nothing was asked for
/all.txt|gzip|gzip|the one that is accepted
/all.txt|br|br|the one that is accepted
/all.txt|zstd|zstd|the one that is accepted
/all.txt|GZIP|gzip|codings are case-insensitive (RFC 9110 8.4.1)
/all.txt|x-gzip|gzip|an old name of gzip (8.4.1.3)
/all.txt|gzip, deflate, br, zstd|br|as browsers ask
/all.txt|gzip;q=1, br;q=0.5|gzip|the heavier
/all.txt|gzip;q=0.5, br;q=0.8, zstd;q=0.9|zstd|the heaviest
/all.txt|gzip;q=0||refused
/all.txt|gzip;q=0, *|br|all but one
/all.txt|*;q=0||nothing is acceptable, and the original is better than an error (12.5.3)
/all.txt|identity||the original by name
/all.txt|deflate||one that there is not
/all.txt|gzip;q=0.5, identity;q=0.9||the original is liked better
/all.txt|gzip;q=0.001|gzip|the least weight is some weight, and identity has none beside it
/gz.css|br, gzip|gzip|the one that there is
/gz.css|br||none that there is
/stale.js|gzip||a sibling older than the original does not count
/none.txt|gzip, br||no sibling
/dir/|gzip|gzip|an index
/isdir.txt|gzip||a directory is no sibling
/linked.txt|gzip||a link that leaves is no sibling
/all.txt.gz|-||the sibling itself, by its own name
ROWS

fetch /all.txt
like "$(field Vary)" '[Aa]ccept-[Ee]ncoding' "Vary on the plain form"
fetch -H 'Accept-Encoding: gzip' /all.txt
like "$(field Vary)" '[Aa]ccept-[Ee]ncoding' "Vary on the compressed form"
like "$(field Content-Type)" '^text/plain' "the type is the original's"
fetch -H 'Accept-Encoding: gzip' -H 'Range: bytes=0-1' /all.txt
is "$STATUS $(body) $(field Content-Range)" "206 gz bytes 0-1/8" "a range is of the form that was chosen"
fetch -H 'Accept-Encoding: gzip' -H 'If-None-Match: *' /all.txt
like "$STATUS $(field Vary)" '^304 .*[Aa]ccept-[Ee]ncoding' "a 304 has the Vary (15.4.5)"
fetch /only.txt
is "$STATUS" 404 "a sibling alone is no original"
fetch -H 'Accept-Encoding: gzip' -I /all.txt
is "$(field Content-Encoding) $(field Content-Length)" "gzip 8" "HEAD says the same"

done_testing
