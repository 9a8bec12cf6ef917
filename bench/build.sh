#!/bin/bash
# Builds the load generator (load/, Go, standard library only) into the cache and prints its path.
set -euo pipefail
case "${1:-}" in -h | --help) sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;; esac
cd "$(dirname "$0")/load"
. ../../conformance/env.sh
. "$CONFORMANCE/go.sh"
mkdir -p "$CACHE/bench"
go build -trimpath -o "$CACHE/bench/load" .
echo "$CACHE/bench/load"
