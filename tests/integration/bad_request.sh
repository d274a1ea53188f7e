#!/bin/bash
# Every refusal has a row in bad_request.table: the status, and that nothing that follows on the
# connection is taken for a request.
. "$(dirname "$0")/lib.sh"

table=$LIB_TOP/tests/integration/bad_request.table
echo hello >"$ROOT/a.txt"
server_start

# What would be answered if the server went on reading after the bad request: request smuggling.
bait='GET /a.txt HTTP/1.1\r\nHost: localhost\r\nX-Bait: yes\r\n\r\n'

while IFS= read -r row; do
    case $row in
    '' | '#'*) continue ;;
    esac
    status=${row%% *}
    status=${status//\//|}
    row=${row#* }
    request=${row%% | *}
    why=${row#* | }
    case $status in
    *+) # Answered, and the connection goes on: the bait must be answered too.
        got=$(raw send "$request$bait" half)
        like "$(status_of "$got") $(grep -ac '^HTTP/1.1 ' <<<"$got")" "^(${status%+}) 2\$" "$why"
        ;;
    *)
        got=$(raw send "$request$bait" half)
        like "$(status_of "$got") $(grep -ac '^HTTP/1.1 ' <<<"$got") $(raw_end)" "^($status) 1 closed\$" "$why"
        ;;
    esac
done <"$table"

# The same in small pieces must come to the same.
for request in 'GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n' \
    'GET / HTTP/1.1\r\nHost : localhost\r\n\r\n' 'GET / HTTP/1.1\r\nHost: localhost\r\nX: a\x00b\r\n\r\n'; do
    is "$(status_of "$(raw bytewise "$request" half)")" 400 "byte by byte: $request"
done

fetch /a.txt
is "$STATUS" 200 "the server is well"

done_testing
