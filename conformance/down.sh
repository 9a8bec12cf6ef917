#!/bin/bash
# make down: stops what make up, make reference and make conformance started, deletes the cluster's data
# (KEEP=1 keeps it) and looks whether anything of it is left on the machine. What was built stays in the
# cache. Other clusters on this machine (another BRIDGE and PYKUBE_CP_STATE) are left alone.
set -euo pipefail
. "$(dirname "$0")/env.sh"
case "${1:-}" in -h | --help) usage; exit 0 ;; esac

leftovers() {
  local file
  for file in "$STATE"/run/*.pid; do [ ! -e "$file" ] || echo "process: $file"; done
  grep -F " $STATE/" /proc/self/mounts || true
  is_root || return 0  # without root there are no nodes: what is seen of such is another user's
  local link; for link in /sys/class/net/"$BRIDGE" /sys/class/net/"$BRIDGE"-n*; do [ ! -e "$link" ] || echo "device: ${link##*/}"; done
  ip route show 2>/dev/null | grep -w "$BRIDGE" || true
  nft list tables 2>/dev/null | grep -w "pykube-cp-$BRIDGE" || true
  find /sys/fs/cgroup -maxdepth 2 -name "pykube-cp-$BRIDGE-*" 2>/dev/null || true
}

if [ "${KEEP:-}" = 1 ]; then "$CONFORMANCE/cluster.sh" down; else "$CONFORMANCE/cluster.sh" reset; fi
left=$(leftovers)
[ -z "$left" ] || fail "still there: $left"
say "down: no process, mount, network device, route, rule or cgroup of the cluster is left"
