#!/bin/bash
# Does any spelling of a path lead out of the docroot, or to what is hidden?
. "$(dirname "$0")/lib.sh"

echo SECRET >"$TMP/secret.txt"
mkdir -p "$ROOT/dir/sub" "$ROOT/.git" "$ROOT/.well-known" "$ROOT/dir/.hidden" "$ROOT/.httpd" "$ROOT/dir/.well-known"
echo SECRET >"$ROOT/.htpasswd"
echo SECRET >"$ROOT/.git/config"
echo SECRET >"$ROOT/dir/.hidden/x.txt"
echo SECRET >"$ROOT/.httpd/other"
echo SECRET >"$ROOT/dir/.well-known/x.txt"
echo SECRET >"$ROOT/.well-known/.secret"
echo public >"$ROOT/.well-known/security.txt"
echo inside >"$ROOT/dir/a.txt"
server_start

while IFS='|' read -r target status; do
    got=$(raw send "GET ${target//\\/\\\\} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n")
    unlike "$got" 'SECRET|root:' "$target shows nothing"
    like "$(status_of "$got")" "^($status)\$" "$target is $status"
done <<'ROWS'
/../secret.txt|400
/dir/../../secret.txt|400
/dir/../dir/../../secret.txt|400
/..|400
/../|400
/./../secret.txt|400
//../secret.txt|400
/dir/sub/../../../secret.txt|400
/%2e%2e/secret.txt|400
/%2E%2E/secret.txt|400
/.%2e/secret.txt|400
/%2e./secret.txt|400
/..%2fsecret.txt|400|404
/%2e%2e%2fsecret.txt|400|404
/dir%2f..%2f..%2fsecret.txt|400|404
/..%5csecret.txt|404
/..\secret.txt|400|404
/%252e%252e/secret.txt|404
/..;/secret.txt|404
/.../secret.txt|404
/..%00/secret.txt|400
/%c0%ae%c0%ae/secret.txt|404
/%uff0e%uff0e/secret.txt|400
http://localhost/../secret.txt|400
http://localhost/%2e%2e/secret.txt|400
/../../../../../../../../etc/passwd|400
//etc/passwd|404
/etc/passwd|404
file:///etc/passwd|400
/proc/self/environ|404
/.htpasswd|404
/.git/config|404
/.git/|404
/.git|404
/%2egit/config|404
/%2Ehtpasswd|404
/dir/../.htpasswd|404
/./.htpasswd|404
//.htpasswd|404
/dir/.hidden/x.txt|404
/dir/.well-known/x.txt|404
/.well-known/.secret|404
/.httpd/other|404
/.httpd/|404
/.well-known/../.htpasswd|404
ROWS
fetch /.well-known/security.txt
is "$STATUS $(body)" "200 public" ".well-known is not hidden (RFC 8615)"
fetch /dir/sub/../a.txt
is "$STATUS $(body)" "200 inside" "a detour that stays inside is allowed"
for target in / /dir/ /.well-known/; do
    fetch -H 'Accept: application/json' "$target"
    unlike "$(body)" 'htpasswd|git|hidden|\.httpd|\.secret' "the listing of $target names nothing hidden"
    fetch "$target" # where "hidden" is a word of HTML as well
    unlike "$(body)" 'htpasswd|\.git|\.hidden|\.httpd|\.secret' "nor does its page"
done
# What is hidden is hidden from every method.
for method in PUT DELETE POST; do
    fetch -X "$method" --max-time 5 /.htpasswd
    unlike "$STATUS" '^20[01]$' "$method of a hidden file: $STATUS"
    [ "$(cat "$ROOT/.htpasswd")" = SECRET ]
    ok "and it is as it was"
done

done_testing
