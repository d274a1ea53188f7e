#!/bin/bash
# More clients than can be served: 503 with Retry-After, said in words; who is in service stays in service.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
echo hello >"$ROOT/b.txt"
# A directory that takes a while to list keeps workers busy without a slow client, whom they would park.
mkdir "$ROOT/many" && (cd "$ROOT/many" && seq -f 'entry-%06.0f' 1 30000 | xargs touch)

# ask N : N requests for the slow listing at once; prints how many got which status.
ask() {
    local i
    for ((i = 0; i < $1; i++)); do
        curl -s -o "$TMP/answer.$i" -D "$TMP/head.$i" --max-time $((60 * SLOW)) "$URL/many/" &
        pids[i]=$!
    done
    wait "${pids[@]}"
    cat "$TMP"/head.* | grep -a '^HTTP/' | cut -d ' ' -f 2 | sort | uniq -c | tr -s ' \n' ' '
}

ERR_MAY='the number of clients that can be served is exceeded|clients are served again'
server_start -t 1 -q 0
# Somebody who is in service already.
exec 3<>"/dev/tcp/127.0.0.1/$PORT"
printf 'GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n' >&3
while IFS= read -r -t 10 -u 3 line && [ "$line" != hello ]; do :; done
counts=$(ask 30)
like "$counts" '[0-9]+ 503' "-t 1 -q 0: some of 30 at once are refused:$counts"
like "$counts" '[0-9]+ 200' "and some are served"
is "$(grep -alc '^HTTP/1.1 [0-9]' "$TMP"/head.* | wc -l)" 30 "nobody is left without an answer"
refusal=$(grep -al '^HTTP/1.1 503' "$TMP"/head.* | head -n 1)
if [ -n "$refusal" ]; then
    like "$(tr -d '\r' <"$refusal")" '[Rr]etry-[Aa]fter: [0-9]+' "503 has Retry-After"
    like "$(tr -d '\r' <"$refusal")" 'onnection: close' "and closes"
    like "$(cat "${refusal/head./answer.}")" 'number of clients that can be served is exceeded' "and says why"
    length=$(tr -d '\r' <"$refusal" | sed -n 's/^[Cc]ontent-[Ll]ength: //p')
    is "$length" "$(stat -c %s "${refusal/head./answer.}")" "with the right length"
fi
printf 'GET /b.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
like "$(timeout 20 cat <&3)" '^HTTP/1.1 200' "who was in service is still served"
exec 3<&- 3>&-
grep -q 'number of clients that can be served is exceeded' "$ERR"
ok "the server's own log says so too"
fetch /a.txt
is "$STATUS" 200 "and when it is quiet again, everybody is served"
server_stop

ERR_MAY=
server_start -t 2 -q 1024
rm -f "$TMP"/head.*
like "$(ask 30)" '^ ?30 200 ?$' "-q 1024: thirty wait and are all served"
server_stop

# -c bounds the connections; what is over it is refused or waits, and comes through once there is room.
server_start -c 10
helper "$CROWD" "$PORT" idle 8 >"$TMP/crowd"
wait_for $((5 * SLOW)) grep -q ready "$TMP/crowd"
fetch /a.txt
is "$STATUS" 200 "-c 10: there is room beside eight"
kill "$HELPER"
server_stop

done_testing
