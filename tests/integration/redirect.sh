#!/bin/bash
# A directory without its slash: the way there is relative to this host and can never lead to another.
. "$(dirname "$0")/lib.sh"

mkdir -p "$ROOT/dir/sub" "$ROOT/evil.example/x" "$ROOT/a b" "$ROOT/x:y" "$ROOT/"'back\slash'
echo hello >"$ROOT/dir/a.txt"
server_start

while IFS='|' read -r target lands; do
    got=$(raw send "GET ${target//\\/\\\\} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    location=$(tr -d '\r' <<<"$got" | sed -n 's/^[Ll]ocation: //p')
    if [ -z "$lands" ]; then
        is "$location" "" "$target leads nowhere else ($(status_of "$got"))"
        continue
    fi
    like "$(status_of "$got")" '^30[18]$' "$target is redirected"
    unlike "$location" '^(//|/\\|\\|[a-zA-Z][a-zA-Z0-9+.-]*:)' "$target: $location stays on this host"
    # Where a browser would go from there.
    if command -v python3 >/dev/null; then
        is "$(python3 -c 'import sys, urllib.parse as u; print(u.unquote(u.urljoin("http://localhost" + sys.argv[1], sys.argv[2])))' "${target/#\/\//\/}" "$location")" \
            "http://localhost${lands//%20/ }" "$target lands at $lands"
    fi
done <<'ROWS'
/dir|/dir/
/dir/sub|/dir/sub/
/dir?x=1&y=2|/dir/?x=1&y=2
/a%20b|/a%20b/
//evil.example|/evil.example/
//evil.example/x|/evil.example/x/
///evil.example|/evil.example/
//evil.example/..|
/dir/|
/none|
/x:y|/x:y/
/%5cevil.example|
//evil.example/%2e%2e|
/dir%0d%0aSet-Cookie:%20a=b|
ROWS
got=$(raw send 'GET /dir?a=b%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
is "$(grep -ci '^set-cookie' <<<"$got")" 0 "no field can be put into the answer"
got=$(raw send 'GET http://evil.example/dir HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
unlike "$(tr -d '\r' <<<"$got" | sed -n 's/^[Ll]ocation: //p')" 'evil' "an absolute target does not choose the host"

fetch -L /dir
is "$STATUS" 200 "curl follows it"

done_testing
