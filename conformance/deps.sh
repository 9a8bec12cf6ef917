#!/bin/bash
# Programs that worker nodes, image building and the reference control plane need from the distribution.
#   deps.sh [node] [images] [reference] [python]      default: the first three
# What this machine has is used. Small tools are installed with apt (needs root). containerd 2.x, runc,
# the CNI plugins and etcd 3.5+ are taken out of Debian packages into the cache where the machine has
# none that fits: nothing that is installed is replaced, and no apt source is added to the machine.
set -euo pipefail
. "$(dirname "$0")/env.sh"
. "$CONFORMANCE/apt.sh"

at_least() { # WANTED FOUND
  [ -n "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$1" ]
}
containerd_fits() { at_least 2.0 "$(containerd --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -1)"; }
etcd_fits() { at_least 3.5 "$(etcd --version 2>/dev/null | sed -n 's/^etcd Version: //p')"; }
runc_fits() { runc --version >/dev/null 2>&1; }  # a newer release's may lack its libc here
static_c() { echo 'int main(void){return 0;}' | gcc -static -x c -o /dev/null - 2>/dev/null; }

missing() { # PROGRAM:PACKAGE... -> packages
  local pair; for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || echo "${pair#*:}"; done
}

install() { # PACKAGE...
  [ $# -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "please install: $* (no apt-get on this machine)"
  is_root || fail "please install, as root: apt-get install $*"
  step "apt-get install $*" bash -c "apt-get update -qq && apt-get install -y -qq --no-install-recommends $*"
}

take() { # PACKAGE[/SUITE]...: their files into $DEBIAN
  local tmp; tmp=$(mktemp -d "$CACHE/take.XXXX")
  (cd "$tmp" && apt_private apt-get download -qq "$@")
  mkdir -p "$DEBIAN"
  local deb; for deb in "$tmp"/*.deb; do dpkg-deb -x "$deb" "$DEBIAN"; done
  rm -rf "$tmp"
}
fetch() { # PACKAGE[/SUITE]...
  command -v dpkg-deb >/dev/null || fail "please install containerd 2.x, runc, CNI plugins, etcd 3.5+ (not a Debian system)"
  apt_lists; step "fetching $*" take "$@"
}

node() {
  # shellcheck disable=SC2046
  install $(missing ip:iproute2 nft:nftables iptables:iptables conntrack:conntrack openssl:openssl nsenter:util-linux ps:procps)
  containerd_fits || fetch "containerd$NEWEST"
  containerd_fits || fail "containerd 2.x is needed; install it, for example containerd.io from download.docker.com"
  runc_fits || fetch runc libseccomp2
  runc_fits || fail "runc is needed; install it"
  cni_bin >/dev/null || fetch "containernetworking-plugins$NEWEST"
}
python() { install python3-venv; }
images() { static_c || install gcc libc6-dev; }
reference() {
  # shellcheck disable=SC2046
  install $(missing openssl:openssl)
  etcd_fits || fetch "etcd-server$NEWEST"
  etcd_fits || fail "etcd 3.5 or newer is needed; install it"
}

case "${1:-}" in -h | --help) usage; exit 0 ;; esac
mkdir -p "$CACHE"
for part in "${@:-node images reference}"; do
  for p in $part; do
    case $p in node | images | reference | python) "$p" ;; *) usage >&2; exit 2 ;; esac
  done
done
