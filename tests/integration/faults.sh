#!/bin/bash
# alone: each step has its time limit
#
# Each system call fails the first time that it is made, in every kind of request, at start, reload,
# restart and end. `make faults FULL=1` is the long form: each time, with each error.
. "$(dirname "$0")/lib.sh"

faulty=$(dirname "$HTTPD")/faults/httpd
[ -x "$faulty" ] || skip_all "there is no $faulty: make faulty"
HTTPD=$faulty "$LIB_TOP/tests/faults/run"
