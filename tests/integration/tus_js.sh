#!/bin/bash
# Does the real tus-js-client bring files over whole, through cuts and kills? (`make resume` for more of them)
HTTPD=$(realpath "${HTTPD:-$(dirname "$0")/../../build/httpd}") exec "$(dirname "$0")/../resume/run"
