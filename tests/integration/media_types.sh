#!/bin/bash
# Is the type right for each extension, with a charset for text?
. "$(dirname "$0")/lib.sh"

cd "$ROOT" || exit 1
while read -r name _; do echo x >"$name"; done <"$LIB_TOP/tests/integration/media_types.table"
server_start
while read -r name type; do
    fetch "/$name"
    is "$(field Content-Type | tr -d ' ')" "${type// /}" "$name" || true
done <"$LIB_TOP/tests/integration/media_types.table"

done_testing
