#!/bin/bash
# The capacity model: does its simulation agree with its formula, and does the page say what it says?
. "$(dirname "$0")/lib.sh"

if ! command -v python3 >/dev/null; then
    skip_all "there is no python3"
fi
model() { python3 "$LIB_TOP/tests/scale/model.py" "$@"; }
model >"$TMP/model"
is "$?" 0 "the simulation bears the formula out"
sed -n '/^```$/,/^```$/{/^```$/!p}' "$LIB_TOP/tests/scale/README.md" >"$TMP/page"
same_bytes "$TMP/model" "$TMP/page" "tests/scale/README.md shows what it prints"
model cores=64 volume_cores=64 answer_kb=1000 >"$TMP/model"
is "$?" 0 "also for larger machines and longer answers"
like "$(cat "$TMP/model")" 'first bottleneck: network of a machine' "whose first bottleneck is another"
model pause=1 2>/dev/null
is "$?" 1 "a name that it does not know is refused"
done_testing
