#!/usr/bin/env bash
# Rebuild the generated data of pykube_cp/machinery/data from upstream's Go types.
# With --check, fail when what is committed differs from what would be generated.
set -euo pipefail

case "${1:-}" in
  -h | --help)
    sed -n '2,3s/^# //p' "$0"
    exit 0
    ;;
  "" | --check) ;;
  *)
    echo "generate.sh: unknown argument $1 (try --help)" >&2
    exit 2
    ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
data=$root/pykube_cp/machinery/data
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

command -v go >/dev/null || {
  echo "generate.sh: needs Go 1.26 or newer in PATH" >&2
  exit 1
}

cd "$root/conformance"
tag=$(sed -n 's/^\tk8s\.io\/kubernetes \(v[0-9.]*\).*/\1/p' go.mod)
folder_of() { go list -mod=readonly -m -f '{{.Dir}}' "$1"; }
go run -mod=readonly ../tools/schemagen/*.go "$tag" "$made/types.json"
go run -mod=readonly ../tools/validationgen/*.go "$tag" "$(folder_of k8s.io/kubernetes)" "$(folder_of k8s.io/api)" \
  "$made/validations.json"

for file in types.json validations.json; do
  if [ "${1:-}" = --check ]; then
    cmp "$made/$file" "$data/$file" || {
      echo "generate.sh: $file is out of date; run make generate" >&2
      exit 1
    }
  else
    mv "$made/$file" "$data/$file"
    chmod 644 "$data/$file"
  fi
done
