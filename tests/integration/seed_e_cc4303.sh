#!/bin/bash
# The CC4303 report (SEEDS, row E) with plain curl: an id, a download that is cut, the rest of it, and
# both joined are the file. Under --uuid-root, as there: the id comes from GET /.
. "$(dirname "$0")/lib.sh"

numbers 30000000 >"$ROOT/file.bin"
aged "$ROOT/file.bin"
server_start --uuid-root

# 1. The id.
id=$(curl -sS "$URL/")
like "$id" '^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' "GET / answers an id"
is "${#id}" 36 "of 36 characters"
isnt "$(curl -sS "$URL/")" "$id" "another one each time"
is "$(curl -sS "$URL/.uuid" | wc -c)" 36 "and so does /.uuid"

# 2. A download that is cut: curl gives up in the middle, the server has sent more than it read.
curl -sS --limit-rate 4M --max-time 2 -o first "$URL/$id/file.bin" 2>curl.err
is $? 28 "the download is cut"
have=$(stat -c %s first)
is "$((have > 0 && have < 30000000))" 1 "in the middle, at $have"

# 3. The rest: the same request again.
status=$(curl -sS -D "$TMP/head" -o rest -w '%{http_code}' "$URL/$id/file.bin")
is "$status" 200 "the same request again is answered 200"
offset=$(tr -d '\r' <"$TMP/head" | sed -n 's/^Resume-Offset: //p')
length=$(tr -d '\r' <"$TMP/head" | sed -n 's/^Content-Length: //p')
is "$((offset + length))" 30000000 "with the rest of the file: $length bytes, from $offset"
at_most "$offset" "$have" "which begins no later than what we have ends"

# 4. cat, and 5. compare: what was sent twice is there once.
head -c "$offset" first | cat - rest >joined
same_bytes joined "$ROOT/file.bin" "the two parts are the file"

# Nothing is sent twice when the client had read all that it was sent, and then cat alone will do.
id=$(curl -sS "$URL/")
curl -sS -r 0-9999999 -o first "$URL/$id/file.bin"
curl -sS -o rest "$URL/$id/file.bin"
cat first rest >joined
same_bytes joined "$ROOT/file.bin" "the parts of a client that had read all it was sent are the file"

# After the end, and for ids that nobody was given.
fetch "/$id/file.bin"
is "$STATUS" 404 "after the end: 404"
like "$(body)" 'complete' "which says why"
fetch "/01234567-89ab-8def-8123-456789abcdef/file.bin"
is "$STATUS" 404 "an unknown id: 404"
fetch "/${id%?????}00000/file.bin"
is "$STATUS" 404 "an id with other last digits: 404"
fetch "/$id/nothing.bin"
is "$STATUS" 404 "no such file: 404"

done_testing
