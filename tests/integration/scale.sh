#!/bin/bash
# alone: this one is timed
#
# The short form of tests/resume/scale: ids cost nothing, records nothing that grows with their number.
. "$(dirname "$0")/lib.sh"

if ! command -v python3 >/dev/null; then
    skip_all "there is no python3"
fi
said=$(MINT=${MINT:-20000} RECORDS=${RECORDS:-1000} HTTPD=$HTTPD "$LIB_TOP/tests/resume/scale")
ok "ids and records of many clients"
note "$said"
done_testing
