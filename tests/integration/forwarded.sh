#!/bin/bash
# Forwarded and X-Forwarded-For name the client when somebody who is trusted says so, and are an
# invention otherwise.
. "$(dirname "$0")/lib.sh"

echo hello >"$ROOT/a.txt"
lines() { [ "$(wc -l <"$LOG")" -ge "$1" ]; }
count=0
client_is() { # client_is ADDRESS WHAT HEADER... : what the log says of such a request
    local wanted=$1 what=$2 arguments=()
    shift 2
    for field; do arguments+=(-H "$field"); done
    fetch "${arguments[@]}" /a.txt
    count=$((count + 1))
    wait_for 5 lines $count
    is "$STATUS $(sed -n "${count}s/ .*//p" "$LOG")" "200 $wanted" "$what"
}

server_start
client_is 127.0.0.1 "nobody is trusted: Forwarded is ignored" 'Forwarded: for=192.0.2.1'
client_is 127.0.0.1 "nobody is trusted: X-Forwarded-For is ignored" 'X-Forwarded-For: 192.0.2.1'
server_stop

ERR_MAY=read-only
server_start --trust 198.51.100.0/24
count=0 && : >"$LOG"
client_is 127.0.0.1 "another is trusted: Forwarded is ignored" 'Forwarded: for=192.0.2.1'
client_is 127.0.0.1 "another is trusted: X-Forwarded-For is ignored" 'X-Forwarded-For: 192.0.2.1'
server_stop

server_start --trust 127.0.0.1 --trust 10.0.0.0/8
count=0 && : >"$LOG"
client_is 127.0.0.1 "no field: the proxy itself"
client_is 192.0.2.1 "Forwarded" 'Forwarded: for=192.0.2.1;proto=https'
client_is 2001:db8::7 "Forwarded, IPv6 with a port" 'Forwarded: for="[2001:db8::7]:4711"'
client_is 192.0.2.1 "X-Forwarded-For" 'X-Forwarded-For: 192.0.2.1'
client_is 2001:db8::7 "X-Forwarded-For, IPv6" 'X-Forwarded-For: 2001:db8::7'
client_is 192.0.2.1 "a chain of trusted proxies" 'X-Forwarded-For: 192.0.2.1, 10.0.0.1, 10.9.9.9'
client_is 192.0.2.1 "the same in Forwarded, in two fields" 'Forwarded: for=192.0.2.1' 'Forwarded: for=10.0.0.1'
client_is 192.0.2.66 "what stands before the first untrusted is his invention" \
    'X-Forwarded-For: 203.0.113.1, 192.0.2.66, 10.0.0.1'
client_is 192.0.2.66 "the same in Forwarded" 'Forwarded: for=203.0.113.1, for=192.0.2.66'
client_is 192.0.2.66 "a spoofed field before the proxy's own" 'X-Forwarded-For: 127.0.0.1' \
    'X-Forwarded-For: 192.0.2.66'
client_is 127.0.0.1 "two fields that disagree: one was not written by the proxy" \
    'Forwarded: for=203.0.113.1' 'X-Forwarded-For: 192.0.2.66'
client_is 192.0.2.66 "two fields that agree" 'Forwarded: for=192.0.2.66' 'X-Forwarded-For: 192.0.2.66'
client_is 127.0.0.1 "unknown" 'Forwarded: for=unknown'
client_is 127.0.0.1 "a hidden one" 'Forwarded: for=_gazonk'
client_is 10.0.0.1 "as far as it can be followed" 'Forwarded: for=_gazonk, for=10.0.0.1'
client_is 127.0.0.1 "no address" 'X-Forwarded-For: evil.example'
client_is 127.0.0.1 "a quote without its end swallows what follows, and nobody is named" \
    'Forwarded: for="203.0.113.1' 'Forwarded: for=192.0.2.66'
client_is 127.0.0.1 "a line break in it" 'X-Forwarded-For: 1.2.3.4%0aX'
client_is 127.0.0.1 "an empty field" 'X-Forwarded-For;'
many=$(printf '203.0.113.%d, ' {1..60})
client_is 192.0.2.66 "sixty inventions" "X-Forwarded-For: ${many}192.0.2.66"
huge=$(printf '203.0.113.%d, ' {1..250})
client_is 192.0.2.66 "as many as fit in a field" "X-Forwarded-For: ${huge}192.0.2.66"
server_stop

# The rule that looks at addresses: who tries passwords is slowed, and not who shares the proxy.
hash=$(printf 'secret\nsecret\n' | "$HTTPD" --passwd ana 2>/dev/null)
if [ -n "$hash" ]; then
    printf '%s\n' "$hash" >"$TMP/accounts"
    chmod 600 "$TMP/accounts"
    ERR_MAY='read-only|passwords|.*login|.*password'
    server_start --trust 127.0.0.1 --auth "$TMP/accounts"
    for ((i = 0; i < 10; i++)); do fetch -u "ana:wrong$i" -H 'X-Forwarded-For: 192.0.2.66' -T "$ROOT/a.txt" /x; done
    fetch -u ana:wrong -H 'X-Forwarded-For: 192.0.2.66' -T "$ROOT/a.txt" /x
    is "$STATUS" 429 "ten wrong passwords: that client is slowed"
    fetch -u ana:wrong -H 'X-Forwarded-For: 192.0.2.67' -T "$ROOT/a.txt" /x
    is "$STATUS" 401 "another behind the same proxy is not"
    fetch -u ana:wrong -H 'X-Forwarded-For: 203.0.113.5, 192.0.2.66' -T "$ROOT/a.txt" /x
    is "$STATUS" 429 "and inventing another address does not help him"
    for ((i = 0; i < 10; i++)); do fetch -u "ana:bad$i" -H 'X-Forwarded-For: 192.0.2.68' /; done
    fetch -u ana:secret -H 'X-Forwarded-For: 192.0.2.69' /
    like "$(cat "$BODY")" 'id="upload"' "nor does one who tries them on a listing slow another, who may upload"
    fetch -u ana:wrong -H 'X-Forwarded-For: 192.0.2.68' -T "$ROOT/a.txt" /x
    is "$STATUS" 429 "but is slowed himself"
    server_stop
else
    skip "slowing by the client's address" "--passwd cannot be asked here"
fi

done_testing
