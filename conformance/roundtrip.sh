#!/bin/bash
# Every kind, there and back: upstream's fixtures and random objects are read by our codecs, written by
# them, and read again by upstream's own decoders, in JSON, YAML, protobuf and CBOR.
#   roundtrip.sh [--fuzz N] [--broken N] [--seed S] [--only REGEXP]
# --fuzz N makes N random objects of every kind (4), --broken N damages N fixtures in JSON, YAML and protobuf,
# which both sides must refuse alike or read alike (500); the same seed does the same. --only picks cases by
# name: 'HEAD core', 'v1.36.0 apps', random. Fixtures are those of the pinned k8s.io/api: testdata/HEAD and
# testdata/v1.*. What is left out is printed with the reason. Needs Go and .venv; no cluster.
set -euo pipefail
. "$(dirname "$0")/env.sh"
case "${1:-}" in -h | --help) usage; exit 0 ;; esac
. "$CONFORMANCE/go.sh"
PYTHON="${PYTHON:-$REPO/.venv/bin/python}"
[ -x "$PYTHON" ] || fail "no $PYTHON; make setup makes it"

build() { cd "$CONFORMANCE" && go build -o "$BIN/roundtrip" ./roundtrip; }
testdata() { cd "$CONFORMANCE" && echo "$(go list -m -f '{{.Dir}}' "$1")/$2"; }

mkdir -p "$BIN"
step "building upstream's side of the round trip" build
exec env PYTHONPATH="$REPO" "$PYTHON" "$CONFORMANCE/roundtrip/run.py" --upstream "$BIN/roundtrip" \
  --testdata "$(testdata k8s.io/api testdata)" \
  --testdata "$(testdata k8s.io/apiextensions-apiserver pkg/apis/testdata)" "$@"
