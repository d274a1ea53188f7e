#!/bin/bash
# alone: this one is timed
#
# The short form of tests/resume/downloads: a dozen downloads that are cut at random moments, in every way.
. "$(dirname "$0")/lib.sh"

if ! command -v python3 >/dev/null; then
    skip_all "there is no python3"
fi
said=$(DOWNLOADS=12 HTTPD=$HTTPD HTTPCLIENT=${PROGRAMS:-$LIB_TOP/build}/httpclient "$LIB_TOP/tests/resume/downloads")
ok "twelve downloads, all identical and none with a gap"
missing=$(sed -n 's/^ok 2 .* # SKIP //p' <<<"$said")
[ -z "$missing" ] || skip "connections reset from outside, links cut" "$missing"
note "$said"
done_testing
