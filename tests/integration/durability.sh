#!/bin/bash
# The short form of `make durability`: killed, read, aborted, full.
KILLS=${KILLS:-10} REPLACES=${REPLACES:-300} exec python3 "$(dirname "$0")/../durability/durability.py"
