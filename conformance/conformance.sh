#!/bin/bash
# make conformance: the official [Conformance] tests on stock nodes. Brings up what is missing, runs the
# tests, closes with "N passed, N failed, N skipped". What runs already is used; make down stops it.
#   FOCUS=REGEXP       only tests whose name matches        SKIP=REGEXP   not these
#   PROCS=8            tests at a time                      SERIAL=1      also the [Serial] ones; only: just them
#   LIST=FILE          only the tests named in a file       RUN=NAME      directory of the results (default: last)
#   RESUME=1           go on with an earlier run of the same name, so that a long run can be done in pieces
#   RETRY=1            a test fails only if it fails twice
#   KNOWN_GREEN=1      the tests of known_green.txt, with RETRY=1 (make known-green)
#   UPDATE=1           add what passed to known_green.txt
#   CONTROL_PLANE=reference    upstream's control plane instead of ours
#   NODES=2            worker nodes
set -euo pipefail
export NODES="${NODES:-2}"
. "$(dirname "$0")/env.sh"
case "${1:-}" in -h | --help) usage; exit 0 ;; esac

[ "${SERIAL:-0}" != 1 ] || SERIAL=yes
[ "${SERIAL:-0}" != 0 ] || SERIAL=no
options=(--procs "${PROCS:-8}" --serial "$SERIAL" --focus "${FOCUS:-}" --skip "${SKIP:-}")
[ -z "${LIST:-}" ] || options+=(--list "$LIST")
[ "${RESUME:-0}" = 0 ] || options+=(--resume)
[ "${KNOWN_GREEN:-0}" = 0 ] || options+=(--known-green --retry)
[ "${RETRY:-0}" = 0 ] || options+=(--retry)
[ "${UPDATE:-0}" = 0 ] || options+=(--update-known-green)

"$CONFORMANCE/tools.sh" ginkgo e2e.test
"$CONFORMANCE/cluster.sh" up
say "pulling the images ahead of the tests"
for ((n = 1; n <= NODES; n++)); do "$CONFORMANCE/node.sh" pull "$n" & done
wait
exec python3 "$CONFORMANCE/run.py" "${options[@]}" --bin "$BIN" --kubeconfig "$ADMIN_KUBECONFIG" --server "$API_SERVER" \
  --dir "$STATE/results/$CONTROL_PLANE-${RUN:-last}" --nodes "$NODES"
