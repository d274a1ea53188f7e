#!/bin/bash
# Pages of another origin: nothing without --cors, everything their own could do with it (Fetch standard).
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
printf new >"$TMP/new"
umask 077
echo 'ana:pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg==$tiKWHy4FAGCWE8gn6GtKhaxD2OeeAUUWXFT/p1aaNl8=' >"$TMP/accounts"
friend=https://friend.example:8443

no_cors() { # no_cors WHAT
    ! tr -d '\r' <"$HEAD" | grep -qi '^access-control-'
    ok "$1: no field of CORS" || note "$(cat "$HEAD")"
}
preflight() { # preflight ORIGIN METHOD PATH [HEADERS]
    fetch -X OPTIONS -H "Origin: $1" -H "Access-Control-Request-Method: $2" \
        ${4:+-H "Access-Control-Request-Headers: $4"} "$3"
}

server_start
fetch -H "Origin: $friend" /a.txt
is "$STATUS" 200 "without --cors: read as ever"
no_cors "without --cors"
preflight "$friend" PUT /a.txt
no_cors "without --cors, a preflight"
server_stop

for mode in open private; do
    ERR_MAY=
    options=()
    who=()
    [ $mode = open ] || { options=(--auth "$TMP/accounts" --private); who=(-u ana:secret); }
    server_start --cors "$friend" "${options[@]}"

    preflight "$friend" PUT /b.txt 'authorization, content-type, upload-offset'
    is "$STATUS" 204 "$mode: a preflight, without an account"
    is "$(field Access-Control-Allow-Origin)" "$friend" "$mode: names the origin"
    for method in GET HEAD PUT POST PATCH DELETE MOVE MKCOL; do
        like ", $(field Access-Control-Allow-Methods)," "[ ,]$method," "$mode: allows $method"
    done
    for name in authorization content-type upload-offset; do
        like ", $(field Access-Control-Allow-Headers)," "[ ,]$name," "$mode: allows $name"
    done
    like "$(field Access-Control-Max-Age)" '^[1-9][0-9]*$' "$mode: may be kept for a while"
    like ", $(field Vary)," '[ ,]Origin,' "$mode: and varies by Origin"
    [ ! -e "$ROOT/b.txt" ]
    ok "$mode: a question changes nothing"

    for path in /a.txt / /none; do
        fetch "${who[@]}" -H "Origin: $friend" "$path"
        is "$(field Access-Control-Allow-Origin)" "$friend" "$mode: $STATUS of $path may be seen"
        like ", $(field Vary)," '[ ,]Origin,' "$mode: $path varies by Origin"
        for name in ETag Location Content-Range Accept-Ranges Repr-Digest Upload-Offset Upload-Length \
            Upload-Complete Upload-Limit Upload-Expires Resume-Offset Tus-Resumable Tus-Version Tus-Extension \
            Tus-Max-Size Tus-Checksum-Algorithm; do
            [[ ", $(field Access-Control-Expose-Headers)," == *" $name,"* ]] || echo "$name"
        done >"$TMP/missing"
        is "$(cat "$TMP/missing")" "" "$mode: $path exposes its fields"
    done
    fetch "${who[@]}" /a.txt
    no_cors "$mode: no Origin"
    like ", $(field Vary)," '[ ,]Origin,' "$mode: which a cache is told too"

    fetch "${who[@]}" -H "Origin: $friend" -H 'Sec-Fetch-Site: cross-site' -T "$TMP/new" /b.txt
    is "$STATUS $(field Access-Control-Allow-Origin)" "201 $friend" "$mode: it may write"
    fetch "${who[@]}" -H "Origin: $friend" -H 'Sec-Fetch-Site: cross-site' -X DELETE /b.txt
    is "$STATUS $(field Access-Control-Allow-Origin)" "204 $friend" "$mode: and delete"

    for origin in https://evil.example https://friend.example "$friend.evil.example" null; do
        preflight "$origin" PUT /a.txt
        no_cors "$mode: a preflight from $origin"
        fetch "${who[@]}" -H "Origin: $origin" /a.txt
        no_cors "$mode: reading from $origin"
        fetch "${who[@]}" -H "Origin: $origin" -T "$TMP/new" /a.txt
        is "$STATUS" 403 "$mode: writing from $origin"
    done
    if [ $mode = private ]; then
        fetch -H "Origin: $friend" /a.txt
        is "$STATUS $(field Access-Control-Allow-Origin)" "401 $friend" "private: the page learns that it needs an account"
        like "$(field Access-Control-Expose-Headers)" WWW-Authenticate "private: and how to ask"
        fetch -X OPTIONS -H "Origin: $friend" /a.txt
        is "$STATUS" 401 "private: an OPTIONS that is no preflight needs one"
    fi
    is "$(cat "$ROOT/a.txt")" hello "$mode: nothing has changed"
    server_stop
done

server_start --cors "$friend" --read-only
preflight "$friend" PUT /a.txt
unlike "$(field Access-Control-Allow-Methods)" PUT "--read-only: a preflight promises no more than there is"
server_stop

for bad in friend.example '*' https:// 'https://friend.example/' 'ftp://friend.example' '' null; do
    said=$(timeout 10 "$HTTPD" -p 0 -r "$ROOT" -l "$LOG" --cors "$bad" 2>&1 </dev/null)
    is "$? $(wc -l <<<"$said")" "2 1" "--cors '$bad' is refused in one line"
done

done_testing
